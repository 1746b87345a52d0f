//! Who may connect, by address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses in CIDR notation (RFC 4632, RFC 4291): `192.168.0.0/16`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Text that is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No address.
    #[error("{0:?} is no IP address; a range is written as 192.168.0.0/16, fd00::/8 or 10.1.2.3")]
    Address(String),
    /// No number of bits.
    #[error("the prefix of {text:?} must be a number of bits from 0 to {most}")]
    Prefix {
        /// What was given.
        text: String,
        /// Bits of such an address.
        most: u8,
    },
    /// Bits behind the prefix.
    #[error("{given:?} has bits behind its prefix; the range is {meant}, the address {}", meant.address_given(given))]
    HostBits {
        /// What was given.
        given: String,
        /// The range that it lies in.
        meant: Network,
    },
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Network {
    const fn v4(a: u8, b: u8, prefix: u8) -> Self {
        Network { address: IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)), prefix }
    }

    const fn v6(first: u16, prefix: u8) -> Self {
        Network { address: IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)), prefix }
    }

    fn address_given<'a>(&self, given: &'a str) -> &'a str {
        given.split('/').next().unwrap_or(given)
    }

    /// Whether `address` lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = number(self.address) ^ number(address);
        self.address.is_ipv4() == address.is_ipv4()
            && differing.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address(text.to_owned()))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|bits| *bits <= most && !text.contains('+'))
                .ok_or_else(|| NetworkError::Prefix { text: text.to_owned(), most })?,
        };
        let kept = !u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
        let masked = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(((number(address) & kept) >> 96) as u32)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number(address) & kept)),
        };
        let meant = Network { address: masked, prefix };
        if masked != address {
            return Err(NetworkError::HostBits { given: text.to_owned(), meant });
        }
        Ok(meant)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Private and link-local ranges (RFC 1918, RFC 3927, RFC 4193, RFC 4291).
const LOCAL: [Network; 6] = [
    Network::v4(10, 0, 8),
    Network::v4(172, 16, 12),
    Network::v4(192, 168, 16),
    Network::v4(169, 254, 16),
    Network::v6(0xfc00, 7),
    Network::v6(0xfe80, 10),
];

/// Who may connect. This computer itself always may, unless it is denied.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The ranges that may; private and link-local ones where there is none.
    pub allow: Vec<Network>,
    /// Ranges that may not, whatever `allow` says.
    pub deny: Vec<Network>,
}

impl Access {
    /// Lets every client in.
    pub fn anyone() -> Self {
        Access { allow: vec![Network::v4(0, 0, 0), Network::v6(0, 0)], deny: Vec::new() }
    }

    /// Whether a client from `address` is let in; if not, why.
    pub fn check(&self, address: IpAddr) -> Result<(), String> {
        // Where a socket takes both, an IPv4 client is ::ffff:a.b.c.d.
        let address = address.to_canonical();
        if let Some(range) = self.deny.iter().find(|range| range.contains(address)) {
            return Err(format!("{address} is in {range}, which is denied (--deny)"));
        }
        let allow = if self.allow.is_empty() { &LOCAL[..] } else { &self.allow };
        if address.is_loopback() || allow.iter().any(|range| range.contains(address)) {
            return Ok(());
        }
        Err(match self.allow.is_empty() {
            true => format!("{address} is no private or link-local address; --allow {address} lets it in"),
            false => format!("{address} is in no range that is allowed (--allow)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(allow: &[&str], deny: &[&str]) -> Access {
        let parse = |ranges: &[&str]| ranges.iter().map(|r| r.parse().unwrap()).collect();
        Access { allow: parse(allow), deny: parse(deny) }
    }

    fn lets_in(access: &Access, address: &str) -> bool {
        access.check(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn only_the_local_network_is_let_in_unless_told_otherwise() {
        let local = [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "10.255.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.7.7",
            "169.254.1.1",
            "fe80::1",
            "febf::1",
            "fd12:3456::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
        ];
        let others = [
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.0",
            "192.169.0.1",
            "11.0.0.0",
            "2001:db8::1",
            "fec0::1",
            "::ffff:8.8.8.8",
            "a00::1",
            "0.0.0.0",
        ];
        assert!(local.iter().all(|a| lets_in(&Access::default(), a)));
        for other in others {
            assert!(!lets_in(&Access::default(), other), "{other}");
        }
        let said = Access::default().check("8.8.8.8".parse().unwrap()).unwrap_err();
        assert_eq!(said, "8.8.8.8 is no private or link-local address; --allow 8.8.8.8 lets it in");
    }

    #[test]
    fn ranges_that_are_given_take_the_place_of_the_local_ones_and_denied_ones_win() {
        let given = access(&["192.168.1.0/24", "2001:db8::/32", "0.0.0.0/1"], &["192.168.1.66", "127.0.0.0/8"]);
        assert!(lets_in(&given, "192.168.1.5") && lets_in(&given, "2001:db8:1::5") && lets_in(&given, "9.9.9.9"));
        assert!(lets_in(&given, "::1"), "this computer");
        for refused in ["192.168.1.66", "::ffff:192.168.1.66", "192.168.2.1", "127.0.0.1", "fe80::1", "200.1.1.1"] {
            assert!(!lets_in(&given, refused), "{refused}");
        }
        assert!(lets_in(&access(&["0.0.0.0/0"], &[]), "8.8.8.8"));
        assert!(lets_in(&Access::anyone(), "8.8.8.8") && lets_in(&Access::anyone(), "2001:db8::1"));
        assert!(!lets_in(&access(&["0.0.0.0/0"], &[]), "2001:db8::1"));
    }

    #[test]
    fn what_is_no_range_is_refused_with_what_would_be_right() {
        let said = |text: &str| text.parse::<Network>().unwrap_err().to_string();
        assert_eq!(
            said("192.168.1.7/24"),
            "\"192.168.1.7/24\" has bits behind its prefix; the range is 192.168.1.0/24, the address 192.168.1.7"
        );
        assert_eq!(said("10.0.0.0/33"), "the prefix of \"10.0.0.0/33\" must be a number of bits from 0 to 32");
        for wrong in ["", "/", "10/8", "studio", "10.0.0.0/", "10.0.0.0/+8", "::/129", "::/-1", "1.2.3.4/8/8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong:?}");
        }
    }
}
