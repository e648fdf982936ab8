//! A frame in the caller's buffer, with room in front of it.

use core::fmt;

use crate::wire::ethernet::EtherType;
use crate::{TunnelInfo, Vni, checksum};

/// Headroom that every encapsulation fits into: Ethernet with one VLAN tag (18), IPv6 (40),
/// UDP (8) and VXLAN (8) bytes.
pub const HEADROOM: usize = 18 + 40 + 8 + 8;

/// What is known about the transport checksum inside a frame.
///
/// The kernel's `skb->ip_summed`. A network card that fills in checksums on the way out, or has
/// verified them on the way in, is data here, not an assumption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChecksumState {
    /// Nothing is known; what the bytes hold is what counts (`CHECKSUM_NONE`).
    #[default]
    None,
    /// Somebody has verified it (`CHECKSUM_UNNECESSARY`).
    Verified,
    /// Still to be filled in: the field holds the pseudo-header sum (`CHECKSUM_PARTIAL`).
    Partial {
        /// First byte the checksum covers, counted in bytes from the start of the frame.
        start: u16,
        /// Where the 16-bit field is, counted in bytes from `start`.
        offset: u16,
    },
}

/// A frame that stands for several: its transport payload is to be cut into pieces on the way out,
/// or was put together from pieces on the way in (`skb_shinfo(skb)->gso_type`, `gso_size`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gso {
    /// What the pieces are.
    pub kind: GsoKind,
    /// Payload bytes of each piece but the last, never zero in a frame that is to be cut.
    pub size: u16,
}

/// What the pieces of a [`Gso`] frame are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GsoKind {
    /// TCP segments over IPv4 (`SKB_GSO_TCPV4`).
    TcpV4,
    /// TCP segments over IPv6 (`SKB_GSO_TCPV6`).
    TcpV6,
    /// UDP datagrams of one flow (`SKB_GSO_UDP_L4`).
    Udp,
}

/// A frame in a buffer of the caller, with headroom before and tailroom behind it.
///
/// Nothing is copied: [`pull`](Self::pull) and [`push`](Self::push) move the start of the frame
/// within the buffer. The kernel's `struct sk_buff`, cut down to what a pure function needs.
///
/// ```
/// use vxlan_core::Packet;
///
/// let mut buffer = [0; 128];
/// let mut packet = Packet::new(&mut buffer, 64, 20)?;
/// packet.push(8)?.fill(0xff);
/// assert_eq!((packet.headroom(), packet.len()), (56, 28));
/// packet.pull(8)?;
/// assert_eq!((packet.headroom(), packet.len()), (64, 20));
/// # Ok::<(), vxlan_core::packet::OutOfRoom>(())
/// ```
#[derive(Debug)]
pub struct Packet<'b> {
    buffer: &'b mut [u8],
    start: usize,
    end: usize,
    flow_hash: Option<u32>,
    /// A checksum that was filled in, to be taken out again: its state and the bytes before.
    filled: Option<(ChecksumState, [u8; 2])>,
    /// The packet mark (`skb->mark`). Group-based policy travels in it.
    pub mark: u32,
    /// The device that transmits it has taken the short way round a router, in this network.
    pub(crate) short_circuited: Option<Vni>,
    /// What is known about the checksum inside the frame.
    pub checksum: ChecksumState,
    /// Set if the frame stands for several.
    pub gso: Option<Gso>,
    /// What the frame is if it has no Ethernet header (`skb->protocol`); only devices with the
    /// generic protocol extension look at it.
    pub protocol: EtherType,
    /// Outer headers beside the frame, for and from devices in external mode
    /// (`skb_tunnel_info()`).
    pub tunnel: Option<TunnelInfo>,
}

impl<'b> Packet<'b> {
    /// The frame of `len` bytes that starts `headroom` bytes into `buffer`.
    ///
    /// # Errors
    /// [`OutOfRoom`] if the buffer is shorter than `headroom + len`.
    #[inline]
    pub fn new(buffer: &'b mut [u8], headroom: usize, len: usize) -> Result<Self, OutOfRoom> {
        let have = buffer.len();
        match headroom.checked_add(len) {
            Some(end) if end <= have => Ok(Self {
                buffer,
                start: headroom,
                end,
                flow_hash: None,
                filled: None,
                mark: 0,
                short_circuited: None,
                checksum: ChecksumState::None,
                gso: None,
                protocol: EtherType::new(0),
                tunnel: None,
            }),
            end => Err(OutOfRoom {
                need: end.unwrap_or(usize::MAX),
                have,
            }),
        }
    }

    /// The frame.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The frame, to be changed in place.
    #[must_use]
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.buffer
            .get_mut(self.start..self.end)
            .unwrap_or_default()
    }

    /// Length of the frame in bytes.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether the frame has no byte.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Bytes of room before the frame.
    #[must_use]
    #[inline]
    pub fn headroom(&self) -> usize {
        self.start
    }

    /// Bytes of room behind the frame.
    #[must_use]
    #[inline]
    pub fn tailroom(&self) -> usize {
        self.buffer.len() - self.end
    }

    /// Takes `count` bytes off the front; they become headroom (`skb_pull()`).
    ///
    /// # Errors
    /// [`OutOfRoom`] if the frame is shorter; nothing changes then.
    #[inline]
    pub fn pull(&mut self, count: usize) -> Result<(), OutOfRoom> {
        let have = self.len();
        if count > have {
            return Err(OutOfRoom { need: count, have });
        }
        self.start += count;
        Ok(())
    }

    /// Takes `count` bytes of headroom into the frame and lends them (`skb_push()`).
    ///
    /// # Errors
    /// [`OutOfRoom`] if there is less headroom; nothing changes then.
    #[inline]
    pub fn push(&mut self, count: usize) -> Result<&mut [u8], OutOfRoom> {
        let start = self.start.checked_sub(count).ok_or(OutOfRoom {
            need: count,
            have: self.start,
        })?;
        let end = self.start;
        self.start = start;
        Ok(self.buffer.get_mut(start..end).unwrap_or_default())
    }

    /// Makes the frame `len` bytes long, its start unmoved: cuts it off or takes tailroom, whose
    /// bytes are left as they are.
    ///
    /// # Errors
    /// [`OutOfRoom`] if the buffer ends before; nothing changes then.
    pub fn set_len(&mut self, len: usize) -> Result<(), OutOfRoom> {
        let have = self.buffer.len() - self.start;
        if len > have {
            return Err(OutOfRoom { need: len, have });
        }
        self.end = self.start + len;
        Ok(())
    }

    /// Makes the frame a new one of `len` bytes that this host vouches for, and lends it: its
    /// content is for the caller to write. Takes tailroom if need be, or else headroom.
    pub(crate) fn renew(&mut self, len: usize) -> Result<&mut [u8], OutOfRoom> {
        let have = self.buffer.len();
        if len > have {
            return Err(OutOfRoom { need: len, have });
        }
        self.start = self.start.min(have - len);
        self.end = self.start + len;
        self.flow_hash = None;
        self.filled = None;
        self.mark = 0;
        self.checksum = ChecksumState::Verified;
        self.gso = None;
        self.tunnel = None;
        Ok(self.bytes_mut())
    }

    /// The hash of the inner flow, if somebody has said or computed it (`skb->hash`).
    #[must_use]
    #[inline]
    pub fn flow_hash(&self) -> Option<u32> {
        self.flow_hash
    }

    /// States the hash of the inner flow, for instance the one a network card delivered. Zero
    /// stands for "could not be computed", as in Linux.
    #[inline]
    pub fn set_flow_hash(&mut self, hash: u32) {
        self.flow_hash = Some(hash);
    }

    /// Computes a checksum that is still to be filled in, as the outer checksum covers it. A field
    /// outside of the frame cannot be filled in by anybody and stays as it is.
    #[cold]
    pub(crate) fn fill_checksum(&mut self) {
        let ChecksumState::Partial { start, offset } = self.checksum else {
            return;
        };
        let (start, offset) = (usize::from(start), usize::from(offset));
        let before = self
            .bytes()
            .get(start.saturating_add(offset)..)
            .and_then(<[u8]>::first_chunk)
            .copied();
        if let Some(before) = before
            && checksum::fill(self.bytes_mut(), start, offset)
        {
            self.filled = Some((self.checksum, before));
            self.checksum = ChecksumState::None;
        }
    }

    /// Takes out what [`fill_checksum`](Self::fill_checksum) put in: a frame that is not
    /// encapsulated goes on as its sender left it.
    #[cold]
    pub(crate) fn restore_checksum(&mut self) {
        let Some((state, before)) = self.filled.take() else {
            return;
        };
        if let ChecksumState::Partial { start, offset } = state
            && let Some(field) = self
                .bytes_mut()
                .get_mut(usize::from(start) + usize::from(offset)..)
                .and_then(<[u8]>::first_chunk_mut)
        {
            *field = before;
        }
        self.checksum = state;
    }

    /// Lends the headroom and the frame at once, so that headers can be written while the frame
    /// is read.
    #[inline]
    pub(crate) fn split(&mut self) -> (&mut [u8], &mut [u8]) {
        let (front, _) = self
            .buffer
            .split_at_mut_checked(self.end)
            .unwrap_or_default();
        front.split_at_mut_checked(self.start).unwrap_or_default()
    }

    /// Lends everything from the start of the buffer to the end of the frame.
    #[inline]
    pub(crate) fn lend(&mut self) -> &mut [u8] {
        self.buffer.get_mut(..self.end).unwrap_or_default()
    }
}

/// A buffer, headroom or frame that is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfRoom {
    /// Bytes that were asked for.
    pub need: usize,
    /// Bytes that were there.
    pub have: usize,
}

impl fmt::Display for OutOfRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes needed, {} there", self.need, self.have)
    }
}

impl core::error::Error for OutOfRoom {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_beyond_the_buffer_is_refused() {
        let mut buffer = [0; 10];
        for (headroom, len) in [(11, 0), (0, 11), (5, 6), (usize::MAX, 1), (1, usize::MAX)] {
            assert!(
                Packet::new(&mut buffer, headroom, len).is_err(),
                "{headroom} {len}"
            );
        }
        assert!(Packet::new(&mut buffer, 10, 0).is_ok());
    }

    /// T-21: short headroom fails cleanly, and the frame never moves.
    #[test]
    fn t21_refusals_change_nothing() {
        let mut buffer = *b"hhhhpayloadtt";
        let mut packet = Packet::new(&mut buffer, 4, 7).unwrap();
        assert_eq!(packet.push(5).err(), Some(OutOfRoom { need: 5, have: 4 }));
        assert_eq!(packet.pull(8), Err(OutOfRoom { need: 8, have: 7 }));
        assert_eq!(packet.set_len(10), Err(OutOfRoom { need: 10, have: 9 }));
        assert_eq!(packet.bytes(), b"payload");
        assert_eq!((packet.headroom(), packet.tailroom()), (4, 2));
    }

    proptest! {
        #[test]
        fn pull_undoes_push(headroom in 0usize..64, len in 0usize..64, count in 0usize..80) {
            let mut buffer = [7u8; 128];
            let mut packet = Packet::new(&mut buffer, headroom, len).unwrap();
            if packet.push(count).is_ok() {
                packet.pull(count).unwrap();
            }
            prop_assert_eq!((packet.headroom(), packet.len()), (headroom, len));
        }
    }
}
