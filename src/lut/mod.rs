//! 3D LUTs as values.

mod cdl;
pub mod chain;
pub mod cube;
mod curve;
pub mod file;
pub mod formats;
mod generate;
mod grid;
pub(crate) mod interpolate;
mod lines;
mod lut3d;
mod range;
mod shaper;
mod survey;
mod tables;
pub mod transfer;

pub use cdl::{Cdl, CdlError, CdlGrade, CdlSpace, CdlStyle, UnknownCdlOption};
pub use curve::{Curve, UnknownCurve};
pub use generate::{MOVING_GRADE_PERIOD, moving_grade};
pub use grid::{GridSize, GridSizeError};
pub use lut3d::{Lut3d, NotFinite};
pub use range::{RangeChange, RangeSide};
pub use shaper::{Domain, DomainError, Shaper1d, ShaperError};
pub use survey::{Distance, Monotony, Neutral, Survey};
pub use tables::{Bake, NeedsBaking, Tables};
