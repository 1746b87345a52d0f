//! Writes every target's seeds: `seeds FOLDER` makes `FOLDER/TARGET/NUMBER`.

use std::path::PathBuf;
use vglb_fuzz::targets;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).expect("a folder for the seeds");
    for (target, seeds) in [
        ("wire", targets::wire_seeds()),
        ("lut_files", vglb_fuzz::lut_file_seeds()),
        ("state", targets::state_seeds()),
        ("recording", targets::recording_seeds()),
        ("recording_body", targets::recording_body_seeds()),
        ("address_ranges", targets::address_range_seeds()),
        ("linux_messages", targets::linux::message_seeds()),
        ("linux_rings", targets::linux::ring_seeds()),
        ("linux_senders", targets::linux::sender_seeds()),
        ("linux_receivers", targets::linux::receiver_seeds()),
        ("http_requests", targets::http::request_seeds()),
        ("cdl_bodies", targets::http::cdl_body_seeds()),
        ("settings", targets::configuration::seeds()),
    ] {
        std::fs::create_dir_all(folder.join(target))?;
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(target).join(number.to_string()), seed)?;
        }
    }
    Ok(())
}
