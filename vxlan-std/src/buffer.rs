//! Room for one frame.

use core::fmt;

use vxlan_core::Packet;
use vxlan_core::packet::{HEADROOM, OutOfRoom};

/// Room before the frame. A multiple of 16, so that the inner IP header of a frame that is 14
/// bytes in begins where the processor likes it no less than in the kernel.
const FRONT: usize = HEADROOM.next_multiple_of(16);
/// The longest UDP payload, and so the longest frame.
const AREA: usize = 65535;

/// A buffer for one frame or datagram of any length, with headroom before it that every
/// encapsulation fits into. Made once and used for every packet.
#[derive(Clone)]
pub struct Buffer {
    bytes: Box<[u8]>,
}

impl Buffer {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: vec![0; FRONT + AREA].into_boxed_slice(),
        }
    }

    /// Where to read a frame into: 65,535 bytes.
    #[must_use]
    pub fn frame_area(&mut self) -> &mut [u8] {
        self.bytes.get_mut(FRONT..).unwrap_or_default()
    }

    /// The frame of `len` bytes that was read into [`frame_area`](Self::frame_area). Still the
    /// same after it was sent, but for a checksum that had to be filled in.
    #[must_use]
    pub fn frame(&self, len: usize) -> &[u8] {
        let area = self.bytes.get(FRONT..).unwrap_or_default();
        area.get(..len).unwrap_or(area)
    }

    /// The same frame as a packet with headroom.
    ///
    /// # Errors
    /// [`OutOfRoom`] if `len` is beyond the buffer.
    pub fn packet(&mut self, len: usize) -> Result<Packet<'_>, OutOfRoom> {
        Packet::new(&mut self.bytes, FRONT, len)
    }

    pub(crate) fn range(&self, start: usize, len: usize) -> &[u8] {
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.get(..len).unwrap_or(rest)
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_headroom_and_is_found_again() {
        let mut buffer = Buffer::new();
        buffer.frame_area()[..3].copy_from_slice(b"abc");
        assert_eq!(buffer.packet(3).unwrap().bytes(), b"abc");
        assert!(buffer.packet(3).unwrap().headroom() >= HEADROOM);
        assert_eq!(buffer.frame(3), b"abc");
        assert_eq!(buffer.frame(usize::MAX).len(), AREA);
        assert!(buffer.packet(AREA + 1).is_err());
    }
}
