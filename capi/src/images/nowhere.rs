//! No images of graphics devices: this platform's transport has none.

use crate::platform::{Image, Taken};
use std::convert::Infallible;
use std::time::{Duration, SystemTime};
use virtual_gpu_lut_box::texture::{self, Event, Frame, TextureError, TextureReceiver};

/// Receives a stream as pixels: there are no images here.
pub struct ImageReceiver(Box<dyn TextureReceiver>);

/// There is none.
pub struct ImageFrame(Infallible);

impl ImageReceiver {
    pub fn open(stream: &str, _device: [u8; 16], _driver: [u8; 16]) -> Result<Self, TextureError> {
        texture::choose("auto")?.open(stream).map(ImageReceiver)
    }

    pub fn wait(&mut self, patience: Duration) -> Result<Event, TextureError> {
        self.0.wait(Some(patience))
    }

    /// The newest texture.
    pub fn take(&mut self, pixels: &mut Frame) -> Result<Option<Taken>, TextureError> {
        self.0.read(pixels).map(|()| Some(Taken::Pixels))
    }
}

impl ImageFrame {
    pub fn image(&self) -> Image {
        match self.0 {}
    }

    pub fn published(&self) -> Option<SystemTime> {
        match self.0 {}
    }

    pub fn descriptor(&self, _slot: u32) -> Result<i32, TextureError> {
        match self.0 {}
    }
}
