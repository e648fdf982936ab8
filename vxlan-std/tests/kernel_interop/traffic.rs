//! Ping, TCP and UDP inside the overlay, by sockets of our own: the tests need no other tools.

use crate::lab::Host;
use crate::runner::PATIENCE;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Sends echo requests with `size` bytes from `host` until one is answered with the same bytes.
pub(crate) fn ping(host: &Host, to: IpAddr, size: usize) {
    assert!(
        try_ping(host, to, size, PATIENCE),
        "no answer to {size} bytes from host {} to {to}",
        host.number
    );
}

/// As [`ping`]; false if there is no answer within `patience`.
pub(crate) fn try_ping(host: &Host, to: IpAddr, size: usize, patience: Duration) -> bool {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let identifier = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let (domain, protocol, request, reply) = match to {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4, 8, 0),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6, 128, 129),
    };
    let socket = host.within(|| Socket::new(domain, Type::RAW, Some(protocol)));
    let socket = socket.expect("a raw socket");
    let timeout = Some(Duration::from_millis(200));
    socket.set_read_timeout(timeout).expect("a timeout");

    // Type, code, checksum, identifier, sequence number (RFC 792, RFC 4443 section 4).
    let mut message = vec![request, 0, 0, 0, identifier[0], identifier[1], 0, 1];
    message.extend((0..size).map(|index| index as u8));
    if to.is_ipv4() {
        // The kernel fills the checksum in for ICMPv6 only.
        let sum = internet_checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    let address = SockAddr::from(SocketAddr::new(to, 0));
    let mut buffer = vec![0; 1 << 16];
    let end = Instant::now() + patience;
    while Instant::now() < end {
        // A send may fail while an address is not resolved.
        let _ = socket.send_to(&message, &address);
        while let Ok(len) = (&socket).read(&mut buffer) {
            // IPv4 raw sockets get the IP header too.
            let header = match to {
                IpAddr::V4(_) => usize::from(buffer[0] & 0xf) * 4,
                IpAddr::V6(_) => 0,
            };
            let received = &buffer[header..len];
            if received.first() == Some(&reply) && received.get(4..) == message.get(4..) {
                return true;
            }
        }
    }
    false
}

/// One TCP connection from `client` to `server` at `address`, `len` bytes each way at once,
/// compared byte by byte.
pub(crate) fn tcp_exchange(client: &Host, server: &Host, address: IpAddr, len: usize) {
    let listener = server.within(|| TcpListener::bind((address, 0)).expect("to listen"));
    let address = listener.local_addr().expect("the listener's address");
    let connect = || TcpStream::connect_timeout(&address, PATIENCE);
    let connected = client.within(connect).expect("to connect");
    let (accepted, _) = listener.accept().expect("to accept");
    let (to_server, to_client) = (noise(1, len), noise(2, len));
    thread::scope(|scope| {
        for (stream, bytes) in [(&connected, &to_server), (&accepted, &to_client)] {
            scope.spawn(move || {
                let mut stream = stream;
                stream.write_all(bytes).expect("to write")
            });
        }
        for (stream, expected) in [(&connected, &to_client), (&accepted, &to_server)] {
            scope.spawn(move || {
                let mut received = vec![0; expected.len()];
                stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
                let mut stream = stream;
                stream.read_exact(&mut received).expect("to read");
                assert!(received == *expected, "other bytes than were sent");
            });
        }
    });
}

/// Sends one UDP datagram per source port in `flows` from `host`, with type of service `tos`.
pub(crate) fn udp_flows(host: &Host, to: IpAddr, flows: impl Iterator<Item = u16> + Send, tos: u8) {
    host.within(|| {
        for port in flows {
            let any: IpAddr = match to {
                IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
                IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
            };
            let socket = UdpSocket::bind((any, port)).expect("a UDP socket");
            let options = socket2::SockRef::from(&socket);
            match to {
                IpAddr::V4(_) => options.set_tos_v4(tos.into()),
                IpAddr::V6(_) => options.set_tclass_v6(tos.into()),
            }
            .expect("a type of service");
            socket.send_to(&[0x55; 32], (to, 9)).expect("to send");
        }
    });
}

/// RFC 1071.
fn internet_checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([
            pair[0],
            pair.get(1).copied().unwrap_or(0),
        ]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Bytes that do not repeat soon, so that lost or moved pieces show.
fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}
