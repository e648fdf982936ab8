//! What the host's routing tables say about a remote.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::HashMap;
use std::io;

use nix::sys::socket::{getsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use vxlan_core::{IfIndex, Instant, Route, RouteError, RouteKind};

use crate::interface;
use crate::socket::{endpoint, options, unspecified};

/// How long an answer is good for. Routes change without telling.
const LIFETIME: Duration = Duration::from_secs(3);
/// How long to believe that there is no route: not long, for the next frame waits for one.
const LIFETIME_NONE: Duration = Duration::from_millis(250);
/// Learned remotes come from the network: more answers than this are not kept.
const CAPACITY: usize = 4096;
/// UDP's discard port. Nothing is sent there: connecting only looks up the route.
const DISCARD: u16 = 9;

/// Asks the kernel for routes and remembers the answers for a few seconds.
///
/// A UDP socket that is connected to the remote knows its source address, path MTU and hop
/// limit. The TOS byte takes no part in the look-up, and whether an MTU is locked stays unknown.
#[derive(Debug, Default)]
pub struct Routes {
    answers: HashMap<Question, Answer>,
    overlays: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Question {
    destination: IpAddr,
    source: IpAddr,
    ifindex: Option<IfIndex>,
}

#[derive(Debug)]
struct Answer {
    route: Result<Route, RouteError>,
    until: Instant,
}

impl Routes {
    /// No answers yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Frames from the interface `name` are what is encapsulated: a route that leads there is a
    /// [loop](RouteError::Loop).
    pub fn add_overlay(&mut self, name: &str) {
        self.overlays.push(name.to_owned());
        self.answers.clear();
    }

    /// They are not any more.
    pub fn remove_overlay(&mut self, name: &str) {
        self.overlays.retain(|overlay| overlay != name);
        self.answers.clear();
    }

    /// The way to `destination` by the interface `ifindex`, if one is given, from `source`,
    /// unless that is unspecified.
    ///
    /// # Errors
    /// [`RouteError`] if there is none.
    pub fn find(
        &mut self,
        now: Instant,
        destination: IpAddr,
        source: IpAddr,
        ifindex: Option<IfIndex>,
    ) -> Result<Route, RouteError> {
        let question = Question {
            destination,
            source,
            ifindex,
        };
        if let Some(answer) = self.answers.get(&question)
            && now < answer.until
        {
            return answer.route;
        }
        let route = self.ask(&question);
        if self.answers.len() >= CAPACITY {
            self.answers.retain(|_, answer| now < answer.until);
        }
        if self.answers.len() >= CAPACITY {
            self.answers.clear();
        }
        let until = now
            + if route.is_ok() {
                LIFETIME
            } else {
                LIFETIME_NONE
            };
        self.answers.insert(question, Answer { route, until });
        route
    }

    /// Asks anew next time: the kernel has refused a packet that took this route.
    pub fn forget(&mut self, destination: IpAddr, source: IpAddr, ifindex: Option<IfIndex>) {
        self.answers.remove(&Question {
            destination,
            source,
            ifindex,
        });
    }

    fn ask(&self, question: &Question) -> Result<Route, RouteError> {
        let route = probe(question).map_err(|_| RouteError::Unreachable)?;
        if !self.overlays.is_empty()
            && route.kind != RouteKind::Local
            && self.leads_back(question, route.source)
        {
            return Err(RouteError::Loop);
        }
        Ok(route)
    }

    /// The route prefers the address of an overlay interface as its source, so it leads there. A
    /// configured source says nothing; the route is asked for its own.
    fn leads_back(&self, question: &Question, source: IpAddr) -> bool {
        let source = if question.source.is_unspecified() {
            source
        } else {
            let natural = Question {
                source: unspecified(question.destination.is_ipv6()),
                ..*question
            };
            match probe(&natural) {
                Ok(route) => route.source,
                Err(_) => return false,
            }
        };
        interface::any_has(&self.overlays, source)
    }
}

/// Connects a socket and looks at what it got.
fn probe(question: &Question) -> io::Result<Route> {
    let ifindex = question.ifindex.map_or(0, IfIndex::get);
    let destination = endpoint(question.destination, DISCARD, ifindex);
    let socket = unbound(&destination)?;
    if ifindex != 0 {
        options::bind_to_interface(&socket, ifindex)?;
    }
    if !question.source.is_unspecified() {
        socket.bind(&endpoint(question.source, 0, ifindex).into())?;
    }
    let broadcast = match socket.connect(&destination.into()) {
        // Without SO_BROADCAST the kernel refuses broadcast addresses, and nothing else, this way.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            socket.set_broadcast(true)?;
            socket.connect(&destination.into())?;
            true
        }
        other => {
            other?;
            false
        }
    };
    let source = socket
        .local_addr()?
        .as_socket()
        .ok_or(io::ErrorKind::AddrNotAvailable)?
        .ip();
    let (mtu, hop_limit) = if destination.is_ipv6() {
        (options::mtu_v6(&socket)?, socket.unicast_hops_v6()?)
    } else {
        (getsockopt(&socket, sockopt::IpMtu)?, socket.ttl_v4()?)
    };
    let kind = if question.destination.is_multicast() {
        RouteKind::Multicast
    } else if broadcast {
        RouteKind::Broadcast
    } else if is_local(&destination) {
        RouteKind::Local
    } else {
        RouteKind::Unicast
    };
    // The kernel fills in the outer UDP checksum.
    Ok(Route::new(source, u32::try_from(mtu).unwrap_or(0))
        .hop_limit(u8::try_from(hop_limit).unwrap_or(64))
        .kind(kind)
        .checksum_offload(true))
}

/// One can bind to the host's own addresses only.
fn is_local(address: &SocketAddr) -> bool {
    let mut address = *address;
    address.set_port(0);
    unbound(&address).is_ok_and(|socket| socket.bind(&address.into()).is_ok())
}

fn unbound(address: &SocketAddr) -> io::Result<Socket> {
    Socket::new(
        Domain::for_address(*address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(routes: &mut Routes, to: &str, from: &str) -> Result<Route, RouteError> {
        let (to, from) = (to.parse().unwrap(), from.parse().unwrap());
        routes.find(Instant::ZERO, to, from, None)
    }

    #[test]
    fn loopback_is_local() {
        let mut routes = Routes::new();
        for (to, from, want) in [
            ("127.0.0.2", "0.0.0.0", "127.0.0.1"),
            ("127.0.0.2", "127.0.0.3", "127.0.0.3"),
            ("::1", "::", "::1"),
        ] {
            let route = find(&mut routes, to, from).unwrap();
            assert_eq!(route.source.to_string(), want);
            assert_eq!(route.kind, RouteKind::Local, "{to}");
            assert!(route.mtu >= 1500, "{}", route.mtu);
            assert!(route.hop_limit > 0 && route.checksum_offload);
        }
    }

    #[test]
    fn a_foreign_source_has_no_route() {
        let mut routes = Routes::new();
        let got = find(&mut routes, "127.0.0.1", "192.0.2.77");
        assert_eq!(got, Err(RouteError::Unreachable));
    }

    #[test]
    fn answers_are_bounded_and_expire() {
        let mut routes = Routes::new();
        for host in 0..CAPACITY as u32 + 10 {
            let to = core::net::Ipv4Addr::from_bits(0x7f00_0001 + host).into();
            let from = IpAddr::from([0; 4]);
            routes.find(Instant::ZERO, to, from, None).unwrap();
        }
        assert!(routes.answers.len() <= CAPACITY);
        let (to, from) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([0; 4]));
        let until = |routes: &Routes| routes.answers.values().map(|answer| answer.until).max();
        let late = Instant::ZERO + LIFETIME;
        routes.find(late, to, from, None).unwrap();
        assert_eq!(until(&routes), Some(late + LIFETIME));
        routes.forget(to, from, None);
        assert!(until(&routes) <= Some(late));
    }
}
