//! `virtual_gpu_lut_box._native`: what the Python package asks of the Rust library.
//!
//! Private to the package: its Python files check and convert arguments, and are what users import. Here, arrays are
//! contiguous and float32 already.
//!
//! | file | job |
//! | --- | --- |
//! | `arrays` | LUTs and textures as numpy arrays, and back |
//! | `desk` | where connections leave LUTs for Python's callback thread |
//! | `server` | the TCP server, in front of a desk or of textures |
//! | `streamer` | channels published as textures |
//! | `sender`, `receiver`, `backends` | one stream of textures; finding them; which back ends there are |
//! | `client` | sending a LUT to a server |
//! | `lut_files`, `image` | `.cube` files; a LUT applied to a picture |
//! | `log` | the library's log, on its way to Python's |
//! | `errors` | errors as Python exceptions |
//!
//! Nothing here keeps the interpreter waiting: whatever can block runs detached from it, and what may block for long
//! on Python's main thread comes back now and then to hear of Ctrl-C.

mod arrays;
mod backends;
mod client;
mod desk;
mod errors;
mod image;
mod log;
mod lut_files;
mod receiver;
mod sender;
mod server;
mod streamer;

use pyo3::prelude::*;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command line, and returns its exit code.
#[pyfunction]
fn run_command_line(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    let code = py.detach(|| virtual_gpu_lut_box::cli::main(arguments));
    // An ExitCode can be compared, but does not tell its number.
    (0..=u8::MAX).find(|n| ExitCode::from(*n) == code).unwrap_or(1)
}

#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::{
        arrays::{hald_to_lut, lut_from_wire, lut_to_hald, texture_size},
        backends::{backend_problem, default_backend, list_streams},
        client::send_lut,
        desk::Desk,
        image::apply_lut,
        log::{close_log, next_log_records, open_log, set_log_level},
        lut_files::{read_cube, write_cube},
        receiver::{InPlace, Receiver},
        run_command_line,
        sender::Sender,
        server::Server,
        streamer::Streamer,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", virtual_gpu_lut_box::VERSION)
    }
}
