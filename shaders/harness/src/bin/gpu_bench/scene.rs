//! One run: every size, grid and kind of picture; all kernels by turns.

use super::device::{Device, LutOnDevice, Program};
use super::kernels::{self, Kernel, Source};
use super::report::{Figures, Report, Table};
use super::{PictureKind, Run, pictures, prepare};
use shader_harness::colours;
use shader_harness::compare::{self, Found};
use shader_harness::reference::Interpolation;
use virtual_gpu_lut_box::lut::Lut3d;

struct Ready {
    kernel: Kernel,
    program: Program,
    errors: Option<Found>,
}

fn size(name: &str) -> Result<(usize, usize), String> {
    match name {
        "4k" => Ok((3840, 2160)),
        "8k" => Ok((7680, 4320)),
        other => other
            .split_once('x')
            .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)))
            .ok_or_else(|| format!("{other:?} is no size; it can be 4k, 8k or WIDTHxHEIGHT")),
    }
}

pub fn run(run: &Run) -> Result<(), String> {
    let sizes = run.sizes.iter().map(|s| size(s)).collect::<Result<Vec<_>, _>>()?;
    let device = Device::new(&run.device)?;
    println!("{}", device.name());
    let mut report = Report::new(device.name(), run.rounds, run.repeat);
    for n in &run.grids {
        let lut = prepare::lut(*n);
        let on_device = device.lut(&lut, &run.inputs)?;
        let ready = make_ready(run, &device, &lut, &on_device)?;
        for (width, height) in &sizes {
            for kind in &run.pictures {
                let table = measure(run, &device, &on_device, &ready, *n, (*width, *height), *kind)?;
                table.print();
                report.tables.push(table);
                if let Some(out) = &run.out {
                    std::fs::write(out, report.json()).map_err(|e| format!("{}: {e}", out.display()))?;
                }
            }
        }
    }
    Ok(())
}

/// Compiles the kernels that are wanted, and checks what they give.
fn make_ready(run: &Run, device: &Device, lut: &Lut3d, on_device: &LutOnDevice) -> Result<Vec<Ready>, String> {
    let n = lut.size().get();
    let checked = (!run.no_check).then(|| device.picture(colours::WIDTH, colours::HEIGHT, &colours::picture(n)));
    let mut ready = Vec::new();
    let extra = run.extra.as_deref().map_or(Ok(Vec::new()), kernels::extra)?;
    for kernel in kernels::all().into_iter().chain(extra) {
        let named =
            |part: &String| part.strip_prefix('=').map_or(kernel.name.contains(part.as_str()), |n| n == kernel.name);
        let wanted = run.kernels.is_empty() || kernel.source == Source::File || run.kernels.iter().any(named);
        if !wanted && kernel.name != "copy" {
            continue;
        }
        match device.program(&kernel, n, &run.inputs) {
            Ok(Some(program)) => {
                let graded = kernel.source != Source::Copy && kernel.source != Source::OpenColorIo;
                let errors = checked.as_ref().filter(|_| graded).map(|picture| {
                    let result = device.result(&kernel, &program, on_device, picture);
                    compare::with_reference(lut, &result, Interpolation::Tetrahedral)
                });
                ready.push(Ready { kernel, program, errors });
            }
            Ok(None) => eprintln!("{} is left out: {} has no OpenColorIO shader", kernel.name, run.inputs.display()),
            Err(e) => eprintln!("{} is left out: {e}", kernel.name),
        }
    }
    if let Some(picture) = checked {
        device.forget(picture);
    }
    Ok(ready)
}

fn measure(
    run: &Run,
    device: &Device,
    lut: &LutOnDevice,
    ready: &[Ready],
    n: usize,
    (width, height): (usize, usize),
    kind: PictureKind,
) -> Result<Table, String> {
    let picture = device.picture(width, height, &pictures::picture(kind, width, height));
    let mut times = vec![Vec::with_capacity(run.rounds); ready.len()];
    // The first two rounds warm the device up. Each round starts with another kernel.
    for round in 0..run.rounds + 2 {
        for step in 0..ready.len() {
            let i = (step + round) % ready.len();
            let nanoseconds =
                device.time(&ready[i].kernel, &ready[i].program, (lut, &picture), run.repeat, run.clock)?;
            if round >= 2 {
                times[i].push(nanoseconds);
            }
        }
    }
    device.forget(picture);
    let figures = ready.iter().zip(times).map(|(r, times)| Figures::new(&r.kernel, times, r.errors));
    Ok(Table::new(n, width, height, kind, figures.collect()))
}
