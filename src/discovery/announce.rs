//! A server announces itself.

use super::record::{Described, InstanceName, host_name, leaves_this_computer};
use super::{DiscoveryError, SERVICE};
use crate::EVENTS;
use mdns_sd::{DaemonEvent, IfKind, IfPredicate, Receiver, ServiceDaemon, ServiceInfo};
use std::net::{IpAddr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tracing::{info, warn};

/// How long the withdrawal may take when the server stops.
const GOODBYE_TIME: Duration = Duration::from_secs(2);

/// What is announced.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The name to be listed under; where another box has it already, a number is put behind it.
    pub name: InstanceName,
    /// The computer's name.
    pub computer: String,
    /// The port for LUTs.
    pub port: u16,
    /// The addresses.
    pub reach: Reach,
    /// What else is said.
    pub described: Described,
}

/// The addresses under which other computers reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// None: it listens on this computer's own.
    Nowhere,
    /// These.
    At(Vec<IpAddr>),
    /// All that the computer has, now or later: of IPv4, and of IPv6 as well where that is said.
    Everywhere {
        /// Whether it listens on IPv6, too.
        ipv6: bool,
    },
}

impl Reach {
    /// How a server is reached that listens on these addresses.
    pub fn of(addresses: &[SocketAddr]) -> Reach {
        let ips = || addresses.iter().map(SocketAddr::ip);
        if ips().any(|ip| ip.is_unspecified()) {
            return Reach::Everywhere { ipv6: ips().any(|ip| ip.is_unspecified() && ip.is_ipv6()) };
        }
        let others: Vec<IpAddr> = ips().filter(|ip| leaves_this_computer(*ip)).collect();
        if others.is_empty() { Reach::Nowhere } else { Reach::At(others) }
    }
}

/// Announces a server until it is dropped, which withdraws the announcement.
pub struct Announcer {
    daemon: ServiceDaemon,
    teller: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Announces a server; `None` where nobody else could reach it.
    pub fn start(what: &Announcement) -> Result<Option<Announcer>, DiscoveryError> {
        let Some(service) = service(what)? else { return Ok(None) };
        let daemon = ServiceDaemon::new()?;
        let events = daemon.monitor()?;
        let mut announcer = Announcer { daemon, teller: None };
        announcer.teller = Some(thread::Builder::new().name("vglb-announce".into()).spawn(move || tell(&events))?);
        announcer.daemon.register(service)?;
        Ok(Some(announcer))
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        // Sends the goodbye. It fails where multicast DNS has ended by itself: then there is nothing to withdraw.
        let withdrawn = self.daemon.shutdown().is_ok_and(|done| done.recv_timeout(GOODBYE_TIME).is_ok());
        match self.teller.take() {
            Some(teller) if withdrawn => drop(teller.join()),
            _ => warn!("the announcement could not be withdrawn; this server is listed until its records expire"),
        }
    }
}

/// The records.
fn service(what: &Announcement) -> Result<Option<ServiceInfo>, DiscoveryError> {
    let (entries, too_long) = what.described.entries();
    for key in too_long {
        warn!("what is announced lacks the {key}: it is too long");
    }
    let host = host_name(&what.computer, what.port);
    let at = |ips: &[IpAddr]| ServiceInfo::new(SERVICE, what.name.as_str(), &host, ips, what.port, entries);
    Ok(match &what.reach {
        Reach::Nowhere => None,
        Reach::At(ips) => Some(at(ips)?),
        Reach::Everywhere { ipv6 } => {
            let ipv6 = *ipv6;
            let mut service = at(&[])?.enable_addr_auto();
            let reached = IfPredicate::new(move |i| leaves_this_computer(i.ip()) && (ipv6 || i.ip().is_ipv4()));
            service.set_interfaces(vec![IfKind::Predicate(reached)]);
            Some(service)
        }
    })
}

/// Logs what goes wrong, each fault once for as long as it is the same, and which name another box had already.
fn tell(events: &Receiver<DaemonEvent>) {
    let mut last = String::new();
    for event in events {
        match event {
            DaemonEvent::Error(why) => {
                let why = why.to_string();
                if why != last {
                    warn!("the announcement may not be heard: {why}");
                    last = why;
                }
            }
            DaemonEvent::NameChange(change) => {
                info!(target: EVENTS, "another on the network is called {:?}; announced as {:?}", change.original, change.new_name);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_the_server_listens_on_are_announced() {
        let reach = |text: &[&str]| Reach::of(&text.iter().map(|t| t.parse().unwrap()).collect::<Vec<_>>());
        assert_eq!(reach(&[]), Reach::Nowhere);
        assert_eq!(reach(&["127.0.0.1:8089", "[::1]:8089", "127.0.1.1:1"]), Reach::Nowhere);
        let at = Reach::At(vec!["10.0.0.5".parse().unwrap()]);
        assert_eq!(reach(&["127.0.0.1:1", "10.0.0.5:1"]), at);
        assert_eq!(reach(&["0.0.0.0:1"]), Reach::Everywhere { ipv6: false });
        assert_eq!(reach(&["[::]:1"]), Reach::Everywhere { ipv6: true });

        let mut what = Announcement {
            name: InstanceName::of_computer("cart"),
            computer: "cart".into(),
            port: 8089,
            reach: at,
            described: Described::default(),
        };
        let records = service(&what).unwrap().unwrap();
        assert!(!records.is_addr_auto() && records.get_port() == 8089);
        assert_eq!(records.get_addresses().iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.5"]);
        what.reach = Reach::Everywhere { ipv6: false };
        assert!(service(&what).unwrap().unwrap().is_addr_auto());
        what.reach = Reach::Nowhere;
        assert!(service(&what).unwrap().is_none());
        assert!(Announcer::start(&what).unwrap().is_none());
    }
}
