//! What a packet must be to be put together with others.

use crate::packet::{ChecksumState, GsoKind};
use crate::wire::ethernet::EtherType;
use crate::wire::rco::RemoteChecksum;
use crate::wire::{ipv4, ipv6, tcp, udp, vxlan};

use crate::Flags as DeviceFlags;

use super::FixedIds;
use super::layout::{Layout, Tunnel};

/// Flags that keep a packet to itself. PSH and FIN end a packet, so nothing follows the first one;
/// the others are nothing that a whole could tell for all of its segments.
const ALONE: tcp::Flags = END
    .union(tcp::Flags::SYN)
    .union(tcp::Flags::RST)
    .union(tcp::Flags::URG)
    .union(tcp::Flags::CWR);
/// Flags that the last segment alone carries.
const END: tcp::Flags = tcp::Flags::PSH.union(tcp::Flags::FIN);

/// What the bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// Outer IP, UDP and VXLAN header, for a receiver with these flags.
    Packet(DeviceFlags),
    /// An Ethernet header.
    Frame,
}

/// Where the headers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Headers {
    pub(super) tunnel: Option<Tunnel>,
    pub(super) inner: Layout,
}

impl Headers {
    fn of(packet: &[u8], contents: Contents) -> Option<Self> {
        let tunnel = match contents {
            Contents::Packet(flags) => {
                let tunnel = Tunnel::of_packet(packet).ok()?;
                // A checksum that nobody will look for, a protocol that nobody expects.
                let understood = tunnel.generic == flags.contains(DeviceFlags::GPE)
                    && (!tunnel.remote_checksum || flags.contains(DeviceFlags::REMCSUM_RX));
                Some(understood.then_some(tunnel)?)
            }
            Contents::Frame => None,
        };
        let frame = packet.get(tunnel.map_or(0, |tunnel| tunnel.frame())..)?;
        let protocol = tunnel.map_or(EtherType::TEB, |tunnel| tunnel.protocol);
        let inner = Layout::of(frame, protocol).ok()?;
        Some(Self { tunnel, inner })
    }

    /// Where the inner frame begins.
    pub(super) fn frame(&self) -> usize {
        self.tunnel.map_or(0, |tunnel| tunnel.frame())
    }

    /// Bytes before the payload.
    pub(super) fn len(&self) -> usize {
        self.frame() + self.inner.payload
    }

    /// Whether the inner checksum is left to the remote, and if so whether the VXLAN header means
    /// that of this very packet; `None` if it means something else.
    fn remote_checksum(&self, packet: &[u8]) -> Option<bool> {
        let Some(tunnel) = self.tunnel.filter(|tunnel| tunnel.remote_checksum) else {
            return Some(false);
        };
        let (header, _) = vxlan::Header::split(packet.get(tunnel.vxlan()..)?).ok()?;
        let place = RemoteChecksum::from_low_byte(header.low_byte());
        let ours = usize::from(place.start()) == self.inner.transport
            && place.offset() == tcp::CHECKSUM_OFFSET;
        ours.then_some(true)
    }

    fn network(&self) -> usize {
        self.frame() + self.inner.network
    }

    fn transport(&self) -> usize {
        self.frame() + self.inner.transport
    }
}

/// A sound TCP packet, such as segmentation would make it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'p> {
    pub(super) packet: &'p [u8],
    pub(super) headers: Headers,
}

impl<'p> Candidate<'p> {
    /// The packet, if all its headers are sound and plain, its lengths are exact and its checksums
    /// are right.
    pub(super) fn new(
        packet: &'p [u8],
        contents: Contents,
        checksum: ChecksumState,
    ) -> Option<Self> {
        let headers = Headers::of(packet, contents)?;
        let inner = headers.inner;
        if !matches!(inner.kind, GsoKind::TcpV4 | GsoKind::TcpV6) {
            return None;
        }
        if let ChecksumState::Partial { start, offset } = checksum
            && (usize::from(start) != inner.transport || offset != tcp::CHECKSUM_OFFSET)
        {
            return None;
        }
        let verify = checksum == ChecksumState::None;
        if let Some(tunnel) = &headers.tunnel {
            is_plain(packet, tunnel.is_ipv4(), tunnel.udp)?;
            let datagram = packet.get(tunnel.udp..)?;
            let (header, _) = udp::Header::split(datagram).ok()?;
            let exact = usize::from(header.length()) == datagram.len();
            let right = || udp::verify(tunnel.addresses, datagram) != udp::Verdict::Invalid;
            if !exact || (verify && !right()) {
                return None;
            }
        }
        is_plain(
            packet.get(headers.network()..)?,
            inner.is_ipv4(),
            inner.transport - inner.network,
        )?;
        let segment = packet.get(headers.transport()..)?;
        if headers.remote_checksum(packet)? {
            is_left_open(segment, &inner)?;
        } else if verify {
            is_checksum_right(segment, &inner)?;
        }
        Some(Self { packet, headers })
    }

    pub(super) fn payload(&self) -> &'p [u8] {
        self.packet.get(self.headers.len()..).unwrap_or_default()
    }

    /// Whether its flags keep it from being the first of several.
    pub(super) fn stands_alone(&self) -> bool {
        self.tcp()
            .is_none_or(|(header, _)| header.flags().intersects(ALONE))
    }

    /// The flags that a whole takes from its last packet.
    pub(super) fn end_flags(&self) -> tcp::Flags {
        self.tcp()
            .map_or(tcp::Flags::empty(), |(header, _)| header.flags() & END)
    }

    /// Whether this is the next packet behind `segments` others with `sent` bytes of payload, the
    /// first of which has the same layout and lies in `first`; tells what identifications do.
    pub(super) fn follows(
        &self,
        first: &[u8],
        sent: u32,
        segments: usize,
        fixed: Option<FixedIds>,
    ) -> Option<FixedIds> {
        let headers = &self.headers;
        let mut found = FixedIds::default();
        if let Some(tunnel) = &headers.tunnel {
            let was_fixed = fixed.map(|fixed| fixed.outer);
            let (mine, theirs) = (self.packet, first);
            found.outer = ip_follows(mine, theirs, tunnel.is_ipv4(), segments, was_fixed)?;
            let (mine, _) = udp::Header::split(self.packet.get(tunnel.udp..)?).ok()?;
            let (theirs, _) = udp::Header::split(first.get(tunnel.udp..)?).ok()?;
            if (mine.source(), mine.destination()) != (theirs.source(), theirs.destination()) {
                return None;
            }
        }
        // VXLAN header, Ethernet header and tags: every bit.
        let link = headers.tunnel.map_or(0, |tunnel| tunnel.vxlan())..headers.network();
        if self.packet.get(link.clone())? != first.get(link)? {
            return None;
        }
        let was_fixed = fixed.map(|fixed| fixed.inner);
        found.inner = ip_follows(
            self.packet.get(headers.network()..)?,
            first.get(headers.network()..)?,
            headers.inner.is_ipv4(),
            segments,
            was_fixed,
        )?;
        let (mut mine, my_options) = self.tcp()?;
        let (theirs, options, _) = tcp::Header::parse(first.get(headers.transport()..)?).ok()?;
        if mine.sequence() != theirs.sequence().wrapping_add(sent) || my_options != options {
            return None;
        }
        // Ports, acknowledgment, window, urgent pointer and all other flags.
        mine.set_sequence(theirs.sequence());
        mine.set_checksum(theirs.checksum());
        mine.set_flags(mine.flags() - END);
        (mine == theirs).then_some(found)
    }

    fn tcp(&self) -> Option<(tcp::Header, &'p [u8])> {
        let segment = self.packet.get(self.headers.transport()..)?;
        let (header, options, _) = tcp::Header::parse(segment).ok()?;
        Some((header, options))
    }
}

/// Whether an IP header is without options or extensions, `header_len` bytes long, and states
/// exactly the length of the packet.
fn is_plain(packet: &[u8], is_ipv4: bool, header_len: usize) -> Option<()> {
    let (plain, stated) = if is_ipv4 {
        let (header, _) = ipv4::Header::split(packet).ok()?;
        // 0xffff is as right as zero, but not what segmentation writes.
        let sound = header.verify_checksum(&[]) && header.checksum() != 0xffff;
        let plain = header_len == ipv4::Header::LEN && sound;
        (plain, usize::from(header.total_length()))
    } else {
        let (header, _) = ipv6::Header::split(packet).ok()?;
        let stated = ipv6::Header::LEN + usize::from(header.payload_length());
        (header_len == ipv6::Header::LEN, stated)
    };
    (plain && stated == packet.len()).then_some(())
}

/// Whether the TCP checksum is what segmentation writes: right, and not 0xffff in place of zero.
fn is_checksum_right(segment: &[u8], inner: &Layout) -> Option<()> {
    let (header, _) = tcp::Header::split(segment).ok()?;
    let length = u32::try_from(segment.len()).ok()?;
    let pseudo = inner.addresses.pseudo_header_sum(inner.protocol(), length);
    let right = pseudo.add_bytes(segment).complement() == 0 && header.checksum() != 0xffff;
    right.then_some(())
}

/// Whether the TCP checksum is what is left to the remote: the sum of the pseudo header alone.
fn is_left_open(segment: &[u8], inner: &Layout) -> Option<()> {
    let (header, _) = tcp::Header::split(segment).ok()?;
    let length = u32::try_from(segment.len()).ok()?;
    let pseudo = inner.addresses.pseudo_header_sum(inner.protocol(), length);
    (header.checksum() == pseudo.fold()).then_some(())
}

/// Whether two IP headers differ only as those of neighbours do; `Some(true)` if the
/// identification stays the same.
fn ip_follows(
    mine: &[u8],
    first: &[u8],
    is_ipv4: bool,
    segments: usize,
    was_fixed: Option<bool>,
) -> Option<bool> {
    if !is_ipv4 {
        let (mut mine, _) = ipv6::Header::split(mine).ok()?;
        let (first, _) = ipv6::Header::split(first).ok()?;
        mine.set_payload_length(first.payload_length());
        return (mine == first).then_some(false);
    }
    let (mut mine, _) = ipv4::Header::split(mine).ok()?;
    let (first, _) = ipv4::Header::split(first).ok()?;
    let counted = first.identification().wrapping_add(segments as u16);
    let fixed = if mine.identification() == counted {
        false
    } else if mine.identification() == first.identification() && first.dont_fragment() {
        true
    } else {
        return None;
    };
    if was_fixed.is_some_and(|was| was != fixed) {
        return None;
    }
    mine.set_total_length(first.total_length());
    mine.set_identification(first.identification());
    mine.set_checksum(first.checksum());
    (mine == first).then_some(fixed)
}
