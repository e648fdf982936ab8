//! The sockets that send for one device.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use std::io::{self, IoSlice};

use nix::libc;
use socket2::{MsgHdr, Protocol, SockAddr, Socket, Type};
use vxlan_core::device::{Outer, Valid};
use vxlan_core::{Flags, IfIndex, PortRange};

use super::control::Control;
use super::{domain, endpoint, options, unspecified};

/// How many sockets, and so source ports, a device sends from.
const PORTS: u16 = 16;
/// They receive nothing that anybody reads: the kernel grants its minimum.
const RECEIVE_BUFFER: usize = 0;

/// A pool of UDP sockets that a device sends through.
///
/// Every socket has a source port of its own, and the port that the core picks for a flow
/// chooses the socket. So equal-cost paths are used evenly and a flow stays in order, without a
/// privilege. There are 16 ports: ephemeral ones, or, if the device has a range, spread over it;
/// of a range of 16 or fewer all are there and the port is exactly that of the core. Ports that
/// somebody has are left out, and nobody can receive on those that are taken here.
#[derive(Debug)]
pub struct Sender {
    ports: Vec<Port>,
    range: PortRange,
}

#[derive(Debug)]
struct Port {
    socket: Socket,
    dont_fragment: bool,
}

impl Sender {
    /// Sockets for a device with this configuration.
    ///
    /// # Errors
    /// Those of `socket()` and `bind()`; [`io::ErrorKind::AddrInUse`] if no port of the range is
    /// free.
    pub fn new(config: &Valid) -> io::Result<Self> {
        let range = config.source_ports();
        let mut ports = Vec::new();
        let mut refused = None;
        for number in numbers(config.port_range()) {
            match Port::new(config, number) {
                Ok(port) => ports.push(port),
                // Other ports of the range do as well.
                Err(error) if number != 0 && error.kind() == io::ErrorKind::AddrInUse => {
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match refused {
            Some(error) if ports.is_empty() => Err(error),
            _ => Ok(Self { ports, range }),
        }
    }

    /// Sends an encapsulated frame from `source`.
    ///
    /// # Errors
    /// Why the kernel refused it; nothing was sent then.
    pub fn send(&mut self, outer: &Outer<'_>, source: IpAddr) -> Result<(), SendError> {
        let slot = slot(self.range, outer.source_port(), self.ports.len());
        let port = self.ports.get_mut(slot).ok_or(SendError::Other)?;
        port.send(outer, source)
            .map_err(|error| SendError::of(&error))
    }

    /// The source ports.
    ///
    /// # Errors
    /// Those of `getsockname()`.
    pub fn ports(&self) -> io::Result<Vec<u16>> {
        let port = |port: &Port| {
            let address = port.socket.local_addr()?.as_socket();
            Ok(address.ok_or(io::ErrorKind::AddrNotAvailable)?.port())
        };
        self.ports.iter().map(port).collect()
    }
}

impl Port {
    fn new(config: &Valid, number: u16) -> io::Result<Self> {
        let ipv6 = config.is_ipv6();
        let socket = Socket::new(domain(ipv6), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        let silent = if ipv6 {
            socket.set_only_v6(true)?;
            socket.set_multicast_loop_v6(false)?;
            options::never_fragment_v6(&socket)?;
            options::own_flow_label(&socket)?;
            Flags::UDP_ZERO_CSUM6_TX
        } else {
            socket.set_multicast_loop_v4(false)?;
            socket.set_broadcast(true)?;
            options::dont_fragment_v4(&socket, false)?;
            Flags::UDP_ZERO_CSUM_TX
        };
        if config.flags().contains(silent) {
            options::no_checksum(&socket, ipv6)?;
        }
        if number != 0 {
            // Several devices may be told the same range; none of them reads.
            socket.set_reuse_port(true)?;
        }
        socket.bind(&endpoint(unspecified(ipv6), number, 0).into())?;
        Ok(Self {
            socket,
            dont_fragment: false,
        })
    }

    fn send(&mut self, outer: &Outer<'_>, source: IpAddr) -> io::Result<()> {
        if outer.dont_fragment() != self.dont_fragment && source.is_ipv4() {
            options::dont_fragment_v4(&self.socket, outer.dont_fragment())?;
            self.dont_fragment = outer.dont_fragment();
        }
        let ifindex = outer.ifindex().map_or(0, IfIndex::get);
        let mut to = endpoint(outer.destination(), outer.destination_port(), ifindex);
        if let SocketAddr::V6(to) = &mut to {
            // A field of the address in network byte order.
            to.set_flowinfo(outer.flow_label().to_be());
        }
        let to = SockAddr::from(to);
        let control = Control::new(source, ifindex, outer.tos(), outer.ttl());
        let payload = [IoSlice::new(outer.udp_payload())];
        let message = MsgHdr::new()
            .with_addr(&to)
            .with_buffers(&payload)
            .with_control(control.bytes());
        loop {
            match self.socket.sendmsg(&message, 0) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The source ports for a range; zeros, which the kernel replaces, if there is none.
fn numbers(range: PortRange) -> impl Iterator<Item = u16> {
    let (low, span) = (range.low(), range.high() - range.low());
    let count = if span == 0 { PORTS } else { PORTS.min(span) };
    (0..count).map(move |slot| match span {
        0 => 0,
        span => low + (u32::from(slot) * u32::from(span) / u32::from(count)) as u16,
    })
}

/// Which of `count` sockets serves the flow that was given `port` out of `range`.
fn slot(range: PortRange, port: u16, count: usize) -> usize {
    let span = usize::from(range.high() - range.low()).max(1);
    usize::from(port.saturating_sub(range.low())) * count / span
}

/// Why the kernel refused a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// Longer than the path allows and not to be cut (`EMSGSIZE`).
    TooBig,
    /// No way there, or the interface is down (`ENETUNREACH`, `EHOSTUNREACH`, `ENETDOWN`).
    Unreachable,
    /// The queue or the memory is full (`EAGAIN`, `ENOBUFS`, `ENOMEM`).
    Congested,
    /// A rule of the host forbids it (`EPERM`, `EACCES`).
    Forbidden,
    /// Anything else, for instance a source address that is gone (`EINVAL`).
    Other,
}

impl SendError {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::TooBig,
        Self::Unreachable,
        Self::Congested,
        Self::Forbidden,
        Self::Other,
    ];

    /// A short name in lower case, fit for a counter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooBig => "send-too-big",
            Self::Unreachable => "send-unreachable",
            Self::Congested => "send-congested",
            Self::Forbidden => "send-forbidden",
            Self::Other => "send-other",
        }
    }

    fn of(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EMSGSIZE) => Self::TooBig,
            Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN | libc::ENODEV) => {
                Self::Unreachable
            }
            Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => Self::Congested,
            Some(libc::EPERM | libc::EACCES) => Self::Forbidden,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for SendError {}

/// How many packets the kernel refused, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendErrors([u64; SendError::ALL.len()]);

impl SendErrors {
    /// How many were refused for `reason`.
    #[must_use]
    pub fn count(&self, reason: SendError) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, reason: SendError) {
        if let Some(count) = self.0.get_mut(reason as usize) {
            *count = count.wrapping_add(1);
        }
    }
}
