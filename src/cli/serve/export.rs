//! Live export.

use crate::EVENTS;
use crate::channel::ChannelSet;
use crate::export::{ExportSettings, Exporter, formats};
use crate::lut::file::FileFormat;
use crate::sink::ChannelId;
use anyhow::Context;
use clap::Args;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tracing::info;

/// What `serve` takes about live export.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Keep the newest LUT of every channel as a file in this folder
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Formats to export, as cube,exr
    #[arg(long, default_value = "cube", value_name = "LIST", value_parser = list)]
    export_format: Formats,
    /// How often a channel is exported at most, per second; of LUTs that come faster, the latest is
    #[arg(long, default_value_t = 4.0, value_name = "RATE", value_parser = rate)]
    export_rate: f64,
}

/// What `--export-format` names.
#[derive(Clone, Debug)]
struct Formats(Vec<FileFormat>);

fn list(text: &str) -> Result<Formats, String> {
    formats(text).map(Formats)
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (1e-4..=1e3).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number per second from 0.0001 to 1000".into()),
    }
}

impl ExportArgs {
    fn settings(&self, without: BTreeSet<ChannelId>) -> Option<ExportSettings> {
        self.export.as_ref().map(|folder| ExportSettings {
            folder: folder.clone(),
            formats: self.export_format.0.clone(),
            gap: Duration::from_secs_f64(1.0 / self.export_rate),
            without,
        })
    }

    /// Exports in this way from now on, what there is already to begin with where the place or the formats are others.
    pub(super) fn change(
        &self,
        exporter: &mut Option<Exporter>,
        channels: &ChannelSet,
        without: BTreeSet<ChannelId>,
    ) -> anyhow::Result<()> {
        match (exporter.as_ref(), self.settings(without.clone())) {
            (Some(exporter), Some(settings)) => exporter.change(settings),
            (None, Some(_)) => *exporter = self.start(channels, without)?,
            // It writes what waits.
            (_, None) => *exporter = None,
        }
        Ok(())
    }

    /// Starts the export, where one is wanted.
    pub(in crate::cli) fn start(
        &self,
        channels: &ChannelSet,
        without: BTreeSet<ChannelId>,
    ) -> anyhow::Result<Option<Exporter>> {
        let Some(settings) = self.settings(without) else { return Ok(None) };
        let folder = settings.folder.clone();
        let exporter = Exporter::start(channels, settings).context("can't start the thread that exports LUTs")?;
        info!(target: EVENTS, "LUTs are exported to {}", folder.display());
        Ok(Some(exporter))
    }
}
