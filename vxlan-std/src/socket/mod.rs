//! UDP sockets: one that receives for a port, and a few that send for a device.

mod control;
pub(crate) mod options;
mod receiver;
mod sender;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

pub use receiver::{Datagram, Receiver};
pub use sender::{SendError, SendErrors, Sender};
use socket2::Domain;

/// An address of no host, of the wanted family.
pub(crate) const fn unspecified(ipv6: bool) -> IpAddr {
    if ipv6 {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    }
}

/// A socket address; link-local ones need the interface.
pub(crate) const fn endpoint(addr: IpAddr, port: u16, ifindex: u32) -> SocketAddr {
    match addr {
        IpAddr::V6(addr) => SocketAddr::V6(SocketAddrV6::new(addr, port, 0, ifindex)),
        addr @ IpAddr::V4(_) => SocketAddr::new(addr, port),
    }
}

const fn domain(ipv6: bool) -> Domain {
    if ipv6 { Domain::IPV6 } else { Domain::IPV4 }
}
