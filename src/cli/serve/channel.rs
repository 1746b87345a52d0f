//! What one channel has otherwise than the rest: a table `[channel.NAME]` of the configuration file.

use super::Serve;
use crate::channel::{CdlMode, ChannelSettings, OwnSettings};
use crate::hald::{EntryOrder, Layout};
use crate::lut::{CdlSpace, CdlStyle, GridSize};
use crate::sink::ChannelId;
use crate::source::FileSource;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// The settings of one channel. Those not given are as for all.
#[derive(Args, Clone, Debug, Default)]
pub struct ChannelArgs {
    /// The name of its stream
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(super) stream_name: Option<String>,
    /// How its LUTs lie in the texture
    #[arg(long)]
    pub(super) layout: Option<Layout>,
    /// The order of its LUTs' entries on the wire
    #[arg(long)]
    pub(super) entry_order: Option<EntryOrder>,
    /// What CDL values do to its stream
    #[arg(long)]
    pub(super) cdl: Option<CdlMode>,
    /// Where they clamp
    #[arg(long)]
    pub(super) cdl_style: Option<CdlStyle>,
    /// The space that they work in
    #[arg(long)]
    pub(super) cdl_space: Option<CdlSpace>,
    /// Grid size at which they are baked
    #[arg(long, value_parser = crate::cli::grid_size)]
    pub(super) cdl_size: Option<GridSize>,
    /// A file that it takes its LUT from
    #[arg(long)]
    pub(super) source: Option<PathBuf>,
    /// Whether it is exported where --export is given
    #[arg(long, action = ArgAction::Set)]
    pub(super) export: Option<bool>,
}

impl Serve {
    /// How channels are published.
    pub(super) fn channel_settings(&self) -> Result<ChannelSettings, String> {
        let own = self.channels.iter().map(|(id, args)| {
            let own =
                OwnSettings { stream_name: args.stream_name.clone(), layout: args.layout, order: args.entry_order };
            (id.clone(), own)
        });
        let unnamed = self.channels.get(&ChannelId::default()).and_then(|args| args.stream_name.clone());
        let settings = self.limits.channels(ChannelSettings {
            // It stands for that channel wherever it has to have a name.
            stream_name: unnamed.unwrap_or_else(|| self.stream_name.clone()),
            layout: self.layout,
            order: self.entry_order,
            cdl: self.cdl.settings(),
            cdl_of_channels: self.cdl.of_channels(&self.channels),
            of_channels: own.collect(),
            ..ChannelSettings::default()
        });
        match settings.shared_stream() {
            Some((one, other, stream)) => {
                Err(format!("{one} and {other} would both be the stream {stream:?}; give one another stream-name"))
            }
            None => Ok(settings),
        }
    }

    /// Whether the settings go together, as far as that can be told without starting.
    pub(in crate::cli) fn check(&self) -> Result<(), String> {
        self.channel_settings().map(drop)
    }

    /// The files that channels follow. A flag comes before a table.
    pub(super) fn sources(&self) -> Vec<FileSource> {
        let mut sources = self.inputs.source.clone();
        for (channel, args) in &self.channels {
            if let Some(file) = &args.source
                && !sources.iter().any(|source| source.channel == *channel)
            {
                sources.push(FileSource { channel: channel.clone(), file: file.clone() });
            }
        }
        sources
    }
}
