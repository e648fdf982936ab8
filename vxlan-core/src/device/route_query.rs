//! What the underlay is asked about a remote before a frame is encapsulated.

use core::net::IpAddr;

use crate::fdb::{Remote, Storage};
use crate::{Device, IfIndex, Packet};

use super::config::TOS_INHERIT;

/// What the underlay has to be asked about one remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteQuery {
    /// Where the packet goes.
    pub destination: IpAddr,
    /// The source address to use; unspecified if the route decides.
    pub source: IpAddr,
    /// The interface it must leave by.
    pub ifindex: Option<IfIndex>,
    /// The TOS byte before ECN.
    pub tos: u8,
    /// The packet mark.
    pub mark: u32,
    /// The outer UDP source port; zero if the driver does not ask with it.
    pub source_port: u16,
    /// The outer UDP destination port; zero if the driver does not ask with it.
    pub destination_port: u16,
}

impl<S: Storage> Device<S> {
    /// What to ask the routing table before [`encapsulate`](Self::encapsulate).
    #[must_use]
    pub fn route_query(&self, frame: &Packet<'_>, remote: &Remote) -> RouteQuery {
        let inner_tos = || self.inner(frame).map_or(0, |inner| inner.tos);
        let ports = self.config.compat().route_by_ports;
        RouteQuery {
            destination: remote.addr,
            source: self.config.local(),
            ifindex: remote.ifindex,
            tos: match self.config.tos() {
                TOS_INHERIT => inner_tos(),
                tos => tos,
            },
            mark: frame.mark,
            source_port: if ports { self.source_port(frame) } else { 0 },
            destination_port: if ports {
                self.destination_port(remote.port)
            } else {
                0
            },
        }
    }

    /// What to ask the routing table before [`encapsulate_by_info`](Self::encapsulate_by_info);
    /// `None` if there is no tunnel metadata beside the frame.
    #[must_use]
    pub fn route_query_by_info(&self, frame: &Packet<'_>) -> Option<RouteQuery> {
        let info = frame.tunnel.as_ref()?;
        Some(RouteQuery {
            destination: info.destination,
            source: info.source,
            ifindex: None,
            tos: info.tos,
            mark: frame.mark,
            source_port: self.source_port(frame),
            destination_port: self.destination_port(info.destination_port),
        })
    }
}
