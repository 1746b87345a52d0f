//! A sender's newest CDL values, in a block beside its own. Spout has no place for them, and no Spout program looks there.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 8 | `"VGLBCDL1"` |
//! | 8 | 80 | slope, offset and power of red, green, blue, then saturation, as float64 little endian |

use super::block::Block;
use super::seam::SharedObjects;
use crate::lut::Cdl;
use crate::texture::TextureError;

const MAGIC: &[u8; 8] = b"VGLBCDL1";
const NUMBERS: usize = 10;
const SIZE: usize = MAGIC.len() + NUMBERS * 8;

/// The block, while its sender lives.
pub struct CdlBlock(Block);

fn block_name(sender: &[u8]) -> Vec<u8> {
    [sender, b"_VglbCdl"].concat()
}

impl CdlBlock {
    /// Makes the block of a sender.
    pub fn create(objects: &dyn SharedObjects, sender: &[u8], cdl: &Cdl) -> Result<Self, TextureError> {
        let block = CdlBlock(Block::create(objects, &block_name(sender), SIZE)?);
        block.write(cdl)?;
        Ok(block)
    }

    /// Tells of other values.
    pub fn write(&self, cdl: &Cdl) -> Result<(), TextureError> {
        let numbers = cdl.numbers().map(f64::to_le_bytes);
        self.0.write(&[MAGIC, numbers.as_flattened()].concat(), &self.0.lock()?);
        Ok(())
    }
}

/// A sender's values; `None` where it has none, or does not let anybody look.
pub fn read(objects: &dyn SharedObjects, sender: &[u8]) -> Option<Cdl> {
    let block = Block::open(objects, &block_name(sender)).ok()??;
    let bytes = block.bytes(&block.try_lock().ok()??);
    let numbers = bytes.strip_prefix(MAGIC)?.as_chunks::<8>().0.first_chunk::<NUMBERS>()?;
    Cdl::from_numbers(numbers.map(f64::from_le_bytes))
}
