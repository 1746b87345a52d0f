//! The command `vglb`, short for `virtual-gpu-lut-box`.

use std::process::ExitCode;

fn main() -> ExitCode {
    virtual_gpu_lut_box::cli::main(std::env::args_os())
}
