//! Segmentation: one frame becomes the packets that go over the wire (`skb_segment()`,
//! `tcp_gso_segment()`, `skb_udp_tunnel_segment()` in Linux).

use core::fmt;
use core::num::NonZero;

use crate::checksum::Sum;
use crate::packet::{Gso, GsoKind};
use crate::wire::ethernet::EtherType;
use crate::wire::{Error, Layer, ipv4, ipv6, protocol, tcp, udp};

use super::layout::{Layout, Tunnel};

/// The longest packet that the length fields of IPv4 and UDP can state, in bytes.
const LENGTH_MAX: usize = u16::MAX as usize;

/// A frame that cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SegmentError {
    /// A header is cut off or contradicts itself.
    Malformed(Error),
    /// Not TCP or UDP over IP, seen through VLAN tags, IPv6 hop-by-hop and destination options.
    Protocol,
    /// It is a fragment, so its payload begins elsewhere.
    Fragment,
    /// The frame is something else than was stated.
    Kind {
        /// What the frame is.
        found: GsoKind,
    },
    /// Segments without payload would never come to an end.
    ZeroSize,
    /// A segment would be longer than its length fields can say.
    TooLong {
        /// The length of the segment in bytes.
        length: usize,
    },
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Malformed(error) => error.fmt(f),
            Self::Protocol => f.write_str("neither TCP nor UDP over IP"),
            Self::Fragment => f.write_str("a fragment"),
            Self::Kind { found } => write!(f, "the frame is {found:?}"),
            Self::ZeroSize => f.write_str("segments of no bytes"),
            Self::TooLong { length } => write!(f, "a segment of {length} bytes"),
        }
    }
}

impl core::error::Error for SegmentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for SegmentError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

/// Cuts an encapsulated frame into the packets that go over the wire.
///
/// `packet` is the outer IP packet: IP, UDP and VXLAN header, then an Ethernet frame with TCP or
/// UDP inside (or what the VXLAN header of the generic protocol extension names). Lengths and
/// checksums of the whole may be anything, as long as the outer UDP checksum is zero if and only if
/// there is to be none.
///
/// Segment k = 0, 1, .. is a copy of all headers with the next `gso.size` bytes of payload, and
///
/// - outer and inner length fields are its own; IPv4 identifications count up by k (also with DF);
/// - the TCP sequence number goes on; PSH and FIN stay in the last segment, CWR in the first;
/// - checksums are its own. With remote checksum offload (the C flag in the VXLAN header) the inner
///   field holds the pseudo-header sum, folded and not inverted. An inner UDP checksum of zero
///   stays zero.
///
/// ```
/// use vxlan_core::offload::segments_of_frame;
/// use vxlan_core::packet::{Gso, GsoKind};
///
/// // Ethernet, IPv4 and UDP, then 250 bytes.
/// let mut frame = [0; 14 + 20 + 8 + 250];
/// frame[12..15].copy_from_slice(&[0x08, 0x00, 0x45]);
/// frame[23] = 17;
/// let gso = Gso { kind: GsoKind::Udp, size: 100 };
/// let mut out = [0; 142];
/// let mut lengths = [0; 3];
/// for (length, segment) in lengths.iter_mut().zip(segments_of_frame(&frame, gso)?) {
///     *length = segment.write(&mut out)?;
/// }
/// assert_eq!(lengths, [142, 142, 92]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`SegmentError`] says why the packet cannot be cut.
pub fn segments(packet: &[u8], gso: Gso) -> Result<Segments<'_>, SegmentError> {
    let tunnel = Tunnel::of_packet(packet)?;
    let frame = packet.get(tunnel.frame()..).unwrap_or_default();
    Segments::new(
        packet,
        Some(tunnel),
        Layout::of(frame, tunnel.protocol)?,
        gso,
    )
}

/// The same for a frame without outer headers.
///
/// # Errors
///
/// [`SegmentError`] says why the frame cannot be cut.
pub fn segments_of_frame(frame: &[u8], gso: Gso) -> Result<Segments<'_>, SegmentError> {
    Segments::new(frame, None, Layout::of(frame, EtherType::TEB)?, gso)
}

/// How long the segments of a packet will be, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) longest: usize,
    pub(crate) shortest: usize,
    pub(crate) count: usize,
}

impl Measure {
    /// A packet that stands for itself.
    #[inline]
    pub(crate) const fn of_one(len: usize) -> Self {
        Self {
            longest: len,
            shortest: len,
            count: 1,
        }
    }

    /// The same with headers in front of each segment.
    pub(crate) const fn encapsulated(self, len: usize) -> Result<Self, SegmentError> {
        let longest = self.longest + len;
        if longest > LENGTH_MAX {
            return Err(SegmentError::TooLong { length: longest });
        }
        Ok(Self {
            longest,
            shortest: self.shortest + len,
            count: self.count,
        })
    }
}

/// Measures the segments of an inner frame, which is a `protocol`.
pub(crate) fn measure(
    frame: &[u8],
    protocol: EtherType,
    gso: Gso,
) -> Result<Measure, SegmentError> {
    let layout = Layout::of(frame, protocol)?;
    let size = checked_size(&layout, gso)?;
    let payload = frame.len().saturating_sub(layout.payload);
    // An empty payload makes a segment, too.
    let others = payload.saturating_sub(1) / size;
    let size = size.get();
    Ok(Measure {
        longest: layout.payload + payload.min(size),
        shortest: layout.payload + payload - others * size,
        count: others + 1,
    })
}

fn checked_size(layout: &Layout, gso: Gso) -> Result<NonZero<usize>, SegmentError> {
    if layout.kind != gso.kind {
        return Err(SegmentError::Kind { found: layout.kind });
    }
    NonZero::new(gso.size.into()).ok_or(SegmentError::ZeroSize)
}

/// IPv4 identifications that are the same in all segments instead of counting up. Only harmless
/// with DF set (RFC 6864 section 4.1; `SKB_GSO_TCP_FIXEDID`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FixedIds {
    /// That of the outer header.
    pub outer: bool,
    /// That of the inner header.
    pub inner: bool,
}

/// The segments of one packet, in order. Made by [`segments`] and [`segments_of_frame`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Segments<'p> {
    cut: Cut<'p>,
    /// What is still to be sent; `None` behind the last segment.
    payload: Option<&'p [u8]>,
    /// Payload bytes of a segment.
    size: usize,
    index: u32,
    path: Option<Path>,
}

/// What all segments of a packet have in common.
#[derive(Clone, Copy, Debug)]
struct Cut<'p> {
    /// All that comes before the payload.
    headers: &'p [u8],
    tunnel: Option<Tunnel>,
    /// `None`: the packet stands for itself and is not changed.
    inner: Option<Layout>,
    size: u16,
    fixed: FixedIds,
    checksum_offload: bool,
}

/// Where the segments go.
#[derive(Clone, Copy, Debug)]
struct Path {
    mtu: u32,
    refuses: bool,
}

impl<'p> Segments<'p> {
    fn new(
        packet: &'p [u8],
        tunnel: Option<Tunnel>,
        layout: Layout,
        gso: Gso,
    ) -> Result<Self, SegmentError> {
        let size = checked_size(&layout, gso)?.get();
        let outer_len = tunnel.map_or(0, |tunnel| tunnel.frame());
        // The layout was found within the packet.
        let (headers, payload) = packet
            .split_at_checked(outer_len + layout.payload)
            .unwrap_or_default();
        let length = headers.len() + payload.len().min(size);
        if length > LENGTH_MAX {
            return Err(SegmentError::TooLong { length });
        }
        Ok(Self {
            cut: Cut {
                headers,
                tunnel,
                inner: Some(layout),
                size: gso.size,
                fixed: FixedIds::default(),
                checksum_offload: false,
            },
            payload: Some(payload),
            size,
            index: 0,
            path: None,
        })
    }

    /// No segment at all.
    pub(crate) const NONE: Self = Self {
        cut: Cut {
            headers: &[],
            tunnel: None,
            inner: None,
            size: 0,
            fixed: FixedIds {
                outer: false,
                inner: false,
            },
            checksum_offload: false,
        },
        payload: None,
        size: 0,
        index: 0,
        path: None,
    };

    /// A packet that stands for itself: the only segment, unchanged.
    pub(crate) const fn whole(packet: &'p [u8]) -> Self {
        let mut segments = Self::NONE;
        segments.cut.headers = packet;
        segments.payload = Some(&[]);
        segments
    }

    /// The same, but some identifications do not count up. What [`Coalescer`](super::Coalescer)
    /// put together says which.
    pub const fn fixed_ids(mut self, fixed: FixedIds) -> Self {
        self.cut.fixed = fixed;
        self
    }

    /// The same through a card that fills in outer UDP checksums, or not: only the pseudo-header
    /// sum is written.
    pub const fn checksum_offload(mut self, on: bool) -> Self {
        self.cut.checksum_offload = on;
        self
    }

    /// The segments that may leave by a path with this MTU, in bytes of an IP packet.
    ///
    /// A longer one is left out if it must not be fragmented; otherwise it says so
    /// ([`Segment::needs_fragments`]).
    pub const fn over_path(mut self, mtu: u32, dont_fragment: bool) -> Self {
        self.path = Some(Path {
            mtu,
            refuses: dont_fragment,
        });
        self
    }

    fn cut_off(&mut self) -> Option<Segment<'p>> {
        let payload = self.payload?;
        let (now, later) = match payload.split_at_checked(self.size) {
            Some((now, later)) if !later.is_empty() => (now, Some(later)),
            _ => (payload, None),
        };
        let mut segment = Segment {
            cut: self.cut,
            payload: now,
            index: self.index,
            last: later.is_none(),
            fragment: None,
        };
        if let Some(path) = self.path
            && segment.len() > path.mtu as usize
        {
            segment.fragment = Some(path.mtu);
        }
        self.payload = later;
        // Sequence and identification wrap as well.
        self.index = self.index.wrapping_add(1);
        Some(segment)
    }
}

impl<'p> Iterator for Segments<'p> {
    type Item = Segment<'p>;

    fn next(&mut self) -> Option<Segment<'p>> {
        let refuses = self.path.is_some_and(|path| path.refuses);
        loop {
            let segment = self.cut_off()?;
            if !(refuses && segment.fragment.is_some()) {
                return Some(segment);
            }
        }
    }
}

impl core::iter::FusedIterator for Segments<'_> {}

/// One segment of a packet whose bytes lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'p> {
    cut: Cut<'p>,
    payload: &'p [u8],
    index: u32,
    last: bool,
    fragment: Option<u32>,
}

impl<'p> Segment<'p> {
    /// The length in bytes of the packet that [`Self::write`] writes.
    #[expect(clippy::len_without_is_empty, reason = "it has a header always")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cut.headers.len() + self.payload.len()
    }

    /// The length in bytes of what [`Self::write_headers`] writes.
    #[must_use]
    pub const fn headers_len(&self) -> usize {
        self.cut.headers.len()
    }

    /// The bytes behind the headers, for senders that gather (`writev()`).
    #[must_use]
    pub const fn payload(&self) -> &'p [u8] {
        self.payload
    }

    /// The MTU that the IPv4 packet has to be cut to with
    /// [`wire::ipv4::fragments`](crate::wire::ipv4::fragments), if it is longer and the path was
    /// named ([`Segments::over_path`]).
    #[must_use]
    pub const fn needs_fragments(&self) -> Option<u32> {
        self.fragment
    }

    /// Puts the packet at the front of `out` and returns its length.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::len`].
    pub fn write(&self, out: &mut [u8]) -> Result<usize, Error> {
        let length = self.len();
        let (headers, behind) = match out.split_at_mut_checked(self.headers_len()) {
            Some((headers, behind)) if behind.len() >= self.payload.len() => (headers, behind),
            _ => return Err(self.short(length, out)),
        };
        self.write_headers(headers)?;
        if let Some(room) = behind.get_mut(..self.payload.len()) {
            room.copy_from_slice(self.payload);
        }
        Ok(length)
    }

    /// Puts all that comes before the payload at the front of `out` and returns its length.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::headers_len`].
    pub fn write_headers(&self, out: &mut [u8]) -> Result<usize, Error> {
        let length = self.cut.headers.len();
        let Some(headers) = out.get_mut(..length) else {
            return Err(self.short(length, out));
        };
        headers.copy_from_slice(self.cut.headers);
        let Some(inner) = self.cut.inner else {
            return Ok(length);
        };
        // Once, for both checksums. The headers are of even length, so the order is no matter.
        let payload = Sum::ZERO.add_bytes(self.payload);
        let frame = self.cut.tunnel.map_or(0, |tunnel| tunnel.frame());
        self.rewrite_inner(
            headers.get_mut(frame..).unwrap_or_default(),
            &inner,
            payload,
        )?;
        if let Some(tunnel) = &self.cut.tunnel {
            self.rewrite_outer(headers, tunnel, payload)?;
        }
        Ok(length)
    }

    fn rewrite_inner(&self, frame: &mut [u8], inner: &Layout, payload: Sum) -> Result<(), Error> {
        let end = frame.len() + self.payload.len();
        let packet = frame.get_mut(inner.network..).unwrap_or_default();
        let id = if self.cut.fixed.inner { 0 } else { self.index };
        rewrite_ip(packet, inner.is_ipv4(), end - inner.network, id)?;

        let datagram = frame.get_mut(inner.transport..).unwrap_or_default();
        let length = end - inner.transport;
        let pseudo = inner
            .addresses
            .pseudo_header_sum(inner.protocol(), length as u32);
        let remote_checksum = self.cut.tunnel.is_some_and(|tunnel| tunnel.remote_checksum);
        let checksum = |datagram: &[u8]| match remote_checksum {
            true => pseudo.fold(),
            false => pseudo.add_bytes(datagram).add(payload).complement(),
        };
        if inner.protocol() == protocol::TCP {
            let (header, _) = tcp::Header::split_mut(datagram)?;
            let sent = self.index.wrapping_mul(self.cut.size.into());
            header.set_sequence(header.sequence().wrapping_add(sent));
            let mut flags = header.flags();
            flags.set(
                tcp::Flags::CWR,
                flags.contains(tcp::Flags::CWR) && self.index == 0,
            );
            if !self.last {
                flags.remove(tcp::Flags::PSH | tcp::Flags::FIN);
            }
            header.set_flags(flags);
            header.set_checksum(0);
            let checksum = checksum(datagram);
            tcp::Header::split_mut(datagram)?.0.set_checksum(checksum);
        } else {
            let (header, _) = udp::Header::split_mut(datagram)?;
            let absent = header.checksum() == 0;
            header.set_length(length as u16);
            header.set_checksum(0);
            if !absent {
                let checksum = udp::never_zero(checksum(datagram));
                udp::Header::split_mut(datagram)?.0.set_checksum(checksum);
            }
        }
        Ok(())
    }

    fn rewrite_outer(&self, packet: &mut [u8], tunnel: &Tunnel, payload: Sum) -> Result<(), Error> {
        let end = self.len();
        let id = if self.cut.fixed.outer { 0 } else { self.index };
        rewrite_ip(packet, tunnel.is_ipv4(), end, id)?;
        let datagram = packet.get_mut(tunnel.udp..).unwrap_or_default();
        let length = end - tunnel.udp;
        let (header, _) = udp::Header::split_mut(datagram)?;
        header.set_length(length as u16);
        header.set_checksum(0);
        if tunnel.checksum {
            let pseudo = udp::pseudo_header_sum(tunnel.addresses, length);
            let checksum = if self.cut.checksum_offload {
                pseudo.fold()
            } else {
                udp::never_zero(pseudo.add_bytes(datagram).add(payload).complement())
            };
            udp::Header::split_mut(datagram)?.0.set_checksum(checksum);
        }
        Ok(())
    }

    #[cold]
    fn short(&self, need: usize, out: &[u8]) -> Error {
        let layer = match &self.cut.tunnel {
            Some(tunnel) if tunnel.is_ipv4() => Layer::Ipv4,
            Some(_) => Layer::Ipv6,
            None => Layer::Ethernet,
        };
        let have = out.len();
        Error::Truncated { layer, need, have }
    }
}

/// Gives the IP header at the front of `packet` a new length, counted from the header on, and an
/// identification that is `id` further. Lengths were checked before anything was cut.
pub(super) fn rewrite_ip(
    packet: &mut [u8],
    is_ipv4: bool,
    length: usize,
    id: u32,
) -> Result<(), Error> {
    if !is_ipv4 {
        let (header, _) = ipv6::Header::split_mut(packet)?;
        header.set_payload_length(length.saturating_sub(ipv6::Header::LEN) as u16);
        return Ok(());
    }
    let (header, behind) = ipv4::Header::split_mut(packet)?;
    header.set_total_length(length as u16);
    header.set_identification(header.identification().wrapping_add(id as u16));
    let options = header.header_len().saturating_sub(ipv4::Header::LEN);
    header.fill_checksum(behind.get(..options).unwrap_or_default());
    Ok(())
}
