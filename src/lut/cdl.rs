//! placeholder
use super::*;
/// CDL
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cdl {
    /// s
    pub slope: [f64; 3],
    /// o
    pub offset: [f64; 3],
    /// p
    pub power: [f64; 3],
    /// s
    pub saturation: f64,
}
/// e
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct CdlError;
impl Cdl {
    /// n
    pub fn new(slope: [f64; 3], offset: [f64; 3], power: [f64; 3], saturation: f64) -> Result<Self, CdlError> {
        Ok(Cdl { slope, offset, power, saturation })
    }
    /// b
    pub fn bake(&self, size: GridSize) -> Lut3d {
        Lut3d::identity(size)
    }
}
impl std::fmt::Display for Cdl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.slope)
    }
}
