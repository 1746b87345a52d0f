//! Other processes: this test program again, told by its environment to play a part. Orders go to its standard
//! input, one a line; each is answered with one line.

use crate::backend_suite::{PATIENCE, read, read_mark};
use crate::publish_mark;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use virtual_gpu_lut_box::texture::linux::LinuxBackend;
use virtual_gpu_lut_box::texture::{Event, Frame, TextureBackend, TextureReceiver, TextureSender, TextureWriter};

const DIRECTORY: &str = "VGLB_TEST_DIRECTORY";

/// What an answer begins with: the test program prints other lines too.
const ANSWER: &str = "answer: ";

/// Not a test: where another process begins.
#[test]
fn other_process() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let backend = LinuxBackend::with_directory(directory);
    let mut player = Player { backend: &backend, senders: Vec::new(), receivers: Vec::new() };
    for line in std::io::stdin().lines() {
        let answer = player.obey(&line.unwrap());
        // Past the test program's capture.
        let mut out = std::io::stdout();
        out.write_all(format!("\n{ANSWER}{answer}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

/// What the other process has.
struct Player<'a> {
    backend: &'a LinuxBackend,
    senders: Vec<(Box<dyn TextureSender>, Box<dyn TextureWriter>)>,
    receivers: Vec<Box<dyn TextureReceiver>>,
}

impl Player<'_> {
    fn obey(&mut self, order: &str) -> String {
        let words: Vec<_> = order.split(' ').collect();
        let number = |i: usize| words[i].parse::<u64>().unwrap();
        let done = match words[0] {
            "send" => self.backend.create_sender(words[1]).map(|sender| {
                let writer = sender.writer().unwrap();
                self.senders.push((sender, writer));
                "sending".to_owned()
            }),
            "publish" => return self.publish(number(1), number(2)),
            "receivers" => Ok(self.senders[0].0.receivers().unwrap().to_string()),
            "end" => {
                self.senders.clear();
                Ok("ended".to_owned())
            }
            "open" => self.backend.open(words[1]).map(|receiver| {
                self.receivers.push(receiver);
                "opened".to_owned()
            }),
            "next" => {
                let receiver = &mut **self.receivers.last_mut().unwrap();
                receiver.wait(Some(PATIENCE)).map(|event| match event {
                    Event::Frame => {
                        let frame = read(receiver);
                        format!("{} {} {}", frame.height, frame.revision, read_mark(&frame))
                    }
                    other => format!("{other:?}"),
                })
            }
            "follow" => return self.follow(number(1)),
            "cycles" => return self.cycles(words[1], number(2)),
            "files" => Ok(open_files().to_string()),
            "threads" => Ok(std::fs::read_dir("/proc/self/task").unwrap().count().to_string()),
            other => panic!("no such order: {other}"),
        };
        done.unwrap_or_else(|e| format!("error: {e}"))
    }

    fn publish(&mut self, n: u64, mark: u64) -> String {
        let writer = &mut *self.senders[0].1;
        let shape = crate::backend_suite::shape(n);
        if let Err(e) = writer.begin(shape) {
            return format!("error: {e}");
        }
        writer.texels().copy_from_slice(&crate::backend_suite::marked(mark, shape.texels()));
        writer.publish().map_or_else(|e| format!("error: {e}"), |revision| revision.to_string())
    }

    /// Reads whole textures with rising revisions until `last`; how many it saw.
    fn follow(&mut self, last: u64) -> String {
        let receiver = &mut **self.receivers.last_mut().unwrap();
        let (mut frame, mut seen) = (Frame::default(), 0);
        while frame.revision < last {
            assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Frame);
            let before = frame.revision;
            receiver.read(&mut frame).unwrap();
            assert!(frame.revision > before);
            assert_eq!(read_mark(&frame), frame.revision);
            seen += 1;
        }
        seen.to_string()
    }

    /// Opens and closes a stream of another process, and begins and ends one of its own, many times; descriptors and
    /// threads before and after.
    fn cycles(&mut self, stream: &str, times: u64) -> String {
        let once = |i: u64| {
            read(&mut *self.backend.open(stream).unwrap());
            let sender = self.backend.create_sender("own").unwrap();
            let mut writer = sender.writer().unwrap();
            for n in [2, 3, 4, 2] {
                publish_mark(&mut *writer, n, i);
            }
            read(&mut *self.backend.open("own").unwrap());
            assert!(self.backend.wait_for_stream("own", None).unwrap());
            assert_eq!(self.backend.streams().unwrap().len(), 2);
        };
        let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
        once(0);
        let before = (open_files(), threads());
        (1..=times).for_each(once);
        format!("{before:?} {:?}", (open_files(), threads()))
    }
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Another process that waits for orders. Killed when it is dropped.
pub struct Other {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Other {
    pub fn new(directory: &Path) -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()), directory)
    }

    /// One that a shell has put limits on.
    pub fn with_limits(directory: &Path, ulimit: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit {ulimit} && exec \"$0\" \"$@\"")]).arg(std::env::current_exe().unwrap());
        Self::start(shell, directory)
    }

    fn start(mut command: Command, directory: &Path) -> Self {
        let mut process = command
            .args(["--exact", "child::other_process", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Other { process, orders, answers }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    pub fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            let got = self.answers.read_line(&mut line).unwrap();
            assert_ne!(got, 0, "the other process has ended");
            if let Some(answer) = line.trim_end().strip_prefix(ANSWER) {
                return answer.to_owned();
            }
        }
    }

    pub fn ask(&mut self, order: &str) -> String {
        self.order(order);
        self.answer()
    }

    /// Asks for something that has to go well.
    pub fn must(&mut self, order: &str, answer: &str) {
        assert_eq!(self.ask(order), answer, "{order}");
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// SIGSTOP, until it has stopped.
    pub fn stop(&self) {
        self.signal(rustix::process::Signal::STOP);
        let stat = format!("/proc/{}/stat", self.pid());
        crate::backend_suite::until("the process stops", || {
            std::fs::read_to_string(&stat).unwrap().rsplit(')').next().unwrap().starts_with(" T")
        });
    }

    pub fn go_on(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
