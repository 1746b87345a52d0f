//! Writes every host's shader from one core.
//!
//! `shaders/core/lut.core` holds the maths, in a small dialect of C; `shaders/templates/` holds what each host wants
//! around it. [`TARGETS`] lists the files; [`write()`] writes them, [`stale`] names those that are not what they would be.
//!
//! # Layout
//!
//! | module | job |
//! | --- | --- |
//! | [`token`] | the core's source as tokens |
//! | [`language`] | what sets one shading language apart from another |
//! | [`translate`] | the dialect, word by word, into a language |
//! | [`target`] | which files there are, and their texts |

pub mod language;
pub mod target;
pub mod token;
pub mod translate;

pub use target::{TARGETS, Target};

use std::io;
use std::path::Path;

/// Writes all files into `folder`, the repository's `shaders/`, and returns the paths of those that changed.
pub fn write(folder: &Path) -> io::Result<Vec<&'static str>> {
    let changed = stale(folder)?;
    for target in TARGETS.iter().filter(|t| changed.contains(&t.path)) {
        let path = folder.join(target.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, target.text(folder)?)?;
    }
    Ok(changed)
}

/// The paths of the files in `folder` that are missing or are not what [`write()`] would write.
pub fn stale(folder: &Path) -> io::Result<Vec<&'static str>> {
    let mut list = Vec::new();
    for target in TARGETS {
        let wanted = target.text(folder)?;
        match std::fs::read_to_string(folder.join(target.path)) {
            Ok(found) if found == wanted => {}
            Ok(_) => list.push(target.path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => list.push(target.path),
            Err(e) => return Err(e),
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaders() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn the_files_in_the_repository_are_up_to_date() {
        assert_eq!(stale(&shaders()).unwrap(), Vec::<&str>::new(), "run `cargo xtask shaders`");
    }

    /// Some OpenGL drivers refuse other characters, in comments too.
    #[test]
    fn every_file_is_plain_ascii() {
        for target in TARGETS {
            assert!(target.text(&shaders()).unwrap().is_ascii(), "{}", target.path);
        }
    }

    #[test]
    fn every_file_names_a_setup_page_that_exists() {
        for target in TARGETS {
            let text = target.text(&shaders()).unwrap();
            let from = text.find("docs/hosts/").unwrap_or_else(|| panic!("{} names no setup page", target.path));
            let page = text[from..].split_inclusive(".md").next().unwrap();
            assert!(shaders().join("..").join(page).exists(), "{} names {page}", target.path);
        }
    }

    #[test]
    fn nothing_of_the_dialect_is_left_over() {
        for target in TARGETS {
            let text = target.text(&shaders()).unwrap();
            for word in [
                "//@core",
                "//@buffer",
                "(ENTRIES",
                "//@settings",
                "//@note",
                "//@begin",
                "@flip@",
                "fetch(LUT",
                "texture_size(LUT",
                "(LUT",
            ] {
                assert!(!text.contains(word), "{} holds {word}", target.path);
            }
        }
    }
}
