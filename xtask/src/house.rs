//! House rules that a machine can check: short files, and platform and unsafe code in its place.
//!
//! Unsafe code itself is denied by the compiler; what is checked here is that nobody allows it elsewhere.

use crate::command::Failure;
use crate::tree;
use std::path::Path;

/// The most lines that a source file may have.
const LONGEST: usize = 500;

/// The file that picks back ends, and with them platforms.
const BACK_END_CHOICE: &str = "src/texture/mod.rs";

/// The C interface picks what it has of back ends in a file of its own.
const C_PLATFORM_CHOICE: &str = "capi/src/platform.rs";

/// The folder whose folders are back ends.
const BACK_ENDS: &str = "src/texture/";

/// Where else code may be unsafe, folder by folder, and why it has to be.
const UNSAFE_FOLDERS: &[(&str, &str)] = &[
    ("capi/src/border/", "what C hands in are pointers, and they are followed here alone"),
    ("examples/egl-receiver/src/program/opengl/", "OpenGL is called here alone"),
    ("examples/wgpu-receiver/src/program/vulkan/", "wgpu does not import memory, so Vulkan is called here alone"),
    ("shaders/harness/", "runs shaders on GPUs for the tests, and is no part of the product"),
];

/// The lint that keeps unsafe code out. In two parts, so that this file does not break the rule it checks.
const UNSAFE_LINT: &str = concat!("unsafe", "_code");

/// Checks the whole repository.
pub fn check(root: &Path) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for file in tree::files(root, &["rs", "py", "toml"])? {
        let text = tree::text(&file)?;
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        if name.ends_with("Cargo.toml") {
            faults.extend(manifest(&name, &text));
        } else if !name.ends_with(".toml") {
            faults.extend(length(&name, &text));
        }
        if name.ends_with(".rs") {
            faults.extend(platforms(&name, &text));
            faults.extend(allowed_unsafe(&name, &text));
        }
    }
    Failure::unless_empty(faults)
}

fn length(name: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > LONGEST).then(|| format!("{name}: {lines} lines; a file has at most {LONGEST}: give a part its own"))
}

/// In `src`, code for one platform is chosen in one file, and in `capi/src` too. `cfg!(…)` is only a value: its code
/// compiles everywhere.
fn platforms(name: &str, text: &str) -> Vec<String> {
    let choice = match name.starts_with("capi/") {
        true => C_PLATFORM_CHOICE,
        false => BACK_END_CHOICE,
    };
    if !(name.starts_with("src/") || name.starts_with("capi/src/")) || name == choice {
        return Vec::new();
    }
    let chooses = |code: &str| {
        let attribute = code.contains("[cfg");
        !code.contains("cfg!(")
            && words(code).any(|word| match word {
                // In an attribute of several lines, the word may stand alone.
                "target_os" | "target_family" => true,
                "unix" | "windows" => attribute,
                _ => false,
            })
    };
    found(name, text, chooses, &format!("a platform is chosen in {choice} only"))
}

/// Only back ends may allow unsafe code, and the few folders that have a reason.
fn allowed_unsafe(name: &str, text: &str) -> Vec<String> {
    let back_end = name.strip_prefix(BACK_ENDS).is_some_and(|rest| rest.contains('/'));
    if back_end || UNSAFE_FOLDERS.iter().any(|(folder, _)| name.starts_with(folder)) {
        return Vec::new();
    }
    let allows = |code: &str| words(code).any(|word| word == UNSAFE_LINT);
    let others: Vec<_> = UNSAFE_FOLDERS.iter().map(|(folder, why)| format!("{folder} ({why})")).collect();
    let rule = format!("unsafe code is for the folders in {BACK_ENDS} only, and for {}", others.join(", "));
    found(name, text, allows, &rule)
}

/// Each package takes the workspace's lints, and these deny unsafe code.
fn manifest(name: &str, text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let has = |wanted: &str| lines.contains(&wanted);
    let denies = format!("{UNSAFE_LINT} = \"deny\"");
    if name == "Cargo.toml" && !has(&denies) {
        return Some(format!("{name}: the workspace's lints no longer hold {denies}"));
    }
    // A package that is a workspace of its own, as a fuzzing package is, can't take these lints.
    let ours = has("[package]") && (name == "Cargo.toml" || !has("[workspace]"));
    let inherits = lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"]);
    (ours && !inherits).then(|| format!("{name}: lacks `[lints]` with `workspace = true`"))
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

/// A fault for each line whose code, without its comment, is `wrong`.
fn found(name: &str, text: &str, wrong: impl Fn(&str) -> bool, rule: &str) -> Vec<String> {
    let code = |line: &str| line.split("//").next().is_some_and(&wrong);
    let lines = text.lines().enumerate().filter(|(_, line)| code(line));
    lines.map(|(i, line)| format!("{name}:{}: `{}`: {rule}", i + 1, line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_501_lines_is_too_long() {
        assert_eq!(length("src/a.rs", &"\n".repeat(500)), None);
        let fault = length("src/a.rs", &"\n".repeat(501)).expect("too long");
        assert!(fault.starts_with("src/a.rs: 501 lines; a file has at most 500"), "{fault}");
    }

    #[test]
    fn platforms_are_chosen_in_one_file() {
        for line in [
            "#[cfg(target_os = \"linux\")]",
            "    target_os = \"macos\",",
            "#[cfg(all(test, unix))]",
            "#[cfg_attr(not(windows), allow(dead_code))]",
        ] {
            assert_eq!(platforms("src/wire/mod.rs", line).len(), 1, "{line}");
            assert_eq!(platforms("src/texture/linux/mod.rs", line).len(), 1, "{line}");
            assert!(platforms(BACK_END_CHOICE, line).is_empty(), "{line}");
            assert!(platforms("tests/streams.rs", line).is_empty(), "{line}");
        }
        for line in [
            "#[cfg(test)]",
            "use std::os::unix::net::UnixStream;",
            "socket.set_reuse_address(cfg!(unix))?;",
            "//! No cfg(windows) here.",
            "let n = 1; // cfg(unix)",
        ] {
            assert!(platforms("src/wire/mod.rs", line).is_empty(), "{line}");
        }
        assert!(platforms(C_PLATFORM_CHOICE, "#[cfg(windows)]").is_empty());
        assert_eq!(platforms("capi/src/receiver.rs", "#[cfg(windows)]").len(), 1);
        let fault = &platforms("src/a.rs", "//! A.\n#[cfg(windows)]\nmod b;\n")[0];
        assert_eq!(fault, "src/a.rs:2: `#[cfg(windows)]`: a platform is chosen in src/texture/mod.rs only");
    }

    #[test]
    fn unsafe_code_is_allowed_in_back_ends_alone() {
        let text = format!("//! Maps memory.\n#![allow({UNSAFE_LINT})]\n");
        assert!(allowed_unsafe("src/texture/linux/ring.rs", &text).is_empty());
        assert!(allowed_unsafe("capi/src/border/pointers.rs", &text).is_empty());
        for name in [
            "src/texture/mod.rs",
            "src/texture/memory.rs",
            "src/wire/mod.rs",
            "xtask/src/main.rs",
            "capi/src/handles.rs",
            "capi/tests/c_programs.rs",
            "examples/egl-receiver/src/program/mod.rs",
        ] {
            assert_eq!(allowed_unsafe(name, &text).len(), 1, "{name}");
        }
        assert!(allowed_unsafe("src/a.rs", "/// Safe: `unsafe` is not needed.\nfn a() {}\n").is_empty());
    }

    #[test]
    fn packages_take_the_workspaces_lints() {
        let denies = format!("[workspace.lints.rust]\n{UNSAFE_LINT} = \"deny\"\n");
        let package = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n";
        assert_eq!(manifest("Cargo.toml", &format!("{denies}{package}")), None);
        assert!(manifest("Cargo.toml", package).expect("a fault").contains("no longer"));
        assert_eq!(manifest("python/Cargo.toml", package), None);
        assert!(manifest("python/Cargo.toml", "[package]\n").expect("a fault").starts_with("python/Cargo.toml: lacks"));
        assert_eq!(manifest("fuzz/Cargo.toml", "[package]\n[workspace]\n"), None);
    }

    #[test]
    fn a_repository_is_checked_as_a_whole() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("src/wire")).expect("folders");
        let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).expect("a file");
        let lints = format!("[workspace.lints.rust]\n{UNSAFE_LINT} = \"deny\"\n");
        write("Cargo.toml", &format!("{lints}[package]\n[lints]\nworkspace = true\n"));
        write("src/wire/mod.rs", "//! Fine.\n");
        assert!(check(root.path()).is_ok());
        write("src/wire/mod.rs", &format!("#[cfg(unix)]\n#[allow({UNSAFE_LINT})]\n{}", "\n".repeat(500)));
        let Err(Failure::Faults(faults)) = check(root.path()) else { panic!("three faults") };
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
