//! Whatever comes in from outside, damaged in every way that chance finds: nothing panics, hangs, or takes memory that it
//! was only promised, and what is read is the same in whatever pieces it comes.
//!
//! Each target has seeds that are whole, and damages them. `VGLB_FUZZ_SECONDS` says how long each is tried (2);
//! `VGLB_FUZZ_SEED` begins elsewhere, and a failure names the input's number under that seed.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[path = "fuzz_targets/targets.rs"]
mod targets;

use std::path::Path;
use std::time::{Duration, Instant};
use virtual_gpu_lut_box::lut::Bake;
use virtual_gpu_lut_box::lut::file::{FileFormat, ReadOptions, read_bytes};
use virtual_gpu_lut_box::recording::Recording;
use virtual_gpu_lut_box::state::scan;

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// Damages the seeds for as long as was asked for, or one of `parts` of that, and hands each to `target`.
fn fuzz(name: &str, parts: u32, seeds: &[Vec<u8>], mut target: impl FnMut(&[u8])) {
    let seed = number_of("VGLB_FUZZ_SEED", 1);
    let until = Instant::now() + Duration::from_secs(number_of("VGLB_FUZZ_SECONDS", 2)) / parts;
    seeds.iter().for_each(|whole| target(whole));
    let mut tried = 0u64;
    while Instant::now() < until {
        tried += 1;
        let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9).wrapping_add(tried));
        let input = damaged(&mut random, seeds);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&input))).is_err() {
            panic!("{name}: input {tried} of VGLB_FUZZ_SEED={seed}: {}", input.escape_ascii());
        }
    }
    println!("{name}: {tried} inputs");
    assert!(tried > 0);
}

fn damaged(random: &mut fastrand::Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.choice(seeds).unwrap().clone();
    for _ in 0..random.u8(1..6) {
        // Most of what is looked at stands at the beginning.
        let within = if random.bool() { bytes.len().min(96) } else { bytes.len() };
        let at = random.usize(..=within);
        match random.u8(..8) {
            0 => bytes.truncate(at),
            1 => {
                let other = random.choice(seeds).unwrap();
                let from = random.usize(..=other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            2 => {
                let extra: Vec<u8> = (0..random.u8(1..20)).map(|_| random.u8(..)).collect();
                bytes.splice(at..at, extra);
            }
            3 if at + 4 <= bytes.len() => {
                let numbers = [0u32, 1, 4, 5, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fc0_0000, 0x0010_0000];
                bytes[at..at + 4].copy_from_slice(&random.choice(numbers).unwrap().to_le_bytes());
            }
            4 => {
                let end = (at + random.usize(..20)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ if at < bytes.len() => {
                bytes[at] = if random.bool() { bytes[at] ^ 1 << random.u8(..8) } else { random.u8(..) }
            }
            _ => {}
        }
    }
    bytes
}

#[test]
fn the_wire() {
    fuzz("wire", 1, &targets::wire_seeds(), targets::wire);
}

/// A seed that is refused would leave what stands behind the refusal untouched.
#[test]
fn every_seed_of_a_lut_file_is_read() {
    for format in FileFormat::ALL {
        let seeds = targets::lut_file_seeds(format);
        assert!(!seeds.is_empty());
        for seed in seeds {
            let options = ReadOptions {
                bake: Bake::Yes { size: None },
                correction: format.is_cdl().then(|| "a".into()),
                ..ReadOptions::default()
            };
            let read = read_bytes(format, Path::new("seed"), &seed, &options);
            assert!(read.is_ok(), "{}: {}", format.extension(), read.unwrap_err());
        }
    }
}

#[test]
fn lut_files_of_every_format() {
    let whole = FileFormat::ALL.len() as u32;
    for format in FileFormat::ALL {
        let target = |bytes: &[u8]| targets::lut_file(format, bytes);
        fuzz(format.extension(), whole, &targets::lut_file_seeds(format), target);
    }
}

#[test]
fn remembered_luts() {
    let folder = tempfile::tempdir().unwrap();
    let seeds = targets::state_seeds();
    let path = folder.path().join("lut-0000.vglb");
    fuzz("state", 1, &seeds, |bytes| {
        targets::state_header(bytes);
        std::fs::write(&path, bytes).unwrap();
        let found = scan(folder.path()).unwrap();
        // Whoever damages a byte does not get by the sum.
        let read = found[0].read();
        assert_eq!(read.is_ok(), seeds.iter().any(|seed| seed == bytes), "{read:?}");
    });
}

#[test]
fn recordings() {
    let seeds = targets::recording_seeds();
    assert_eq!(Recording::new(&seeds[0][..]).unwrap().filter(Result::is_ok).count(), 4);
    fuzz("recording", 1, &seeds, targets::recording);
    fuzz("recording's records", 1, &targets::recording_body_seeds(), targets::recording_body);
}

#[test]
fn address_ranges() {
    fuzz("address ranges", 1, &targets::address_range_seeds(), targets::address_range);
}

#[test]
fn http_requests() {
    let site = targets::http::Site::new();
    fuzz("HTTP requests", 1, &targets::http::request_seeds(), |bytes| targets::http::requests(&site, bytes));
    fuzz("CDL over HTTP", 1, &targets::http::cdl_body_seeds(), targets::http::cdl_body);
}

#[test]
fn settings() {
    fuzz("settings", 1, &targets::configuration::seeds(), targets::configuration::settings);
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#[test]
fn the_transport_of_linux() {
    use targets::linux;
    fuzz("messages", 2, &linux::message_seeds(), linux::message);
    fuzz("rings", 2, &linux::ring_seeds(), linux::ring);
    fuzz("what a sender says", 2, &linux::sender_seeds(), linux::sender);
    let mut stage = linux::Stage::new();
    fuzz("what a receiver says", 2, &linux::receiver_seeds(), |bytes| linux::receiver(&mut stage, bytes));
}
