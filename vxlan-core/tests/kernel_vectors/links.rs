//! The host's lower devices and its addresses.

use core::net::IpAddr;

use vxlan_core::Mac;

use super::model::{Lower, Prefix};

/// The interface numbers that are the same in every vector.
pub(crate) const LOOPBACK: u32 = 1;
pub(crate) const BRIDGE: u32 = 50;
pub(crate) const LOOPBACK_MTU: u32 = 65536;

/// A lower device.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) facts: Lower,
    pub(crate) up: bool,
}

/// All lower devices that exist, `ul0` first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(pub(crate) Vec<Link>);

impl Links {
    pub(crate) fn new(lower: &Lower, lower2: Option<&Lower>) -> Self {
        let link = |facts: &Lower| Link {
            facts: facts.clone(),
            up: true,
        };
        Self(core::iter::once(lower).chain(lower2).map(link).collect())
    }

    pub(crate) fn get(&self, ifindex: u32) -> Option<&Link> {
        self.0.iter().find(|link| link.facts.ifindex == ifindex)
    }

    pub(crate) fn get_mut(&mut self, ifindex: u32) -> Option<&mut Link> {
        self.0.iter_mut().find(|link| link.facts.ifindex == ifindex)
    }

    /// Every address of every lower device, with the number of the device.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (u32, Prefix)> {
        self.0
            .iter()
            .filter(|link| link.up)
            .flat_map(|link| {
                link.facts
                    .addrs
                    .iter()
                    .map(|addr| (link.facts.ifindex, *addr))
            })
            .filter(|(ifindex, prefix)| {
                prefix.addr.is_ipv4() || self.get(*ifindex).is_some_and(|link| link.facts.ipv6)
            })
    }

    /// Whether a packet that arrived on `ifindex` for `addr` is for this host.
    pub(crate) fn is_local(&self, addr: IpAddr, ifindex: u32) -> bool {
        if addr.is_loopback() {
            return ifindex == LOOPBACK;
        }
        self.addresses()
            .any(|(on, prefix)| prefix.addr == addr && (on == ifindex || !is_link_local(addr)))
    }

    /// The link-layer address that a packet for `next_hop` leaves with.
    pub(crate) fn resolve(&self, ifindex: u32, next_hop: IpAddr) -> Result<Mac, String> {
        if let Some(mac) = mapped(next_hop) {
            return Ok(mac);
        }
        let link = self
            .get(ifindex)
            .ok_or_else(|| format!("no interface {ifindex}"))?;
        if link
            .facts
            .addrs
            .iter()
            .any(|prefix| prefix.broadcast() == Some(next_hop))
        {
            return Ok(Mac::BROADCAST);
        }
        link.facts
            .neighbours
            .iter()
            .find(|neighbour| neighbour.ip == next_hop)
            .map(|neighbour| neighbour.mac)
            .ok_or_else(|| format!("no neighbour {next_hop} on interface {ifindex}"))
    }
}

/// The MAC address of an IP group (RFC 1112 section 6.4, RFC 2464 section 7), or of everybody.
fn mapped(addr: IpAddr) -> Option<Mac> {
    match addr {
        IpAddr::V4(addr) if addr.is_broadcast() => Some(Mac::BROADCAST),
        IpAddr::V4(addr) if addr.is_multicast() => {
            let [_, b, c, d] = addr.octets();
            Some(Mac::new([1, 0, 0x5e, b & 0x7f, c, d]))
        }
        IpAddr::V6(addr) if addr.is_multicast() => {
            let [.., a, b, c, d] = addr.octets();
            Some(Mac::new([0x33, 0x33, a, b, c, d]))
        }
        _ => None,
    }
}

/// Whether an address means nothing without an interface.
pub(crate) fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(addr) if addr.is_unicast_link_local())
}
