//! `vglb info`: what this program is, and what works on this computer.

use super::output::line;
use crate::hald::{EntryOrder, Layout, MAX_TEXTURE_SIDE};
use crate::lut::GridSize;
use crate::texture::{self, GpuChoice, RGBA32F, TextureError};
use crate::wire::WireLimits;
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What `info` takes.
#[derive(Args, Debug, Default)]
pub struct Info {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The graphics device, as for the server: auto, off, a number, or a part of a name
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub gpu: GpuChoice,
}

/// The largest grid size whose strip fits a texture.
const LARGEST_STRIP: usize = MAX_TEXTURE_SIDE.isqrt();

/// Says what works here.
pub fn run(args: &Info) -> anyhow::Result<ExitCode> {
    let info = gather(&args.gpu);
    if args.json {
        line(format_args!("{}", serde_json::to_string_pretty(&info)?))?;
    } else {
        show(&info)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that `info` tells, as JSON.
pub fn gather(gpu: &GpuChoice) -> Value {
    let backends: Vec<_> = texture::backends_on(gpu)
        .iter()
        .map(|backend| {
            let checked = backend.check();
            json!({
                "name": backend.name(),
                "description": backend.description(),
                "status": match &checked {
                    Ok(()) => "works",
                    Err(TextureError::Unavailable(_)) => "not here",
                    Err(_) => "broken",
                },
                "why": checked.err().map(|e| e.to_string()),
                "graphics_devices": backend.graphics_devices().iter().map(|device| json!({
                    "number": device.number,
                    "name": device.name,
                    "driver": device.driver,
                    "usable": device.fault.is_none(),
                    "why": device.fault,
                })).collect::<Vec<_>>(),
                "details": backend.details().into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect::<serde_json::Map<_, _>>(),
            })
        })
        .collect();
    json!({
        "version": crate::VERSION,
        "platform": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "backends": backends,
        "default_backend": texture::choose_on("auto", gpu).map(|b| b.name()).ok(),
        "protocol": "OpenGradeIO: BSON over TCP, port 8089",
        "channels": "vglb-lut-{channel}",
        "texture_formats": [RGBA32F],
        "layouts": Layout::ALL.map(Layout::name),
        "entry_orders": EntryOrder::ALL.map(EntryOrder::name),
        "limits": {
            "smallest_grid_size": GridSize::MIN.get(),
            "largest_grid_size": LARGEST_STRIP,
            "largest_texture_side": MAX_TEXTURE_SIDE,
            "message_bytes": WireLimits::default().message_bytes,
        },
    })
}

fn show(info: &Value) -> anyhow::Result<()> {
    let text = |v: &Value| v.as_str().unwrap_or("none").to_owned();
    let list = |v: &Value| v.as_array().map(|a| a.iter().map(text).collect::<Vec<_>>().join(", ")).unwrap_or_default();
    line(format_args!("virtual-gpu-lut-box {} on {}", text(&info["version"]), text(&info["platform"])))?;
    line(format_args!("\nSharing textures (default: {})", text(&info["default_backend"])))?;
    for backend in info["backends"].as_array().into_iter().flatten() {
        line(format_args!(
            "  {:<8} {}: {}",
            text(&backend["name"]),
            text(&backend["status"]),
            text(&backend["description"])
        ))?;
        if let Some(why) = backend["why"].as_str() {
            line(format_args!("           {why}"))?;
        }
        for (name, value) in backend["details"].as_object().into_iter().flatten() {
            line(format_args!("           {name}: {}", text(value)))?;
        }
        for device in backend["graphics_devices"].as_array().into_iter().flatten() {
            let usable = match device["why"].as_str() {
                None => "usable".to_owned(),
                Some(why) => format!("not used: {why}"),
            };
            let [name, driver] = [&device["name"], &device["driver"]].map(text);
            line(format_args!("           device {}: {name}, {driver}: {usable}", device["number"]))?;
        }
    }
    let limits = &info["limits"];
    line(format_args!("\nProtocol      {}", text(&info["protocol"])))?;
    line(format_args!("Streams       {}", text(&info["channels"])))?;
    line(format_args!("Textures      {}, never 8-bit unless asked for", list(&info["texture_formats"])))?;
    line(format_args!("Layouts       {}", list(&info["layouts"])))?;
    line(format_args!("Entry orders  {}", list(&info["entry_orders"])))?;
    line(format_args!(
        "Limits        grid size {} to {}, textures up to {} texels a side, messages up to {} bytes",
        limits["smallest_grid_size"],
        limits["largest_grid_size"],
        limits["largest_texture_side"],
        limits["message_bytes"]
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hald::TextureShape;

    #[test]
    fn the_largest_grid_size_is_the_one_that_fits() {
        let fits = |n: usize| TextureShape::new(GridSize::new(n as u64).unwrap(), Layout::Vglb).is_ok();
        assert!(fits(LARGEST_STRIP) && !fits(LARGEST_STRIP + 1));
    }
}
