//! Fragmentation (RFC 791 section 2.3; `ip_do_fragment()` in Linux).

use super::{Error, Header, Layer, MORE_FRAGMENTS, OFFSET};
use core::fmt;
use zerocopy::big_endian::U16;

/// An IPv4 option that fills one byte and means nothing.
const NO_OPERATION: u8 = 1;
const END_OF_OPTIONS: u8 = 0;
/// The bit in an option's type that puts it into every fragment.
const COPIED: u8 = 0x80;
/// How long the payload of a whole packet can be: the fragment offset counts no further.
const PAYLOAD_MAX: usize = 65_535;

/// A packet that cannot be cut into fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FragmentError {
    /// It is no IPv4 packet.
    Malformed(Error),
    /// It is too long and has DF set; a router would answer "fragmentation needed".
    DontFragment {
        /// The length of the packet in bytes.
        length: usize,
        /// The MTU that it does not fit, in bytes.
        mtu: usize,
    },
    /// The MTU has no room for the header and 8 bytes.
    MtuTooSmall {
        /// The smallest MTU that would do, in bytes.
        need: usize,
        /// The MTU, in bytes.
        mtu: usize,
    },
    /// It is a fragment itself, and ends where no fragment offset reaches.
    OffsetTooLarge,
}

impl fmt::Display for FragmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Malformed(error) => error.fmt(f),
            Self::DontFragment { length, mtu } => {
                write!(f, "{length} bytes with DF set, the MTU is {mtu}")
            }
            Self::MtuTooSmall { need, mtu } => {
                write!(f, "the MTU is {mtu}, fragments need at least {need}")
            }
            Self::OffsetTooLarge => f.write_str("a fragment offset exceeds 13 bits"),
        }
    }
}

impl core::error::Error for FragmentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for FragmentError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

/// Cuts an IPv4 packet into fragments of at most `mtu` bytes each, header included.
///
/// A packet that fits is the only item, unchanged. Otherwise every fragment but the last carries the
/// largest multiple of 8 bytes that fits; identification, TOS, TTL and addresses are those of the
/// packet. Options without the copied bit stand in the first fragment only; in the others
/// no-operation options take their place, so that all headers have the same length
/// (`ip_options_fragment()`). A packet that is a fragment itself keeps its place in the whole.
///
/// Bytes behind the total length of the packet are cut off. Its checksum is not looked at.
///
/// ```
/// use core::net::Ipv4Addr;
/// use vxlan_core::wire::ipv4::{Fields, Header, fragments};
///
/// let mut packet = [0; 120];
/// let header = Header::new(&Fields {
///     tos: 0,
///     total_length: 120,
///     identification: 7,
///     dont_fragment: false,
///     ttl: 64,
///     protocol: 17,
///     source: Ipv4Addr::new(192, 0, 2, 1),
///     destination: Ipv4Addr::new(192, 0, 2, 2),
/// });
/// header.write(&mut packet)?;
///
/// let mut out = [0; 70];
/// let mut lengths = [0; 3];
/// for (length, fragment) in lengths.iter_mut().zip(fragments(&packet, 70)?) {
///     *length = fragment.write(&mut out)?;
/// }
/// assert_eq!(lengths, [68, 68, 24]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`FragmentError`] says why the packet cannot be sent over this MTU.
pub fn fragments(packet: &[u8], mtu: usize) -> Result<Fragments<'_>, FragmentError> {
    let (header, options, payload) = Header::parse(packet)?;
    let length = usize::from(header.total_length());
    let mut fragments = Fragments {
        header,
        options,
        payload: Some(payload),
        // All of it in one.
        room: payload.len(),
        offset: header.fragment_offset(),
        part: Part::Whole,
    };
    if length <= mtu {
        return Ok(fragments);
    }
    if header.dont_fragment() {
        return Err(FragmentError::DontFragment { length, mtu });
    }
    let need = header.header_len() + 8;
    if mtu < need {
        return Err(FragmentError::MtuTooSmall { need, mtu });
    }
    if fragments.offset + payload.len() > PAYLOAD_MAX {
        return Err(FragmentError::OffsetTooLarge);
    }
    fragments.room = mtu - header.header_len();
    fragments.part = Part::First;
    Ok(fragments)
}

/// Which part of a packet a fragment is; decides about its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// All of it: nothing changes.
    Whole,
    /// The first one: all options stay.
    First,
    /// A later one: only options with the copied bit stay.
    Later,
}

/// The fragments of one packet, in order. Made by [`fragments`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Fragments<'p> {
    header: Header,
    options: &'p [u8],
    /// What is still to be sent; `None` after the last fragment.
    payload: Option<&'p [u8]>,
    /// How many bytes fit behind the header.
    room: usize,
    /// Where `payload` belongs in the whole packet.
    offset: usize,
    part: Part,
}

impl<'p> Iterator for Fragments<'p> {
    type Item = Fragment<'p>;

    fn next(&mut self) -> Option<Fragment<'p>> {
        let payload = self.payload?;
        let (now, later) = if payload.len() <= self.room {
            (payload, None)
        } else {
            let (now, later) = payload.split_at_checked(self.room & !7)?;
            (now, Some(later))
        };
        let mut fragment = Fragment {
            header: self.header,
            options: self.options,
            payload: now,
            part: self.part,
        };
        if self.part != Part::Whole {
            fragment.place(self.offset, later.is_some());
        }
        self.payload = later;
        self.offset += now.len();
        self.part = match self.part {
            Part::Whole => Part::Whole,
            Part::First | Part::Later => Part::Later,
        };
        Some(fragment)
    }
}

impl core::iter::FusedIterator for Fragments<'_> {}

/// One fragment of a packet whose bytes lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'p> {
    header: Header,
    options: &'p [u8],
    payload: &'p [u8],
    part: Part,
}

impl<'p> Fragment<'p> {
    /// The length in bytes, header included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a header is always there")]
    pub const fn len(&self) -> usize {
        self.header_len() + self.payload.len()
    }

    /// The length of the header with its options, in bytes.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        Header::LEN + self.options.len()
    }

    /// What follows the header: a part of the packet.
    #[must_use]
    pub const fn payload(&self) -> &'p [u8] {
        self.payload
    }

    /// Writes header, options and payload to the front of `out` and returns their length.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::len`]; it is then left as it is.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, Error> {
        let have = out.len();
        let payload = out
            .get_mut(..self.len())
            .and_then(|out| out.split_at_mut_checked(self.header_len()));
        let Some((header, payload)) = payload else {
            return Err(Error::Truncated {
                layer: Layer::Ipv4,
                need: self.len(),
                have,
            });
        };
        self.write_header(header)?;
        payload.copy_from_slice(self.payload);
        Ok(self.len())
    }

    /// Writes header and options alone to the front of `out` and returns their length, for those who
    /// gather header and payload.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::header_len`]; it is then left as it is.
    pub fn write_header(&self, out: &mut [u8]) -> Result<usize, Error> {
        let have = out.len();
        let options = out
            .get_mut(..self.header_len())
            .and_then(|out| out.split_at_mut_checked(Header::LEN));
        let Some((front, options)) = options else {
            return Err(Error::Truncated {
                layer: Layer::Ipv4,
                need: self.header_len(),
                have,
            });
        };
        options.copy_from_slice(self.options);
        if self.part == Part::Later {
            blank_uncopied(options);
        }
        let mut header = self.header;
        if self.part != Part::Whole {
            header.fill_checksum(options);
        }
        header.write(front)?;
        Ok(self.header_len())
    }

    /// Sets length, offset and MF. MF stays if the packet itself had it.
    fn place(&mut self, offset: usize, more: bool) {
        // `fragments` has seen to it that both numbers fit.
        let length = u16::try_from(self.len()).unwrap_or(u16::MAX);
        let units = u16::try_from(offset / 8).unwrap_or(u16::MAX) & OFFSET;
        let more = if more { MORE_FRAGMENTS } else { 0 };
        let flags = self.header.flags_offset.get() & !OFFSET | more;
        self.header.total_length = U16::new(length);
        self.header.flags_offset = U16::new(flags | units);
    }
}

/// Replaces options without the copied bit. Stops at an option whose length makes no sense.
fn blank_uncopied(options: &mut [u8]) {
    let mut rest = options;
    loop {
        let length = match *rest {
            [] | [END_OF_OPTIONS, ..] => return,
            [NO_OPERATION, ..] => 1,
            [_, length, ..] if length >= 2 => usize::from(length),
            _ => return,
        };
        let Some((option, behind)) = rest.split_at_mut_checked(length) else {
            return;
        };
        if option.first().is_some_and(|kind| kind & COPIED == 0) {
            option.fill(NO_OPERATION);
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fields;
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::net::Ipv4Addr;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A packet with these options (a multiple of four bytes), flags, offset and payload.
    fn packet(flags_offset: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
        let length = 20 + options.len() + payload.len();
        let mut header = Header::new(&Fields {
            tos: 0,
            total_length: length as u16,
            identification: 0x5b5d,
            dont_fragment: false,
            ttl: 64,
            protocol: 17,
            source: Ipv4Addr::new(192, 0, 2, 1),
            destination: Ipv4Addr::new(192, 0, 2, 2),
        });
        header.version_words = 0x45 + (options.len() / 4) as u8;
        header.flags_offset = U16::new(flags_offset);
        header.fill_checksum(options);
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend(options);
        bytes.extend(payload);
        bytes
    }

    fn cut(packet: &[u8], mtu: usize) -> Result<Vec<Vec<u8>>, FragmentError> {
        let write = |fragment: Fragment<'_>| {
            let mut out = vec![0; fragment.len()];
            assert_eq!(fragment.write(&mut out), Ok(fragment.len()));
            for len in 0..fragment.len() {
                assert!(fragment.write(&mut vec![0; len]).is_err(), "{len}");
            }
            out
        };
        Ok(fragments(packet, mtu)?.map(write).collect())
    }

    /// Fragments that Linux 6.18 made of outer IPv4 packets: the two headers of each.
    #[test]
    fn cuts_as_the_kernel_does() {
        for (mtu, identification, first, second) in [
            (
                1500,
                0x5b5d,
                "450005dc5b5d2000401175b0c0000201c0000202",
                "4500003b5b5d00b940119a98c0000201c0000202",
            ),
            (
                748,
                0x95fc,
                "450002ec95fc200040113e01c0000201c0000202",
                "4500005295fc005b40116040c0000201c0000202",
            ),
        ] {
            let hex = |text: &str| -> Vec<u8> {
                let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
                (0..40).step_by(2).map(byte).collect()
            };
            let (first, second) = (hex(first), hex(second));
            let length = |header: &[u8]| usize::from(header[2]) << 8 | usize::from(header[3]);
            let payload = vec![0x5a; length(&first) + length(&second) - 40];
            let mut whole = packet(0, &[], &payload);
            let (header, _) = Header::split_mut(&mut whole).unwrap();
            header.set_identification(identification);
            header.fill_checksum(&[]);
            let got = cut(&whole, mtu).unwrap();
            assert_eq!(got.len(), 2, "MTU {mtu}");
            assert_eq!(got[0][..20], first, "MTU {mtu}");
            assert_eq!(got[1][..20], second, "MTU {mtu}");
        }
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        for flags in [0, 0x4000, 0x2000, 0x0001] {
            let mut whole = packet(flags, &[7, 4, 1, 0], &[1; 12]);
            whole[10] ^= 0xff;
            let want = whole.clone();
            whole.extend([0xee; 10]);
            assert_eq!(cut(&whole, 36), Ok(vec![want]), "{flags:#06x}");
        }
    }

    #[test]
    fn refusals() {
        let plain = packet(0, &[], &[0; 30]);
        let df = packet(0x4000, &[], &[0; 30]);
        let optional = packet(0, &[1; 40], &[0; 30]);
        let far = packet(0x1fff, &[], &[0; 30]);
        let mtu_too_small = |need, mtu| Some(FragmentError::MtuTooSmall { need, mtu });
        let (length, mtu) = (50, 49);
        let dont_fragment = Some(FragmentError::DontFragment { length, mtu });
        for (name, packet, mtu, want) in [
            ("fits", &plain, 50, None),
            ("fits with DF", &df, 50, None),
            ("DF", &df, 49, dont_fragment),
            ("room for 8", &plain, 28, None),
            ("room for 7", &plain, 27, mtu_too_small(28, 27)),
            ("no room", &plain, 0, mtu_too_small(28, 0)),
            ("options", &optional, 68, None),
            ("options, room for 7", &optional, 67, mtu_too_small(68, 67)),
            ("too far", &far, 40, Some(FragmentError::OffsetTooLarge)),
        ] {
            assert_eq!(fragments(packet, mtu).err(), want, "{name}");
        }
        for len in 0..plain.len() {
            let error = fragments(&plain[..len], 28).err();
            assert!(
                matches!(error, Some(FragmentError::Malformed(_))),
                "{len}: {error:?}"
            );
        }
    }

    #[test]
    fn later_fragments_keep_copied_options_only() {
        // Record route, no-operation, router alert (copied), timestamp, padding.
        let options = [7, 3, 4, 1, 0x94, 4, 0, 0, 0x44, 4, 5, 0];
        let blanked = [1, 1, 1, 1, 0x94, 4, 0, 0, 1, 1, 1, 1];
        let got = cut(&packet(0, &options, &[0; 24]), 40).unwrap();
        assert_eq!(got.len(), 3);
        assert_eq!(got[0][20..32], options);
        assert_eq!(got[1][20..32], blanked);
        assert_eq!(got[2][20..32], blanked);
    }

    /// An option length of 0 or 1 must not stall the walk, one beyond the end not overrun.
    #[test]
    fn lesson_option_lengths_neither_stall_nor_overrun() {
        for (options, want) in [
            ([7, 0, 7, 2], [7, 0, 7, 2]),
            ([7, 1, 7, 2], [7, 1, 7, 2]),
            ([7, 2, 7, 0], [1, 1, 7, 0]),
            ([7, 5, 0, 0], [7, 5, 0, 0]),
            ([1, 1, 1, 7], [1, 1, 1, 7]),
            ([0, 7, 2, 0], [0, 7, 2, 0]),
            ([7, 4, 0, 0], [1, 1, 1, 1]),
        ] {
            let mut got = options;
            blank_uncopied(&mut got);
            assert_eq!(got, want, "{options:?}");
        }
    }

    proptest! {
        #[test]
        fn fragments_make_up_the_packet(
            payload in vec(any::<u8>(), 0..600),
            words in 0_usize..=10,
            options in [any::<u8>(); 40],
            mtu in 28_usize..700,
            base in 0_u16..0x1f00,
            more: bool,
        ) {
            let options = &options[..words * 4];
            let flags = base | if more { MORE_FRAGMENTS } else { 0 };
            let whole = packet(flags, options, &payload);
            let (header, ..) = Header::parse(&whole).unwrap();
            let parts = match cut(&whole, mtu) {
                Ok(parts) => parts,
                Err(error) => {
                    let need = 28 + options.len();
                    prop_assert!(mtu < need, "{}", error);
                    return Ok(());
                }
            };
            let mut gathered: Vec<u8> = Vec::new();
            for (number, bytes) in parts.iter().enumerate() {
                let last = number + 1 == parts.len();
                let (part, part_options, part_payload) = Header::parse(bytes).unwrap();
                prop_assert!(bytes.len() <= mtu);
                prop_assert!(part.verify_checksum(part_options));
                prop_assert_eq!(part_options.len(), options.len());
                prop_assert_eq!(part.identification(), header.identification());
                prop_assert_eq!((part.tos(), part.ttl()), (header.tos(), header.ttl()));
                prop_assert_eq!(part.addresses(), header.addresses());
                prop_assert_eq!(part.more_fragments(), more || !last);
                prop_assert_eq!(part.fragment_offset(), header.fragment_offset() + gathered.len());
                if !last {
                    let room = (mtu - part.header_len()) / 8 * 8;
                    prop_assert_eq!(part_payload.len(), room);
                }
                gathered.extend(part_payload);
            }
            prop_assert_eq!(gathered, payload);
            prop_assert_eq!(&parts[0][20..20 + options.len()], options);
        }

        #[test]
        fn cuts_or_refuses(bytes in vec(any::<u8>(), 0..200), mtu in 0_usize..200) {
            if let Ok(fragments) = fragments(&bytes, mtu) {
                prop_assert!(fragments.count() >= 1);
            }
        }
    }
}
