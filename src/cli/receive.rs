//! `vglb receive`: shows what another program on this computer would see.

use super::output::{line, plain, span};
use super::receive_gpu;
use crate::hald::{self, Layout};
use crate::lut::file::{self, Existing, WriteOptions};
use crate::texture::{self, Event, Frame, GpuChoice, TextureBackend, TextureError};
use anyhow::anyhow;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What `receive` takes.
#[derive(Args, Debug)]
pub struct Receive {
    /// The stream's name, as `vglb list` shows it
    #[arg(value_name = "STREAM")]
    pub(super) stream: String,
    /// Save each texture as .exr (float32), .npy (float32), .png (16-bit), .tif, .cube, or any other LUT format
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Layout of the texture, where its transport does not tell: vglb, unreal, unity, hald-clut
    #[arg(long, value_name = "LAYOUT", default_value = "vglb")]
    layout: Layout,
    /// Stop after the first texture
    #[arg(long)]
    pub(super) once: bool,
    /// Give up after so many seconds without a texture (default: never)
    #[arg(long, value_name = "SECONDS", value_parser = super::seconds)]
    pub(super) timeout: Option<f64>,
    /// Where to look: auto, or a name that `vglb info` lists
    #[arg(long, default_value = "auto", value_name = "NAME")]
    backend: String,
    /// Read through a graphics device: --gpu for the most capable one, --gpu=N or --gpu=NAME for another that `vglb info`
    /// lists. On Linux every bit is compared with the memory ring: exit code 1 where one differs. On Windows it must be
    /// the sender's device
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    gpu: Option<GpuChoice>,
}

/// Receives until Ctrl-C; with `--once`, one texture.
pub fn run(args: &Receive) -> anyhow::Result<ExitCode> {
    let backend = texture::choose_on(&args.backend, args.gpu.as_ref().unwrap_or(&GpuChoice::Auto))?;
    if args.gpu.is_some() && !backend.reads_on_device() {
        return receive_gpu::run(&*backend, args);
    }
    let mut frame = Frame::default();
    let mut waited = Patience::new(args.timeout);
    loop {
        let mut receiver = connect(&*backend, args, &waited, |stream| backend.open(stream))?;
        loop {
            match receiver.wait(waited.left())? {
                Event::Frame => {}
                Event::TimedOut => return Err(nothing_new(args)),
                Event::Ended => break,
            }
            match receiver.read(&mut frame) {
                Ok(()) => {}
                Err(TextureError::Ended) => break,
                Err(e) => return Err(e.into()),
            }
            waited = Patience::new(args.timeout);
            show(args, &frame)?;
            if args.once {
                return Ok(ExitCode::SUCCESS);
            }
        }
        say_ended(args);
    }
}

pub(super) fn nothing_new(args: &Receive) -> anyhow::Error {
    anyhow!("no new texture on {:?} within {} s", args.stream, args.timeout.unwrap_or(0.0))
}

pub(super) fn say_ended(args: &Receive) {
    eprintln!("stream {:?} has ended; waiting for it to return", args.stream);
}

/// Connects as soon as the stream is there.
pub(super) fn connect<R>(
    backend: &dyn TextureBackend,
    args: &Receive,
    waited: &Patience,
    open: impl Fn(&str) -> Result<R, TextureError>,
) -> anyhow::Result<R> {
    let mut said = false;
    loop {
        match open(&args.stream) {
            Ok(receiver) => return Ok(receiver),
            Err(e @ TextureError::NoSuchStream { .. }) if waited.is_over() => return Err(e.into()),
            Err(e @ TextureError::NoSuchStream { .. }) => {
                if !std::mem::replace(&mut said, true) {
                    eprintln!("{e}; waiting for it");
                }
            }
            Err(e) => return Err(e.into()),
        }
        backend.wait_for_stream(&args.stream, waited.left())?;
    }
}

pub(super) fn show(args: &Receive, frame: &Frame) -> anyhow::Result<()> {
    let what = match frame.shape {
        Some(shape) => shape.to_string(),
        None => format!("{}×{}", frame.width, frame.height),
    };
    let age = frame.published.map_or_else(String::new, |t| format!(", {} old", span(t.elapsed().unwrap_or_default())));
    let values = frame.texels.iter().flat_map(hald::rgb);
    let (least, most) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let saved = match &args.out {
        None => String::new(),
        Some(path) => {
            let comments = vec![format!("stream {}, revision {}", plain(&args.stream), frame.revision)];
            let options =
                WriteOptions { layout: args.layout, comments, existing: Existing::Replace, ..WriteOptions::default() };
            let written = file::write_frame(path, frame, &options)?;
            format!(" → {} ({written})", path.display())
        }
    };
    line(format_args!(
        "{} revision {}: {what}, {}, values {least} to {most}{age}{saved}",
        plain(&args.stream),
        frame.revision,
        frame.format
    ))?;
    Ok(())
}

/// How long to wait for the next texture.
pub(super) struct Patience {
    until: Option<Instant>,
}

impl Patience {
    pub(super) fn new(seconds: Option<f64>) -> Self {
        Patience { until: seconds.map(|s| Instant::now() + Duration::from_secs_f64(s)) }
    }

    pub(super) fn left(&self) -> Option<Duration> {
        self.until.map(|t| t.saturating_duration_since(Instant::now()))
    }

    fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}
