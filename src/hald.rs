//! Every index formula: the orders in which a LUT's entries are listed, and the layouts in which they lie in a
//! 2D texture.
//!
//! `r, g, b` are lattice indices, 0 to N−1. *Fastest* is the index that changes from one entry to the next. In a
//! texture, `x` runs right and `y` runs down from the first row in memory.
//!
//! | layout | size | x | y | who reads it |
//! | --- | --- | --- | --- | --- |
//! | `vglb` | N²×N | `b·N + g` | `r` | this project's shaders, and installations built on the Python package |
//! | `unreal` | N²×N | `b·N + r` | `g` | Unreal Engine LUT strips |
//! | `unity` | N²×N | `b·N + r` | `N−1−g` | Unity strips (first row at the bottom) |
//! | `hald-clut` | L³×L³, N = L² | `p mod L³` | `p div L³`, `p = r + N·(g + N·b)` | ImageMagick, GraphicsMagick, darktable |
//!
//! Every one of them puts a lattice point at a texel number that is linear in r, g and b, so one loop serves all.

pub mod byte_planes;
pub mod eight_bit;
mod entry_order_check;
mod not_finite;
#[cfg(target_arch = "x86_64")]
mod pairs;
mod rows;

pub use entry_order_check::{Likeness, likeness};
pub use not_finite::NotFiniteCount;
pub(crate) use rows::Soon;

use crate::lut::{GridSize, Lut3d};
use rows::{Finiteness, Pass, Untold};
use std::fmt;
use std::str::FromStr;

/// One texel, or one entry on the wire: R, G, B, A as float32, little endian.
pub type Texel = [u8; 16];

/// The largest texture side that every Direct3D 11, Metal and Vulkan device of the last decade takes.
pub const MAX_TEXTURE_SIDE: usize = 16384;

const ALPHA_ONE: [u8; 4] = 1.0f32.to_le_bytes();

/// The order in which a list of entries runs through the lattice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EntryOrder {
    /// `b + N·(g + N·r)`: OpenGradeIO's default reading, .3dl, CLF.
    #[default]
    BlueFastest,
    /// `r + N·(g + N·b)`: .cube, .csp.
    RedFastest,
}

/// How a LUT's entries lie in a 2D texture. The table is in this module's documentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// N²×N, x = b·N + g, y = r.
    #[default]
    Vglb,
    /// N²×N, x = b·N + r, y = g.
    Unreal,
    /// N²×N, x = b·N + r, y = N−1−g.
    Unity,
    /// L³×L³ with N = L²: a Hald CLUT as ImageMagick means it.
    HaldClut,
}

/// A texel number that is linear in r, g and b: `offset + r·red + g·green + b·blue`.
#[derive(Clone, Copy)]
struct Strides {
    offset: isize,
    red: isize,
    green: isize,
    blue: isize,
}

impl EntryOrder {
    /// Both orders.
    pub const ALL: [EntryOrder; 2] = [EntryOrder::BlueFastest, EntryOrder::RedFastest];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            EntryOrder::BlueFastest => "blue-fastest",
            EntryOrder::RedFastest => "red-fastest",
        }
    }

    /// The other order.
    pub const fn other(self) -> Self {
        match self {
            EntryOrder::BlueFastest => EntryOrder::RedFastest,
            EntryOrder::RedFastest => EntryOrder::BlueFastest,
        }
    }

    /// Where the entry for lattice point `[r, g, b]` stands in the list.
    #[inline]
    pub const fn index(self, size: GridSize, [r, g, b]: [usize; 3]) -> usize {
        let n = size.get();
        match self {
            EntryOrder::BlueFastest => b + n * (g + n * r),
            EntryOrder::RedFastest => r + n * (g + n * b),
        }
    }

    /// The lattice point `[r, g, b]` of the entry at `index`.
    #[inline]
    pub const fn point(self, size: GridSize, index: usize) -> [usize; 3] {
        let n = size.get();
        let (slow, middle, fast) = (index / (n * n), index / n % n, index % n);
        match self {
            EntryOrder::BlueFastest => [slow, middle, fast],
            EntryOrder::RedFastest => [fast, middle, slow],
        }
    }
}

impl Layout {
    /// All layouts.
    pub const ALL: [Layout; 4] = [Layout::Vglb, Layout::Unreal, Layout::Unity, Layout::HaldClut];

    /// The name used on the command line and in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Layout::Vglb => "vglb",
            Layout::Unreal => "unreal",
            Layout::Unity => "unity",
            Layout::HaldClut => "hald-clut",
        }
    }

    /// The layout that an image of this shape has most likely: a square is a Hald CLUT, for no strip is one.
    pub const fn likely(width: usize, height: usize) -> Self {
        if width == height { Layout::HaldClut } else { Layout::Vglb }
    }

    fn strides(self, n: usize) -> Strides {
        let n = n as isize;
        match self {
            Layout::Vglb => Strides { offset: 0, red: n * n, green: 1, blue: n },
            Layout::Unreal => Strides { offset: 0, red: 1, green: n * n, blue: n },
            Layout::Unity => Strides { offset: (n - 1) * n * n, red: 1, green: -n * n, blue: n },
            Layout::HaldClut => Strides { offset: 0, red: 1, green: n, blue: n * n },
        }
    }
}

/// A name that is none of the known ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no {what}; it can be {known}")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    known: String,
}

impl UnknownName {
    /// The one of `all` whose name is `given`; the error says which names there are.
    pub(crate) fn find<T: Copy>(
        what: &'static str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
        given: &str,
    ) -> Result<T, Self> {
        all.iter().copied().find(|v| name(*v) == given).ok_or_else(|| UnknownName {
            what,
            given: given.to_owned(),
            known: all.iter().map(|v| name(*v)).collect::<Vec<_>>().join(", "),
        })
    }
}

impl FromStr for EntryOrder {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        UnknownName::find("entry order", &Self::ALL, Self::name, s)
    }
}

impl FromStr for Layout {
    type Err = UnknownName;
    fn from_str(s: &str) -> Result<Self, UnknownName> {
        UnknownName::find("layout", &Self::ALL, Self::name, s)
    }
}

impl fmt::Display for EntryOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a LUT's texture looks like: its grid size, layout, and the width and height that follow from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextureShape {
    size: GridSize,
    layout: Layout,
    width: u32,
    height: u32,
}

/// A LUT that has no texture in a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The texture would be larger than graphics devices take.
    #[error(
        "a LUT of grid size {size} needs a {layout} texture of {width}×{height}; a texture has at most {MAX_TEXTURE_SIDE} texels a side, so a strip holds N ≤ 128"
    )]
    TooLarge {
        /// The grid size asked for.
        size: GridSize,
        /// The layout asked for.
        layout: Layout,
        /// Width that would be needed, in texels.
        width: usize,
        /// Height that would be needed, in texels.
        height: usize,
    },
    /// `hald-clut` holds square grid sizes only.
    #[error(
        "layout hald-clut needs a grid size that is a square number (4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, …), and {0} is not"
    )]
    NotSquare(GridSize),
    /// Width and height fit no grid size in this layout.
    #[error("an image of {width}×{height} is no {layout} texture; {wanted}")]
    NoSuchShape {
        /// Width given, in texels.
        width: usize,
        /// Height given, in texels.
        height: usize,
        /// The layout asked for.
        layout: Layout,
        /// What would fit.
        wanted: &'static str,
    },
}

impl TextureShape {
    /// The texture for a LUT of grid size `size` in `layout`.
    pub fn new(size: GridSize, layout: Layout) -> Result<Self, ShapeError> {
        let n = size.get();
        let (width, height) = match layout {
            Layout::Vglb | Layout::Unreal | Layout::Unity => (n * n, n),
            Layout::HaldClut => {
                let level = n.isqrt();
                if level * level != n {
                    return Err(ShapeError::NotSquare(size));
                }
                (level * n, level * n)
            }
        };
        if width > MAX_TEXTURE_SIDE {
            return Err(ShapeError::TooLarge { size, layout, width, height });
        }
        Ok(TextureShape { size, layout, width: width as u32, height: height as u32 })
    }

    /// The shape that an image of `width`×`height` texels has in `layout`.
    pub fn from_dimensions(width: usize, height: usize, layout: Layout) -> Result<Self, ShapeError> {
        let (n, wanted) = match layout {
            Layout::HaldClut => {
                let level = (width as f64).cbrt().round() as usize;
                (level * level, "a Hald CLUT is L³×L³ (8×8, 27×27, 64×64, 125×125, …)")
            }
            _ => (height, "a strip is N²×N (256×16, 1089×33, 4096×64, …)"),
        };
        GridSize::new(n as u64)
            .ok()
            .and_then(|size| Self::new(size, layout).ok())
            .filter(|s| (s.width(), s.height()) == (width, height))
            .ok_or(ShapeError::NoSuchShape { width, height, layout, wanted })
    }

    /// The LUT's grid size N.
    pub fn size(&self) -> GridSize {
        self.size
    }

    /// The layout.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Width in texels.
    pub fn width(&self) -> usize {
        self.width as usize
    }

    /// Height in texels.
    pub fn height(&self) -> usize {
        self.height as usize
    }

    /// N³: every layout uses each texel once.
    pub fn texels(&self) -> usize {
        self.size.entries()
    }

    /// Bytes of the tightly packed texture, 16 a texel.
    pub fn bytes(&self) -> usize {
        self.size.rgba_bytes()
    }

    /// The texel number (`y·width + x`) of a lattice point.
    #[inline]
    pub fn texel(&self, [r, g, b]: [usize; 3]) -> usize {
        let s = self.layout.strides(self.size.get());
        (s.offset + r as isize * s.red + g as isize * s.green + b as isize * s.blue) as usize
    }
}

impl fmt::Display for TextureShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}³ as {}×{} {}", self.size, self.width, self.height, self.layout)
    }
}

/// Puts entries, as they arrive, where they belong in a texture.
///
/// Alpha is written as 1.0; every other bit goes through untouched.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    shape: TextureShape,
    order: EntryOrder,
}

impl Placement {
    /// Entries listed in `order`, to be laid out as `shape` says.
    pub fn new(shape: TextureShape, order: EntryOrder) -> Self {
        Placement { shape, order }
    }

    /// The texture's shape.
    pub fn shape(&self) -> TextureShape {
        self.shape
    }

    /// Writes the entries from number `first` on into `texture`, and tells whether all their R, G and B are finite.
    ///
    /// # Panics
    /// Where the entries run over the LUT's end, or `texture` is not the shape's number of texels.
    pub fn write(&self, first: usize, entries: &[Texel], texture: &mut [Texel]) -> bool {
        self.write_and_tell(&Untold, first, entries, texture)
    }

    /// As [`write`](Self::write); `soon` is told where it will write next.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    pub(crate) fn write_and_tell(
        &self,
        soon: &impl Soon,
        first: usize,
        entries: &[Texel],
        texture: &mut [Texel],
    ) -> bool {
        let n = self.shape.size.get();
        assert_eq!(texture.len(), self.shape.texels(), "a {} texture", self.shape);
        assert!(first + entries.len() <= texture.len(), "entries beyond the end of a {}³ LUT", n);
        let rows = Rows { place: *self, first, entries, texture, soon };
        #[cfg(target_arch = "x86_64")]
        if let Some(pairs) = pairs::Pairs::here() {
            return pairs.lay(rows);
        }
        rows.lay(Finiteness::default())
    }

    /// The LUT that lies in `texture`.
    ///
    /// # Panics
    /// Where `texture` is not the shape's number of texels.
    pub fn read(shape: TextureShape, texture: &[Texel]) -> Lut3d {
        assert_eq!(texture.len(), shape.texels(), "a {shape} texture");
        Lut3d::from_fn(shape.size, |point| rgb(&texture[shape.texel(point)]))
    }

    /// Writes a whole LUT into `texture`.
    ///
    /// # Panics
    /// Where `texture` is not the shape's number of texels, or the LUT is of another grid size.
    pub fn write_lut(shape: TextureShape, lut: &Lut3d, texture: &mut [Texel]) {
        assert_eq!(texture.len(), shape.texels(), "a {shape} texture");
        assert_eq!(lut.size(), shape.size, "the LUT's grid size");
        for (i, entry) in lut.entries().iter().enumerate() {
            texture[shape.texel(EntryOrder::BlueFastest.point(shape.size, i))] = texel(*entry);
        }
    }
}

/// Entries on their way into a texture that has room for them.
struct Rows<'a, S> {
    place: Placement,
    first: usize,
    entries: &'a [Texel],
    texture: &'a mut [Texel],
    soon: &'a S,
}

impl<S: Soon> Rows<'_, S> {
    /// Writes them; tells whether all R, G and B are finite. Inlined, to be compiled for the processor that `pass` is for.
    #[inline(always)]
    fn lay(self, mut pass: impl Pass) -> bool {
        let Rows { place: Placement { shape, order }, first, entries, texture, soon } = self;
        let n = shape.size.get();
        let s = shape.layout.strides(n);
        let (slow_stride, fast_stride) = match order {
            EntryOrder::BlueFastest => (s.red, s.blue as usize),
            EntryOrder::RedFastest => (s.blue, s.red as usize),
        };
        // Only green runs backwards in any layout, so that no row of the list begins before the texture does.
        let row_start = |row: usize| s.offset + (row / n) as isize * slow_stride + (row % n) as isize * s.green;

        let mut rest = entries;
        let mut at = first;
        while !rest.is_empty() {
            let (row, fast) = (at / n, at % n);
            // Several rows at a time where they lie beside each other in the texture: whole cache lines are then written
            // at once.
            let whole = if fast == 0 && s.green == 1 { (rest.len() / n).min(n - row % n) } else { 0 };
            let together = match whole {
                8.. => 8,
                4.. => 4,
                _ => 1,
            };
            let (now, later) = rest.split_at(if together == 1 { (n - fast).min(rest.len()) } else { together * n });
            let ahead = row_start(row + together) - row_start(row);
            let texels = &mut texture[row_start(row) as usize + fast * fast_stride..];
            match together {
                8 => rows::place_runs::<8>(&mut pass, now, n, texels, fast_stride, ahead, soon),
                4 => rows::place_runs::<4>(&mut pass, now, n, texels, fast_stride, ahead, soon),
                _ => rows::place(&mut pass, now, texels, fast_stride, ahead, soon),
            }
            rest = later;
            at += now.len();
        }
        pass.all_finite()
    }
}

/// R, G and B of a texel.
#[inline]
pub fn rgb(t: &Texel) -> [f32; 3] {
    let value = |i: usize| f32::from_le_bytes([t[i], t[i + 1], t[i + 2], t[i + 3]]);
    [value(0), value(4), value(8)] // `array::map` would be left a call, and be most of what a callback server does.
}

/// A texel from R, G and B, with alpha 1.0.
#[inline]
pub fn texel(rgb: [f32; 3]) -> Texel {
    let mut t = [0; 16];
    t[..4].copy_from_slice(&rgb[0].to_le_bytes());
    t[4..8].copy_from_slice(&rgb[1].to_le_bytes());
    t[8..12].copy_from_slice(&rgb[2].to_le_bytes());
    t[12..].copy_from_slice(&ALPHA_ONE);
    t
}

#[cfg(test)]
#[path = "hald_tests.rs"]
mod tests;
