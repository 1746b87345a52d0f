//! `vglb receive --gpu`: reads a stream through a graphics device, and says whether its driver carries every bit.

use super::output::{line, span};
use super::receive::{self, Patience, Receive};
use crate::texture::{Event, GpuProbe, GpuReading, TextureBackend, TextureError};
use std::process::ExitCode;

/// Compares until Ctrl-C; with `--once`, one texture. Ends with 1 at the first texture whose bits differ.
pub(super) fn run(backend: &dyn TextureBackend, args: &Receive) -> anyhow::Result<ExitCode> {
    let mut waited = Patience::new(args.timeout);
    loop {
        let mut probe = receive::connect(backend, args, &waited, |stream| backend.probe(stream))?;
        eprintln!("reading through {}", probe.device());
        while let Some(reading) = next(&mut *probe, args, &waited)? {
            waited = Patience::new(args.timeout);
            receive::show(args, &reading.frame)?;
            line(format_args!("  {}", verdict(&reading)))?;
            if !reading.is_exact() {
                return Ok(ExitCode::FAILURE);
            }
            if args.once {
                return Ok(ExitCode::SUCCESS);
            }
        }
        receive::say_ended(args);
    }
}

/// The next texture. `None` where the connection has ended.
fn next(probe: &mut dyn GpuProbe, args: &Receive, waited: &Patience) -> anyhow::Result<Option<GpuReading>> {
    let reading = match probe.wait(waited.left()) {
        Ok(Event::Frame) => probe.read(),
        Ok(Event::TimedOut) => return Err(receive::nothing_new(args)),
        Ok(Event::Ended) => return Ok(None),
        Err(e) => Err(e),
    };
    match reading {
        Ok(reading) => Ok(Some(reading)),
        Err(TextureError::Ended) => Ok(None),
        // Sent away: whoever was stopped for a while (Ctrl-Z) may come again.
        Err(e @ TextureError::Refused { .. }) => {
            eprintln!("{e}");
            Ok(None)
        }
        Err(e) => Err(e.into()),
    }
}

fn verdict(reading: &GpuReading) -> String {
    let imported = reading.imported.map_or_else(String::new, |(count, time)| {
        format!("{count} image{} imported in {}; ", if count == 1 { "" } else { "s" }, span(time))
    });
    let exact = match reading.is_exact() {
        true => "yes".into(),
        false => {
            format!("no (texels that differ: {} copied, {} fetched)", reading.copy_differs, reading.fetch_differs)
        }
    };
    let (copy, fetch) = (span(reading.copy), span(reading.fetch));
    format!("{imported}copied in {copy}, fetched by a shader in {fetch}; bit-exact against the memory ring: {exact}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texture::{Frame, StreamInfo, TextureReceiver, TextureSender};
    use clap::Parser;
    use std::time::Duration;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Receive,
    }

    /// A stream of one texture, of which so many texels differ.
    struct Spoiled(usize);

    impl TextureBackend for Spoiled {
        fn name(&self) -> &'static str {
            "spoiled"
        }
        fn description(&self) -> &'static str {
            "for this test"
        }
        fn check(&self) -> Result<(), TextureError> {
            Ok(())
        }
        fn create_sender(&self, _: &str) -> Result<Box<dyn TextureSender>, TextureError> {
            Err(TextureError::Ended)
        }
        fn streams(&self) -> Result<Vec<StreamInfo>, TextureError> {
            Ok(Vec::new())
        }
        fn open(&self, _: &str) -> Result<Box<dyn TextureReceiver>, TextureError> {
            Err(TextureError::Ended)
        }
        fn probe(&self, _: &str) -> Result<Box<dyn GpuProbe>, TextureError> {
            Ok(Box::new(Spoiled(self.0)))
        }
    }

    impl GpuProbe for Spoiled {
        fn device(&self) -> String {
            "device 0: a fake".into()
        }
        fn wait(&mut self, _: Option<Duration>) -> Result<Event, TextureError> {
            Ok(Event::Frame)
        }
        fn read(&mut self) -> Result<GpuReading, TextureError> {
            let frame = Frame { width: 1, height: 1, texels: vec![[0; 16]], ..Frame::default() };
            Ok(GpuReading { frame, copy_differs: self.0, ..GpuReading::default() })
        }
    }

    #[test]
    fn a_bit_that_differs_ends_it_with_code_1_and_none_with_0() {
        let code = |differs, line: &[&str]| {
            let args = Line::parse_from([&["receive", "s"], line].concat()).args;
            format!("{:?}", run(&Spoiled(differs), &args).unwrap())
        };
        assert_eq!(code(0, &["--gpu", "--once"]), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(3, &["--gpu", "--once"]), format!("{:?}", ExitCode::FAILURE));
        assert_eq!(code(3, &["--gpu"]), format!("{:?}", ExitCode::FAILURE), "at once");
    }

    #[test]
    fn a_difference_is_said_with_its_size() {
        let us = Duration::from_micros;
        let mut reading = GpuReading { copy: us(900), fetch: us(1200), ..GpuReading::default() };
        let exact = "copied in 0.9 ms, fetched by a shader in 1.2 ms; bit-exact against the memory ring: yes";
        assert_eq!(verdict(&reading), exact);
        reading.imported = Some((4, us(150)));
        assert_eq!(verdict(&reading), format!("4 images imported in 0.1 ms; {exact}"));
        reading.fetch_differs = 7;
        assert!(verdict(&reading).ends_with("memory ring: no (texels that differ: 0 copied, 7 fetched)"));
        assert!(!reading.is_exact());
    }
}
