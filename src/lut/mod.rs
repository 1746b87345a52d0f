//! 3D LUTs as values.

mod cdl;
mod generate;
mod grid;
mod interpolate;
mod lut3d;

pub use cdl::{Cdl, CdlError};
pub use generate::{MOVING_GRADE_PERIOD, moving_grade};
pub use grid::{GridSize, GridSizeError};
pub use lut3d::{Lut3d, NotFinite};
