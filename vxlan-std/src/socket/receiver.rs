//! The socket that receives for a UDP port.

use core::net::{IpAddr, SocketAddr};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use socket2::{Protocol, Socket, Type};
use vxlan_core::{IfIndex, Underlay};

use super::{domain, options};
use crate::interface::ip_address;

/// Bytes the kernel may keep for the socket; it grants what `net.core.rmem_max` allows.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Enough for the packet information and the type of service of either family.
const CONTROL: usize = 128;

/// A UDP socket that receives VXLAN packets of one address family. Never blocks.
#[derive(Debug)]
pub struct Receiver {
    socket: Socket,
    local: SocketAddr,
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Datagram {
    /// What the underlay tells about it.
    pub from: Underlay,
    /// Its length in bytes, or how much of it there was room for.
    pub len: usize,
    /// It was longer than the buffer.
    pub truncated: bool,
}

/// What control messages are received into. The kernel's headers want this alignment.
#[repr(align(16))]
struct Control([u8; CONTROL]);

impl Receiver {
    /// A socket for `local`, with the kernel's multicast loopback off. An IPv6 socket receives
    /// IPv6 only. With `interface` it is tied to that interface; a VRF needs it, otherwise the
    /// kernel's VXLAN sockets are not tied either.
    ///
    /// # Errors
    /// Those of `socket()` and `bind()`, [`io::ErrorKind::AddrInUse`] among them.
    pub fn bind(local: SocketAddr, interface: Option<IfIndex>) -> io::Result<Self> {
        let ipv6 = local.is_ipv6();
        let socket = Socket::new(domain(ipv6), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if ipv6 {
            socket.set_only_v6(true)?;
            socket.set_recv_tclass_v6(true)?;
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
            socket.set_multicast_loop_v6(false)?;
        } else {
            socket.set_recv_tos_v4(true)?;
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
            socket.set_multicast_loop_v4(false)?;
        }
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        if let Some(interface) = interface {
            options::bind_to_interface(&socket, interface.get())?;
        }
        socket.bind(&local.into())?;
        let local = socket
            .local_addr()?
            .as_socket()
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { socket, local })
    }

    /// Accepts packets without UDP checksum over IPv6 (RFC 6935). IPv4 always does.
    ///
    /// # Errors
    /// Those of `setsockopt()`.
    pub fn accept_zero_checksum(&self) -> io::Result<()> {
        if self.local.is_ipv6() {
            options::accept_no_checksum_v6(&self.socket)?;
        }
        Ok(())
    }

    /// The address and port it is bound to.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Receives one datagram into `buffer`; `None` if there is none.
    ///
    /// # Errors
    /// Those of `recvmsg()`.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<Option<Datagram>> {
        let mut control = Control([0; CONTROL]);
        let mut parts = [IoSliceMut::new(buffer)];
        let message = loop {
            match recvmsg::<SockaddrStorage>(
                self.socket.as_raw_fd(),
                &mut parts,
                Some(&mut control.0),
                MsgFlags::empty(),
            ) {
                Ok(message) => break message,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        };
        let source = message.address.as_ref().and_then(ip_address);
        let mut from = Underlay::new(source.ok_or(io::ErrorKind::InvalidData)?);
        for control in message.cmsgs().into_iter().flatten() {
            match control {
                ControlMessageOwned::Ipv4Tos(tos) => from.tos = tos,
                ControlMessageOwned::Ipv6TClass(class) => {
                    from.tos = u8::try_from(class).unwrap_or_default();
                }
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    from.ifindex = u32::try_from(info.ipi_ifindex).ok().and_then(IfIndex::new);
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    from.ifindex = IfIndex::new(info.ipi6_ifindex);
                }
                _ => {}
            }
        }
        Ok(Some(Datagram {
            from,
            len: message.bytes,
            truncated: message.flags.contains(MsgFlags::MSG_TRUNC),
        }))
    }

    /// Joins a group on an interface, or on the one that the route to the group names. Being in it
    /// already is fine.
    ///
    /// # Errors
    /// Those of `setsockopt()`.
    pub fn join(&self, group: IpAddr, interface: Option<IfIndex>) -> io::Result<()> {
        let joined = match group {
            IpAddr::V4(group) => self
                .socket
                .join_multicast_v4_n(&group, &by(number(interface))),
            IpAddr::V6(group) => self.socket.join_multicast_v6(&group, number(interface)),
        };
        match joined {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(()),
            other => other,
        }
    }

    /// Leaves a group on an interface, or wherever it was joined first.
    ///
    /// # Errors
    /// Those of `setsockopt()`.
    pub fn leave(&self, group: IpAddr, interface: Option<IfIndex>) -> io::Result<()> {
        match group {
            IpAddr::V4(group) => self
                .socket
                .leave_multicast_v4_n(&group, &by(number(interface))),
            IpAddr::V6(group) => self.socket.leave_multicast_v6(&group, number(interface)),
        }
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Zero leaves it to the route.
fn number(interface: Option<IfIndex>) -> u32 {
    interface.map_or(0, IfIndex::get)
}

const fn by(interface: u32) -> socket2::InterfaceIndexOrAddress {
    socket2::InterfaceIndexOrAddress::Index(interface)
}
