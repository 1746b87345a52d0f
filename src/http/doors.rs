//! Who is let in, and how many at once.

use super::HttpConfig;
use crate::server::origin::reserve;
use crate::server::{Access, Origin};
use std::net::IpAddr;

/// What decides whether one more connection is served. It may change while the server runs.
pub(super) struct Doors {
    pub(super) access: Access,
    /// The most connections at once.
    pub(super) all: usize,
    /// The most of them from one origin.
    pub(super) each: usize,
}

/// Why a connection is not served.
pub(super) enum Closed {
    /// Its address is not let in.
    Access(String),
    /// There is no place for it.
    Full(String),
}

impl Doors {
    pub(super) fn of(config: &HttpConfig) -> Self {
        let (all, each) = (config.max_connections, config.max_connections_per_address);
        Doors { access: config.access.clone(), all, each }
    }

    /// Whether a connection from `address` is served beside those of `others`. As for LUTs, the last eighth of the places
    /// is for origins that have none.
    pub(super) fn check(&self, address: IpAddr, others: impl Iterator<Item = IpAddr>) -> Result<(), Closed> {
        self.access.check(address).map_err(Closed::Access)?;
        let newcomer = Origin::from(address);
        let (mut count, mut own) = (0, 0);
        for other in others {
            count += 1;
            own += usize::from(Origin::from(other) == newcomer);
        }
        let (all, each) = (self.all, self.each);
        let free = all.saturating_sub(count);
        if own < each && (free > reserve(all) || (own == 0 && free > 0)) {
            return Ok(());
        }
        let most = format!("this server takes at most {all} connections at once, {each} from one address");
        Err(Closed::Full(match reserve(all) {
            0 => most,
            kept => format!("{most}, the last {kept} from addresses that have none"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(doors: &Doors, others: &[&str], newcomer: &str) -> bool {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        doors.check(address(newcomer), others.iter().map(|other| address(other))).is_ok()
    }

    #[test]
    fn a_computers_many_ipv6_addresses_are_one_address() {
        let doors = Doors { access: Access::anyone(), all: 7, each: 2 };
        let network = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"];
        assert!(served(&doors, &network[..1], "2001:db8:1:2::3"));
        assert!(!served(&doors, &network, "2001:db8:1:2::3"), "a third address of the same network");
        assert!(served(&doors, &network, "2001:db8:1:3::1"), "another network");
        assert!(!served(&doors, &["127.0.0.1", "::1"], "127.0.0.2"), "this computer's many");
    }

    #[test]
    fn the_last_eighth_is_for_addresses_that_have_none() {
        let doors = Doors { access: Access::anyone(), all: 8, each: 8 };
        let greedy = ["10.0.0.1"; 8];
        assert!(served(&doors, &greedy[..6], "10.0.0.1") && !served(&doors, &greedy[..7], "10.0.0.1"));
        assert!(served(&doors, &greedy[..7], "10.0.0.2") && !served(&doors, &greedy, "10.0.0.2"));
    }
}
