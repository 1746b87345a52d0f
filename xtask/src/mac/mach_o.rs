//! What a Mach-O program says of itself, as far as a program of ours is judged by it.

use object::macho::{CPU_TYPE_ARM64, CPU_TYPE_X86_64, MH_EXECUTE, MachHeader64};
use object::read::macho::{LoadCommandVariant, MachHeader};
use object::{Endianness, macho};

/// A program for one kind of processor.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// As Apple names it.
    pub processor: &'static str,
    /// The oldest macOS that starts it.
    pub minimum: (u16, u8),
    /// The libraries that it is linked to, sorted.
    pub libraries: Vec<String>,
}

impl Program {
    /// Reads a program; the error says what is not as it should be.
    pub fn read(file: &[u8]) -> Result<Program, String> {
        let wrong = |e: object::Error| format!("no 64-bit Mach-O program: {e}");
        let header = MachHeader64::<Endianness>::parse(file, 0).map_err(wrong)?;
        let endian = header.endian().map_err(wrong)?;
        let processor = match header.cputype(endian) {
            CPU_TYPE_ARM64 => "arm64",
            CPU_TYPE_X86_64 => "x86_64",
            other => return Err(format!("a program for an unknown processor ({other:?})")),
        };
        if header.filetype(endian) != MH_EXECUTE {
            return Err("no program, but another kind of Mach-O file".into());
        }
        let (mut minimum, mut libraries) = (None, Vec::new());
        let mut commands = header.load_commands(endian, file, 0).map_err(wrong)?;
        while let Some(command) = commands.next().map_err(wrong)? {
            match command.variant().map_err(wrong)? {
                LoadCommandVariant::Dylib(library) => {
                    let name = command.string(endian, library.dylib.name).map_err(wrong)?;
                    libraries.push(String::from_utf8_lossy(name).into_owned());
                }
                LoadCommandVariant::BuildVersion(build, _) if build.platform.get(endian) == macho::PLATFORM_MACOS => {
                    minimum = Some(build.minos.get(endian));
                }
                LoadCommandVariant::VersionMin(version) => minimum = Some(version.version.get(endian)),
                _ => {}
            }
        }
        libraries.sort();
        let minimum = minimum.ok_or("a program that names no oldest macOS")?;
        Ok(Program { processor, minimum: (minimum.major(), minimum.minor()), libraries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    fn program(file_type: u32) -> Vec<u8> {
        let header = [0xfeed_facf, 0x0100_000c, 0, file_type, 2, 40 + 24, 0, 0];
        let library = [&words(&[0xc, 40, 24, 0, 0, 0])[..], b"/usr/lib/libz\0\0\0"].concat();
        [words(&header), library, words(&[0x32, 24, 1, 0x000b_0300, 0, 0])].concat()
    }

    #[test]
    fn a_program_tells_its_processor_its_oldest_system_and_its_libraries() {
        let read = Program::read(&program(2)).expect("a program");
        let libraries = vec!["/usr/lib/libz".to_owned()];
        assert_eq!(read, Program { processor: "arm64", minimum: (11, 3), libraries });
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let refused = |bytes: &[u8]| Program::read(bytes).expect_err("it is no program");
        assert!(refused(b"\x7fELF and more").starts_with("no 64-bit Mach-O program: "));
        assert_eq!(refused(&program(6)), "no program, but another kind of Mach-O file");
        let whole = program(2);
        for end in 0..whole.len() {
            assert!(Program::read(&whole[..end]).is_err(), "{end} of its {} bytes", whole.len());
        }
    }
}
