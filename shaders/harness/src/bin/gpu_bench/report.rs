//! Medians, ratios, a table and JSON.

use super::PictureKind;
use super::kernels::Kernel;
use serde_json::{Value, json};
use shader_harness::compare::Found;

/// What was found about one kernel.
pub struct Figures {
    name: String,
    what: &'static str,
    median: f64,
    quartiles: [f64; 2],
    errors: Option<Found>,
}

/// One picture and one grid size.
pub struct Table {
    n: usize,
    width: usize,
    height: usize,
    kind: PictureKind,
    rows: Vec<Figures>,
}

/// A whole run.
pub struct Report {
    device: String,
    rounds: usize,
    repeat: usize,
    pub tables: Vec<Table>,
}

impl Figures {
    pub fn new(kernel: &Kernel, mut nanoseconds: Vec<f64>, errors: Option<Found>) -> Self {
        nanoseconds.sort_by(f64::total_cmp);
        let at = |part: usize| nanoseconds.get(nanoseconds.len() * part / 4).copied().unwrap_or(f64::NAN);
        Figures { name: kernel.name.clone(), what: kernel.what, median: at(2), quartiles: [at(1), at(3)], errors }
    }
}

impl Table {
    pub fn new(n: usize, width: usize, height: usize, kind: PictureKind, rows: Vec<Figures>) -> Self {
        Table { n, width, height, kind, rows }
    }

    fn median(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|r| r.name == name).map(|r| r.median)
    }

    /// The faster of OpenColorIO's two textures.
    fn ocio(&self) -> Option<f64> {
        [self.median("ocio-rgb"), self.median("ocio-rgba")].into_iter().flatten().min_by(f64::total_cmp)
    }

    /// Prints the kernels, the fastest first.
    pub fn print(&self) {
        let copy = self.median("copy").unwrap_or(f64::NAN);
        println!("\n{}×{}, {:?}, N = {}", self.width, self.height, self.kind, self.n);
        println!(
            "{:<28} {:>9} {:>17} {:>7} {:>7} {:>8} {:>8}",
            "kernel", "ms", "quartiles", "÷ copy", "÷ OCIO", "max ULP", "lattice"
        );
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|a, b| a.median.total_cmp(&b.median));
        for r in rows {
            let ocio = self.ocio().map_or(String::from("–"), |o| format!("{:.3}", r.median / o));
            let errors = r.errors.map_or([String::from("–"), String::from("–")], |e| {
                [
                    format!("{:.2}", e.ulps),
                    if e.wrong_lattice_points == 0 { "exact".into() } else { e.wrong_lattice_points.to_string() },
                ]
            });
            println!(
                "{:<28} {:>9.4} {:>8.4} {:>8.4} {:>7.3} {:>7} {:>8} {:>8}",
                r.name,
                r.median / 1e6,
                r.quartiles[0] / 1e6,
                r.quartiles[1] / 1e6,
                r.median / copy,
                ocio,
                errors[0],
                errors[1]
            );
        }
    }

    fn json(&self) -> Value {
        let copy = self.median("copy");
        let ocio = self.ocio();
        let rows = self.rows.iter().map(|r| {
            json!({
                "kernel": r.name,
                "what": r.what,
                "median_ms": r.median / 1e6,
                "quartiles_ms": r.quartiles.map(|q| q / 1e6),
                "over_copy": copy.map(|c| r.median / c),
                "over_opencolorio": ocio.map(|o| r.median / o),
                "largest_error_ulp": r.errors.map(|e| e.ulps),
                "largest_error": r.errors.map(|e| e.absolute),
                "wrong_lattice_points": r.errors.map(|e| e.wrong_lattice_points),
            })
        });
        json!({
            "grid_size": self.n,
            "width": self.width,
            "height": self.height,
            "picture": format!("{:?}", self.kind).to_lowercase(),
            "kernels": rows.collect::<Vec<_>>(),
        })
    }
}

impl Report {
    pub fn new(device: &str, rounds: usize, repeat: usize) -> Self {
        Report { device: device.to_owned(), rounds, repeat, tables: Vec::new() }
    }

    pub fn json(&self) -> String {
        let report = json!({
            "device": self.device,
            "rounds": self.rounds,
            "dispatches_in_a_timing": self.repeat,
            "tables": self.tables.iter().map(Table::json).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}
