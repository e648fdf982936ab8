//! The host's routing table.

use core::net::IpAddr;

use vxlan_core::device::RouteQuery;
use vxlan_core::{Route, RouteError, RouteKind};

use super::links::{LOOPBACK, LOOPBACK_MTU, Links, is_link_local};
use super::model::{Prefix, StaticRoute};

/// A packet's way out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) route: Route,
    /// The interface it leaves by; the loopback for local destinations.
    pub(crate) ifindex: u32,
    pub(crate) next_hop: IpAddr,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    pub(crate) fixed: Vec<StaticRoute>,
    /// The default TTL of IPv4 (`net.ipv4.ip_default_ttl`).
    pub(crate) ttl: u8,
}

/// One line of the table that fits a destination.
#[derive(Clone, Copy, Debug)]
struct Match {
    len: u8,
    target: Target,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    /// An address of this interface.
    Local(u32),
    Link {
        ifindex: u32,
        via: Option<IpAddr>,
        mtu: Option<u32>,
        kind: RouteKind,
    },
    Unreachable,
}

impl Target {
    fn ifindex(self) -> Option<u32> {
        match self {
            Self::Local(ifindex) | Self::Link { ifindex, .. } => Some(ifindex),
            Self::Unreachable => None,
        }
    }
}

impl Routes {
    /// The way for one packet of the vxlan device `sender`.
    pub(crate) fn lookup(
        &self,
        links: &Links,
        query: &RouteQuery,
        sender: u32,
    ) -> Result<Path, RouteError> {
        let interface = query.ifindex.map(vxlan_core::IfIndex::get);
        let target = match query.destination {
            IpAddr::V4(_) => self.ipv4(links, query.destination, interface),
            IpAddr::V6(_) => self.ipv6(
                links,
                query.destination,
                interface,
                query.source.is_unspecified(),
            ),
        };
        match target.ok_or(RouteError::Unreachable)? {
            Target::Unreachable => Err(RouteError::Unreachable),
            Target::Local(_) => {
                let source = match query.source {
                    source if !source.is_unspecified() => source,
                    _ => query.destination,
                };
                Ok(Path {
                    route: self.route(source, LOOPBACK_MTU).kind(RouteKind::Local),
                    ifindex: LOOPBACK,
                    next_hop: query.destination,
                })
            }
            Target::Link { ifindex, .. } if ifindex == sender => Err(RouteError::Loop),
            Target::Link {
                ifindex,
                via,
                mtu,
                kind,
            } => {
                let link = links
                    .get(ifindex)
                    .filter(|link| link.up)
                    .ok_or(RouteError::Unreachable)?;
                let next_hop = via.unwrap_or(query.destination);
                let source = match query.source {
                    source if !source.is_unspecified() => source,
                    _ => source_for(&link.facts.addrs, next_hop).ok_or(RouteError::Unreachable)?,
                };
                let mtu = mtu.unwrap_or(link.facts.mtu);
                Ok(Path {
                    route: self.route(source, mtu).kind(kind),
                    ifindex,
                    next_hop,
                })
            }
        }
    }

    fn route(&self, source: IpAddr, mtu: u32) -> Route {
        let hop_limit = if source.is_ipv4() { self.ttl } else { 64 };
        Route::new(source, mtu).hop_limit(hop_limit)
    }

    fn ipv4(&self, links: &Links, to: IpAddr, interface: Option<u32>) -> Option<Target> {
        let on_link = |ifindex, kind| Target::Link {
            ifindex,
            via: None,
            mtu: None,
            kind,
        };
        match (interface, to) {
            // Whatever goes out by the loopback comes back.
            (Some(LOOPBACK), _) => return Some(Target::Local(LOOPBACK)),
            (None, to) if to.is_unspecified() => return Some(Target::Local(LOOPBACK)),
            (Some(ifindex), IpAddr::V4(to)) if to.is_broadcast() => {
                return Some(on_link(ifindex, RouteKind::Broadcast));
            }
            (Some(ifindex), to) if to.is_multicast() => {
                return Some(on_link(ifindex, RouteKind::Multicast));
            }
            _ => {}
        }
        // A given interface narrows the choice; a destination that nothing leads to is then taken
        // as a neighbour there.
        let found = self.most_specific(links, to, |target| {
            interface.is_none_or(|wanted| target.ifindex().is_none_or(|there| there == wanted))
        });
        match (found, interface) {
            (Some(Target::Unreachable) | None, Some(ifindex)) => {
                Some(on_link(ifindex, RouteKind::Unicast))
            }
            (found, _) => found,
        }
    }

    fn ipv6(
        &self,
        links: &Links,
        to: IpAddr,
        interface: Option<u32>,
        any_source: bool,
    ) -> Option<Target> {
        if to.is_unspecified() {
            return None;
        }
        if to.is_multicast() {
            return interface.map(|ifindex| Target::Link {
                ifindex,
                via: None,
                mtu: None,
                kind: RouteKind::Multicast,
            });
        }
        let strict = any_source || is_link_local(to) || to.is_loopback();
        self.most_specific(links, to, |target| match (interface, target.ifindex()) {
            (Some(wanted), Some(there)) if strict => wanted == there,
            _ => true,
        })
    }

    fn most_specific(
        &self,
        links: &Links,
        to: IpAddr,
        fits: impl Fn(Target) -> bool,
    ) -> Option<Target> {
        let whole = if to.is_ipv4() { 32 } else { 128 };
        let loopback = to.is_loopback().then_some(Match {
            len: whole,
            target: Target::Local(LOOPBACK),
        });
        let link = |ifindex, kind| Target::Link {
            ifindex,
            via: None,
            mtu: None,
            kind,
        };
        let own = links.addresses().filter_map(|(ifindex, prefix)| {
            let (len, target) = if prefix.addr == to {
                (whole, Target::Local(ifindex))
            } else if prefix.broadcast() == Some(to) {
                (whole, link(ifindex, RouteKind::Broadcast))
            } else if prefix.holds(to) {
                (prefix.len, link(ifindex, RouteKind::Unicast))
            } else {
                return None;
            };
            Some(Match { len, target })
        });
        let fixed = self
            .fixed
            .iter()
            .filter(|route| route.dst.holds(to))
            .map(|route| Match {
                len: route.dst.len,
                target: match route.kind {
                    1 => Target::Link {
                        ifindex: route.dev,
                        via: route.via,
                        mtu: route.mtu,
                        kind: RouteKind::Unicast,
                    },
                    _ => Target::Unreachable,
                },
            });
        // The local table is asked first, so an own address wins over a host route.
        loopback
            .into_iter()
            .chain(own)
            .chain(fixed)
            .filter(|found| fits(found.target))
            .reduce(|best, next| if next.len > best.len { next } else { best })
            .map(|found| found.target)
    }
}

/// The address that the host speaks to `next_hop` with: that of the prefix that holds it, else the
/// first that reaches as far.
fn source_for(addrs: &[Prefix], next_hop: IpAddr) -> Option<IpAddr> {
    let family = || {
        addrs
            .iter()
            .filter(|prefix| prefix.addr.is_ipv4() == next_hop.is_ipv4())
    };
    let near = match next_hop {
        IpAddr::V6(to) if to.is_multicast() => {
            matches!(to.octets(), [_, scope, ..] if scope & 15 <= 2)
        }
        _ => is_link_local(next_hop),
    };
    family()
        .filter(|prefix| prefix.holds(next_hop))
        .max_by_key(|prefix| prefix.len)
        .or_else(|| family().find(|prefix| is_link_local(prefix.addr) == near))
        .or_else(|| family().next())
        .map(|prefix| prefix.addr)
}
