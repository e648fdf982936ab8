//! Ports: those that VTEPs listen on, and those they send from.

use core::net::SocketAddr;
use std::io;

use vxlan_core::{Config, PortRange, Salt, Vni};
use vxlan_std::socket::{Receiver, Sender};

use super::link::Ends;

/// How many source ports a VTEP uses: each has a socket of its own, see [`Sender`].
const SOURCE_PORTS: u16 = 16;

/// The sockets of two VTEPs, each at the address and port that is wanted, or at another port if
/// somebody has that one already, for instance a VXLAN device of this host.
pub(super) fn bind([a, b]: [SocketAddr; 2]) -> io::Result<[Receiver; 2]> {
    let first = bind_near(a)?;
    // One port for both, if there are two addresses: that is how VTEPs usually are.
    let moved = first.local().port() != a.port() && a.ip() != b.ip();
    let port = if moved {
        first.local().port()
    } else {
        b.port()
    };
    let second = bind_near(SocketAddr::new(b.ip(), port))?;
    Ok([first, second])
}

/// A socket at `wanted`, or at any port if that one is taken.
fn bind_near(wanted: SocketAddr) -> io::Result<Receiver> {
    match Receiver::bind(wanted, None) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Receiver::bind(SocketAddr::new(wanted.ip(), 0), None)
        }
        bound => bound,
    }
}

/// The configuration of a VTEP, with source ports of its own, and the sockets for them.
///
/// With a range of its own a VTEP leaves by exactly the port that the core picked, the one that
/// stands in the capture.
pub(super) fn config(ends: Ends, vni: Vni) -> io::Result<(Config, Sender)> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
    let base = Config::new(vni)
        .local(ends.local.ip())
        .remote(ends.peer.ip())
        .port(ends.peer.port())
        .salt(Salt::new(salt));
    let sender = |config: &Config| -> io::Result<Sender> {
        let valid = config.clone().validate().map_err(io::Error::other)?;
        Sender::new(&valid)
    };
    for low in (49152..60000).step_by(usize::from(SOURCE_PORTS)) {
        let Some(range) = PortRange::new(low, low + SOURCE_PORTS) else {
            break;
        };
        let config = base.clone().port_range(range);
        let all = |sender: &Sender| {
            let ports = sender.ports().unwrap_or_default();
            ports.len() == usize::from(SOURCE_PORTS)
        };
        if let Some(sender) = sender(&config).ok().filter(all) {
            return Ok((config, sender));
        }
    }
    let sender = sender(&base)?;
    Ok((base, sender))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_replaced_for_both() {
        let taken = Receiver::bind("127.0.0.1:0".parse().unwrap(), None).unwrap();
        let a = taken.local();
        let b = SocketAddr::new("127.0.0.2".parse().unwrap(), a.port());
        let [first, second] = bind([a, b]).unwrap().map(|socket| socket.local());
        assert_ne!(first.port(), a.port());
        assert_eq!(first.ip(), a.ip());
        assert_eq!(second, SocketAddr::new(b.ip(), first.port()));
    }

    #[test]
    fn one_address_needs_two_ports() {
        let taken = Receiver::bind("127.0.0.1:0".parse().unwrap(), None).unwrap();
        let [a, b] = bind([taken.local(); 2])
            .unwrap()
            .map(|socket| socket.local());
        assert_eq!((a.ip(), b.ip()), (taken.local().ip(), taken.local().ip()));
        assert_ne!(a.port(), b.port());
    }

    #[test]
    fn an_address_of_another_host_is_an_error() {
        let elsewhere = "192.0.2.1:0".parse().unwrap();
        assert!(bind([elsewhere; 2]).is_err());
    }
}
