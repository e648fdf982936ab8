//! The TCP header (RFC 9293 section 3.1; `struct tcphdr` in Linux).
//!
//! ```text
//!   0             2                  4                 8
//!  | source port | destination port | sequence number | acknowledgment number |
//!   12                      13      14       16         18              20
//!  | words 4 | reserved 4 | flags | window | checksum | urgent pointer | options: 0 to 40 bytes |
//! ```
//!
//! The header length ("data offset") is counted in 32-bit words.

use super::{Error, Layer};
use bitflags::bitflags;
use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Where the checksum field is, in bytes from the start of the header.
pub const CHECKSUM_OFFSET: u16 = 16;

bitflags! {
    /// The control bits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Flags: u8 {
        /// The sender will send no more.
        const FIN = 0x01;
        /// Synchronise sequence numbers.
        const SYN = 0x02;
        /// Reset the connection.
        const RST = 0x04;
        /// Push: hand the data to the application.
        const PSH = 0x08;
        /// The acknowledgment number counts.
        const ACK = 0x10;
        /// The urgent pointer counts.
        const URG = 0x20;
        /// Congestion was experienced (RFC 3168 section 6.1).
        const ECE = 0x40;
        /// The congestion window was reduced (RFC 3168 section 6.1).
        const CWR = 0x80;
    }
}

/// A TCP header without its options.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    source: U16,
    destination: U16,
    sequence: U32,
    acknowledgment: U32,
    words_reserved: u8,
    flags: u8,
    window: U16,
    checksum: U16,
    urgent: U16,
}

impl Header {
    /// The length of the header without options: 20 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// Takes 20 bytes off the front of a segment, whatever they say. What follows may begin with
    /// options.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Tcp, bytes)
    }

    /// Lends the header at the front of a segment, to be changed in place. What follows may begin
    /// with options.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split_mut(bytes: &mut [u8]) -> Result<(&mut Self, &mut [u8]), Error> {
        super::split_mut(Layer::Tcp, bytes)
    }

    /// Takes the header off the front of a segment and returns it with its options and the
    /// payload. The checksum is not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if the header goes beyond the bytes, [`Error::Length`] if its stated
    /// length is below [`Self::LEN`].
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8], &[u8]), Error> {
        let (header, behind) = Self::split(bytes)?;
        let stated = header.header_len();
        let Some(options) = stated.checked_sub(Self::LEN) else {
            return Err(Error::Length {
                layer: Layer::Tcp,
                least: Self::LEN,
                stated,
            });
        };
        match behind.split_at_checked(options) {
            Some((options, payload)) => Ok((header, options, payload)),
            None => Err(Error::Truncated {
                layer: Layer::Tcp,
                need: stated,
                have: bytes.len(),
            }),
        }
    }

    /// The stated length of the header with its options, in bytes: 0 to 60.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        (self.words_reserved >> 4) as usize * 4
    }

    /// The port of the sender.
    #[must_use]
    pub const fn source(&self) -> u16 {
        self.source.get()
    }

    /// The port of the receiver.
    #[must_use]
    pub const fn destination(&self) -> u16 {
        self.destination.get()
    }

    /// The number of the first byte of the payload.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence.get()
    }

    /// The control bits.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        Flags::from_bits_retain(self.flags)
    }

    /// The checksum field.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        self.checksum.get()
    }

    /// Changes the number of the first byte of the payload.
    pub const fn set_sequence(&mut self, sequence: u32) {
        self.sequence = U32::new(sequence);
    }

    /// Changes the control bits.
    pub const fn set_flags(&mut self, flags: Flags) {
        self.flags = flags.bits();
    }

    /// Changes the checksum field.
    pub const fn set_checksum(&mut self, checksum: u16) {
        self.checksum = U16::new(checksum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn fields_lie_where_the_rfc_says() {
        let bytes: [u8; 24] = core::array::from_fn(|at| match at {
            12 => 0x6f,
            at => at as u8,
        });
        let (header, options, payload) = Header::parse(&bytes).unwrap();
        assert_eq!((header.source(), header.destination()), (0x0001, 0x0203));
        assert_eq!(header.sequence(), 0x0405_0607);
        assert_eq!(header.header_len(), 24);
        assert_eq!(header.flags(), Flags::PSH | Flags::RST | Flags::FIN, "0x0d");
        assert_eq!(header.checksum(), 0x1011);
        assert_eq!(header.as_bytes()[usize::from(CHECKSUM_OFFSET)], 0x10);
        assert_eq!((options, payload), (&bytes[20..], &[][..]));
    }

    #[test]
    fn what_is_set_is_on_the_wire() {
        let mut bytes = [0; 20];
        let (header, _) = Header::split_mut(&mut bytes).unwrap();
        header.set_sequence(0x0102_0304);
        header.set_flags(Flags::CWR | Flags::ACK);
        header.set_checksum(0xabcd);
        assert_eq!(bytes[4..8], [1, 2, 3, 4]);
        assert_eq!(bytes[13], 0x90);
        assert_eq!(bytes[16..18], [0xab, 0xcd]);
    }

    /// The data offset is taken from the wire: it may neither underflow nor overrun.
    #[test]
    fn lesson_the_data_offset_neither_underflows_nor_overruns() {
        let layer = Layer::Tcp;
        for (words, len, want) in [
            (5, 20, Ok((0, 0))),
            (5, 21, Ok((0, 1))),
            (15, 60, Ok((40, 0))),
            (
                15,
                59,
                Err(Error::Truncated {
                    layer,
                    need: 60,
                    have: 59,
                }),
            ),
            (
                4,
                60,
                Err(Error::Length {
                    layer,
                    least: 20,
                    stated: 16,
                }),
            ),
            (
                5,
                19,
                Err(Error::Truncated {
                    layer,
                    need: 20,
                    have: 19,
                }),
            ),
        ] {
            let mut bytes = vec![0; len];
            bytes[12] = words << 4;
            let parsed =
                Header::parse(&bytes).map(|(_, options, rest)| (options.len(), rest.len()));
            assert_eq!(parsed, want, "{words} words in {len} bytes");
        }
    }
}
