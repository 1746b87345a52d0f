//! What is said of a box in its records, and what is understood of another's.

use super::SERVICE;
use mdns_sd::{ResolvedService, ScopedIp, TxtProperty};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The most bytes of one entry of a TXT record, with its key and the equals sign.
const MOST_ENTRY: usize = 255;
/// The most bytes of a label of a name.
const MOST_LABEL: usize = 63;
/// The most addresses that are kept of one box.
const MOST_ADDRESSES: usize = 16;

/// The name under which a box is listed: 1 to 63 bytes of text without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceName(String);

impl InstanceName {
    /// The name of a computer; what can't be in a name is left out.
    pub fn of_computer(host: &str) -> InstanceName {
        let mut name = String::new();
        for c in host.chars().filter(|c| !c.is_control()) {
            if name.len() + c.len_utf8() > MOST_LABEL {
                break;
            }
            name.push(c);
        }
        InstanceName(if name.is_empty() { "vglb".to_owned() } else { name })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstanceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.len() {
            0 => Err("a name to announce is not empty".into()),
            1..=MOST_LABEL if text.chars().any(char::is_control) => {
                Err("a name to announce has no control characters".into())
            }
            1..=MOST_LABEL => Ok(InstanceName(text.to_owned())),
            long => Err(format!("a name to announce has up to {MOST_LABEL} bytes, not {long}")),
        }
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the records that hold a box's addresses. It is the box's own, as the computer's plain name belongs to
/// whatever else answers for it, and no two servers of a computer share one.
pub(super) fn host_name(computer: &str, port: u16) -> String {
    let end = format!("-vglb-{port}");
    let first = computer.split('.').next().unwrap_or_default();
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let label: String = first.chars().map(allowed).take(MOST_LABEL - end.len()).collect();
    let label = label.trim_matches('-');
    format!("{}{end}.local.", if label.is_empty() { "box" } else { label })
}

/// What a box says of itself, beside its name, its addresses and its port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Of the program.
    pub version: String,
    /// The stream that carries LUTs sent without a channel.
    pub stream: String,
    /// The back end that shares its textures.
    pub transport: String,
    /// The panel's port, where other computers reach it.
    pub panel: Option<u16>,
}

impl Described {
    /// The TXT record. An entry that is too long for one is left out, and its key is returned.
    pub(super) fn entries(&self) -> (Vec<TxtProperty>, Vec<&'static str>) {
        let panel = self.panel.map(|port| port.to_string());
        let all = [
            ("txtvers", Some("1")),
            ("version", Some(&*self.version)),
            ("stream", Some(&*self.stream)),
            ("transport", Some(&*self.transport)),
            ("panel", panel.as_deref()),
        ];
        let (mut entries, mut too_long) = (Vec::new(), Vec::new());
        for (key, value) in all {
            match value {
                None => {}
                Some(value) if key.len() + 1 + value.len() > MOST_ENTRY => too_long.push(key),
                Some(value) => entries.push(TxtProperty::from((key, value))),
            }
        }
        (entries, too_long)
    }
}

/// A box that answered. All its text is what somebody on the network sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// The name of its computer's records.
    pub host: String,
    /// Its addresses, IPv4 first; an IPv6 address of one link with the interface that leads to it.
    pub addresses: Vec<String>,
    /// Its port for LUTs.
    pub port: u16,
    /// What it says of its version.
    pub version: Option<String>,
    /// What it says of its base stream.
    pub stream: Option<String>,
    /// What it says of its transport.
    pub transport: Option<String>,
    /// What it says of its panel's port.
    pub panel: Option<u16>,
}

impl Found {
    /// What is understood of an answer.
    pub(super) fn read(answer: &ResolvedService) -> Found {
        let said = |key| {
            let bytes = answer.get_property_val(key).flatten()?;
            Some(String::from_utf8_lossy(bytes).into_owned()).filter(|text| !text.is_empty())
        };
        let mut addresses: Vec<&ScopedIp> = answer.addresses.iter().collect();
        addresses.sort_by_key(|a| (a.is_ipv6(), a.to_ip_addr(), a.to_string()));
        Found {
            name: name(&answer.fullname),
            host: answer.host.trim_end_matches('.').to_owned(),
            addresses: addresses.into_iter().take(MOST_ADDRESSES).map(ToString::to_string).collect(),
            port: answer.port,
            version: said("version"),
            stream: said("stream"),
            transport: said("transport"),
            panel: said("panel").and_then(|port| port.parse().ok()).filter(|port| *port != 0),
        }
    }
}

/// The first label of a service's full name.
fn name(full: &str) -> String {
    let end = full.len().saturating_sub(SERVICE.len());
    let is_service = full.get(end..).is_some_and(|tail| tail.eq_ignore_ascii_case(SERVICE));
    let label = if is_service { full[..end].trim_end_matches('.') } else { full };
    let (mut text, mut escaped) = (String::with_capacity(label.len()), false);
    for c in label.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(c);
            escaped = false;
        }
    }
    text
}

/// Whether somebody on another computer can use an address.
pub(super) fn leaves_this_computer(ip: IpAddr) -> bool {
    !ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mdns_sd::ServiceInfo;

    fn answer(name: &str, ips: &[IpAddr], port: u16, entries: Vec<TxtProperty>) -> ResolvedService {
        ServiceInfo::new(SERVICE, name, "cart-vglb-8089.local.", ips, port, entries).unwrap().as_resolved_service()
    }

    #[test]
    fn what_a_box_says_is_what_another_reads() {
        let said = Described {
            version: "0.1.0".into(),
            stream: "Bühne = \"links\"".into(),
            transport: "linux".into(),
            panel: Some(8090),
        };
        let (entries, too_long) = said.entries();
        assert!(too_long.is_empty());
        let ips = ["fe80::1", "10.0.0.9", "10.0.0.10"].map(|ip| ip.parse().unwrap());
        let found = Found::read(&answer("DIT cart v2.1 \\ A", &ips, 8089, entries));
        assert_eq!(
            found,
            Found {
                name: "DIT cart v2.1 \\ A".into(),
                host: "cart-vglb-8089.local".into(),
                addresses: ["10.0.0.9", "10.0.0.10", "fe80::1"].map(String::from).into(),
                port: 8089,
                version: Some("0.1.0".into()),
                stream: Some("Bühne = \"links\"".into()),
                transport: Some("linux".into()),
                panel: Some(8090),
            }
        );
    }

    #[test]
    fn an_entry_that_no_record_can_hold_is_left_out_and_named() {
        let fits = MOST_ENTRY - "stream=".len();
        for (length, left_out) in [(fits, vec![]), (fits + 1, vec!["stream"])] {
            let said = Described { stream: "s".repeat(length), ..Described::default() };
            let (entries, too_long) = said.entries();
            assert_eq!(too_long, left_out);
            let found = Found::read(&answer("a", &["10.0.0.1".parse().unwrap()], 1, entries));
            assert_eq!(found.stream.is_some(), left_out.is_empty());
            assert_eq!(found.panel, None);
        }
    }

    #[test]
    fn hostile_answers_are_read_without_harm() {
        let entries = vec![
            TxtProperty::from(("version", [0xff, 0x1b, b'[', b'2', b'J'])),
            TxtProperty::from("stream"),
            TxtProperty::from(("transport", "")),
            TxtProperty::from(("panel", "99999999999999999999")),
        ];
        let many: Vec<IpAddr> = (0..200u8).map(|i| IpAddr::from([10, 0, 0, i])).collect();
        let found = Found::read(&answer("\u{1b}[2J\n\\", &many, 0, entries));
        assert_eq!(found.name, "\u{1b}[2J\n\\");
        assert_eq!(found.version.as_deref(), Some("\u{fffd}\u{1b}[2J"));
        assert_eq!((found.stream, found.transport, found.panel), (None, None, None));
        assert_eq!(found.addresses.len(), MOST_ADDRESSES);
        for panel in ["0", "-1", "65536", "80 ", "x"] {
            let entries = vec![TxtProperty::from(("panel", panel))];
            assert_eq!(Found::read(&answer("a", &many, 1, entries)).panel, None, "{panel:?}");
        }
        for full in ["", ".", "ü", SERVICE, "\\", "other._http._tcp.local.", "aü_vglb._tcp.local"] {
            name(full);
        }
        assert_eq!(name("A.B._VGLB._TCP.local."), "A.B");
    }

    #[test]
    fn names_fit_into_their_records() {
        assert_eq!(host_name("cart.studio.example", 8089), "cart-vglb-8089.local.");
        assert_eq!(host_name("", 1), "box-vglb-1.local.");
        assert_eq!(host_name("ö.\\", 1), "box-vglb-1.local.");
        assert_eq!(host_name(&"x".repeat(300), 65535).split('.').next().unwrap().len(), MOST_LABEL);
        assert_eq!(InstanceName::of_computer("a\nb").as_str(), "ab");
        assert_eq!(InstanceName::of_computer("\u{0}").as_str(), "vglb");
        assert!(InstanceName::of_computer(&"ü".repeat(60)).as_str().len() <= MOST_LABEL);
        assert!("LED wall 3".parse::<InstanceName>().is_ok());
        for (wrong, says) in [(String::new(), "empty"), ("a\u{1b}".into(), "control"), ("ü".repeat(32), "not 64")] {
            assert!(wrong.parse::<InstanceName>().unwrap_err().contains(says), "{wrong:?}");
        }
    }
}
