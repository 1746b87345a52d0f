//! Damaged input steered by coverage: `cargo xtask fuzz`. What is done with the bytes is what `tests/fuzz_targets.rs` does.

#[path = "../../tests/fuzz_targets/targets.rs"]
pub mod targets;

use std::cell::RefCell;
use virtual_gpu_lut_box::lut::file::FileFormat;

thread_local! {
    static SITE: targets::http::Site = targets::http::Site::new();
    static STAGE: RefCell<targets::linux::Stage> = RefCell::new(targets::linux::Stage::new());
}

/// Requests, one after the other to the same servers.
pub fn http_requests(bytes: &[u8]) {
    SITE.with(|site| targets::http::requests(site, bytes));
}

/// Receivers, one after the other of the same stream.
pub fn linux_receivers(bytes: &[u8]) {
    STAGE.with_borrow_mut(|stage| targets::linux::receiver(stage, bytes));
}

/// The first byte chooses the format, the others are the file.
pub fn lut_files(bytes: &[u8]) {
    if let Some((first, file)) = bytes.split_first() {
        let formats = FileFormat::ALL;
        targets::lut_file(formats[usize::from(*first) % formats.len()], file);
    }
}

/// Whole files of every format.
pub fn lut_file_seeds() -> Vec<Vec<u8>> {
    let with_number = |(i, format)| {
        let seeds = targets::lut_file_seeds(format).into_iter();
        seeds.map(move |file| [vec![i as u8], file].concat())
    };
    FileFormat::ALL.into_iter().enumerate().flat_map(with_number).collect()
}
