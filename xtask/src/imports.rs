//! What a Windows program asks of the computer that it runs on: DLLs that every Windows has, and no other.

use crate::command::Failure;
use object::LittleEndian;
use object::read::pe::PeFile64;
use std::fs;
use std::path::Path;

/// The DLLs that are part of Windows 10 and later, as far as our programs use them. The C runtime of the MSVC compiler
/// (`vcruntime140.dll`) and MinGW's libraries are not: they would have to lie beside the program.
const OF_WINDOWS: &[&str] = &[
    "advapi32.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "combase.dll",
    "d3d11.dll",
    "dxgi.dll",
    "iphlpapi.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "ole32.dll",
    "oleaut32.dll",
    "rpcrt4.dll",
    "shell32.dll",
    "user32.dll",
    "userenv.dll",
    "ws2_32.dll",
];

/// Checks the programs in `folder`.
pub fn check_programs(folder: &Path) -> Result<(), Failure> {
    check(&["vglb.exe", "virtual-gpu-lut-box.exe"].map(|name| folder.join(name)))
}

/// Fails where a program in one of `files` needs a DLL that a Windows may lack.
pub fn check(files: &[impl AsRef<Path>]) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for file in files.iter().map(AsRef::as_ref) {
        let bytes = fs::read(file).map_err(Failure::file(file))?;
        match libraries(&bytes) {
            Ok(all) => faults.extend(all.iter().filter(|dll| !is_of_windows(dll)).map(|dll| {
                format!("{} needs {dll}, which Windows does not bring: it would have to lie beside it", file.display())
            })),
            Err(e) => faults.push(format!("{} is no 64-bit Windows program: {e}", file.display())),
        }
    }
    Failure::unless_empty(faults)
}

fn libraries(bytes: &[u8]) -> object::Result<Vec<String>> {
    let program = PeFile64::parse(bytes)?;
    let Some(table) = program.import_table()? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    let mut descriptors = table.descriptors()?;
    while let Some(descriptor) = descriptors.next()? {
        let name = table.name(descriptor.name.get(LittleEndian))?;
        names.push(String::from_utf8_lossy(name).into_owned());
    }
    Ok(names)
}

fn is_of_windows(dll: &str) -> bool {
    let dll = dll.to_ascii_lowercase();
    // The "API sets" are names for parts of the system's own DLLs. The C runtime's begin alike and are part of Windows 10.
    OF_WINDOWS.contains(&dll.as_str()) || dll.starts_with("api-ms-win-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_windows_brings_is_told_from_what_lies_beside_a_program() {
        for dll in [
            "KERNEL32.dll",
            "d3d11.dll",
            "IPHLPAPI.DLL",
            "api-ms-win-core-synch-l1-2-0.dll",
            "api-ms-win-crt-heap-l1-1-0.dll",
        ] {
            assert!(is_of_windows(dll), "{dll}");
        }
        for dll in ["VCRUNTIME140.dll", "libgcc_s_seh-1.dll", "libwinpthread-1.dll", "SpoutDX.dll", "msvcp140.dll"] {
            assert!(!is_of_windows(dll), "{dll}");
        }
    }

    #[test]
    fn a_file_that_is_no_windows_program_is_named() {
        let failure = check(&[std::env::current_exe().expect("this program")]).err().map(|f| f.to_string());
        if cfg!(windows) {
            assert_eq!(failure, None, "this program itself is one");
        } else {
            assert!(failure.expect("an ELF or a Mach-O").contains(" is no 64-bit Windows program: "));
        }
        assert!(check(&["/no/such.exe"]).expect_err("not there").to_string().starts_with("/no/such.exe: "));
    }
}
