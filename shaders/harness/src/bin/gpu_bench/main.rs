//! Times shaders that put a strip on a picture, on a real GPU.
//!
//! `gpu_bench prepare` writes what needs Python: the shader that OpenColorIO generates. `gpu_bench run` times copy,
//! strip, byte planes and OpenColorIO's shader by turns in one run, and prints medians and ratios.

mod device;
mod kernels;
mod pictures;
mod prepare;
mod report;
mod scene;

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Times shaders that put a LUT strip on a picture", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes OpenColorIO's generated shaders into a folder; needs a Python with PyPI's opencolorio and numpy.
    Prepare {
        /// Where the files go.
        #[arg(long, default_value = "bench-inputs")]
        inputs: PathBuf,
        /// The Python to run.
        #[arg(long, default_value = "python3")]
        python: String,
        /// Grid sizes.
        #[arg(long, value_delimiter = ',', default_values_t = [33, 65])]
        grids: Vec<usize>,
    },
    /// Lists the kernels.
    List,
    /// Times the kernels.
    Run(Run),
}

/// How a run is done.
#[derive(clap::Args)]
struct Run {
    /// The folder that `prepare` wrote; without it OpenColorIO's shader is left out.
    #[arg(long, default_value = "bench-inputs")]
    inputs: PathBuf,
    /// Part of the OpenGL renderer's name.
    #[arg(long, default_value = "")]
    device: String,
    /// Picture sizes: 4k, 8k, or WIDTHxHEIGHT.
    #[arg(long, value_delimiter = ',', default_values_t = ["4k".to_owned(), "8k".to_owned()])]
    sizes: Vec<String>,
    /// Grid sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [33, 65])]
    grids: Vec<usize>,
    /// Kinds of picture.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [PictureKind::Photo, PictureKind::Random])]
    pictures: Vec<PictureKind>,
    /// Only kernels whose names contain one of these, or with = before it are one of these; the copy is always timed.
    #[arg(long, value_delimiter = ',')]
    kernels: Vec<String>,
    /// A list of kernels of your own; its form stands in kernels.rs.
    #[arg(long)]
    extra: Option<PathBuf>,
    /// Rounds; each times every kernel once.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Dispatches within one timing.
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// What measures the time.
    #[arg(long, value_enum, default_value_t = Clock::Gpu)]
    clock: Clock,
    /// Also write everything as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Leave out the check of every kernel's results against float64.
    #[arg(long)]
    no_check: bool,
}

/// What measures the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Clock {
    /// The GPU's own timer.
    Gpu,
    /// The time that passes until the GPU is idle again; for software renderers, whose timers see no compute shader.
    Wall,
}

/// What a picture looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PictureKind {
    /// Soft gradients, edges, texture and a little grain: neighbouring pixels are alike.
    Photo,
    /// The same with the grain of a fast sensor.
    Grainy,
    /// Every pixel a random colour: no two neighbours share a cell.
    Random,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Prepare { inputs, python, grids } => prepare::prepare(&inputs, &python, &grids),
        Command::List => {
            kernels::all().iter().for_each(|k| println!("{:<28} {}", k.name, k.what));
            Ok(())
        }
        Command::Run(run) => scene::run(&run),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("gpu_bench: {e}");
            ExitCode::FAILURE
        }
    }
}
