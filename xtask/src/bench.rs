//! `cargo xtask bench`.

use crate::command::Failure;
use crate::machine::Machine;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Runs every benchmark in `benches/`; `arguments` go to `cargo bench`.
pub fn run(machine: &Machine, arguments: &[OsString]) -> Result<(), Failure> {
    let folder = machine.root.join("benches");
    if names(&folder).is_empty() {
        return Err(Failure::Faults(vec![format!("there is no benchmark to run: {} holds none", folder.display())]));
    }
    let command = machine.cargo("bench --package virtual-gpu-lut-box --all-features --benches");
    arguments.iter().fold(command, |command, a| command.arg(a)).run()
}

/// The benchmarks in a folder, by name. Cargo takes a file or a folder with a `main.rs` for one.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|e| e.path());
    let benches = paths.filter(|p| p.extension().is_some_and(|e| e == "rs") || p.join("main.rs").is_file());
    benches.filter_map(|p| p.file_stem().map(|s| s.to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_found_as_files_and_as_folders() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        assert!(names(&at("absent")).is_empty());
        fs::write(at("notes.md"), "").expect("a file");
        assert!(names(folder.path()).is_empty());
        fs::write(at("strip.rs"), "").expect("a file");
        fs::create_dir(at("wire")).expect("a folder");
        fs::write(at("wire/main.rs"), "").expect("a file");
        let mut found = names(folder.path());
        found.sort();
        assert_eq!(found, ["strip", "wire"]);
    }
}
