//! A host on the overlay: smoltcp behind a VTEP.

use core::net::IpAddr;
use std::time::Instant;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::{icmp, tcp};
use smoltcp::time::Instant as Timestamp;
use smoltcp::wire::{
    EthernetAddress, Icmpv4Packet, Icmpv4Repr, Icmpv6Packet, Icmpv6Repr, IpAddress, IpCidr,
};
use vxlan_std::smoltcp::Adapter;

use super::link::Link;

/// The port that the transfer goes to: "discard", though every byte is looked at.
const PORT: u16 = 9;
/// Where the transfer comes from.
const CLIENT_PORT: u16 = 50000;
/// What marks the echo requests of this program.
const IDENT: u16 = 0x7674;
/// Bytes of each TCP buffer, and so of the window.
const WINDOW: usize = 512 << 10;

/// One host with an address, a TCP socket and a socket for echoes.
pub(super) struct Host {
    pub(super) address: IpAddr,
    port: Adapter<Link>,
    interface: Interface,
    sockets: SocketSet<'static>,
    tcp: SocketHandle,
    icmp: SocketHandle,
    started: Instant,
}

impl Host {
    /// A host with the MAC address of the VTEP's device.
    pub(super) fn new(link: Link, address: IpAddr, mtu: u16, started: Instant) -> Self {
        let mac = EthernetAddress(link.mac().octets());
        let mut port = Adapter::new(link, mtu);
        let mut config = Config::new(mac.into());
        config.random_seed = u64::from(mac.0[5]);
        let mut interface = Interface::new(config, &mut port, Timestamp::ZERO);
        interface.update_ip_addrs(|addresses| {
            let prefix = if address.is_ipv4() { 24 } else { 64 };
            // There is room for more than one.
            let _ = addresses.push(IpCidr::new(address.into(), prefix));
        });
        let mut sockets = SocketSet::new(Vec::new());
        let window = || tcp::SocketBuffer::new(vec![0; WINDOW]);
        let tcp = sockets.add(tcp::Socket::new(window(), window()));
        let echoes = || icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; 4], vec![0; 512]);
        let icmp = sockets.add(icmp::Socket::new(echoes(), echoes()));
        Self {
            address,
            port,
            interface,
            sockets,
            tcp,
            icmp,
            started,
        }
    }

    /// Lets the host receive all there is and send what it may.
    pub(super) fn poll(&mut self) {
        self.port.overlay.tick();
        let now = self.now();
        self.interface.poll(now, &mut self.port, &mut self.sockets);
    }

    pub(super) fn link(&self) -> &Link {
        &self.port.overlay
    }

    pub(super) fn link_mut(&mut self) -> &mut Link {
        &mut self.port.overlay
    }

    pub(super) fn into_link(self) -> Link {
        self.port.overlay
    }

    /// Sends an echo request; false if there is no room for it.
    pub(super) fn ping(&mut self, to: IpAddr, seq_no: u16) -> bool {
        let checksums = ChecksumCapabilities::default();
        let socket = self.sockets.get_mut::<icmp::Socket<'_>>(self.icmp);
        if !socket.is_open() && socket.bind(icmp::Endpoint::Ident(IDENT)).is_err() {
            return false;
        }
        let data: &[u8] = b"a frame in a datagram, and back again";
        match (self.address, to) {
            (IpAddr::V4(_), IpAddr::V4(_)) => {
                let echo = Icmpv4Repr::EchoRequest {
                    ident: IDENT,
                    seq_no,
                    data,
                };
                let Ok(room) = socket.send(echo.buffer_len(), to.into()) else {
                    return false;
                };
                echo.emit(&mut Icmpv4Packet::new_unchecked(room), &checksums);
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let echo = Icmpv6Repr::EchoRequest {
                    ident: IDENT,
                    seq_no,
                    data,
                };
                let Ok(room) = socket.send(echo.buffer_len(), to.into()) else {
                    return false;
                };
                let mut packet = Icmpv6Packet::new_unchecked(room);
                echo.emit(&from, &to, &mut packet, &checksums);
            }
            _ => return false,
        }
        true
    }

    /// The sequence number of the next echo reply that has come.
    pub(super) fn pong(&mut self) -> Option<u16> {
        let checksums = ChecksumCapabilities::default();
        let socket = self.sockets.get_mut::<icmp::Socket<'_>>(self.icmp);
        let (bytes, from) = socket.recv().ok()?;
        match (self.address, from) {
            (IpAddr::V4(_), IpAddress::Ipv4(_)) => {
                let packet = Icmpv4Packet::new_checked(bytes).ok()?;
                match Icmpv4Repr::parse(&packet, &checksums).ok()? {
                    Icmpv4Repr::EchoReply { seq_no, .. } => Some(seq_no),
                    _ => None,
                }
            }
            (IpAddr::V6(own), IpAddress::Ipv6(from)) => {
                let packet = Icmpv6Packet::new_checked(bytes).ok()?;
                match Icmpv6Repr::parse(&from, &own, &packet, &checksums).ok()? {
                    Icmpv6Repr::EchoReply { seq_no, .. } => Some(seq_no),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Waits for a connection.
    pub(super) fn listen(&mut self) -> bool {
        self.socket().listen(PORT).is_ok()
    }

    /// Begins a connection.
    pub(super) fn connect(&mut self, to: IpAddr) -> bool {
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        socket
            .connect(self.interface.context(), (to, PORT), CLIENT_PORT)
            .is_ok()
    }

    /// Lets `write` fill what room there is in the window; it returns how much of it it filled.
    pub(super) fn send(&mut self, write: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let socket = self.socket();
        if !socket.can_send() {
            return 0;
        }
        let written = socket.send(|room| {
            let len = write(room);
            (len, len)
        });
        written.unwrap_or_default()
    }

    /// Lets `read` see what has come, all of which is taken.
    pub(super) fn recv(&mut self, read: impl FnOnce(&[u8])) -> usize {
        let socket = self.socket();
        if !socket.can_recv() {
            return 0;
        }
        let taken = socket.recv(|bytes| {
            read(bytes);
            (bytes.len(), bytes.len())
        });
        taken.unwrap_or_default()
    }

    /// Says that no more is to come.
    pub(super) fn close(&mut self) {
        self.socket().close();
    }

    /// Whether the other host has said that no more is to come, and everything before it is here.
    pub(super) fn finished(&mut self) -> bool {
        let socket = self.socket();
        socket.state() == tcp::State::CloseWait && !socket.can_recv()
    }

    /// Whether the connection has ended in good order.
    pub(super) fn closed(&mut self) -> bool {
        matches!(
            self.socket().state(),
            tcp::State::Closed | tcp::State::TimeWait
        )
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.tcp)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.started.elapsed().as_micros() as i64)
    }
}
