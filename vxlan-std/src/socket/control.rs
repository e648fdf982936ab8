//! Control messages of one outgoing packet, written into a buffer on the stack.
//!
//! nix builds them as well, in memory that it allocates for each packet.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::libc::{self, c_int};

/// `struct cmsghdr`: length, level, type.
const HEADER: usize = size_of::<usize>() + 2 * size_of::<c_int>();
/// Enough for three messages, the longest of them `struct in6_pktinfo`.
const ROOM: usize = 2 * space(size_of::<c_int>()) + space(20);

/// The bytes a message takes with its padding (`CMSG_SPACE()`).
const fn space(len: usize) -> usize {
    HEADER.next_multiple_of(ALIGN) + len.next_multiple_of(ALIGN)
}

const ALIGN: usize = size_of::<usize>();

/// Type of service, time to live, source address and interface of one packet.
#[derive(Debug)]
pub(super) struct Control {
    bytes: [u8; ROOM],
    len: usize,
}

impl Control {
    /// For a packet from `source` by the interface `ifindex`, zero for the route's.
    pub(super) fn new(source: IpAddr, ifindex: u32, tos: u8, ttl: u8) -> Self {
        let mut control = Self {
            bytes: [0; ROOM],
            len: 0,
        };
        let (tos, ttl) = (
            c_int::from(tos).to_ne_bytes(),
            c_int::from(ttl).to_ne_bytes(),
        );
        match source {
            IpAddr::V4(source) => {
                control.put(
                    libc::IPPROTO_IP,
                    libc::IP_PKTINFO,
                    &info_v4(source, ifindex),
                );
                control.put(libc::IPPROTO_IP, libc::IP_TOS, &tos);
                control.put(libc::IPPROTO_IP, libc::IP_TTL, &ttl);
            }
            IpAddr::V6(source) => {
                let info = info_v6(source, ifindex);
                control.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
                control.put(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &tos);
                control.put(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &ttl);
            }
        }
        control
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn put(&mut self, level: c_int, kind: c_int, data: &[u8]) {
        let header = HEADER.next_multiple_of(ALIGN);
        let message = (header + data.len())
            .to_ne_bytes()
            .into_iter()
            .chain(level.to_ne_bytes())
            .chain(kind.to_ne_bytes())
            .chain(core::iter::repeat_n(0, header - HEADER))
            .chain(data.iter().copied());
        for (byte, from) in self.bytes.iter_mut().skip(self.len).zip(message) {
            *byte = from;
        }
        self.len += space(data.len());
    }
}

/// `struct in_pktinfo`: interface, source, and a field that only received packets have.
fn info_v4(source: Ipv4Addr, ifindex: u32) -> [u8; 12] {
    let mut info = [0; 12];
    let fields = ifindex.to_ne_bytes().into_iter().chain(source.octets());
    for (byte, from) in info.iter_mut().zip(fields) {
        *byte = from;
    }
    info
}

/// `struct in6_pktinfo`: source, interface.
fn info_v6(source: Ipv6Addr, ifindex: u32) -> [u8; 20] {
    let mut info = [0; 20];
    let fields = source.octets().into_iter().chain(ifindex.to_ne_bytes());
    for (byte, from) in info.iter_mut().zip(fields) {
        *byte = from;
    }
    info
}
