//! How Zenoh is set up: where it listens, whom it looks for, and what it takes.

use super::payload;
use crate::lut::GridSize;
use crate::server::Access;
use std::net::IpAddr;
use std::path::PathBuf;
use zenoh::{Config, Session, Wait};

/// The port of a cluster where one is named without it: Zenoh's own.
pub const PORT: u16 = 7447;

/// Where a cluster is.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The network interface, by its name or its address; by default all with private or link-local addresses.
    pub interface: Option<String>,
    /// Whom to connect to. With any of these or of `listen`, nobody is looked for by multicast.
    pub connect: Vec<String>,
    /// Where to listen.
    pub listen: Vec<String>,
    /// Zenoh's own configuration, which what is here goes before.
    pub file: Option<PathBuf>,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no such interface.
    #[error("there is no network interface {given:?} with an address here; there are {known}")]
    NoInterface {
        /// What was given.
        given: String,
        /// Those that there are.
        known: String,
    },
    /// The system does not tell of its interfaces.
    #[error("the network interfaces can't be listed: {0}")]
    Interfaces(std::io::Error),
    /// Zenoh's configuration makes no sense.
    #[error("{} is no configuration of Zenoh (--zenoh-config): {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What Zenoh said.
        why: String,
    },
    /// A setting of Zenoh's that it does not take.
    #[error("Zenoh does not take {value} as {key}: {why}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What Zenoh said.
        why: String,
    },
    /// Zenoh does not begin.
    #[error("can't take part in the cluster: {0}")]
    Zenoh(String),
    /// The system gives no thread.
    #[error("can't start a thread for the cluster: {0}")]
    Thread(std::io::Error),
}

impl From<zenoh::Error> for ClusterError {
    fn from(error: zenoh::Error) -> Self {
        ClusterError::Zenoh(said(&error))
    }
}

/// What Zenoh says, without the place in its code.
fn said(error: &zenoh::Error) -> String {
    let text = error.to_string();
    let parts = text.split(" at /").map(|part| match part.split_once(".rs:") {
        Some((_, behind)) => behind.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim(),
        None => part,
    });
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Takes part in a cluster that carries LUTs up to this grid size.
pub fn open(network: &Network, limit: GridSize) -> Result<Session, ClusterError> {
    Ok(zenoh::open(config(network, limit)?).wait()?)
}

/// Zenoh's configuration. What a file says stays as it is where no flag says otherwise.
fn config(network: &Network, limit: GridSize) -> Result<Config, ClusterError> {
    let mut config = match &network.file {
        Some(file) => Config::from_file(file).map_err(|e| ClusterError::File { file: file.clone(), why: said(&e) })?,
        None => Config::default(),
    };
    let untouched = Config::default();
    let mut set = |key: &'static str, value: String, goes_first: bool| {
        if !goes_first && config.get_json(key).ok() != untouched.get_json(key).ok() {
            return Ok(());
        }
        config.insert_json5(key, &value).map_err(|e| ClusterError::Setting { key, value: value.clone(), why: said(&e) })
    };
    set("mode", "\"peer\"".into(), false)?;
    let addresses = addresses(network.interface.as_deref())?;
    let chosen = network.interface.is_some();
    let listen = match network.listen.is_empty() {
        true => addresses.iter().map(|ip| endpoint(*ip, 0)).collect(),
        false => network.listen.clone(),
    };
    set("listen/endpoints", json(&listen), chosen || !network.listen.is_empty())?;
    if !network.connect.is_empty() {
        set("connect/endpoints", json(&network.connect), true)?;
    }
    if !network.connect.is_empty() || !network.listen.is_empty() {
        set("scouting/multicast/enabled", "false".into(), true)?;
    }
    let scouted: Vec<_> = addresses.iter().filter(|ip| ip.is_ipv4() && !ip.is_loopback()).collect();
    let scouted = if scouted.is_empty() { addresses.iter().filter(|ip| ip.is_ipv4()).collect() } else { scouted };
    let scouted: Vec<_> = scouted.iter().map(ToString::to_string).collect();
    if !scouted.is_empty() {
        set("scouting/multicast/interface", json(&scouted.join(",")), chosen)?;
    }
    // A whole LUT of 33³ lies in the queue of each peer, so that the hub waits for none of them.
    set("transport/link/tx/queue/size/data", "16".into(), false)?;
    // A larger one goes on for as long as it gets on: 64 KiB in 5 ms, and 2 s in all. A peer that takes nothing is passed
    // over at once, and asks for the newest LUT when it is back.
    set("transport/link/tx/queue/congestion_control/drop/wait_before_drop", "5000".into(), false)?;
    set("transport/link/tx/queue/congestion_control/drop/max_wait_before_drop_fragments", "2000000".into(), false)?;
    // What must not be lost, as that somebody has come or gone, waits for a peer that takes nothing, and everybody else with
    // it. After the usual 5 s a cable that is pulled from one node cuts the others off as well.
    set("transport/link/tx/queue/congestion_control/block/wait_before_close", "500000".into(), false)?;
    // A cable that was pulled is noticed after that, and connected again within a second of its return.
    set("transport/link/tx/lease", "5000".into(), false)?;
    let retry = "{ period_init_ms: 500, period_max_ms: 1000, period_increase_factor: 2 }";
    set("connect/retry", retry.into(), false)?;
    // A LUT that is over a node's limit is refused with a sentence, and not lost without one; and a report has room.
    let largest = payload::most_bytes(limit.max(GridSize::LARGEST_STRIP)) + (1 << 20);
    set("transport/link/rx/max_message_size", largest.to_string(), false)?;
    Ok(config)
}

fn json(value: &impl serde::Serialize) -> String {
    // Text and lists of text can always be written.
    serde_json::to_string(value).unwrap_or_default()
}

fn endpoint(ip: IpAddr, port: u16) -> String {
    match ip {
        IpAddr::V4(ip) => format!("tcp/{ip}:{port}"),
        IpAddr::V6(ip) => format!("tcp/[{ip}]:{port}"),
    }
}

/// The addresses to listen on: an interface's, or all that are private or this computer's own.
fn addresses(interface: Option<&str>) -> Result<Vec<IpAddr>, ClusterError> {
    let all = if_addrs::get_if_addrs().map_err(ClusterError::Interfaces)?;
    // An IPv6 address of one link alone means nothing without the link, and Zenoh does not say it.
    let usable = |ip: &IpAddr| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let chosen: Vec<IpAddr> = match interface {
        None => all.iter().map(|i| i.ip()).filter(|ip| Access::default().check(*ip).is_ok()).filter(usable).collect(),
        Some(given) => {
            let is_it = |i: &&if_addrs::Interface| i.name == given || i.ip().to_string() == given;
            all.iter().filter(is_it).map(|i| i.ip()).filter(usable).collect()
        }
    };
    match (interface, chosen.is_empty()) {
        (Some(given), true) => {
            let known: Vec<_> = all.iter().map(|i| format!("{} ({})", i.name, i.ip())).collect();
            Err(ClusterError::NoInterface { given: given.to_owned(), known: known.join(", ") })
        }
        _ => Ok(chosen),
    }
}

/// A place on the command line: a host or address and perhaps a port, or one as Zenoh writes it, as `tcp/10.0.0.5:7447`.
pub fn place(text: &str) -> Result<String, String> {
    const RIGHT: &str = "a place is written as 10.0.0.5, 10.0.0.5:7447, [fd00::5]:7447 or tcp/hub.local:7447";
    if text.contains('/') {
        return match text.parse::<zenoh::config::EndPoint>() {
            Ok(_) => Ok(text.to_owned()),
            Err(e) => Err(format!("{e}; {RIGHT}")),
        };
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(endpoint(ip, PORT));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("{port:?} is no port; {RIGHT}"))?),
        None => (text, PORT),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    match !host.is_empty() && host.chars().all(allowed) {
        true => Ok(format!("tcp/{host}:{port}")),
        false => Err(RIGHT.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(config: &Config, key: &str) -> String {
        config.get_json(key).unwrap()
    }

    #[test]
    fn the_end_of_one_connection_holds_up_no_other() {
        assert_eq!(option_env!("TCP_LINGER_TIMEOUT"), Some("0"), ".cargo/config.toml says why; it was not in force");
    }

    #[test]
    fn a_place_has_a_port_and_a_way_there() {
        for (text, meant) in [
            ("10.0.0.5", "tcp/10.0.0.5:7447"),
            ("10.0.0.5:9", "tcp/10.0.0.5:9"),
            ("fd00::5", "tcp/[fd00::5]:7447"),
            ("[fd00::5]:9", "tcp/[fd00::5]:9"),
            ("hub.local", "tcp/hub.local:7447"),
            ("tls/hub.local:7448", "tls/hub.local:7448"),
        ] {
            assert_eq!(place(text), Ok(meant.to_owned()), "{text}");
        }
        for wrong in ["", ":1", "a:b", "a:70000", "a b", "tcp/", "/x"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_this_computer_and_private_networks_are_listened_on() {
        let config = config(&Network::default(), GridSize::COMMON).unwrap();
        let listen: Vec<String> = serde_json::from_str(&got(&config, "listen/endpoints")).unwrap();
        assert!(listen.contains(&"tcp/127.0.0.1:0".to_owned()), "{listen:?}");
        for place in listen {
            let address = place.strip_prefix("tcp/").unwrap().strip_suffix(":0").unwrap();
            let ip: IpAddr = address.trim_matches(['[', ']']).parse().unwrap();
            assert!(!ip.is_unspecified() && Access::default().check(ip).is_ok(), "{ip}");
        }
        assert_eq!(
            got(&config, "transport/link/rx/max_message_size"),
            (128 * 128 * 128 * 12 + 1024 + (1 << 20)).to_string()
        );
        assert_eq!(got(&config, "mode"), "\"peer\"");
        assert_ne!(got(&config, "scouting/multicast/enabled"), "false");
    }

    #[test]
    fn places_that_are_given_take_the_place_of_multicast() {
        let network = Network { connect: vec!["tcp/10.9.9.9:7447".into()], ..Network::default() };
        let config = config(&network, GridSize::COMMON).unwrap();
        assert_eq!(got(&config, "connect/endpoints"), "[\"tcp/10.9.9.9:7447\"]");
        assert_eq!(got(&config, "scouting/multicast/enabled"), "false");
    }

    #[test]
    fn a_file_of_zenohs_stays_where_no_flag_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("zenoh.json5");
        let text = r#"{ listen: { endpoints: ["tcp/10.1.1.1:1"] }, transport: { link: { tx: { lease: 9000 } } },
            scouting: { multicast: { enabled: false } } }"#;
        std::fs::write(&file, text).unwrap();
        let with =
            |network: Network| config(&Network { file: Some(file.clone()), ..network }, GridSize::COMMON).unwrap();
        let alone = with(Network::default());
        assert_eq!(got(&alone, "listen/endpoints"), "[\"tcp/10.1.1.1:1\"]");
        assert_eq!(got(&alone, "transport/link/tx/lease"), "9000");
        assert_eq!(got(&alone, "scouting/multicast/enabled"), "false");
        let flagged = with(Network { listen: vec!["tcp/127.0.0.1:2".into()], ..Network::default() });
        assert_eq!(got(&flagged, "listen/endpoints"), "[\"tcp/127.0.0.1:2\"]");
        std::fs::write(&file, "{ mode: 7 }").unwrap();
        let wrong = config(&Network { file: Some(file.clone()), ..Network::default() }, GridSize::COMMON).unwrap_err();
        assert!(wrong.to_string().contains("zenoh.json5 is no configuration of Zenoh"), "{wrong}");
    }

    #[test]
    fn an_interface_that_is_not_there_is_named_with_those_that_are() {
        let network = Network { interface: Some("nowhere7".into()), ..Network::default() };
        let said = config(&network, GridSize::COMMON).unwrap_err().to_string();
        assert!(said.contains("no network interface \"nowhere7\"") && said.contains("127.0.0.1"), "{said}");
        let own = Network { interface: Some("127.0.0.1".into()), ..Network::default() };
        assert_eq!(got(&config(&own, GridSize::COMMON).unwrap(), "listen/endpoints"), "[\"tcp/127.0.0.1:0\"]");
    }
}
