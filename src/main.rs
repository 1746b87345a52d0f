//! The command `virtual-gpu-lut-box`.
fn main() {}
