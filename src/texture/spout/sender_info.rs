//! The block that each sender has under its own name: where its texture is and what it looks like.

/// Bytes of the block.
pub const SIZE: usize = 280;

const DESCRIPTION: usize = 256;

/// What a sender says of its texture. Integers are little endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// Offset 0: the low 32 bits of the texture's share handle. Receivers notice a new texture by this alone.
    pub share_handle: u32,
    /// Offset 4: width in texels.
    pub width: u32,
    /// Offset 8: height in texels.
    pub height: u32,
    /// Offset 12: the texel format, as DXGI numbers it.
    pub format: u32,
    /// Offset 20, 256 bytes, filled up with zeros: the path of the sender's program, in the system's code page.
    /// Offset 16 (usage) and 276 (partner id) are zero.
    pub program: Vec<u8>,
}

impl SenderInfo {
    /// The block's bytes. A program path that is too long loses its end.
    pub fn to_bytes(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let numbers = [self.share_handle, self.width, self.height, self.format];
        for (to, number) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
            *to = number.to_le_bytes();
        }
        let length = self.program.len().min(DESCRIPTION - 1);
        bytes[20..20 + length].copy_from_slice(&self.program[..length]);
        bytes
    }

    /// Reads the block.
    pub fn from_bytes(bytes: &[u8; SIZE]) -> Self {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let description = &bytes[20..20 + DESCRIPTION];
        let program = description.split(|byte| *byte == 0).next().unwrap_or_default();
        SenderInfo {
            share_handle: number(0),
            width: number(4),
            height: number(8),
            format: number(12),
            program: program.to_vec(),
        }
    }

    /// Whether the sender has a texture: a fresh block is zero.
    pub fn has_texture(&self) -> bool {
        self.share_handle != 0 && self.width != 0 && self.height != 0
    }

    /// The sender's program, for people to read. What is not ASCII in its path is shown as `?`.
    pub fn program_name(&self) -> Option<String> {
        let readable = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '?' };
        (!self.program.is_empty()).then(|| self.program.iter().map(readable).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> SenderInfo {
        SenderInfo {
            share_handle: 0xc000_0142,
            width: 1089,
            height: 33,
            format: 2,
            program: b"C:\\vglb\\vglb.exe".to_vec(),
        }
    }

    #[test]
    fn the_block_has_these_very_bytes() {
        let mut golden = Vec::new();
        golden.extend([0x42, 0x01, 0x00, 0xc0]); // share handle
        golden.extend([0x41, 0x04, 0x00, 0x00]); // 1089
        golden.extend([0x21, 0x00, 0x00, 0x00]); // 33
        golden.extend([0x02, 0x00, 0x00, 0x00]); // R32G32B32A32_FLOAT
        golden.extend([0; 4]); // usage
        golden.extend(b"C:\\vglb\\vglb.exe");
        golden.resize(280, 0);
        assert_eq!(example().to_bytes().as_slice(), golden);
        assert_eq!(SenderInfo::from_bytes(&example().to_bytes()), example());
    }

    #[test]
    fn a_path_too_long_stays_within_its_field() {
        let long = SenderInfo { program: vec![b'x'; 400], ..example() };
        let bytes = long.to_bytes();
        assert_eq!(&bytes[274..280], [b'x', 0, 0, 0, 0, 0], "255 bytes, a zero, the partner id");
        assert_eq!(SenderInfo::from_bytes(&bytes).program.len(), 255);
    }

    #[test]
    fn a_fresh_block_has_no_texture() {
        assert!(!SenderInfo::from_bytes(&[0; SIZE]).has_texture());
        assert!(example().has_texture());
        assert_eq!(SenderInfo::from_bytes(&[0xff; SIZE]).program.len(), 256, "a field without its zero");
        assert_eq!(SenderInfo { program: b"C:\\caf\xe9".to_vec(), ..example() }.program_name().unwrap(), "C:\\caf?");
    }
}
