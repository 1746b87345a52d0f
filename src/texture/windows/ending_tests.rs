//! A server in a process and a console of its own, which ends itself as its user would.

use crate::cli;
use std::ffi::OsString;
use std::os::windows::process::CommandExt;
use std::process::{Command, ExitCode, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use windows::Win32::Foundation::{HWND, STATUS_CONTROL_C_EXIT, WPARAM};
use windows::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
};
use windows::Win32::System::Threading::{CREATE_NEW_CONSOLE, GetCurrentProcess, TerminateProcess};
use windows::Win32::UI::WindowsAndMessaging::{
    FindWindowExW, GetWindowThreadProcessId, SendMessageW, WM_ENDSESSION, WM_QUERYENDSESSION,
};

/// Set for the test program that is to be the server: how its user ends it.
const CHILD: &str = "ENDING_TEST_CHILD";

const PATIENCE: Duration = Duration::from_secs(60);

fn ended_by(what: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "texture::windows::ending::tests::a_server", "--ignored", "--nocapture"])
        .env(CHILD, what)
        .creation_flags(CREATE_NEW_CONSOLE.0)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
#[ignore = "is the server of the tests below"]
fn a_server() {
    let Ok(what) = std::env::var(CHILD) else { return };
    thread::spawn(|| {
        thread::sleep(2 * PATIENCE);
        eprintln!("still running");
        std::process::exit(3);
    });
    thread::spawn(move || {
        wait_until("the window for the session's end is there", || session_window().is_some());
        end(&what);
    });
    let words =
        ["vglb", "serve", "--port", "0", "--no-state", "--dashboard", "off", "--backend", "memory"].map(OsString::from);
    let code = cli::main(words);
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    // Windows gives a program that is being closed some seconds; a handler that does not stay leaves it none of them.
    thread::sleep(Duration::from_millis(300));
    eprintln!("ended in good order");
    std::process::exit(0);
}

fn end(what: &str) {
    // SAFETY: these calls take plain values; the windows are this process's own.
    unsafe {
        match what {
            "ctrl-c" => ctrl_c(),
            // As Windows does it: Wine 10 passes on neither Ctrl-Break nor the closing of a console's window.
            "ctrl-break" => assert!(super::console_event(CTRL_BREAK_EVENT).as_bool()),
            "closing" => {
                let _ = super::console_event(CTRL_CLOSE_EVENT);
                TerminateProcess(GetCurrentProcess(), STATUS_CONTROL_C_EXIT.0 as u32).unwrap();
            }
            "no log-off" => {
                let may = SendMessageW(session_window().unwrap(), WM_QUERYENDSESSION, None, None);
                assert_eq!(may.0, 1, "nobody is kept from logging off");
                SendMessageW(session_window().unwrap(), WM_ENDSESSION, Some(WPARAM(0)), None);
                eprintln!("nobody logs off");
                ctrl_c();
            }
            _ => {
                SendMessageW(session_window().unwrap(), WM_ENDSESSION, Some(WPARAM(1)), None);
                unreachable!("the process ends while it is told so")
            }
        }
    }
}

/// Presses Ctrl-C in this process's console, which is its alone.
fn ctrl_c() {
    // SAFETY: these calls take plain values. The first undoes what a process may have inherited: that Ctrl-C is ignored.
    unsafe {
        SetConsoleCtrlHandler(None, false).unwrap();
        GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0).unwrap();
    }
}

/// This process's window for the session's end.
fn session_window() -> Option<HWND> {
    let mut window = None;
    loop {
        // SAFETY: the class's name is a constant.
        window = Some(unsafe { FindWindowExW(None, window, super::CLASS, None) }.ok()?);
        let mut process = 0;
        // SAFETY: the place to be written is there.
        unsafe { GetWindowThreadProcessId(window?, Some(&mut process)) };
        if process == std::process::id() {
            return window;
        }
    }
}

fn wait_until(what: &str, so: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < until, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn assert_ends_in_good_order(what: &str) {
    let output = ended_by(what);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{what}: {said}");
    for line in ["listening on 127.0.0.1:", "stopping", "ended in good order"] {
        assert!(said.contains(line), "{what}: no {line:?} in {said}");
    }
}

#[test]
fn ctrl_c_ends_a_server_in_good_order() {
    assert_ends_in_good_order("ctrl-c");
}

#[test]
fn ctrl_break_ends_a_server_in_good_order() {
    assert_ends_in_good_order("ctrl-break");
}

#[test]
fn closing_its_window_ends_a_server_in_good_order() {
    assert_ends_in_good_order("closing");
}

#[test]
fn logging_off_ends_a_server_in_good_order() {
    assert_ends_in_good_order("logging off");
}

#[test]
fn a_log_off_that_somebody_prevented_ends_nothing() {
    assert_ends_in_good_order("no log-off");
    assert!(String::from_utf8_lossy(&ended_by("no log-off").stderr).contains("nobody logs off"));
}

#[test]
fn a_second_watcher_is_refused() {
    let watch = || super::when_told_to_end(|| {});
    watch().unwrap();
    assert_eq!(watch().unwrap_err().to_string(), "this program's end is watched for already");
}
