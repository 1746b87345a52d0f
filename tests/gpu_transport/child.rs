//! Other processes: this test program again, told by its environment to play a part. Orders go to its standard
//! input, one a line; each is answered with one line.

use crate::backend_suite::{PATIENCE, marked, publish, read_mark, shape, until};
use crate::reading::Reading;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use virtual_gpu_lut_box::hald::Texel;
use virtual_gpu_lut_box::texture::linux::{GpuFrame, LinuxBackend, ReadBy};
use virtual_gpu_lut_box::texture::{TextureBackend, TextureError, TextureSender, TextureWriter};

const DIRECTORY: &str = "VGLB_TEST_DIRECTORY";

/// What an answer begins with: the test program prints other lines too.
const ANSWER: &str = "answer: ";

/// Not a test: where another process begins.
#[test]
fn other_process() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let backend = Arc::new(LinuxBackend::with_directory(directory));
    let mut player =
        Player { backend: &backend, sender: None, receivers: Vec::new(), held: Vec::new(), texels: Vec::new() };
    for line in std::io::stdin().lines() {
        let answer = player.obey(&line.unwrap()).unwrap_or_else(|e| format!("error: {e}"));
        // Past the test program's capture.
        let mut out = std::io::stdout();
        out.write_all(format!("\n{ANSWER}{answer}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

struct Player<'a> {
    backend: &'a Arc<LinuxBackend>,
    sender: Option<(Box<dyn TextureSender>, Box<dyn TextureWriter>)>,
    receivers: Vec<Reading>,
    held: Vec<GpuFrame>,
    texels: Vec<Texel>,
}

impl Player<'_> {
    fn obey(&mut self, order: &str) -> Result<String, TextureError> {
        let words: Vec<_> = order.split(' ').collect();
        let number = |i: usize| words[i].parse::<u64>().unwrap();
        match words[0] {
            "send" => {
                let sender = self.backend.create_sender(words[1])?;
                let writer = sender.writer()?;
                self.sender = Some((sender, writer));
            }
            "publish" => {
                let (_, writer) = self.sender.as_mut().unwrap();
                let shape = shape(number(1));
                return Ok(publish(&mut **writer, shape, &marked(number(2), shape.texels())).to_string());
            }
            // For ever, as fast as it can.
            "flood" => {
                let (_, writer) = self.sender.as_mut().unwrap();
                let shape = shape(number(1));
                for mark in 2.. {
                    publish(&mut **writer, shape, &marked(mark, shape.texels()));
                }
            }
            "open" => {
                self.receivers.push(Reading::open(self.backend, words[1])?);
            }
            "wait" => {
                let event = self.receivers.last_mut().unwrap().receiver.wait(Some(PATIENCE))?;
                return Ok(format!("{event:?}"));
            }
            // Until a revision is there, for each receiver.
            "read" => {
                let mut told = Vec::new();
                for receiver in &mut self.receivers {
                    let mut told_once = Vec::new();
                    for by in [ReadBy::Copy, ReadBy::Fetch] {
                        let frame = receiver.read_from(number(1), by)?;
                        told_once.push(format!("{} {} {}", frame.height, frame.revision, read_mark(&frame)));
                    }
                    assert_eq!(told_once[0], told_once[1]);
                    told.push(told_once.remove(0));
                }
                told.dedup();
                return Ok(told.join(", "));
            }
            // When the newest receiver has an image of this revision, and how long reading it takes: see `figures`.
            "measure" => {
                let receiver = self.receivers.last_mut().unwrap();
                receiver.await_image(number(2))?;
                let told = receiver.age();
                let import = receiver.import()?;
                let began = Instant::now();
                let by = if words[1] == "copy" { ReadBy::Copy } else { ReadBy::Fetch };
                receiver.read_into(by, &mut self.texels)?;
                let read = began.elapsed();
                return Ok([import, told, read].map(|t| format!("{}", t.as_secs_f64() * 1e3)).join(" "));
            }
            "hold" => {
                let receiver = self.receivers.last_mut().unwrap();
                receiver.read_from(number(1), ReadBy::Copy)?;
                self.held.extend(receiver.frame.take());
            }
            "follow" => return self.follow(number(1)),
            "forget" => {
                self.receivers.clear();
                self.held.clear();
            }
            other => panic!("no such order: {other}"),
        }
        Ok("done".into())
    }

    /// Reads whole textures with rising revisions until `last`; how many it saw.
    fn follow(&mut self, last: u64) -> Result<String, TextureError> {
        let (mut revision, mut seen) = (0, 0);
        while revision < last {
            for (receiver, by) in self.receivers.iter_mut().zip([ReadBy::Copy, ReadBy::Fetch].into_iter().cycle()) {
                let frame = receiver.read_from(revision + 1, by)?;
                assert_eq!(read_mark(&frame), frame.revision, "by {by:?}");
                seen += 1;
                revision = frame.revision;
            }
        }
        Ok(seen.to_string())
    }
}

/// Another process that waits for orders. Killed when it is dropped.
pub struct Other {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Other {
    pub fn new(directory: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
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
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.process), signal).unwrap();
    }

    /// SIGSTOP, until it has stopped.
    pub fn stop(&self) {
        self.signal(rustix::process::Signal::STOP);
        let stat = format!("/proc/{}/stat", self.process.id());
        until("the process stops", || {
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
