//! Neighbour discovery: solicitations and advertisements (RFC 4861 sections 4.3, 4.4, 4.6.1;
//! `struct nd_msg` in Linux).
//!
//! ```text
//!   0        1        2          4                  8        24
//!  | type   | code 0 | checksum | R S O, reserved  | target | options
//!
//!   0        1                               2
//!  | type   | length in units of 8 bytes     | link-layer address |   an option
//! ```

use super::ethernet::{self, EtherType};
use super::{Addresses, Error, Layer, ipv6, protocol};
use crate::Mac;
use core::net::Ipv6Addr;
use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `NDISC_NEIGHBOUR_SOLICITATION`.
const SOLICITATION: u8 = 135;
/// `NDISC_NEIGHBOUR_ADVERTISEMENT`.
const ADVERTISEMENT: u8 = 136;
/// `ND_OPT_SOURCE_LL_ADDR`.
const SOURCE_LINK_ADDRESS: u8 = 1;
/// `ND_OPT_TARGET_LL_ADDR`.
const TARGET_LINK_ADDRESS: u8 = 2;
/// Options are counted in these.
const UNIT: usize = 8;
/// What a sender states who is on the link (RFC 4861 section 7.1).
pub const HOP_LIMIT: u8 = 255;

const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// The first 24 bytes of a solicitation or an advertisement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    kind: u8,
    code: u8,
    checksum: U16,
    flags: u8,
    reserved: [u8; 3],
    target: [u8; 16],
}

impl Header {
    /// The length of a message without options: 24 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// Takes the message off the front of what follows an IPv6 header and returns it with its
    /// options.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Ndisc, bytes)
    }

    /// The address that is asked for, if the message is a solicitation: type 135, code 0.
    #[must_use]
    pub const fn solicited(&self) -> Option<Ipv6Addr> {
        if self.kind == SOLICITATION && self.code == 0 {
            Some(Ipv6Addr::from_octets(self.target))
        } else {
            None
        }
    }
}

/// Looks through options for the source link-layer address; `None` without one.
///
/// Options of other types are skipped, and what follows the address is not looked at. A single
/// byte at the end is none, as in Linux.
///
/// # Errors
///
/// [`Error::Length`] for an option of length 0, [`Error::Truncated`] for one that is longer than
/// what is left.
///
/// ```
/// use vxlan_core::Mac;
/// use vxlan_core::wire::ndisc;
///
/// let options = [14, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 7];
/// let address = ndisc::source_link_address(&options)?;
/// assert_eq!(address, Some(Mac::new([2, 0, 0, 0, 0, 7])));
/// assert!(ndisc::source_link_address(&[14, 0]).is_err());
/// # Ok::<(), vxlan_core::wire::Error>(())
/// ```
pub fn source_link_address(mut options: &[u8]) -> Result<Option<Mac>, Error> {
    while let [kind, units, ..] = *options {
        let stated = usize::from(units) * UNIT;
        if stated == 0 {
            return Err(Error::Length {
                layer: Layer::Ndisc,
                least: UNIT,
                stated,
            });
        }
        let (option, behind) = options.split_at_checked(stated).ok_or(Error::Truncated {
            layer: Layer::Ndisc,
            need: stated,
            have: options.len(),
        })?;
        if kind == SOURCE_LINK_ADDRESS {
            let address = option.get(2..).and_then(<[u8]>::first_chunk);
            return Ok(address.copied().map(Mac::new));
        }
        options = behind;
    }
    Ok(None)
}

/// Whether an ICMPv6 message that was sent between `addresses` has the right checksum.
#[must_use]
pub fn checksum_is_valid(addresses: Addresses, message: &[u8]) -> bool {
    let Ok(length) = u32::try_from(message.len()) else {
        return false;
    };
    addresses
        .pseudo_header_sum(protocol::ICMPV6, length)
        .add_bytes(message)
        .complement()
        == 0
}

/// Whether `address` is one of the groups that solicitations are sent to (RFC 4291 section 2.7.1).
#[must_use]
pub const fn is_solicited_node(address: Ipv6Addr) -> bool {
    matches!(
        address.segments(),
        [0xff02, 0, 0, 0, 0, 1, 0xff00..=0xffff, _]
    )
}

/// "`target` is at `mac`": all that an advertisement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Advertisement {
    /// Whom the frame is for.
    pub to_mac: Mac,
    /// Whom the packet is for.
    pub to: Ipv6Addr,
    /// The address asked for; also the packet's source.
    pub target: Ipv6Addr,
    /// Where it is; also the frame's source.
    pub mac: Mac,
    /// The traffic class of the packet.
    pub traffic_class: u8,
    /// The R flag: the neighbour is a router.
    pub router: bool,
    /// The S flag: this answers a solicitation.
    pub solicited: bool,
}

/// An advertisement with its one option.
#[derive(Clone, Copy, Debug, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
struct Message {
    header: Header,
    option_kind: u8,
    option_units: u8,
    mac: [u8; 6],
}

impl Advertisement {
    /// The length of the frame in bytes, Ethernet header included.
    pub const FRAME_LEN: usize = ethernet::Header::LEN + ipv6::Header::LEN + size_of::<Message>();

    /// Writes the whole frame to the front of `out` and returns its length. The O flag is set, the
    /// hop limit is 255 (`vxlan_na_create()`).
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::FRAME_LEN`]; it may then have been
    /// written to.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, Error> {
        const PAYLOAD: u16 = size_of::<Message>() as u16;
        let ethernet = ethernet::Header::new(self.to_mac, self.mac, EtherType::IPV6);
        let ip = ipv6::Header::new(&ipv6::Fields {
            traffic_class: self.traffic_class,
            flow_label: 0,
            payload_length: PAYLOAD,
            next_header: protocol::ICMPV6,
            hop_limit: HOP_LIMIT,
            source: self.target,
            destination: self.to,
        });
        let flag = |on, flag| if on { flag } else { 0 };
        let mut message = Message {
            header: Header {
                kind: ADVERTISEMENT,
                code: 0,
                checksum: U16::new(0),
                flags: OVERRIDE | flag(self.router, ROUTER) | flag(self.solicited, SOLICITED),
                reserved: [0; 3],
                target: self.target.octets(),
            },
            option_kind: TARGET_LINK_ADDRESS,
            option_units: 1,
            mac: self.mac.octets(),
        };
        let sum = ip
            .addresses()
            .pseudo_header_sum(protocol::ICMPV6, PAYLOAD.into())
            .add_bytes(message.as_bytes());
        message.header.checksum = U16::new(sum.complement());
        let behind = ip.write(ethernet.write(out)?)?;
        super::write(Layer::Ndisc, &message, behind)?;
        Ok(Self::FRAME_LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const ASKER: Mac = Mac::new([2, 0, 0, 0, 0x0b, 0x64]);
    const NEIGHBOUR: Mac = Mac::new([2, 0, 0, 0, 0x0c, 7]);

    fn address(last: u16) -> Ipv6Addr {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last)
    }

    fn answer() -> Advertisement {
        Advertisement {
            to_mac: ASKER,
            to: address(1),
            target: address(2),
            mac: NEIGHBOUR,
            traffic_class: 0,
            router: false,
            solicited: true,
        }
    }

    /// A-09: the advertisements of the specification, which a kernel sent.
    #[test]
    fn a09_advertisements_of_the_kernel() {
        let mut want = Vec::new();
        want.extend([2, 0, 0, 0, 0x0b, 0x64, 2, 0, 0, 0, 0x0c, 7, 0x86, 0xdd]);
        want.extend([0x60, 0, 0, 0, 0, 0x20, 0x3a, 0xff]);
        want.extend(address(2).octets());
        want.extend(address(1).octets());
        want.extend([0x88, 0, 0x10, 0x95, 0x60, 0, 0, 0]);
        want.extend(address(2).octets());
        want.extend([2, 1, 2, 0, 0, 0, 0x0c, 7]);
        let mut out = [0xaa; 88];
        assert_eq!(answer().write(&mut out), Ok(86));
        assert_eq!(out[..86], want);
        assert_eq!(out[86..], [0xaa; 2]);

        for (answer, at, changed) in [
            (
                Advertisement {
                    traffic_class: 0xb0,
                    ..answer()
                },
                14,
                &[0x6b, 0][..],
            ),
            (
                Advertisement {
                    router: true,
                    ..answer()
                },
                56,
                &[0x90, 0x94, 0xe0],
            ),
            (
                Advertisement {
                    to: Ipv6Addr::UNSPECIFIED,
                    ..answer()
                },
                56,
                &[0x0d, 0x97, 0x60],
            ),
        ] {
            answer.write(&mut out).unwrap();
            assert_eq!(out[at..at + changed.len()], *changed, "{answer:?}");
        }
        for len in 0..86 {
            assert!(answer().write(&mut out[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn t02_solicitations_have_type_135_and_code_0() {
        let mut bytes = [0; 24];
        for (kind, code, is) in [
            (135, 0, true),
            (135, 1, false),
            (136, 0, false),
            (0, 0, false),
        ] {
            bytes[0] = kind;
            bytes[1] = code;
            let (header, options) = Header::parse(&bytes).unwrap();
            assert_eq!(header.solicited().is_some(), is, "{kind} {code}");
            assert!(options.is_empty());
        }
        for have in 0..Header::LEN {
            assert!(Header::parse(&bytes[..have]).is_err());
        }
    }

    /// A-10: how options end.
    #[test]
    fn a10_options() {
        let mac = Mac::new([2, 3, 4, 5, 6, 7]);
        let zero = Error::Length {
            layer: Layer::Ndisc,
            least: 8,
            stated: 0,
        };
        let long = |need, have| Error::Truncated {
            layer: Layer::Ndisc,
            need,
            have,
        };
        for (name, options, want) in [
            ("none", &[][..], Ok(None)),
            ("one byte", &[1], Ok(None)),
            ("no room for the address", &[1, 1], Err(long(8, 2))),
            ("one short", &[1, 1, 2, 3, 4, 5, 6], Err(long(8, 7))),
            ("whole", &[1, 1, 2, 3, 4, 5, 6, 7], Ok(Some(mac))),
            (
                "longer than needed",
                &[1, 2, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0],
                Ok(Some(mac)),
            ),
            ("length 0", &[1, 0, 2, 3, 4, 5, 6, 7], Err(zero)),
            ("another of length 0", &[9, 0], Err(zero)),
            ("another too long", &[9, 255, 0], Err(long(2040, 3))),
            (
                "another first",
                &[9, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7],
                Ok(Some(mac)),
            ),
            (
                "what follows does not matter",
                &[1, 1, 2, 3, 4, 5, 6, 7, 9, 0],
                Ok(Some(mac)),
            ),
            ("another and a byte", &[2, 1, 0, 0, 0, 0, 0, 0, 1], Ok(None)),
        ] {
            assert_eq!(source_link_address(options), want, "{name}");
        }
    }

    proptest! {
        /// A-10, CVE-2026-31738: the walk ends for all bytes there are, and an address it finds
        /// lies within an option that lies within the bytes.
        #[test]
        fn lesson_nd_option_walk(
            options in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..80),
                // Mostly sound, so that the walk gets far.
                proptest::collection::vec((0u8..4, 0u8..3), 0..12).prop_map(|list| {
                    list.into_iter()
                        .flat_map(|(kind, units)| {
                            let mut option = alloc::vec![kind; usize::from(units).max(1) * 8];
                            option[1] = units;
                            option
                        })
                        .collect()
                }),
            ],
            cut in 0usize..96,
        ) {
            let options = &options[..cut.min(options.len())];
            // The same in arithmetic, as the specification has it.
            let mut at = 0;
            let want = loop {
                if at + 1 >= options.len() {
                    break Ok(None);
                }
                let len = usize::from(options[at + 1]) * 8;
                if len == 0 || at + len > options.len() {
                    break Err(());
                }
                if options[at] == 1 {
                    break Ok(Some(options[at + 2..at + 8].to_vec()));
                }
                at += len;
            };
            let found = source_link_address(options).map_err(drop);
            prop_assert_eq!(found.map(|mac| mac.map(|mac| mac.octets().to_vec())), want);
        }
    }
}
