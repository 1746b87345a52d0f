//! How channels are published.

use super::CdlSettings;
use crate::hald::{EntryOrder, Layout};
use crate::sink::ChannelId;
use std::collections::BTreeMap;

/// How channels are published.
#[derive(Clone, Debug)]
pub struct ChannelSettings {
    /// The stream of requests that name no channel.
    pub stream_name: String,
    /// How LUTs lie in the textures.
    pub layout: Layout,
    /// The order in which entries are read from the wire.
    pub order: EntryOrder,
    /// The most channels that there can be at once.
    pub max_channels: usize,
    /// The most of them that clients of one address may make.
    pub max_channels_per_address: usize,
    /// How channels take CDL values.
    pub cdl: CdlSettings,
    /// How single channels take them otherwise.
    pub cdl_of_channels: BTreeMap<ChannelId, CdlSettings>,
    /// How single channels are published otherwise.
    pub of_channels: BTreeMap<ChannelId, OwnSettings>,
}

/// What a channel has otherwise than the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSettings {
    /// The name of its stream.
    pub stream_name: Option<String>,
    /// How its LUTs lie in the textures.
    pub layout: Option<Layout>,
    /// The order in which its entries are read from the wire.
    pub order: Option<EntryOrder>,
}

impl ChannelSettings {
    fn own<T>(&self, id: &ChannelId, of: impl Fn(&OwnSettings) -> Option<T>) -> Option<T> {
        self.of_channels.get(id).and_then(of)
    }

    /// How a channel takes CDL values.
    pub fn cdl_of(&self, id: &ChannelId) -> CdlSettings {
        self.cdl_of_channels.get(id).copied().unwrap_or(self.cdl)
    }

    /// How a channel's LUTs lie in its textures.
    pub fn layout_of(&self, id: &ChannelId) -> Layout {
        self.own(id, |own| own.layout).unwrap_or(self.layout)
    }

    /// The order in which a channel's entries are read from the wire.
    pub fn order_of(&self, id: &ChannelId) -> EntryOrder {
        self.own(id, |own| own.order).unwrap_or(self.order)
    }

    /// The name of a channel's stream.
    pub fn stream_of(&self, id: &ChannelId) -> String {
        self.own(id, |own| own.stream_name.clone()).unwrap_or_else(|| id.stream_name(&self.stream_name))
    }

    /// The same, with the names of streams that `former` has.
    pub(super) fn with_names_of(mut self, former: &ChannelSettings) -> Self {
        self.stream_name = former.stream_name.clone();
        self.of_channels.values_mut().for_each(|own| own.stream_name = None);
        for (id, own) in &former.of_channels {
            if own.stream_name.is_some() {
                self.of_channels.entry(id.clone()).or_default().stream_name = own.stream_name.clone();
            }
        }
        self
    }

    /// The channel whose stream is called that, if it is there or were there.
    pub fn channel_of(&self, stream: &str) -> Option<ChannelId> {
        let named = stream.strip_prefix("vglb-lut-").filter(|name| !name.is_empty()).map(ChannelId::new);
        let known = self.of_channels.keys().cloned().chain([ChannelId::default()]).chain(named);
        known.into_iter().find(|id| self.stream_of(id) == stream)
    }

    /// Two channels, of those with settings of their own and the one without a name, that would have one stream, and its
    /// name.
    pub fn shared_stream(&self) -> Option<(ChannelId, ChannelId, String)> {
        let mut seen = BTreeMap::from([(self.stream_of(&ChannelId::default()), ChannelId::default())]);
        for id in self.of_channels.keys().filter(|id| id.name().is_some()) {
            let stream = self.stream_of(id);
            if let Some(other) = seen.insert(stream.clone(), id.clone()) {
                return Some((other, id.clone(), stream));
            }
        }
        None
    }
}

impl Default for ChannelSettings {
    fn default() -> Self {
        ChannelSettings {
            stream_name: "OpenGradeIO-LUT".into(),
            layout: Layout::default(),
            order: EntryOrder::default(),
            max_channels: 64,
            max_channels_per_address: 64,
            cdl: CdlSettings::default(),
            cdl_of_channels: BTreeMap::new(),
            of_channels: BTreeMap::new(),
        }
    }
}
