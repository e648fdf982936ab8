//! What the host's IP and UDP layers do with a frame from the wire, before a tunnel sees it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vxlan_core::Instant;

const ETHERNET: usize = 14;
const UDP: u8 = 17;
const CE: u8 = 3;

/// A datagram that reached a UDP port, its length and checksum verified.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) tos: u8,
    pub(crate) port: u16,
    /// The checksum field was zero.
    pub(crate) unchecked: bool,
    pub(crate) payload: Vec<u8>,
}

/// An IP packet without its headers.
#[derive(Clone, Debug)]
pub(crate) struct IpPayload {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) tos: u8,
    protocol: u8,
    fragment: Option<Fragment>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fragment {
    id: u32,
    offset: usize,
    more: bool,
}

impl IpPayload {
    /// The IP packet of an Ethernet frame, if its header is sound.
    pub(crate) fn of_frame(frame: &[u8]) -> Option<Self> {
        let packet = frame.get(ETHERNET..)?;
        match frame.get(12..14)? {
            [8, 0] => Self::ipv4(packet),
            [0x86, 0xdd] => Self::ipv6(packet),
            _ => None,
        }
    }

    /// The same without the frame.
    pub(crate) fn of_packet(packet: &[u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::ipv4(packet),
            _ => Self::ipv6(packet),
        }
    }

    fn ipv4(packet: &[u8]) -> Option<Self> {
        let header_len = usize::from(packet.first()? & 15) * 4;
        let total = usize::from(word(packet, 2)?);
        let header = packet.get(..header_len.max(20))?;
        let sound = packet[0] >> 4 == 4 && header_len >= 20 && sum(header) == 0xffff;
        if !sound || total < header_len {
            return None;
        }
        let offset = word(packet, 6)?;
        let fragment = Fragment {
            id: word(packet, 4)?.into(),
            offset: usize::from(offset & 0x1fff) * 8,
            more: offset & 0x2000 != 0,
        };
        Some(Self {
            source: Ipv4Addr::from_octets(packet[12..16].try_into().ok()?).into(),
            destination: Ipv4Addr::from_octets(packet[16..20].try_into().ok()?).into(),
            tos: packet[1],
            protocol: packet[9],
            fragment: (fragment.more || fragment.offset > 0).then_some(fragment),
            bytes: packet.get(header_len..total)?.to_vec(),
        })
    }

    fn ipv6(packet: &[u8]) -> Option<Self> {
        let header = packet.get(..40).filter(|header| header[0] >> 4 == 6)?;
        let mut rest = packet.get(40..40 + usize::from(word(header, 4)?))?;
        let mut protocol = header[6];
        let mut fragment = None;
        // Hop-by-hop options, routing, destination options, and one fragment header.
        loop {
            let skip = match protocol {
                0 | 43 | 60 => (usize::from(*rest.get(1)?) + 1) * 8,
                44 if fragment.is_none() => {
                    let offset = word(rest, 2)?;
                    fragment = Some(Fragment {
                        id: u32::from_be_bytes(rest.get(4..8)?.try_into().ok()?),
                        offset: usize::from(offset & 0xfff8),
                        more: offset & 1 != 0,
                    });
                    8
                }
                _ => break,
            };
            protocol = *rest.first()?;
            rest = rest.get(skip..)?;
            if fragment.is_some() {
                break;
            }
        }
        Some(Self {
            source: Ipv6Addr::from_octets(header[8..24].try_into().ok()?).into(),
            destination: Ipv6Addr::from_octets(header[24..40].try_into().ok()?).into(),
            tos: (word(header, 0)? >> 4) as u8,
            protocol,
            // A fragment that is the whole packet needs no others (RFC 8200 section 4.5).
            fragment: fragment.filter(|fragment| fragment.more || fragment.offset > 0),
            bytes: rest.to_vec(),
        })
    }

    /// UDP's checks (RFC 768, RFC 8200 section 8.1). Whether a missing checksum is allowed over
    /// IPv6 is for the socket.
    pub(crate) fn udp(self) -> Option<Datagram> {
        if self.protocol != UDP || self.fragment.is_some() {
            return None;
        }
        let have = self.bytes.len();
        let stated = match usize::from(word(&self.bytes, 4)?) {
            0 if self.source.is_ipv6() => have,
            stated => stated,
        };
        if have < 8 || stated < 8 || stated > have {
            return None;
        }
        let datagram = &self.bytes[..stated];
        let checksum = word(datagram, 6)?;
        if checksum != 0 && !udp_checksum_is_valid(self.source, self.destination, datagram) {
            return None;
        }
        Some(Datagram {
            source: self.source,
            destination: self.destination,
            tos: self.tos,
            port: word(datagram, 2)?,
            unchecked: checksum == 0,
            payload: datagram[8..].to_vec(),
        })
    }
}

/// Fragments that wait for the others of their packet.
#[derive(Debug, Default)]
pub(crate) struct Reassembly(Vec<Queue>);

#[derive(Debug)]
struct Queue {
    key: (IpAddr, IpAddr, u32, u32),
    expires: u64,
    parts: Vec<IpPayload>,
}

impl Reassembly {
    /// The packet, once it is complete. IPv4 fragments wait for 30 s, IPv6 ones for 60 s.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        arrival: u32,
        packet: IpPayload,
    ) -> Option<IpPayload> {
        let Some(fragment) = packet.fragment else {
            return Some(packet);
        };
        let now = now.as_millis();
        self.0.retain(|queue| queue.expires > now);
        let end = fragment.offset + packet.bytes.len();
        let whole = packet.bytes.len().is_multiple_of(8);
        if (fragment.more && !whole && packet.source.is_ipv6()) || end > 65535 {
            return None;
        }
        let key = (packet.source, packet.destination, fragment.id, arrival);
        let at = self
            .0
            .iter()
            .position(|queue| queue.key == key)
            .unwrap_or_else(|| {
                let lifetime = if packet.source.is_ipv4() {
                    30_000
                } else {
                    60_000
                };
                self.0.push(Queue {
                    key,
                    expires: now + lifetime,
                    parts: Vec::new(),
                });
                self.0.len() - 1
            });
        let queue = &mut self.0[at];
        let span = |part: &IpPayload| {
            let offset = part.fragment.map_or(0, |fragment| fragment.offset);
            (offset, offset + part.bytes.len())
        };
        let new = span(&packet);
        for part in &queue.parts {
            let old = span(part);
            if old.0 <= new.0 && new.1 <= old.1 {
                return None; // a duplicate
            }
            if new.0 < old.1 && old.0 < new.1 {
                self.0.swap_remove(at); // an overlap (RFC 5722 section 3)
                return None;
            }
        }
        queue.parts.push(packet);
        queue.parts.sort_by_key(|part| span(part).0);
        let mut next = 0;
        for part in &queue.parts {
            let (start, end) = span(part);
            if start != next {
                return None;
            }
            next = end;
        }
        if queue.parts.last()?.fragment?.more {
            return None;
        }
        let parts = self.0.swap_remove(at).parts;
        let ecn = together(parts.iter().map(|part| part.tos & 3))?;
        let mut packet = parts.first()?.clone();
        packet.fragment = None;
        packet.bytes = parts
            .iter()
            .flat_map(|part| part.bytes.iter().copied())
            .collect();
        packet.tos |= ecn;
        Some(packet)
    }
}

/// The congestion bits of a reassembled packet; nothing if they contradict each other (RFC 3168
/// section 5.3).
fn together(all: impl Iterator<Item = u8> + Clone) -> Option<u8> {
    let some = |ecn| all.clone().any(|other| other == ecn);
    let capable = some(1) || some(2);
    match (some(0), some(CE)) {
        (true, true) => None,
        (true, false) if capable => None,
        (false, true) if capable => Some(CE),
        _ => Some(0),
    }
}

/// Whether the UDP checksum of a datagram is right.
pub(crate) fn udp_checksum_is_valid(source: IpAddr, destination: IpAddr, datagram: &[u8]) -> bool {
    let mut bytes = Vec::with_capacity(40 + datagram.len());
    for addr in [source, destination] {
        match addr {
            IpAddr::V4(addr) => bytes.extend(addr.octets()),
            IpAddr::V6(addr) => bytes.extend(addr.octets()),
        }
    }
    bytes.extend((datagram.len() as u32).to_be_bytes());
    bytes.extend([0, 0, 0, UDP]);
    bytes.extend(datagram);
    sum(&bytes) == 0xffff
}

/// The ones-complement sum of 16-bit words (RFC 1071), not inverted.
pub(crate) fn sum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| match *pair {
        [high, low] => u32::from(high) << 8 | u32::from(low),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    let mut sum = words.fold(0u64, |sum, word| sum + u64::from(word));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The big-endian 16-bit word at `at`.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
