//! The programs for macOS: linked on Linux against stubs, and made into one file for both kinds of Mac on a Mac.

mod mach_o;

use crate::command::Failure;
use crate::machine::Machine;
use crate::python::Venv;
use mach_o::Program;
use std::fs;
use std::path::{Path, PathBuf};

/// Macs with Apple's processors.
pub const ARM: &str = "aarch64-apple-darwin";

/// Macs with Intel's processors.
pub const INTEL: &str = "x86_64-apple-darwin";

/// Zig, whose linker makes Mac programs anywhere.
pub const ZIG: Venv = Venv { name: "zig", requirements: "xtask/src/mac/requirements.txt" };

/// The programs' names.
const PROGRAMS: [&str; 2] = ["vglb", "virtual-gpu-lut-box"];

/// The oldest macOS on which the programs are meant to run; `.cargo/config.toml` says so to the compiler.
const MINIMUM: (u16, u8) = (11, 0);

const SYMBOLS: &str = include_str!("symbols.txt");
const LINKER: &str = include_str!("linker.sh");

/// A library of macOS, and what the programs take of it.
#[derive(Debug, PartialEq)]
struct Library<'a> {
    /// Where a Mac has it.
    path: &'a str,
    symbols: Vec<&'a str>,
}

/// Links the programs for both kinds of Mac, unoptimised: that is sooner done, and needs no less of a Mac. A symbol that
/// `symbols.txt` lacks ends in an error.
pub fn link(machine: &Machine) -> Result<(), Failure> {
    let libraries = libraries(SYMBOLS);
    let stubs = machine.tools().join("mac-stubs");
    write_stubs(&stubs, &libraries)?;
    // Its name tells rustc that it takes clang's arguments.
    let linker = stubs.join("clang");
    write(&linker, LINKER)?;
    machine.program("chmod", "+x").arg(&linker).run()?;
    let mut faults = Vec::new();
    for (target, processor) in [(ARM, "arm64"), (INTEL, "x86_64")] {
        let variable = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
        machine
            .cargo("build --package virtual-gpu-lut-box --bins --target")
            .arg(target)
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
            // With them the bindings to Objective-C look at methods, which the programs of users do not.
            .env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false")
            .env(variable, &linker)
            .env("PYTHON", ZIG.program(machine))
            .env("STUBS", &stubs)
            // Else rustc looks for Apple's.
            .env("SDKROOT", &stubs)
            .env("ZIG_GLOBAL_CACHE_DIR", machine.tools().join("zig-cache"))
            .env("ZIG_LOCAL_CACHE_DIR", machine.tools().join("zig-cache"))
            .run()?;
        for program in PROGRAMS {
            let path = machine.target.join(target).join("debug").join(program);
            let file = fs::read(&path).map_err(Failure::file(&path))?;
            let fault = Program::read(&file).and_then(|program| judge(&program, processor, &libraries));
            faults.extend(fault.err().map(|fault| format!("{}: {fault}", path.display())));
        }
    }
    Failure::unless_empty(faults)
}

/// Builds the programs for both kinds of Mac, and puts each into one signed file for both.
pub fn build_universal(machine: &Machine) -> Result<(), Failure> {
    machine
        .cargo("build --release --package virtual-gpu-lut-box --features cluster --bins --target")
        .arg(ARM)
        .arg("--target")
        .arg(INTEL)
        .run()?;
    let folder = machine.target.join("universal");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    for program in PROGRAMS {
        let built = |target: &str| machine.target.join(target).join("release").join(program);
        let both = folder.join(program);
        machine.program("lipo", "-create").arg(built(ARM)).arg(built(INTEL)).arg("-output").arg(&both).run()?;
        // Signed for no one in particular: Apple's processors start nothing that is not signed at all.
        machine.program("codesign", "--force --sign -").arg(&both).run()?;
        machine.program("codesign", "--verify --strict --verbose").arg(&both).run()?;
        machine.program("lipo", "").arg(&both).arg("-verify_arch").arg("arm64").arg("x86_64").run()?;
        let mut faults = Vec::new();
        for (target, processor) in [(ARM, "arm64"), (INTEL, "x86_64")] {
            let path = built(target);
            let file = fs::read(&path).map_err(Failure::file(&path))?;
            let fault = Program::read(&file).and_then(|program| oldest(&program, processor));
            faults.extend(fault.err().map(|fault| format!("{}: {fault}", path.display())));
        }
        Failure::unless_empty(faults)?;
        machine.program(both, "--version").run()?;
    }
    Ok(())
}

/// The package that runs our programs against the real framework.
const SYPHON_CLIENT: &str = "--manifest-path tests/syphon_client/Cargo.toml --target-dir target";

/// The package is no part of the workspace, and needs a Mac to run: that it is as it should be is seen before.
pub fn check_syphon_client(machine: &Machine) -> Result<(), Failure> {
    machine.cargo("fmt --manifest-path tests/syphon_client/Cargo.toml --check").run()?;
    machine.cargo(&format!("clippy {SYPHON_CLIENT} --target {ARM} -- -D warnings")).run()
}

/// Builds the programs and the framework, and runs one against the other.
pub fn test_with_syphon_client(machine: &Machine) -> Result<(), Failure> {
    machine.cargo("build --package virtual-gpu-lut-box --bins").run()?;
    let run = machine.cargo(&format!("run {SYPHON_CLIENT} --features vendored --"));
    run.arg(machine.built("vglb")).run()
}

/// Whether a program starts on the oldest macOS, and is linked to what it needs there and nothing else.
fn judge(program: &Program, processor: &str, libraries: &[Library]) -> Result<(), String> {
    oldest(program, processor)?;
    let mut wanted: Vec<_> = libraries.iter().map(|library| library.path).collect();
    // Zig has stubs of the system's own library.
    wanted.push("/usr/lib/libSystem.B.dylib");
    wanted.sort_unstable();
    if program.libraries == wanted { Ok(()) } else { Err(format!("linked to {:?}, not {wanted:?}", program.libraries)) }
}

fn oldest(program: &Program, processor: &str) -> Result<(), String> {
    if (program.processor, program.minimum) == (processor, MINIMUM) {
        return Ok(());
    }
    let (major, minor) = program.minimum;
    Err(format!("for {} from macOS {major}.{minor} on, not for {processor} from {MINIMUM:?} on", program.processor))
}

fn libraries(text: &str) -> Vec<Library<'_>> {
    let mut all: Vec<Library> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')), all.last_mut()) {
            (Some(path), _) => all.push(Library { path, symbols: Vec::new() }),
            (None, Some(library)) => library.symbols.push(line),
            (None, None) => panic!("{line} belongs to no library"),
        }
    }
    all
}

/// A folder as Apple's SDK is one, as far as a linker looks at it.
fn write_stubs(folder: &Path, libraries: &[Library]) -> Result<(), Failure> {
    for library in libraries {
        let path = folder.join(place(library.path));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Failure::file(parent))?;
        }
        write(&path, &stub(library))?;
    }
    Ok(())
}

/// Where a linker looks for the stub of a library: without its version.
fn place(path: &str) -> PathBuf {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.contains(".framework/") {
        format!("System/Library/Frameworks/{name}.framework/{name}.tbd").into()
    } else {
        format!("usr/lib/{}.tbd", name.split('.').next().unwrap_or(name)).into()
    }
}

fn stub(library: &Library) -> String {
    let both = "[ x86_64-macos, arm64-macos ]";
    let Library { path, symbols } = library;
    // A stub without a symbol is none to some linkers.
    let symbols = if symbols.is_empty() { "_vglb_nothing".into() } else { symbols.join(", ") };
    format!(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: {both}\ninstall-name: '{path}'\nexports:\n  - targets: {both}\n    \
         symbols: [ {symbols} ]\n...\n"
    )
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_lie_where_a_linker_looks() {
        let all = libraries(SYMBOLS);
        let places: Vec<_> = all.iter().map(|library| place(library.path)).collect();
        assert_eq!(places[0], Path::new("System/Library/Frameworks/CoreFoundation.framework/CoreFoundation.tbd"));
        assert!(places.contains(&"usr/lib/libobjc.tbd".into()), "{places:?}");
        assert!(all.iter().flat_map(|library| &library.symbols).all(|symbol| symbol.starts_with('_')));
    }

    #[test]
    fn a_stub_names_its_library_and_symbols() {
        let library = &libraries("# why\n[/usr/lib/liba.1.dylib]\n_one\n_two\n")[0];
        assert_eq!(*library, Library { path: "/usr/lib/liba.1.dylib", symbols: vec!["_one", "_two"] });
        let text = stub(library);
        assert!(text.contains("install-name: '/usr/lib/liba.1.dylib'\n"), "{text}");
        assert!(text.ends_with("symbols: [ _one, _two ]\n...\n"), "{text}");
    }

    #[test]
    fn a_program_for_a_newer_system_or_with_another_library_is_refused() {
        let program = |minimum, libraries: &[&str]| Program {
            processor: "arm64",
            minimum,
            libraries: libraries.iter().map(|l| (*l).to_owned()).collect(),
        };
        let known = libraries("[/usr/lib/liba.dylib]\n");
        let both = ["/usr/lib/libSystem.B.dylib", "/usr/lib/liba.dylib"];
        assert_eq!(judge(&program((11, 0), &both), "arm64", &known), Ok(()));
        assert!(judge(&program((11, 0), &both), "x86_64", &known).is_err());
        assert!(judge(&program((11, 0), &both[..1]), "arm64", &known).is_err());
        let newer = judge(&program((12, 3), &both), "arm64", &known).expect_err("too new");
        assert_eq!(newer, "for arm64 from macOS 12.3 on, not for arm64 from (11, 0) on");
    }

    /// The compiler is told what is checked here.
    #[test]
    fn the_oldest_system_is_said_once() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cargo/config.toml");
        let text = fs::read_to_string(file).expect("cargo's configuration");
        let line = format!("MACOSX_DEPLOYMENT_TARGET = \"{}.{}\"", MINIMUM.0, MINIMUM.1);
        assert!(text.lines().any(|l| l == line), "{line} is not in {text}");
    }
}
