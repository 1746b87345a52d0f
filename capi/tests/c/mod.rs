//! Compiles programs in C against the library as it was just built.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a program is compiled as.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    C99,
    Cpp,
}

/// How it comes by the library.
#[derive(Clone, Copy, Debug)]
pub enum Library {
    Shared,
    Static,
}

/// What Rust's standard library needs of the system, which a program that links the library statically has to name.
/// `cargo rustc -p virtual-gpu-lut-box-capi --crate-type staticlib -- --print native-static-libs` tells.
const NATIVE: [&str; 6] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

/// Compiles a file of this package, with all warnings as errors.
pub fn compiled(source: &str, into: &Path, language: Language, library: Library) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = into.join(format!("{language:?}-{library:?}-{}", source.replace(['/', '.'], "-")));
    // Cargo puts the library beside the tests that it built it for.
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().unwrap();
    let mut command = match language {
        Language::C99 => Command::new("cc"),
        Language::Cpp => Command::new("g++"),
    };
    match language {
        Language::C99 => command.args(["-x", "c", "-std=c99"]),
        Language::Cpp => command.args(["-x", "c++", "-std=c++11"]),
    };
    command.args(["-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"]).arg(package.join("include"));
    command.arg(package.join(source)).args(["-x", "none", "-pthread", "-o"]).arg(&program);
    match library {
        Library::Shared => {
            command.arg("-L").arg(built).arg("-lvglb").arg(format!("-Wl,-rpath,{}", built.display()));
        }
        Library::Static => {
            command.arg(built.join("libvglb.a")).args(NATIVE);
        }
    }
    let out = command.output().unwrap_or_else(|e| panic!("a compiler for {language:?}: {e}"));
    assert!(out.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&out.stderr));
    program
}

/// The program under valgrind, which calls its memory errors and leaks exit code 99.
pub fn under_valgrind(program: &Path, mut command: Command) -> Command {
    command.args(["--quiet", "--error-exitcode=99", "--leak-check=full", "--num-callers=30"]);
    command.arg("--errors-for-leak-kinds=definite,indirect,possible").arg(program);
    command
}

/// What a program has said, where it ended well.
pub fn said(command: &mut Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}\n{}", out.status, all(&out));
    String::from_utf8(out.stdout).unwrap()
}

/// All that it has said.
pub fn all(out: &Output) -> String {
    [&out.stdout, &out.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}
