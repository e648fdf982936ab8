//! Segmentation: one frame becomes the packets that go over the wire (`skb_segment()`,
//! `tcp_gso_segment()`, `skb_udp_tunnel_segment()` in Linux).

mod error;
mod measure;
mod write;

use crate::packet::Gso;
use crate::wire::ethernet::EtherType;

use super::layout::{Layout, Tunnel};
pub use error::SegmentError;
use measure::checked_size;
pub(crate) use measure::{Measure, measure};
pub use write::Segment;
pub(super) use write::rewrite_ip;

/// The longest packet that the length fields of IPv4 and UDP can state, in bytes.
const LENGTH_MAX: usize = u16::MAX as usize;

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
