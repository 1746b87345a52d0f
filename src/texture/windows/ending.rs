//! How Windows tells a program to end: by events of its console, and by the end of the user's session.
//!
//! - After Ctrl-C and Ctrl-Break the program goes on until it ends by itself.
//! - When the window is closed, Windows ends the process as soon as its handler returns, at the latest after five
//!   seconds. So the handler stays, and the main thread has that time to end in good order.
//! - Log-off and shutdown are no console events for a program with user32.dll in it, which Direct3D brings: they are
//!   messages to its windows. A window that is never shown is there for them.
#![allow(unsafe_code)]

use super::objects::os_error;
use std::sync::OnceLock;
use std::time::Duration;
use std::{io, thread};
use windows::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows::Win32::System::LibraryLoader::GetModuleHandleW;
use windows::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, MSG, RegisterClassW, WINDOW_EX_STYLE, WINDOW_STYLE,
    WM_ENDSESSION, WM_QUERYENDSESSION, WNDCLASSW,
};
use windows::core::{BOOL, PCWSTR, w};

static END: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// The class of the window that hears of the session's end.
const CLASS: PCWSTR = w!("virtual-gpu-lut-box session");

/// Calls `end`, from a thread of the system's, each time the user wants this program to end: with Ctrl-C or Ctrl-Break,
/// by closing its window, by logging off or shutting down. After the last three the process has some seconds to end.
///
/// # Errors
/// Where something is called already, or the system refuses.
pub fn when_told_to_end(end: impl Fn() + Send + Sync + 'static) -> io::Result<()> {
    let twice = |_| io::Error::new(io::ErrorKind::AlreadyExists, "this program's end is watched for already");
    END.set(Box::new(end)).map_err(twice)?;
    // SAFETY: the handler is a function, which is there for as long as the process.
    unsafe { SetConsoleCtrlHandler(Some(console_event), true) }.map_err(os_error)?;
    let watch = || {
        if let Err(e) = watch_session() {
            tracing::debug!("the end of the session would not be heard of: {e}");
        }
    };
    thread::Builder::new().name("session end".into()).spawn(watch).map(drop)
}

fn tell() {
    if let Some(end) = END.get() {
        end();
    }
}

/// Leaves the time that there is to the main thread, whose end ends this one too.
fn stay() -> ! {
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

unsafe extern "system" fn console_event(event: u32) -> BOOL {
    tell();
    if event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT {
        stay();
    }
    true.into()
}

fn watch_session() -> windows::core::Result<()> {
    // SAFETY: asks for this program's own module.
    let instance = unsafe { GetModuleHandleW(None) }?.into();
    let class = WNDCLASSW {
        lpfnWndProc: Some(session_message),
        hInstance: instance,
        lpszClassName: CLASS,
        ..Default::default()
    };
    // SAFETY: the class's name and its function are there for as long as the process.
    if unsafe { RegisterClassW(&class) } == 0 {
        return Err(windows::core::Error::from_thread());
    }
    // A window without a parent: one for messages alone hears nothing of the session. Without WS_VISIBLE it is not shown.
    // SAFETY: the class was registered above; no other argument points anywhere.
    unsafe {
        let (style, extended) = (WINDOW_STYLE(0), WINDOW_EX_STYLE(0));
        CreateWindowExW(extended, CLASS, CLASS, style, 0, 0, 0, 0, None, None, Some(instance), None)?;
    }
    let mut message = MSG::default();
    // SAFETY: the place to be written is there, and what was written to it is handed on. An error is below zero.
    unsafe {
        while GetMessageW(&mut message, None, 0, 0).0 > 0 {
            DispatchMessageW(&message);
        }
    }
    Ok(())
}

unsafe extern "system" fn session_message(window: HWND, message: u32, w: WPARAM, l: LPARAM) -> LRESULT {
    match message {
        WM_QUERYENDSESSION => LRESULT(1),
        WM_ENDSESSION if w.0 != 0 => {
            tell();
            stay()
        }
        // SAFETY: the arguments are those that the system has called with.
        _ => unsafe { DefWindowProcW(window, message, w, l) },
    }
}

#[cfg(test)]
#[path = "ending_tests.rs"]
mod tests;
