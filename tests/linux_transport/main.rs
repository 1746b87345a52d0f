//! What only the Linux transport promises: separate processes, killed and stopped ones, peers that do not keep the
//! rules, and a receiver that was written from the document alone.

#![cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#![allow(clippy::unwrap_used)]

#[path = "../backend_suite/mod.rs"]
mod backend_suite;
mod c_receiver;
mod child;
mod hostile_receivers;
mod hostile_senders;
mod in_place;
mod limits;
mod processes;
mod raw;

use std::path::{Path, PathBuf};
use virtual_gpu_lut_box::texture::linux::LinuxBackend;
use virtual_gpu_lut_box::texture::{TextureBackend, TextureSender, TextureWriter};

/// A directory of streams that is a test's own.
struct Streams {
    _parent: tempfile::TempDir,
    path: PathBuf,
    backend: LinuxBackend,
}

impl Streams {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("streams");
        Streams { _parent: parent, backend: LinuxBackend::with_directory(&path), path }
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn silent_sender(&self, name: &str) -> Box<dyn TextureSender> {
        self.backend.create_sender(name).unwrap()
    }

    /// A sender that has published mark 1 in grid size `n`.
    fn sender(&self, name: &str, n: u64) -> (Box<dyn TextureSender>, Box<dyn TextureWriter>) {
        let sender = self.silent_sender(name);
        let mut writer = sender.writer().unwrap();
        publish_mark(&mut *writer, n, 1);
        (sender, writer)
    }
}

fn publish_mark(writer: &mut dyn TextureWriter, n: u64, mark: u64) -> u64 {
    let shape = backend_suite::shape(n);
    backend_suite::publish(writer, shape, &backend_suite::marked(mark, shape.texels()))
}
