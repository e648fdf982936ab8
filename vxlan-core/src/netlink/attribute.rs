//! Attributes: length, number, payload, one after the other.
//!
//! ```text
//!  | length, 16 bits | number, 16 bits | payload .. | to a multiple of 4 |
//! ```
//! All in the byte order of the machine; the length counts the header and not the padding.

use byteorder::{ByteOrder, NativeEndian};

use crate::packet::OutOfRoom;

/// Attributes start at multiples of this (`NLA_ALIGNTO`).
const ALIGNMENT: usize = 4;
/// Length and number (`struct nlattr`).
const HEADER_LEN: usize = 4;
/// The payload is attributes again (`NLA_F_NESTED`).
pub const NESTED: u16 = 0x8000;
/// What is left of the number without this flag and `NLA_F_NET_BYTEORDER`.
const NUMBER: u16 = 0x3fff;

/// One attribute of a message (`struct nlattr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The number, without flags.
    pub number: u16,
    /// Whether [`NESTED`] is set. Most senders forget it, and most receivers do not ask.
    pub nested: bool,
    /// What it carries, without padding.
    pub payload: &'a [u8],
}

/// A walk over attributes, for any bytes whatever (`nla_for_each_attr()`).
///
/// It ends at the first that is none; [`rest`](Self::rest) says what was left.
///
/// ```
/// use vxlan_core::netlink::Attributes;
///
/// let mut bytes = [5, 0, 7, 0, 1, 0, 0, 0, 99];
/// # if cfg!(target_endian = "big") { bytes[..4].copy_from_slice(&[0, 5, 0, 7]); }
/// let mut walk = Attributes::new(&bytes);
/// let learning = walk.next().ok_or("there is one")?;
/// assert_eq!((learning.number, learning.payload), (7, &[1][..]));
/// assert_eq!((walk.next(), walk.rest()), (None, &[99][..]));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes that `bytes` holds.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What has not been walked over.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let header = self.bytes.get(..HEADER_LEN)?;
        let (len, kind) = header.split_at_checked(2)?;
        let (len, kind) = (NativeEndian::read_u16(len), NativeEndian::read_u16(kind));
        let len = usize::from(len);
        let payload = self.bytes.get(HEADER_LEN..len)?;
        // The padding of the last one may be missing.
        let next = len.next_multiple_of(ALIGNMENT);
        self.bytes = self.bytes.get(next..).unwrap_or_default();
        Some(Attribute {
            number: kind & NUMBER,
            nested: kind & NESTED != 0,
            payload,
        })
    }
}

impl core::iter::FusedIterator for Attributes<'_> {}

/// Writes attributes one after the other into the caller's buffer.
///
/// What does not fit is [`OutOfRoom`]; what has been written until then stays.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut [u8],
    len: usize,
}

/// Where an attribute starts that holds others, see [`Writer::nest`].
#[derive(Debug)]
#[must_use]
pub struct Nest(usize);

impl<'b> Writer<'b> {
    /// Starts at the front of `out`.
    pub const fn new(out: &'b mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Bytes written.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is a position")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Takes back what was written behind `len`.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends bytes as they are, followed by zeros up to the alignment.
    ///
    /// # Errors
    /// [`OutOfRoom`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), OutOfRoom> {
        let have = self.out.len();
        let padded = bytes.len().next_multiple_of(ALIGNMENT);
        let need = self.len.saturating_add(padded);
        let place = self.out.get_mut(self.len..need);
        let place = place.ok_or(OutOfRoom { need, have })?;
        let padding = core::iter::repeat(&0);
        for (byte, value) in place.iter_mut().zip(bytes.iter().chain(padding)) {
            *byte = *value;
        }
        self.len = need;
        Ok(())
    }

    /// Appends an attribute.
    ///
    /// # Errors
    /// [`OutOfRoom`], also for a payload that no attribute can hold.
    pub fn put(&mut self, number: u16, payload: &[u8]) -> Result<(), OutOfRoom> {
        let need = HEADER_LEN.saturating_add(payload.len());
        let len = u16::try_from(need).map_err(|_| OutOfRoom {
            need,
            have: u16::MAX.into(),
        })?;
        self.bytes(&header(len, number))?;
        self.bytes(payload)
    }

    /// Appends a number in the machine's byte order.
    ///
    /// # Errors
    /// [`OutOfRoom`].
    pub fn put_u32(&mut self, number: u16, value: u32) -> Result<(), OutOfRoom> {
        self.put(number, &value.to_ne_bytes())
    }

    /// Begins an attribute that holds those that follow, to be ended with [`close`](Self::close).
    /// The number is written as it is; whether it has [`NESTED`] is for the format to say.
    ///
    /// # Errors
    /// [`OutOfRoom`].
    pub fn nest(&mut self, number: u16) -> Result<Nest, OutOfRoom> {
        let at = self.len;
        self.bytes(&header(0, number))?;
        Ok(Nest(at))
    }

    /// Ends an attribute that holds others.
    ///
    /// # Errors
    /// [`OutOfRoom`] if it has grown beyond what an attribute can hold.
    pub fn close(&mut self, Nest(at): Nest) -> Result<(), OutOfRoom> {
        let need = self.len.saturating_sub(at);
        let have = usize::from(u16::MAX);
        let len = u16::try_from(need).map_err(|_| OutOfRoom { need, have })?;
        if let Some(place) = self.out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *place = len.to_ne_bytes();
        }
        Ok(())
    }
}

fn header(len: u16, number: u16) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    NativeEndian::write_u16_into(&[len, number], &mut header);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        /// Any bytes are walked over to an end, and what is read is in the bytes.
        #[test]
        fn total(bytes in vec(any::<u8>(), 0..200)) {
            let mut walk = Attributes::new(&bytes);
            let read: usize = walk.by_ref().map(|one| HEADER_LEN + one.payload.len()).sum();
            prop_assert!(read + walk.rest().len() <= bytes.len());
            prop_assert_eq!(walk.next(), None);
        }

        /// What is written is read, and a buffer that is too short is refused at whatever length.
        #[test]
        fn written_and_read(all in vec((0u16..0x4000, any::<bool>(), vec(any::<u8>(), 0..20)), 0..8)) {
            let mut out = [0xff; 256];
            let mut writer = Writer::new(&mut out);
            for (number, nested, payload) in &all {
                writer.put(number | if *nested { NESTED } else { 0 }, payload).unwrap();
            }
            let len = writer.len();
            let walk = Attributes::new(&out[..len]);
            let read: Vec<_> = walk.map(|one| (one.number, one.nested, one.payload.to_vec())).collect();
            prop_assert_eq!(&read, &all);
            for short in 0..len {
                let mut writer = Writer::new(&mut out[..short]);
                let fits = all.iter().try_for_each(|(number, _, payload)| writer.put(*number, payload));
                prop_assert!(fits.is_err());
            }
        }
    }

    #[test]
    fn nested_attributes_carry_their_length() {
        let mut out = [0; 64];
        let mut writer = Writer::new(&mut out);
        let outer = writer.nest(18).unwrap();
        writer.put(1, b"vxlan").unwrap();
        let inner = writer.nest(2 | NESTED).unwrap();
        writer.put(5, &[9]).unwrap();
        writer.close(inner).unwrap();
        writer.close(outer).unwrap();
        let len = writer.len();
        let mut walk = Attributes::new(&out[..len]);
        let outer = walk.next().unwrap();
        assert_eq!(
            (outer.number, outer.nested, walk.rest()),
            (18, false, &[][..])
        );
        let mut walk = Attributes::new(outer.payload);
        assert_eq!(walk.next().unwrap().payload, b"vxlan");
        let inner = walk.next().unwrap();
        assert_eq!((inner.number, inner.nested), (2, true));
        assert_eq!(Attributes::new(inner.payload).next().unwrap().payload, [9]);
    }
}
