//! Whose a connection is, as far as limits go.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a client is, for limits of each address: its address, where that says something.
///
/// A computer may have as many addresses of an IPv6 network (64 bits) as it likes, and as many that mean itself; those are
/// one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(IpAddr);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Origin(match address {
            _ if address.is_loopback() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 => v4,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) if v4.is_loopback() => f.write_str("this computer"),
            IpAddr::V4(v4) => v4.fmt(f),
            IpAddr::V6(v6) => write!(f, "{v6}/64"),
        }
    }
}

/// Of `all` places, those that only an origin gets which has none.
pub(crate) fn reserve(all: usize) -> usize {
    all / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_one_computer_has_without_asking_are_one_origin() {
        let origin = |text: &str| Origin::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::9"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("::ffff:10.0.0.1"), origin("10.0.0.1"));
        assert_ne!(origin("10.0.0.2"), origin("10.0.0.1"));
        for local in ["127.0.0.2", "::1", "::ffff:127.9.9.9"] {
            assert_eq!(origin(local), origin("127.0.0.1"));
        }
        assert_eq!(origin("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
        assert_eq!(origin("::1").to_string(), "this computer");
    }
}
