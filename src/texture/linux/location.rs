//! Where streams are found, and who has a part in them.

#![allow(unsafe_code)]

use crate::texture::TextureError;
use rustix::fs::Gid;
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// A directory of streams, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub path: PathBuf,
    /// Whether somebody has named it, for this program. Only then another user's directory is looked into: at a place
    /// that everybody knows, anybody could have made it.
    pub named: bool,
    /// The group that senders share their streams with.
    pub group: Option<u32>,
}

impl Location {
    pub fn named(path: impl Into<PathBuf>) -> Location {
        Location { path: path.into(), named: true, group: None }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Location::named(path)
    }
}

impl From<&PathBuf> for Location {
    fn from(path: &PathBuf) -> Self {
        Location::named(path)
    }
}

impl From<&Location> for Location {
    fn from(location: &Location) -> Self {
        location.clone()
    }
}

/// Whether this process is in a group.
pub(super) fn is_ours(group: u32) -> bool {
    let group = Gid::from_raw(group);
    rustix::process::getegid() == group || rustix::process::getgroups().is_ok_and(|all| all.contains(&group))
}

/// The number of a group, by its name or number.
///
/// # Errors
/// [`TextureError::Broken`] where there is no such group.
pub fn group_number(group: &str) -> Result<u32, TextureError> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let unknown = || TextureError::Broken(format!("there is no group {group:?} on this computer (--socket-group)"));
    let name = CString::new(group).map_err(|_| unknown())?;
    // SAFETY: zeros are a valid `group`, a struct of numbers and pointers that may be null.
    let mut found: libc::group = unsafe { std::mem::zeroed() };
    let mut result = std::ptr::null_mut();
    let mut room = vec![0; 1 << 10];
    loop {
        // SAFETY: the name ends with a zero; the other pointers are to values that outlive the call, and `room` has the
        // length that is said.
        let error =
            unsafe { libc::getgrnam_r(name.as_ptr(), &raw mut found, room.as_mut_ptr(), room.len(), &raw mut result) };
        match error {
            libc::ERANGE if room.len() < 1 << 24 => room.resize(room.len() * 4, 0),
            libc::EINTR => {}
            _ if result.is_null() => return Err(unknown()),
            _ => return Ok(found.gr_gid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_name_or_number() {
        assert_eq!(group_number("root").unwrap(), 0);
        assert_eq!(group_number("4711").unwrap(), 4711);
        let e = group_number("no such group").unwrap_err().to_string();
        assert!(e.contains("there is no group \"no such group\""), "{e}");
        assert!(group_number("a\0b").is_err());
        assert!(is_ours(rustix::process::getegid().as_raw()) && !is_ours(u32::MAX - 7));
    }
}
