//! Writes the shaders; with `--check`, only names those that are out of date, and fails where there are any.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let check = std::env::args().any(|a| a == "--check");
    let result = if check { shader_generator::stale(&folder) } else { shader_generator::write(&folder) };
    match result {
        Ok(list) => {
            for path in &list {
                println!("{} shaders/{path}", if check { "out of date:" } else { "wrote" });
            }
            if check && !list.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(e) => {
            eprintln!("the shaders cannot be written: {e}");
            ExitCode::FAILURE
        }
    }
}
