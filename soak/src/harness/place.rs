//! Where the soak happens: a folder of its own, with a small file system in it that can be filled.

use super::options::Options;
use anyhow::Context;
use rustix::mount::{MountFlags, mount};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Says that the process has mounts of its own.
const MARK: &str = "SOAK_INSIDE";
/// What the small file system holds.
const DISK_BYTES: usize = 12 << 20;

pub enum Inside {
    /// This process is to soak.
    Here(Place),
    /// Another one, with mounts of its own, has.
    Ran(ExitCode),
}

/// The folder.
pub struct Place {
    folder: tempfile::TempDir,
    /// Whether its `disk` is a file system that can be filled.
    pub small_disk: bool,
}

/// Goes on in a process with mounts of its own, where the system allows that.
pub fn inside(options: &Options) -> anyhow::Result<Inside> {
    if std::env::var_os(MARK).is_some() {
        return Ok(Inside::Here(Place::new(options.keep)?));
    }
    let mut unshare = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.arg("--mount");
    let can = Command::new("unshare").args(unshare.get_args()).arg("true").output().is_ok_and(|o| o.status.success());
    if !can {
        return Ok(Inside::Here(Place::new(options.keep)?));
    }
    let this = std::env::current_exe().context("this program's own path")?;
    unshare.arg(this).arg("--program").arg(&options.program);
    unshare.args(["--seconds", &options.time.as_secs().to_string(), "--seed", &options.seed.to_string()]);
    if options.keep {
        unshare.arg("--keep");
    }
    let status = unshare.env(MARK, "1").status().context("can't start unshare")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Inside::Ran(ExitCode::from(code)))
}

impl Place {
    fn new(keep: bool) -> anyhow::Result<Place> {
        let folder = tempfile::Builder::new().prefix("vglb-soak").disable_cleanup(keep).tempdir()?;
        let disk = folder.path().join("disk");
        std::fs::create_dir(&disk)?;
        let size = std::ffi::CString::new(format!("size={DISK_BYTES},mode=0700"))?;
        let small_disk = std::env::var_os(MARK).is_some()
            && mount(c"vglb-soak", &disk, c"tmpfs", MountFlags::empty(), Some(size.as_c_str())).is_ok();
        Ok(Place { folder, small_disk })
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Where the server remembers LUTs.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("disk/state")
    }

    /// Where streams are found.
    pub fn streams(&self) -> PathBuf {
        self.folder.path().join("streams")
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("disk/filler")
    }

    /// Takes up all that the small file system has.
    pub fn fill_disk(&self) -> std::io::Result<()> {
        if !self.small_disk {
            return Ok(());
        }
        let mut filler = File::create(self.filler())?;
        let block = [0x55; 4096];
        while filler.write_all(&block).is_ok() {}
        Ok(())
    }

    /// Gives it back.
    pub fn free_disk(&self) {
        let _ = std::fs::remove_file(self.filler());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.small_disk {
            let _ = rustix::mount::unmount(self.folder.path().join("disk"), rustix::mount::UnmountFlags::DETACH);
        }
    }
}
