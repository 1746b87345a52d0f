//! The files of the repository.

use crate::command::Failure;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file under `folder` whose name ends in one of `extensions`, sorted. What is not ours is left out: hidden
/// files and folders, what cargo builds, Python environments, installed packages.
pub fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    collect(folder, extensions, &mut found)?;
    found.sort();
    Ok(found)
}

/// The text of a file.
pub fn text(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(Failure::file(file))
}

fn collect(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let path = entry.map_err(Failure::file(folder))?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if hidden || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if !is_made(&path) {
                collect(&path, extensions, found)?;
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a tool made this folder, and not one of us.
fn is_made(folder: &Path) -> bool {
    // Cargo, pytest and others mark what they make with the first, Python its environments with the second.
    let marked = ["CACHEDIR.TAG", "pyvenv.cfg"].iter().any(|tag| folder.join(tag).is_file());
    marked || folder.file_name().is_some_and(|n| n == "node_modules" || n == "__pycache__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_and_hidden_files_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
            fs::write(path, "").expect("a file");
        };
        for name in [
            "b.rs",
            "a/c.md",
            "a/d.txt",
            ".hidden/e.rs",
            "build/CACHEDIR.TAG",
            "build/f.rs",
            "venv/pyvenv.cfg",
            "venv/lib/g.rs",
            "node_modules/h/i.md",
        ] {
            write(name);
        }
        let found = files(folder.path(), &["rs", "md"]).expect("readable");
        let names: Vec<_> = found.iter().map(|p| p.strip_prefix(folder.path()).expect("inside")).collect();
        assert_eq!(names, [Path::new("a/c.md"), Path::new("b.rs")]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let failure = files(Path::new("/no/such/folder"), &["rs"]).expect_err("not there");
        assert!(failure.to_string().starts_with("/no/such/folder: "), "{failure}");
    }
}
