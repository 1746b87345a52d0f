//! Errors as the exceptions that the Python package defines.

use pyo3::exceptions::{PyConnectionError, PyTimeoutError};
use pyo3::import_exception;
use pyo3::prelude::*;
use virtual_gpu_lut_box::server::StartError;
use virtual_gpu_lut_box::sink::Refusal;
use virtual_gpu_lut_box::texture::TextureError;
use virtual_gpu_lut_box::wire::client::ClientError;

import_exception!(virtual_gpu_lut_box._errors, StreamingError);
import_exception!(virtual_gpu_lut_box._errors, PlatformNotSupportedError);
import_exception!(virtual_gpu_lut_box._errors, TextureFormatError);
import_exception!(virtual_gpu_lut_box._errors, LutRefusedError);
import_exception!(virtual_gpu_lut_box._errors, ServerStartError);

/// A LUT, a picture or a texture that cannot be used.
pub fn format(what: impl ToString) -> PyErr {
    TextureFormatError::new_err(what.to_string())
}

/// Sharing a texture failed.
pub fn texture(error: TextureError) -> PyErr {
    match error {
        TextureError::Unavailable(_) => PlatformNotSupportedError::new_err(error.to_string()),
        TextureError::Shape(_) => format(error),
        _ => StreamingError::new_err(error.to_string()),
    }
}

/// A LUT was not put into force.
pub fn refusal(error: Refusal) -> PyErr {
    match error {
        Refusal::Texture(error) => texture(error),
        Refusal::LutData(_) | Refusal::NotFinite(_) | Refusal::Shape(_) => format(error),
        _ => StreamingError::new_err(error.to_string()),
    }
}

/// A server could not start: an `OSError` with the system's error number.
pub fn start(py: Python<'_>, error: StartError) -> PyErr {
    let number = match &error {
        StartError::InUse(_) => py.import("errno").and_then(|m| m.getattr("EADDRINUSE")).and_then(|v| v.extract()).ok(),
        StartError::Host { source, .. } | StartError::Address { source, .. } | StartError::System(source) => {
            source.raw_os_error()
        }
    };
    ServerStartError::new_err((number.unwrap_or(0), error.to_string()))
}

/// There is no reply from a server.
pub fn client(error: ClientError) -> PyErr {
    match error {
        ClientError::TimedOut(_) => PyTimeoutError::new_err(error.to_string()),
        _ => PyConnectionError::new_err(error.to_string()),
    }
}
