//! Where the file is, unless told otherwise.

use std::ffi::OsString;
use std::path::PathBuf;

const FOLDER: &str = "virtual-gpu-lut-box";
const NAME: &str = "config.toml";

/// The places that are looked at, the user's own first. The first that there is, is read, and no other.
pub(super) fn usual(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Vec<PathBuf> {
    let folder = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home.filter(|path| path.is_absolute());
    let folders = if cfg!(windows) {
        // What lies in %PROGRAMDATA% may be anybody's.
        vec![folder("APPDATA")]
    } else if cfg!(target_os = "macos") {
        let library = PathBuf::from("Library/Application Support");
        vec![home.map(|home| home.join(&library)), Some(PathBuf::from("/").join(&library))]
    } else {
        vec![folder("XDG_CONFIG_HOME").or_else(|| home.map(|home| home.join(".config"))), Some("/etc".into())]
    };
    folders.into_iter().flatten().map(|folder| folder.join(FOLDER).join(NAME)).collect()
}
