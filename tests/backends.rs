//! One suite, every back end.

#![allow(clippy::unwrap_used)]

#[macro_use]
mod backend_suite;

backend_suite!(memory, {
    let backend = virtual_gpu_lut_box::texture::memory::MemoryBackend::default();
    crate::backend_suite::Platform {
        backend: std::sync::Arc::new(backend),
        receiver_limit: None,
        annotates: true,
        keep: Box::new(()),
    }
});

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
backend_suite!(linux, {
    let directory = tempfile::tempdir().unwrap();
    let backend = virtual_gpu_lut_box::texture::linux::LinuxBackend::with_directory(directory.path().join("streams"));
    crate::backend_suite::Platform {
        backend: std::sync::Arc::new(backend),
        receiver_limit: Some(64),
        annotates: true,
        keep: Box::new(directory),
    }
});

#[cfg(windows)]
backend_suite!(
    #[ignore = "needs Windows itself: Wine 10 can't share Direct3D 11 textures"]
    spout,
    {
        let backend = virtual_gpu_lut_box::texture::spout::SpoutBackend::with_adapter(None);
        crate::backend_suite::Platform {
            backend: std::sync::Arc::new(backend),
            receiver_limit: None,
            annotates: false,
            keep: Box::new(()),
        }
    }
);
