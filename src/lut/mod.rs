//! 3D LUTs as values.

mod cdl;
pub mod cube;
mod curve;
pub mod file;
mod generate;
mod grid;
mod interpolate;
mod lines;
mod lut3d;
mod shaper;
mod tables;

pub use cdl::{Cdl, CdlError};
pub use curve::{Curve, UnknownCurve};
pub use generate::{MOVING_GRADE_PERIOD, moving_grade};
pub use grid::{GridSize, GridSizeError};
pub use lut3d::{Lut3d, NotFinite};
pub use shaper::{Domain, DomainError, Shaper1d, ShaperError};
pub use tables::{Bake, NeedsBaking, Tables};
