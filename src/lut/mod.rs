//! 3D LUTs as values.

mod grid;
mod interpolate;
mod lut3d;

pub use grid::{GridSize, GridSizeError};
pub use lut3d::{Lut3d, NotFinite};
