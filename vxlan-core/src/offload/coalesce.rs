//! Putting packets of one TCP flow together (generic receive offload; `vxlan_gro_receive()`,
//! `tcp_gro_receive()`, `udp_gro_complete()` in Linux).

use crate::Flags;
use crate::packet::{ChecksumState, Gso, Packet};
use crate::wire::{Error, tcp, udp};

use super::FixedIds;
use super::candidate::{Candidate, Contents, Headers};
use super::segment::rewrite_ip;

/// The longest packet that is put together, in bytes: what the length fields can say.
const LENGTH_MAX: usize = u16::MAX as usize;

/// What became of a packet that was offered to a [`Coalescer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Coalesced {
    /// Nothing was held; the packet was copied and is held now.
    Started,
    /// The packet was appended to what is held.
    Merged,
    /// The packet does not go with what is held, or nothing more does. Nothing changed:
    /// [`take`](Coalescer::take) what is held, then offer the packet again.
    Flush,
    /// Nothing can ever be appended to this packet, and nothing is held: hand it on by itself.
    Alone,
}

/// Puts packets of one TCP flow together in a buffer of the caller.
///
/// Packets are put together only if cutting the result gives them back, byte for byte, and only if
/// nothing tells them apart: the outer addresses, ports and whether there is an outer checksum,
/// all 64 bits of the VXLAN header, the Ethernet header with its tags, TOS, TTL and DF of both IP
/// headers, TCP ports, acknowledgment, window, options and flags must be equal, IPv4
/// identifications count up by one (or stay the same with DF set), sequence numbers follow each
/// other and all payloads are of one length, but for a shorter last one. PSH and FIN end a packet.
/// All checksums must be right.
///
/// Fragments, IPv4 options, IPv6 extension headers and bytes behind the IP packet keep a packet to
/// itself, and so does everything but TCP; header extensions as well, unless they are
/// [understood](Self::receiving).
///
/// One coalescer holds one packet of one flow. Whoever serves many flows keeps several and picks
/// one by a flow hash.
///
/// ```
/// use vxlan_core::ChecksumState;
/// use vxlan_core::offload::{Coalesced, Coalescer};
///
/// let mut buffer = [0; 2048];
/// let mut coalescer = Coalescer::of_frames(&mut buffer, 0);
/// let arp = [0; 42];
/// assert_eq!(coalescer.push(&arp, ChecksumState::None), Coalesced::Alone);
/// assert!(coalescer.take().is_none());
/// ```
#[derive(Debug)]
pub struct Coalescer<'b> {
    buffer: &'b mut [u8],
    headroom: usize,
    contents: Contents,
    held: Option<Held>,
}

/// What a coalescer has put together.
#[derive(Debug)]
pub struct Whole<'b> {
    /// The packet: unchanged if there was only one, otherwise with [`Packet::gso`] set and its
    /// inner checksum [`Partial`](ChecksumState::Partial), the outer one reduced to the
    /// pseudo-header sum. The checksum state counts from the start of the inner frame.
    pub packet: Packet<'b>,
    /// How many packets it stands for.
    pub segments: usize,
    /// Where the VXLAN header is, in bytes from the start of the packet: what has to be
    /// [`pull`](Packet::pull)ed before [`Device::receive`](crate::Device::receive). Zero for frames.
    pub vxlan: usize,
    /// Which identifications did not count up; for [`Segments::fixed_ids`](super::Segments::fixed_ids).
    pub fixed_ids: FixedIds,
}

/// What is known about the packet in the buffer.
#[derive(Clone, Copy, Debug)]
struct Held {
    headers: Headers,
    /// Bytes in the buffer, headroom left out.
    len: usize,
    /// Payload bytes of all packets but the last.
    size: u16,
    segments: usize,
    /// Known from the second packet on.
    fixed: Option<FixedIds>,
    /// PSH and FIN of the last packet.
    end: tcp::Flags,
    /// Nothing can be appended any more.
    closed: bool,
    checksum: ChecksumState,
}

impl<'b> Coalescer<'b> {
    /// For encapsulated packets, from the outer IP header on. The buffer's first `headroom` bytes
    /// are left free; the rest bounds the length of the whole, and so do 65,535 bytes.
    #[must_use]
    pub const fn of_packets(buffer: &'b mut [u8], headroom: usize) -> Self {
        Self {
            buffer,
            headroom,
            contents: Contents::Packet(Flags::empty()),
            held: None,
        }
    }

    /// The same for a receiver with these flags. With [`Flags::GPE`] the VXLAN header says what
    /// follows it; with [`Flags::REMCSUM_RX`] inner checksums may be left to the receiver. Frames
    /// have no such header.
    ///
    /// What is put together of packets whose checksum is left open has it open as well, and
    /// [`Device::receive`](crate::Device::receive) leaves it so.
    #[must_use]
    pub const fn receiving(mut self, flags: Flags) -> Self {
        if let Contents::Packet(_) = self.contents {
            self.contents = Contents::Packet(flags);
        }
        self
    }

    /// For Ethernet frames without outer headers. They say nothing about the VNI or the tunnel they
    /// came through: offer frames of one overlay network only.
    #[must_use]
    pub const fn of_frames(buffer: &'b mut [u8], headroom: usize) -> Self {
        Self {
            buffer,
            headroom,
            contents: Contents::Frame,
            held: None,
        }
    }

    /// Offers a packet. It is copied if it is taken.
    ///
    /// `checksum` tells about all checksums of the packet: with [`ChecksumState::None`] they are
    /// verified here. [`ChecksumState::Partial`] counts from the start of the inner frame.
    pub fn push(&mut self, packet: &[u8], checksum: ChecksumState) -> Coalesced {
        let candidate = Candidate::new(packet, self.contents, checksum);
        let Some(held) = self.held else {
            self.held = candidate.and_then(|candidate| self.start(&candidate, checksum));
            return match self.held {
                Some(_) => Coalesced::Started,
                None => Coalesced::Alone,
            };
        };
        match candidate.and_then(|candidate| self.append(&held, &candidate)) {
            Some(held) => {
                self.held = Some(held);
                Coalesced::Merged
            }
            None => Coalesced::Flush,
        }
    }

    /// Whether nothing can be appended to what is held: take it without waiting for more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.held.is_some_and(|held| held.closed)
    }

    /// Takes out what is held, if anything is (`napi_gro_complete()`).
    pub fn take(&mut self) -> Option<Whole<'_>> {
        let held = self.held.take()?;
        let mut packet = Packet::new(self.buffer, self.headroom, held.len).ok()?;
        packet.checksum = match held.checksum {
            ChecksumState::None => ChecksumState::Verified,
            state => state,
        };
        if held.segments > 1 {
            complete(packet.bytes_mut(), &held.headers, held.end).ok()?;
            packet.checksum = ChecksumState::Partial {
                start: u16::try_from(held.headers.inner.transport).ok()?,
                offset: tcp::CHECKSUM_OFFSET,
            };
            packet.gso = Some(Gso {
                kind: held.headers.inner.kind,
                size: held.size,
            });
        }
        Some(Whole {
            packet,
            segments: held.segments,
            vxlan: held.headers.tunnel.map_or(0, |tunnel| tunnel.vxlan()),
            fixed_ids: held.fixed.unwrap_or_default(),
        })
    }

    fn start(&mut self, candidate: &Candidate<'_>, checksum: ChecksumState) -> Option<Held> {
        let size = u16::try_from(candidate.payload().len()).ok()?;
        if size == 0 || candidate.stands_alone() {
            return None;
        }
        let packet = candidate.packet;
        let room = self.buffer.get_mut(self.headroom..)?;
        room.get_mut(..packet.len())?.copy_from_slice(packet);
        Some(Held {
            headers: candidate.headers,
            len: packet.len(),
            size,
            segments: 1,
            fixed: None,
            end: tcp::Flags::empty(),
            closed: false,
            checksum,
        })
    }

    /// What is held then; `None`, and nothing changed, if the packet does not follow.
    fn append(&mut self, held: &Held, candidate: &Candidate<'_>) -> Option<Held> {
        let payload = candidate.payload();
        if held.closed || payload.is_empty() || payload.len() > held.size.into() {
            return None;
        }
        let len = held.len.checked_add(payload.len())?;
        let room = self.buffer.get_mut(self.headroom..)?;
        if len > LENGTH_MAX || held.headers != candidate.headers {
            return None;
        }
        let (first, behind) = room.split_at_mut_checked(held.len)?;
        let place = behind.get_mut(..payload.len())?;
        let sent = u32::try_from(held.len.checked_sub(held.headers.len())?).ok()?;
        let fixed = candidate.follows(first, sent, held.segments, held.fixed)?;
        place.copy_from_slice(payload);
        let end = candidate.end_flags();
        Some(Held {
            len,
            segments: held.segments + 1,
            fixed: Some(fixed),
            end,
            closed: !end.is_empty() || payload.len() < held.size.into(),
            ..*held
        })
    }
}

/// Makes the headers of the first packet those of the whole (`udp_gro_complete()`,
/// `inet_gro_complete()`, `tcp_gro_complete()`).
fn complete(bytes: &mut [u8], headers: &Headers, end: tcp::Flags) -> Result<(), Error> {
    let len = bytes.len();
    if let Some(tunnel) = &headers.tunnel {
        rewrite_ip(bytes, tunnel.is_ipv4(), len, 0)?;
        let (header, _) = udp::Header::split_mut(bytes.get_mut(tunnel.udp..).unwrap_or_default())?;
        header.set_length((len - tunnel.udp) as u16);
        if tunnel.checksum {
            let pseudo = udp::pseudo_header_sum(tunnel.addresses, len - tunnel.udp);
            header.set_checksum(pseudo.fold());
        }
    }
    let inner = &headers.inner;
    let frame = bytes.get_mut(headers.frame()..).unwrap_or_default();
    let len = frame.len();
    let packet = frame.get_mut(inner.network..).unwrap_or_default();
    rewrite_ip(packet, inner.is_ipv4(), len - inner.network, 0)?;
    let segment = frame.get_mut(inner.transport..).unwrap_or_default();
    let pseudo = inner
        .addresses
        .pseudo_header_sum(inner.protocol(), (len - inner.transport) as u32);
    let (header, _) = tcp::Header::split_mut(segment)?;
    header.set_flags(header.flags() | end);
    header.set_checksum(pseudo.fold());
    Ok(())
}
