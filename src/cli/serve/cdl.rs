//! What `serve` does with CDL values.

use super::ChannelArgs;
use crate::channel::{CdlMode, CdlSettings, UnknownCdlMode};
use crate::lut::{CdlSpace, CdlStyle, GridSize};
use crate::sink::ChannelId;
use clap::Args;
use std::collections::BTreeMap;

/// What `serve` takes about CDL values.
#[derive(Args, Debug)]
pub struct CdlArgs {
    /// What CDL values do to a channel's stream: record (nothing, unless it has had no LUT), bake (they become its LUT),
    /// before or after (they go together with the newest LUT)
    #[arg(long, default_value = "record", value_name = "MODE")]
    cdl: CdlMode,
    /// What they do to one channel's stream, where that differs, as CAM=after; may be given several times
    #[arg(long, value_name = "CHANNEL=MODE", value_parser = of_channel)]
    cdl_for: Vec<(ChannelId, CdlMode)>,
    /// Where CDL values clamp: asc (to 0 and 1, as the standard says), no-clamp
    #[arg(long, default_value = "asc", value_name = "STYLE")]
    cdl_style: CdlStyle,
    /// The space that CDL values work in: as-is, or acescct (for a picture in linear light with AP1 primaries)
    #[arg(long, default_value = "as-is", value_name = "SPACE")]
    cdl_space: CdlSpace,
    /// Grid size at which CDL values are baked
    #[arg(long, default_value = "33", value_name = "N", value_parser = crate::cli::grid_size)]
    cdl_size: GridSize,
}

impl CdlArgs {
    pub(super) fn settings(&self) -> CdlSettings {
        CdlSettings { mode: self.cdl, style: self.cdl_style, space: self.cdl_space, size: self.cdl_size }
    }

    /// The settings of channels that have their own.
    pub(super) fn of_channels(&self, own: &BTreeMap<ChannelId, ChannelArgs>) -> BTreeMap<ChannelId, CdlSettings> {
        let own = own.iter().map(|(id, args)| {
            let settings = CdlSettings {
                mode: args.cdl.unwrap_or(self.cdl),
                style: args.cdl_style.unwrap_or(self.cdl_style),
                space: args.cdl_space.unwrap_or(self.cdl_space),
                size: args.cdl_size.unwrap_or(self.cdl_size),
            };
            (id.clone(), settings)
        });
        let mut all: BTreeMap<_, _> = own.collect();
        for (id, mode) in &self.cdl_for {
            all.entry(id.clone()).or_insert(self.settings()).mode = *mode;
        }
        all
    }
}

/// A channel may have = in its name; a mode has none.
fn of_channel(text: &str) -> Result<(ChannelId, CdlMode), String> {
    let (channel, mode) = text.rsplit_once('=').ok_or("a channel and a mode are written as CAM=after")?;
    Ok((ChannelId::new(channel), mode.parse().map_err(|e: UnknownCdlMode| e.to_string())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_its_own_mode_and_the_common_rest() {
        let mode = |text: &str| of_channel(text);
        assert_eq!(mode("a=b=after"), Ok((ChannelId::new("a=b"), CdlMode::After)));
        assert_eq!(mode("=bake"), Ok((ChannelId::default(), CdlMode::Bake)));
        assert!(mode("after").is_err() && mode("a=mix").is_err());
        let size = GridSize::MIN;
        let args = CdlArgs {
            cdl: CdlMode::Record,
            cdl_for: vec![mode("a=bake").unwrap()],
            cdl_style: CdlStyle::NoClamp,
            cdl_space: CdlSpace::AcesCct,
            cdl_size: size,
        };
        let wanted = CdlSettings { mode: CdlMode::Bake, style: CdlStyle::NoClamp, space: CdlSpace::AcesCct, size };
        assert_eq!(args.of_channels(&BTreeMap::new()), [(ChannelId::new("a"), wanted)].into());
        let own = ChannelArgs { cdl: Some(CdlMode::After), cdl_style: Some(CdlStyle::Asc), ..ChannelArgs::default() };
        let own = ["a", "b"].map(|name| (ChannelId::new(name), own.clone())).into();
        let of_a = CdlSettings { style: CdlStyle::Asc, ..wanted };
        let of_b = CdlSettings { mode: CdlMode::After, ..of_a };
        assert_eq!(args.of_channels(&own), [(ChannelId::new("a"), of_a), (ChannelId::new("b"), of_b)].into());
    }
}
