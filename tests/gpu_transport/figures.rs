//! How long things take, from process to process: printed, and never judged. `docs/transport.md` has the figures of
//! some devices; to get those of yours:
//!
//! ```text
//! cargo test --test gpu_transport figures -- --ignored --nocapture
//! ```

use crate::backend_suite::{marked, publish, shape};
use crate::child::Other;
use crate::device::gpu;
use crate::processes::Streams;
use std::time::Instant;

/// Grid sizes, and how many updates are measured with each.
const SIZES: [(u64, u64); 3] = [(33, 300), (64, 100), (128, 30)];

#[test]
#[ignore = "needs a Vulkan device: cargo xtask test --only vulkan"]
fn figures() {
    println!("{} ({}), medians in milliseconds", gpu().facts().name, gpu().facts().driver);
    println!("| N | import of 4 | told | copied | fetched | round trip, copied | round trip, fetched |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (n, updates) in SIZES {
        let streams = Streams::new();
        let (_sender, mut writer) = streams.sender("s", n);
        let mut other = streams.others(1, "open s").remove(0);
        let first = measure(&mut other, "copy", 1);
        let mut all = [const { Vec::new() }; 5];
        for revision in 2..=updates {
            let by = if revision % 2 == 0 { "copy" } else { "fetch" };
            other.order(&format!("measure {by} {revision}"));
            let texels = marked(revision, shape(n).texels());
            let began = Instant::now();
            publish(&mut *writer, shape(n), &texels);
            let [_, told, read] = numbers(&other.answer());
            let round_trip = began.elapsed().as_secs_f64() * 1e3;
            all[0].push(told);
            let at = revision as usize % 2;
            all[1 + at].push(read);
            all[3 + at].push(round_trip);
        }
        let medians = all.map(|mut of| {
            of.sort_by(f64::total_cmp);
            of[of.len() / 2]
        });
        let [told, copied, fetched, copied_round, fetched_round] = medians;
        println!(
            "| {n} | {:.2} | {told:.2} | {copied:.2} | {fetched:.2} | {copied_round:.2} | {fetched_round:.2} |",
            first[0]
        );
    }
}

fn measure(other: &mut Other, by: &str, revision: u64) -> [f64; 3] {
    numbers(&other.ask(&format!("measure {by} {revision}")))
}

/// Import, told and read, in milliseconds.
fn numbers(answer: &str) -> [f64; 3] {
    let all: Vec<f64> = answer.split(' ').map(|n| n.parse().unwrap_or_else(|_| panic!("{answer}"))).collect();
    all.try_into().unwrap()
}
