//! Pictures in files: what a LUT is put on without a GPU, and the test pattern.
//!
//! | format | samples | kept besides them |
//! | --- | --- | --- |
//! | [`exr`] | float16, float32 | every other channel and layer, all attributes, tiles, lossless compression |
//! | [`png`] | 8 and 16 bits, RGB and RGBA | colour profile, gamma, size of pixels, texts |
//! | [`tiff`] | 8 and 16 bits, float16, float32, RGB and RGBA | colour profile, orientation, resolution, texts, compression |
//!
//! A picture keeps the depth and the channels that its file has, or is refused with a sentence that says why. Values
//! are taken as the file has them: no colour management, no premultiplying or its undoing.

mod compare;
mod error;
pub mod exr;
mod grade;
mod pattern;
pub mod png;
mod sample;
pub mod tiff;

pub use crate::atomic_file::Existing;
pub use compare::{Comparison, Largest, SizesDiffer, compare};
pub use error::{ContentError, PictureError};
pub use grade::{Grade, Interpolation, UnknownInterpolation};
pub use pattern::{Pattern, PatternError};
pub use sample::{Depth, Samples, UnknownDepth};

use crate::atomic_file::AtomicFile;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::Path;

/// The most pixels that a picture may have: 16384 × 16384.
pub const MAX_PIXELS: usize = 1 << 28;

/// A format that pictures are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureFormat {
    /// OpenEXR.
    Exr,
    /// PNG.
    Png,
    /// TIFF.
    Tiff,
}

impl PictureFormat {
    /// The format of a file called `path`, by its extension in any case.
    ///
    /// # Errors
    /// Where the extension is none of the known ones.
    pub fn of(path: &Path) -> Result<Self, PictureError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("exr") => Ok(PictureFormat::Exr),
            Some("png") => Ok(PictureFormat::Png),
            Some("tif" | "tiff") => Ok(PictureFormat::Tiff),
            _ => Err(PictureError::UnknownFormat { path: path.to_owned() }),
        }
    }

    /// The depths that it holds.
    pub const fn depths(self) -> &'static [Depth] {
        match self {
            PictureFormat::Exr => &[Depth::Half, Depth::Float],
            PictureFormat::Png => &[Depth::Eight, Depth::Sixteen],
            PictureFormat::Tiff => &[Depth::Eight, Depth::Sixteen, Depth::Half, Depth::Float],
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            PictureFormat::Exr => "OpenEXR",
            PictureFormat::Png => "PNG",
            PictureFormat::Tiff => "TIFF",
        }
    }
}

/// What a long task is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A picture is read.
    Reading,
    /// The LUT is put on it.
    Grading,
    /// A picture is written.
    Writing,
}

/// Somebody who is told how far a long task is. `()` does not want to know.
pub trait Progress: Sync {
    /// `part` of a stage is done: 0.0 to 1.0. Comes from any thread.
    fn at(&self, stage: Stage, part: f64);
}

impl Progress for () {
    fn at(&self, _: Stage, _: f64) {}
}

/// A picture: R, G, B and perhaps alpha, and what else its file holds.
#[derive(Clone, Debug)]
pub struct Picture {
    width: usize,
    height: usize,
    channels: usize,
    samples: Samples,
    rest: Rest,
}

/// What a file holds besides R, G, B and alpha.
#[derive(Clone, Debug)]
enum Rest {
    /// It is a new picture, in no file yet.
    New,
    Exr(Box<exr::Rest>),
    Png(Box<png::Rest>),
    Tiff(Box<tiff::Rest>),
}

impl Picture {
    /// A new picture of R, G and B; `None` where the samples are not `width · height · 3`, or there is none.
    pub fn rgb(width: usize, height: usize, samples: Samples) -> Option<Self> {
        Self::new(width, height, 3, samples, Rest::New)
    }

    /// A new picture of R, G, B and alpha; `None` where the samples are not `width · height · 4`, or there is none.
    pub fn rgba(width: usize, height: usize, samples: Samples) -> Option<Self> {
        Self::new(width, height, 4, samples, Rest::New)
    }

    fn new(width: usize, height: usize, channels: usize, samples: Samples, rest: Rest) -> Option<Self> {
        let needed = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(channels));
        let fits = needed == Some(samples.len()) && !samples.is_empty();
        fits.then_some(Picture { width, height, channels, samples, rest })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Samples of a pixel: 3, or 4 with alpha.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// All samples, row 0 (the top) first.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    fn samples_mut(&mut self) -> &mut Samples {
        &mut self.samples
    }

    /// Reads a picture, in the format that the extension names.
    ///
    /// # Errors
    /// Where the file is none of that format, is damaged, or its samples can't be kept as they are: greys, palettes,
    /// whole numbers of other widths, several images in one file, and the like.
    pub fn read(path: &Path, progress: &dyn Progress) -> Result<Self, PictureError> {
        let format = PictureFormat::of(path)?;
        progress.at(Stage::Reading, 0.0);
        let file = File::open(path).map_err(|e| PictureError::io(path, e))?;
        let input = BufReader::with_capacity(1 << 20, file);
        Self::read_from(format, input, progress).map_err(|why| PictureError::Content { path: path.to_owned(), why })
    }

    /// Reads a picture from anywhere.
    ///
    /// # Errors
    /// As [`read`](Self::read)'s.
    pub fn read_from(
        format: PictureFormat,
        input: impl BufRead + Seek,
        progress: &dyn Progress,
    ) -> Result<Self, ContentError> {
        match format {
            PictureFormat::Exr => exr::read(input, progress),
            PictureFormat::Png => png::read(input, progress),
            PictureFormat::Tiff => tiff::read(input),
        }
    }

    /// Width and height of a picture, in pixels, without reading its pixels. Takes some of the input.
    ///
    /// # Errors
    /// Where it is none of that format.
    pub fn dimensions(format: PictureFormat, input: impl BufRead + Seek) -> Result<(usize, usize), ContentError> {
        match format {
            PictureFormat::Exr => exr::dimensions(input),
            PictureFormat::Png => png::dimensions(input),
            PictureFormat::Tiff => tiff::dimensions(input),
        }
    }

    /// Writes it, in the format that the extension names, and returns the file's length in bytes. The file appears
    /// whole or not at all.
    ///
    /// # Errors
    /// Where the format does not hold samples of this depth, where the picture comes from a file of another format
    /// (what else that file holds would be lost), where a file is there that is to be kept, or writing fails.
    pub fn write(self, path: &Path, existing: Existing, progress: &dyn Progress) -> Result<u64, PictureError> {
        let format = PictureFormat::of(path)?;
        let depth = self.samples.depth();
        if !format.depths().contains(&depth) {
            return Err(PictureError::Depth { path: path.to_owned(), format, depth });
        }
        if let Some(from) = self.format().filter(|from| *from != format) {
            return Err(PictureError::OtherFormat { path: path.to_owned(), from, to: format });
        }
        let mut file = AtomicFile::create(path, existing)?;
        progress.at(Stage::Writing, 0.0);
        let written = self.write_to(format, file.out(), progress);
        written.map_err(|why| PictureError::Content { path: path.to_owned(), why })?;
        Ok(file.commit()?)
    }

    /// Writes it to anywhere.
    ///
    /// # Errors
    /// Where the format does not hold samples of this depth, or writing fails.
    pub fn write_to(
        self,
        format: PictureFormat,
        out: impl Write + Seek,
        progress: &dyn Progress,
    ) -> Result<(), ContentError> {
        let depth = self.samples.depth();
        if !format.depths().contains(&depth) {
            return Err(ContentError::kind(format!("its samples are {depth}"), "the format has no such samples"));
        }
        match format {
            PictureFormat::Exr => exr::write(self, out, progress),
            PictureFormat::Png => png::write(&self, out, progress),
            PictureFormat::Tiff => tiff::write(&self, out),
        }
    }

    /// The format of the file that it comes from; `None` for a new picture.
    pub fn format(&self) -> Option<PictureFormat> {
        match self.rest {
            Rest::New => None,
            Rest::Exr(_) => Some(PictureFormat::Exr),
            Rest::Png(_) => Some(PictureFormat::Png),
            Rest::Tiff(_) => Some(PictureFormat::Tiff),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
