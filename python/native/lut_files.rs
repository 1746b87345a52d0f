//! `.cube` files.

use crate::arrays::{self, LutView};
use crate::errors;
use numpy::{PyArray4, PyReadonlyArray4};
use pyo3::exceptions::{PyFileExistsError, PyOSError, PyValueError};
use pyo3::prelude::*;
use std::path::{Path, PathBuf};
use virtual_gpu_lut_box::lut::cube::{CubeError, CubeFile, FileFault};
use virtual_gpu_lut_box::lut::file::{self, CreateError, Existing, FileError, FileFormat, WriteOptions};
use virtual_gpu_lut_box::lut::{Bake, GridSize, NeedsBaking};

/// The LUT in a `.cube` file. Tables that are no plain 3D LUT over [0, 1] are evaluated where `bake` says so, at the
/// grid size `size` where there is one.
#[pyfunction]
pub fn read_cube(py: Python<'_>, path: PathBuf, bake: bool, size: Option<u64>) -> PyResult<Bound<'_, PyArray4<f32>>> {
    let size = size.map(GridSize::new).transpose().map_err(errors::format)?;
    let bake = if bake { Bake::Yes { size } } else { Bake::No };
    let read = py.detach(|| CubeFile::read(&path).map(|file| file.tables.into_lut(bake)));
    let lut = read.map_err(unreadable)?.map_err(|e| PyValueError::new_err(needs_baking(&path, &e)))?;
    arrays::from_lut(py, lut)
}

/// Writes a LUT as a `.cube` file, which appears whole or not at all; returns its size in bytes.
#[pyfunction]
pub fn write_cube(
    py: Python<'_>,
    path: PathBuf,
    lut: PyReadonlyArray4<'_, f32>,
    title: Option<String>,
    comments: Vec<String>,
    overwrite: bool,
) -> PyResult<u64> {
    match FileFormat::of(&path) {
        Ok(FileFormat::Cube) => {}
        _ => return Err(PyValueError::new_err(format!("{}: the name of a .cube file ends in .cube", path.display()))),
    }
    let view = LutView::new(&lut)?;
    view.check_finite().map_err(errors::format)?;
    let existing = if overwrite { Existing::Replace } else { Existing::Keep };
    let options = WriteOptions { title, comments, existing, ..WriteOptions::default() };
    let written = py.detach(|| file::write(&path, &view.to_lut(), &options));
    written.map(|w| w.bytes).map_err(unwritable)
}

fn unreadable(error: CubeError) -> PyErr {
    match error {
        CubeError::File { file, fault: FileFault::Io(e) } => os_error(e, &file),
        other => PyValueError::new_err(other.to_string()),
    }
}

fn unwritable(error: FileError) -> PyErr {
    match error {
        FileError::Create(CreateError::Exists(path)) => {
            PyFileExistsError::new_err(format!("{} is there already, and overwrite is False", path.display()))
        }
        FileError::Create(CreateError::Io { path, why }) => os_error(why, &path.display().to_string()),
        other => PyValueError::new_err(other.to_string()),
    }
}

/// An `OSError` as `open` raises it: of the class that the system's number stands for, with the file's name.
fn os_error(error: std::io::Error, file: &str) -> PyErr {
    match error.raw_os_error() {
        Some(number) => {
            // Python adds the number itself.
            let text = error.to_string();
            let said = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, said, file.to_owned()))
        }
        None => PyOSError::new_err(format!("{file}: {error}")),
    }
}

fn needs_baking(path: &Path, error: &NeedsBaking) -> String {
    let (what, size) = match error {
        NeedsBaking::OnlyShaper { entries, size } => (format!("it is a 1D LUT of {entries} entries"), size),
        NeedsBaking::Shaper { entries, size } => {
            (format!("a 1D LUT of {entries} entries is in front of its 3D LUT"), size)
        }
        NeedsBaking::Steps { steps, size } => (format!("it is {steps}"), size),
        NeedsBaking::Domain { domain, size } => (format!("its domain is {domain}"), size),
    };
    format!(
        "{}: {what}, and what is wanted is a 3D LUT over 0 to 1; bake=True has it evaluated into one of grid size {size}, \
         bake=True with size=N into one of grid size N",
        path.display()
    )
}
