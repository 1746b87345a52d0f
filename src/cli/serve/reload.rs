//! Settings that are read again while the server runs (SIGHUP): what can change does, the rest is named.

use super::Serve;
use super::dashboard::Dashboard;
use super::inputs::RunningInputs;
use crate::EVENTS;
use crate::channel::{ChannelSet, ChannelSettings};
use crate::cli::configured::{Configured, Resolved, schema};
use crate::cli::log::Log;
use crate::export::Exporter;
use crate::http::HttpServer;
use crate::memory_limit::MemoryLimit;
use crate::server::{Server, ServerConfig};
use crate::sink::ChannelId;
use std::collections::BTreeMap;
use tracing::{error, info, warn};

/// The settings that can change while the server runs. All others take effect after a restart.
const LIVE: [&str; 25] = [
    "layout",
    "entry-order",
    "max-connections",
    "max-connections-per-address",
    "max-channels",
    "max-channels-per-address",
    "max-lut-size",
    "max-message-size",
    "message-silence",
    "message-time",
    "max-idle",
    "memory-limit",
    "allow",
    "deny",
    "cdl",
    "cdl-for",
    "cdl-style",
    "cdl-space",
    "cdl-size",
    "export",
    "export-format",
    "export-rate",
    "source",
    "verbose",
    "info-logging",
];
/// The one of a channel's settings that can't: receivers know the stream by it.
const NAME: &str = "stream-name";

/// A setting: of one channel, where there is one, and its key.
type Setting = (Option<String>, String);

/// The settings in force, as they are written.
pub(super) struct InForce(BTreeMap<Setting, Vec<String>>);

/// What of a server that runs can change.
pub(super) struct Running<'a> {
    pub channels: &'a ChannelSet,
    pub memory: &'a MemoryLimit,
    /// As the server was started.
    pub config: &'a ServerConfig,
    pub server: &'a Server,
    pub metrics: Option<&'a HttpServer>,
    pub dashboard: Option<&'a Dashboard>,
    pub inputs: &'a mut RunningInputs,
    pub exporter: &'a mut Option<Exporter>,
    pub log: &'a Log,
}

fn is_live((channel, key): &Setting) -> bool {
    match channel {
        Some(_) => key != NAME,
        None => LIVE.contains(&key.as_str()),
    }
}

/// Every setting that is not empty.
fn written(resolved: &Resolved) -> BTreeMap<Setting, Vec<String>> {
    let schema = schema();
    let server = schema.keys().iter().map(|key| ((None, key.name.clone()), resolved.values(key).to_vec()));
    let channels = resolved.settings.channels.iter().flat_map(|(name, section)| {
        let told = section.told().map(|(key, value, _)| ((Some(name.clone()), key), vec![value]));
        told.collect::<Vec<_>>()
    });
    server.chain(channels).filter(|(_, values)| !values.is_empty()).collect()
}

impl InForce {
    pub(super) fn new(resolved: &Resolved) -> Self {
        InForce(written(resolved))
    }

    /// The settings that `now` has otherwise, with the values before and after.
    fn differences(&self, now: &BTreeMap<Setting, Vec<String>>) -> Vec<(Setting, Vec<String>, Vec<String>)> {
        let mut settings: Vec<_> = self.0.keys().chain(now.keys()).collect();
        settings.sort_unstable();
        settings.dedup();
        let values = |of: &BTreeMap<Setting, Vec<String>>, setting| of.get(setting).cloned().unwrap_or_default();
        let both =
            settings.into_iter().map(|setting| (setting.clone(), values(&self.0, setting), values(now, setting)));
        both.filter(|(_, before, after)| before != after).collect()
    }

    /// Takes over what can change, and logs what has; names what can't.
    fn take_over(&mut self, now: &BTreeMap<Setting, Vec<String>>) {
        for (setting, before, after) in self.differences(now) {
            let what = told(&setting, &before, &after);
            if !is_live(&setting) {
                warn!("{what}: takes effect after a restart");
                continue;
            }
            info!(target: EVENTS, "{what}");
            match after.is_empty() {
                true => self.0.remove(&setting),
                false => self.0.insert(setting, after),
            };
        }
    }
}

/// That a setting has changed. What is secret is not said.
fn told(setting: &Setting, before: &[String], after: &[String]) -> String {
    let (channel, key) = setting;
    let of = channel.as_ref().map_or_else(String::new, |name| format!("{}: ", ChannelId::new(name)));
    if channel.is_none() && schema().keys().get(key).is_some_and(|key| key.is_secret()) {
        return format!("{key} changed");
    }
    let list = |values: &[String]| if values.is_empty() { "(none)".to_owned() } else { values.join(", ") };
    format!("{of}{key} changed from {} to {}", list(before), list(after))
}

/// Reads the settings again. Where there is a fault everything stays as it is.
pub(super) fn reload(configured: &Configured, in_force: &mut InForce, mut running: Running<'_>) {
    info!(target: EVENTS, "told to read the settings again (SIGHUP)");
    let read = configured.anew().map_err(|fault| fault.to_string()).and_then(|(args, resolved)| {
        let settings = args.channel_settings()?;
        running.apply(&args, settings);
        Ok(resolved)
    });
    match read {
        Ok(resolved) => {
            let now = written(&resolved);
            let changes = in_force.differences(&now).len();
            in_force.take_over(&now);
            match changes {
                0 => info!(target: EVENTS, "the settings were read again; nothing has changed"),
                1 => info!(target: EVENTS, "the settings were read again; 1 has changed"),
                more => info!(target: EVENTS, "the settings were read again; {more} have changed"),
            }
        }
        Err(why) => {
            error!("the settings can't be read again, and all stay as they were:");
            why.lines().filter(|line| !line.trim().is_empty()).for_each(|line| error!("{line}"));
        }
    }
}

impl Running<'_> {
    /// Puts into force what can change. Only where the system has no thread for it does a part of it not.
    fn apply(&mut self, args: &Serve, settings: ChannelSettings) {
        let config = ServerConfig { access: args.access(), ..self.config.clone() };
        let config = args.limits.server(config, self.memory);
        self.channels.reconfigure(settings);
        self.memory.set(args.limits.memory_limit());
        let export = args.export.change(self.exporter, self.channels, args.not_exported());
        let sources = self.inputs.follow(self.channels, &args.sources());
        for e in [export, sources].into_iter().filter_map(Result::err) {
            error!("{}; it needs a restart", crate::cli::sentence(&e));
        }
        self.server.reconfigure(&config);
        for http in self.metrics.into_iter().chain(self.inputs.http()) {
            http.set_access(config.access.clone());
            http.set_most(config.max_connections, config.max_connections_per_address);
        }
        if let Some(dashboard) = self.dashboard {
            dashboard.set_access(config.access);
        }
        self.log.set(args.log.detail());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_on_configuration_says_of_every_setting_whether_it_can_change() {
        let page = include_str!("../../../docs/configuration.md");
        let (server, channel) = page.split_once("\n## One channel").unwrap();
        let schema = schema();
        for (part, keys, channel) in
            [(server, schema.keys(), None), (channel, schema.channel_keys(), Some(String::new()))]
        {
            for key in keys.iter() {
                let begin = format!("| `{}` |", key.name);
                let row = part.lines().find(|line| line.starts_with(&begin)).unwrap();
                let says = row.split(" | ").any(|cell| cell.trim_end_matches(" |") == "live");
                assert_eq!(says, is_live(&(channel.clone(), key.name.clone())), "{row}");
            }
        }
        assert!(LIVE.iter().all(|key| schema.keys().get(key).is_some()));
    }

    #[test]
    fn what_cannot_change_stays_in_force_and_is_named_each_time() {
        let setting = |key: &str| (None, key.to_owned());
        let of = |port: &str, cdl: &str| -> BTreeMap<Setting, Vec<String>> {
            [(setting("port"), vec![port.to_owned()]), (setting("cdl"), vec![cdl.to_owned()])].into()
        };
        let mut in_force = InForce(of("1", "record"));
        in_force.take_over(&of("2", "bake"));
        let left = in_force.differences(&of("2", "bake"));
        assert_eq!(left, [(setting("port"), vec!["1".to_owned()], vec!["2".to_owned()])]);
        assert_eq!(told(&left[0].0, &left[0].1, &left[0].2), "port changed from 1 to 2");
        in_force.take_over(&BTreeMap::new());
        assert_eq!(in_force.0.into_keys().collect::<Vec<_>>(), [setting("port")]);
        let secret = told(&setting("dashboard-token"), &["one".into()], &["two".into()]);
        assert_eq!(secret, "dashboard-token changed");
        let own = told(&(Some("cam".into()), NAME.into()), &["A".into()], &[]);
        assert_eq!(own, "channel \"cam\": stream-name changed from A to (none)");
    }
}
