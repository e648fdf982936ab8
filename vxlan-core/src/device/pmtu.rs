//! Frames that are too long for the path: what a port of a bridge answers its neighbours
//! (`skb_tunnel_check_pmtu()`, RFC 1191, RFC 8201).

use zerocopy::{Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::packet::{Gso, GsoKind, OutOfRoom};
use crate::wire::ethernet::{self, EtherType};
use crate::wire::{Addresses, extension, icmp, icmpv6, ipv4, ipv6, protocol, udp};
use crate::{ChecksumState, Packet};

/// The least MTU that an answer is sent about, and the length of that answer at most: what every
/// IPv4 host takes in (RFC 1122 section 3.3.2).
const MIN_MTU_IPV4: u32 = 576;
/// The same of IPv6 (RFC 8200 section 5).
const MIN_MTU_IPV6: u32 = 1280;

const QUOTE_IPV4: usize = MIN_MTU_IPV4 as usize - ipv4::Header::LEN - icmp::Header::LEN;
const QUOTE_IPV6: usize = MIN_MTU_IPV6 as usize - ipv6::Header::LEN - icmpv6::Header::LEN;

/// What a frame was before a reply took its place, to be [undone](Self::undo).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    /// How many bytes of headroom the reply took.
    added: usize,
    len: usize,
    checksum: ChecksumState,
    gso: Option<Gso>,
}

/// The length that the path has to carry: from the network header, `network` bytes into the frame,
/// to the end, or to the end of one piece of a frame that stands for several
/// (`skb_gso_validate_network_len()`).
#[inline]
pub(super) fn network_len(frame: &Packet<'_>, network: usize) -> usize {
    match frame.gso {
        None => frame.len().saturating_sub(network),
        Some(gso) => piece_len(frame, network, gso),
    }
}

/// IP header, transport header with its options and as much payload as a piece has, however long
/// the whole is.
#[cold]
fn piece_len(frame: &Packet<'_>, network: usize, gso: Gso) -> usize {
    let packet = frame.bytes().get(network..).unwrap_or_default();
    let ip = match frame.checksum {
        ChecksumState::Partial { start, .. } => usize::from(start).checked_sub(network),
        // A card that fills in no checksum still cuts, so the header itself has to tell.
        _ => match packet.first() {
            Some(version_words) if version_words >> 4 == 4 => Some(ipv4_len(packet)),
            _ => Some(ipv6::Header::LEN),
        },
    };
    let transport = match gso.kind {
        GsoKind::Udp => Some(udp::Header::LEN),
        // The data offset, in words: the upper half of byte 12 (RFC 9293 section 3.1).
        GsoKind::TcpV4 | GsoKind::TcpV6 => ip
            .and_then(|ip| packet.get(ip.checked_add(12)?))
            .map(|offset| usize::from(offset >> 4) * 4),
    };
    match (ip, transport) {
        (Some(ip), Some(transport)) => ip + transport + usize::from(gso.size),
        // Nobody can cut it.
        _ => packet.len(),
    }
}

fn ipv4_len(packet: &[u8]) -> usize {
    ipv4::Header::split(packet).map_or(0, |(ip, _)| ip.header_len())
}

/// Puts the message "too long, `mtu` bytes would do" in place of a frame that begins with its
/// Ethernet header, if such frames are answered at all: `None`, and nothing changed, if not.
///
/// The message grows into the headroom and the quoted packet stays where it is, so that
/// [`Replaced::undo`] has only the Ethernet header to repair.
///
/// # Errors
/// [`OutOfRoom`] with less than 28 bytes of headroom for IPv4, 48 for IPv6; nothing changes then.
#[cold]
pub(super) fn reply(frame: &mut Packet<'_>, mtu: u32) -> Result<Option<Replaced>, OutOfRoom> {
    let Ok((ethernet, packet)) = ethernet::Header::parse(frame.bytes()) else {
        return Ok(None);
    };
    // The type of the Ethernet header itself: tagged frames are not answered.
    match ethernet.ethertype() {
        EtherType::IPV4 => match answerable_ipv4(packet, mtu) {
            Some(ip) => {
                let quote = packet.get(..QUOTE_IPV4).unwrap_or(packet);
                let headers = fragmentation_needed(&ethernet, &ip, mtu, quote);
                let quoted = quote.len();
                replace(frame, headers.as_bytes(), quoted).map(Some)
            }
            None => Ok(None),
        },
        EtherType::IPV6 => match answerable_ipv6(frame.bytes(), packet, mtu) {
            Some(ip) => {
                let quote = packet.get(..QUOTE_IPV6).unwrap_or(packet);
                let headers = packet_too_big(&ethernet, &ip, mtu, quote);
                let quoted = quote.len();
                replace(frame, headers.as_bytes(), quoted).map(Some)
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The header of an IPv4 packet that is answered (`iptunnel_pmtud_check_icmp()`).
fn answerable_ipv4(packet: &[u8], mtu: u32) -> Option<ipv4::Header> {
    let (ip, _) = ipv4::Header::split(packet).ok()?;
    let (source, destination) = (ip.source(), ip.destination());
    let answered = mtu >= MIN_MTU_IPV4
        && ip.only_dont_fragment()
        && !destination.is_broadcast()
        && !destination.is_multicast()
        && !source.is_unspecified()
        && !source.is_loopback()
        && !source.is_broadcast()
        && !source.is_multicast()
        && (ip.protocol() != protocol::ICMP
            || icmp::is_error(packet.get(ip.header_len()..)?) == Some(false));
    answered.then_some(ip)
}

/// The header of an IPv6 packet that is answered (`iptunnel_pmtud_check_icmpv6()`).
///
/// Linux steps over the extension headers of the *frame* at the place where they begin in the
/// *packet*, 14 bytes too early, in the middle of the destination address. It finds the ICMPv6
/// type at that distance in the packet.
fn answerable_ipv6(frame: &[u8], packet: &[u8], mtu: u32) -> Option<ipv6::Header> {
    /// Scopes whose groups count as senders: interface, link and site (RFC 4291 section 2.7).
    const ANSWERED_SCOPES: [u8; 3] = [1, 2, 5];
    let (ip, _) = ipv6::Header::split(packet).ok()?;
    let source = ip.source();
    let [_, scope, ..] = source.octets();
    let group = source.is_multicast() && !ANSWERED_SCOPES.contains(&(scope & 0x0f));
    if mtu < MIN_MTU_IPV6 || source.is_unspecified() || group {
        return None;
    }
    let (upper, at) = extension::skip(frame, ip.next_header(), ipv6::Header::LEN)?;
    let answered = upper != protocol::ICMPV6 || icmpv6::is_error(packet.get(at..)?) == Some(false);
    answered.then_some(ip)
}

/// The headers of a reply, as they lie on the wire.
#[derive(IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Headers<Ip, Icmp> {
    ethernet: ethernet::Header,
    ip: Ip,
    icmp: Icmp,
}

/// Kernel: `iptunnel_pmtud_build_icmp()`.
fn fragmentation_needed(
    ethernet: &ethernet::Header,
    ip: &ipv4::Header,
    mtu: u32,
    quote: &[u8],
) -> Headers<ipv4::Header, icmp::Header> {
    let length = ipv4::Header::LEN + icmp::Header::LEN + quote.len();
    Headers {
        ethernet: turned(ethernet),
        ip: ipv4::Header::new(&ipv4::Fields {
            tos: 0,
            // 576 at most.
            total_length: u16::try_from(length).unwrap_or(u16::MAX),
            identification: 0,
            dont_fragment: true,
            ttl: ip.ttl(),
            protocol: protocol::ICMP,
            source: ip.destination(),
            destination: ip.source(),
        }),
        icmp: icmp::Header::fragmentation_needed(mtu, quote),
    }
}

/// Kernel: `iptunnel_pmtud_build_icmpv6()`.
fn packet_too_big(
    ethernet: &ethernet::Header,
    ip: &ipv6::Header,
    mtu: u32,
    quote: &[u8],
) -> Headers<ipv6::Header, icmpv6::Header> {
    let (source, destination) = (ip.destination(), ip.source());
    let addresses = Addresses::V6 {
        source,
        destination,
    };
    Headers {
        ethernet: turned(ethernet),
        ip: ipv6::Header::new(&ipv6::Fields {
            traffic_class: 0,
            flow_label: 0,
            // 1240 at most.
            payload_length: u16::try_from(icmpv6::Header::LEN + quote.len()).unwrap_or(u16::MAX),
            next_header: protocol::ICMPV6,
            hop_limit: ip.hop_limit(),
            source,
            destination,
        }),
        icmp: icmpv6::Header::packet_too_big(mtu, addresses, quote),
    }
}

/// The header of a frame in the other direction.
fn turned(header: &ethernet::Header) -> ethernet::Header {
    ethernet::Header::new(header.source(), header.destination(), header.ethertype())
}

/// Puts `headers` in place of the frame's Ethernet header and cuts off what is behind `quoted`
/// bytes.
fn replace(frame: &mut Packet<'_>, headers: &[u8], quoted: usize) -> Result<Replaced, OutOfRoom> {
    let replaced = Replaced {
        added: headers.len().saturating_sub(ethernet::Header::LEN),
        len: frame.len(),
        checksum: frame.checksum,
        gso: frame.gso,
    };
    frame.push(replaced.added)?;
    // Never beyond the frame, whose bytes are quoted.
    frame.set_len(headers.len() + quoted)?;
    if let Some(front) = frame.bytes_mut().get_mut(..headers.len()) {
        front.copy_from_slice(headers);
    }
    frame.checksum = ChecksumState::None;
    frame.gso = None;
    Ok(replaced)
}

impl Replaced {
    /// Turns the reply into the frame again.
    ///
    /// # Errors
    /// [`OutOfRoom`] if the packet is another one, too short to be the reply; nothing changes
    /// then.
    pub(super) fn undo(self, frame: &mut Packet<'_>) -> Result<(), OutOfRoom> {
        let need = self.added + self.len;
        let Ok((ethernet, _)) = ethernet::Header::parse(frame.bytes()) else {
            let have = frame.len();
            return Err(OutOfRoom { need, have });
        };
        frame.set_len(need)?;
        frame.pull(self.added)?;
        if let Ok((header, _)) = ethernet::Header::split_mut(frame.bytes_mut()) {
            *header = turned(&ethernet);
        }
        frame.checksum = self.checksum;
        frame.gso = self.gso;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows with `gso_size` 660 and 661 are those of a recorded packet (corner-pmtu-032).
    #[test]
    fn t28_a_piece_counts_not_the_whole() {
        const NETWORK: usize = 14;
        let (v4, v6, udp) = (GsoKind::TcpV4, GsoKind::TcpV6, GsoKind::Udp);
        let partial = |start| ChecksumState::Partial { start, offset: 16 };
        let none = ChecksumState::None;
        for (name, kind, size, checksum, version_words, at, data_offset, want) in [
            ("TCP", v4, 660, partial(34), 0x45, 46, 0x50, 700),
            ("one more", v4, 661, partial(34), 0x45, 46, 0x50, 701),
            ("TCP options", v4, 100, partial(34), 0x45, 46, 0x80, 152),
            ("IPv4 options", v4, 100, partial(38), 0x46, 50, 0x50, 144),
            (
                "longer than the whole",
                v4,
                9000,
                partial(34),
                0x45,
                46,
                0x50,
                9040,
            ),
            ("TCP over IPv6", v6, 1240, partial(54), 0x60, 66, 0x50, 1300),
            (
                "behind an extension header",
                v6,
                1240,
                partial(62),
                0x60,
                74,
                0x50,
                1308,
            ),
            ("UDP", udp, 1000, partial(34), 0x45, 46, 0, 1028),
            ("checksum done", v4, 100, none, 0x46, 50, 0x60, 148),
            ("checksum done, IPv6", v6, 100, none, 0x60, 66, 0x60, 164),
            (
                "start before the packet",
                v4,
                100,
                partial(13),
                0x45,
                46,
                0x50,
                286,
            ),
            (
                "start behind the packet",
                v4,
                100,
                partial(u16::MAX),
                0x45,
                46,
                0x50,
                286,
            ),
        ] {
            let mut bytes = [0; 300];
            bytes[NETWORK] = version_words;
            bytes[at] = data_offset;
            let mut frame = Packet::new(&mut bytes, 0, 300).unwrap();
            assert_eq!(network_len(&frame, NETWORK), 286, "{name}, without pieces");
            frame.checksum = checksum;
            frame.gso = Some(Gso { kind, size });
            assert_eq!(network_len(&frame, NETWORK), want, "{name}");
        }
    }

    #[test]
    fn t28_another_packet_is_not_undone() {
        let replaced = Replaced {
            added: 28,
            len: 60,
            checksum: ChecksumState::None,
            gso: None,
        };
        let mut bytes = [7; 100];
        for (headroom, len, fails) in [(0, 13, true), (13, 50, true), (12, 14, false)] {
            let mut packet = Packet::new(&mut bytes, headroom, len).unwrap();
            assert_eq!(replaced.undo(&mut packet).is_err(), fails);
            let after = if fails { (headroom, len) } else { (40, 60) };
            assert_eq!((packet.headroom(), packet.len()), after);
        }
    }
}
