//! Remote checksum offload: where the checksum of the inner packet lies, in the byte behind the VNI
//! (draft-herbert-vxlan-rco-00; `VXLAN_RCO_*` in Linux).
//!
//! ```text
//!   7                     6       0
//!  | 1: UDP, 0: TCP | start / 2 |
//! ```
//!
//! The start counts bytes from the inner Ethernet header; it is even and at most 254. The field
//! lies 6 bytes behind it in UDP, 16 in TCP.

/// Which checksum is still to be filled in.
///
/// ```
/// use vxlan_core::wire::rco::RemoteChecksum;
///
/// // UDP behind Ethernet and IPv4.
/// let checksum = RemoteChecksum::new(34, 6).ok_or("it has a place in the header")?;
/// assert_eq!(checksum.low_byte(), 0x91);
/// assert_eq!(RemoteChecksum::from_low_byte(0x91), checksum);
/// assert_eq!(RemoteChecksum::new(35, 6), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RemoteChecksum(u8);

/// The field belongs to UDP.
const UDP: u8 = 0x80;
/// Where the field lies in a UDP header, in bytes.
const UDP_OFFSET: u16 = 6;
/// Where the field lies in a TCP header, in bytes.
const TCP_OFFSET: u16 = 16;

impl RemoteChecksum {
    /// The checksum of what begins `start` bytes behind the VXLAN header, its field `offset` bytes
    /// further. `None` if the header cannot say so: the start is odd or above 254, or the offset is
    /// neither that of UDP nor of TCP.
    #[must_use]
    #[inline]
    pub const fn new(start: u16, offset: u16) -> Option<Self> {
        if start > 254 || !start.is_multiple_of(2) {
            return None;
        }
        let half = (start / 2) as u8;
        match offset {
            UDP_OFFSET => Some(Self(half | UDP)),
            TCP_OFFSET => Some(Self(half)),
            _ => None,
        }
    }

    /// What the byte behind the VNI says. Every value says something.
    #[must_use]
    pub const fn from_low_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// The byte behind the VNI.
    #[must_use]
    pub const fn low_byte(self) -> u8 {
        self.0
    }

    /// The first byte that the checksum covers, counted from the inner Ethernet header.
    #[must_use]
    pub const fn start(self) -> u16 {
        (self.0 & !UDP) as u16 * 2
    }

    /// Where the field lies, counted from [`start`](Self::start).
    #[must_use]
    pub const fn offset(self) -> u16 {
        if self.0 & UDP != 0 {
            UDP_OFFSET
        } else {
            TCP_OFFSET
        }
    }

    /// Where the field ends, counted in bytes from the inner Ethernet header: what a frame must
    /// have.
    #[must_use]
    pub const fn end(self) -> usize {
        self.start() as usize + self.offset() as usize + size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-20, R-05: every byte comes back, every other place is refused.
    #[test]
    fn t20_r05_all_bytes() {
        for byte in 0..=255 {
            let checksum = RemoteChecksum::from_low_byte(byte);
            let back = RemoteChecksum::new(checksum.start(), checksum.offset());
            assert_eq!(back.map(RemoteChecksum::low_byte), Some(byte));
        }
        for (start, offset) in [(1, 6), (255, 6), (256, 16), (34, 0), (34, 8), (34, 22)] {
            assert_eq!(RemoteChecksum::new(start, offset), None, "{start} {offset}");
        }
    }
}
