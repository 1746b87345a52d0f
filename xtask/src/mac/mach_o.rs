//! What a Mach-O program says of itself, as far as a program of ours is judged by it.

/// The parts of a program for one kind of processor.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// As Apple names it.
    pub processor: &'static str,
    /// The oldest macOS that starts it.
    pub minimum: (u16, u8),
    /// The libraries that it is linked to, sorted.
    pub libraries: Vec<String>,
}

const MAGIC_64: u32 = 0xfeed_facf;
const HEADER_BYTES: usize = 32;
const EXECUTABLE: u32 = 2;
const LOAD_DYLIB: u32 = 0xc;
const LOAD_WEAK_DYLIB: u32 = 0x8000_0018;
const VERSION_MIN_MACOS: u32 = 0x24;
const BUILD_VERSION: u32 = 0x32;
const MACOS: u32 = 1;

impl Program {
    /// Reads a program; the error says what is not as it should be.
    pub fn read(file: &[u8]) -> Result<Program, String> {
        if word(file, 0)? != MAGIC_64 {
            return Err("no 64-bit Mach-O file".into());
        }
        let processor = match word(file, 4)? {
            0x0100_000c => "arm64",
            0x0100_0007 => "x86_64",
            other => return Err(format!("a program for an unknown processor ({other:#x})")),
        };
        if word(file, 12)? != EXECUTABLE {
            return Err("no program, but another kind of Mach-O file".into());
        }
        let mut minimum = None;
        let mut libraries = Vec::new();
        let mut at = HEADER_BYTES;
        for _ in 0..word(file, 16)? {
            let (command, length) = (word(file, at)?, word(file, at + 4)? as usize);
            match command {
                LOAD_DYLIB | LOAD_WEAK_DYLIB => {
                    libraries.push(text(file, at + word(file, at + 8)? as usize, at + length)?)
                }
                VERSION_MIN_MACOS => minimum = Some(word(file, at + 8)?),
                BUILD_VERSION if word(file, at + 8)? == MACOS => minimum = Some(word(file, at + 12)?),
                _ => {}
            }
            at += length.max(8);
        }
        libraries.sort();
        let minimum = minimum.ok_or("a program that names no oldest macOS")?;
        Ok(Program { processor, minimum: ((minimum >> 16) as u16, (minimum >> 8) as u8), libraries })
    }
}

fn word(file: &[u8], at: usize) -> Result<u32, String> {
    let bytes = file.get(at..).and_then(|rest| rest.first_chunk()).ok_or("a file that ends too early")?;
    Ok(u32::from_le_bytes(*bytes))
}

fn text(file: &[u8], from: usize, to: usize) -> Result<String, String> {
    let bytes = file.get(from..to).ok_or("a name that lies outside")?;
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    fn program(file_type: u32) -> Vec<u8> {
        let header = [MAGIC_64, 0x0100_000c, 0, file_type, 3, 0, 0, 0];
        let library = [&words(&[LOAD_DYLIB, 40, 24, 0, 0, 0])[..], b"/usr/lib/libz\0\0\0"].concat();
        [words(&header), library, words(&[0x19, 8]), words(&[BUILD_VERSION, 24, MACOS, 0x000b_0300, 0, 0])].concat()
    }

    #[test]
    fn a_program_tells_its_processor_its_oldest_system_and_its_libraries() {
        let read = Program::read(&program(EXECUTABLE)).expect("a program");
        let libraries = vec!["/usr/lib/libz".to_owned()];
        assert_eq!(read, Program { processor: "arm64", minimum: (11, 3), libraries });
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert_eq!(Program::read(b"\x7fELF and more"), Err("no 64-bit Mach-O file".into()));
        assert_eq!(Program::read(&program(6)), Err("no program, but another kind of Mach-O file".into()));
        let whole = program(EXECUTABLE);
        for end in 0..whole.len() - 8 {
            assert!(Program::read(&whole[..end]).is_err(), "{end} of its {} bytes", whole.len());
        }
    }
}
