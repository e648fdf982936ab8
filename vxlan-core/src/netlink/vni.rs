//! VNIs of a filter (`RTM_NEWTUNNEL`, `RTM_DELTUNNEL`, `RTM_GETTUNNEL`).
//!
//! ```text
//!  struct tunnel_msg: | family 8 | flags 8 | pad 16 | interface 32 |
//!  VXLAN_VNIFILTER_ENTRY, nested, as often as wanted:
//!    START 1, END 2, GROUP 3, GROUP6 4, STATS 5 (nested, eight counters of 64 bits)
//! ```

use core::net::IpAddr;

use super::policy::{Policy, Rule};
use super::{Attributes, Error, NESTED, Writer};
use crate::device::Valid;
use crate::packet::OutOfRoom;
use crate::vni_filter::{Event, Request, Span, Stats};
use crate::{Errno, IfIndex};

/// VNIs are added, or shown (`RTM_NEWTUNNEL`).
pub const NEW: u16 = 120;
/// VNIs are taken off (`RTM_DELTUNNEL`).
pub const DELETE: u16 = 121;
/// VNIs are asked for (`RTM_GETTUNNEL`).
pub const GET: u16 = 122;
/// The family of these messages (`PF_BRIDGE`).
pub const FAMILY: u8 = 7;
/// In a question: with counters (`TUNNEL_MSG_FLAG_STATS`).
const STATS_WANTED: u8 = 0x1;
/// The length of `struct tunnel_msg`.
const HEADER_LEN: usize = 8;

/// `VXLAN_VNIFILTER_ENTRY`.
const ENTRY: u16 = 1;
const START: u16 = 1;
const END: u16 = 2;
const GROUP: u16 = 3;
const GROUP6: u16 = 4;
const STATS: u16 = 5;

/// What a message may hold (`vni_filter_policy`).
const MESSAGE: Policy<2> = Policy {
    rules: [Rule::Any, Rule::Nested],
    strict_from: 0,
    closed: true,
    ruled_from: 0,
};

/// What an entry may hold (`vni_filter_entry_policy`).
const CONTENT: Policy<6> = Policy {
    rules: [
        Rule::Any,
        Rule::Number(4),
        Rule::Number(4),
        Rule::AtMost(4),
        Rule::AtMost(16),
        Rule::Any,
    ],
    strict_from: 0,
    closed: true,
    ruled_from: 0,
};

/// A request to add or delete VNIs, before its device is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    ifindex: u32,
    entries: &'a [u8],
}

/// A question: which VNIs?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question {
    /// Of which device; `None` for all that have a filter.
    pub interface: Option<IfIndex>,
    /// Each with its counters, instead of in ranges.
    pub stats: bool,
}

impl<'a> Message<'a> {
    /// There is no interface of that number.
    pub const NO_INTERFACE: Error = Error::bare(Errno::ENODEV);
    /// The interface is not one of these devices.
    pub const NOT_VXLAN: Error =
        Error::new(Errno::EINVAL, "vxlan: The device is not a vxlan device");

    /// Reads a request: `struct tunnel_msg` and what follows it
    /// (`vxlan_vnifilter_process()`).
    ///
    /// # Errors
    /// A short header; attributes that do not belong there.
    pub fn parse(content: &'a [u8]) -> Result<Self, Error> {
        let (header, entries) = split(content).ok_or(invalid("Invalid header length"))?;
        MESSAGE.parse(entries)?;
        Ok(Self {
            ifindex: header.ifindex,
            entries,
        })
    }

    /// The interface that it is about; [`NO_INTERFACE`](Self::NO_INTERFACE) for `None`.
    #[must_use]
    pub const fn interface(&self) -> Option<IfIndex> {
        IfIndex::new(self.ifindex)
    }

    /// What is asked of a device with this configuration, in the order of the message. Each is to
    /// be done before the next is looked at: what is done stays, even if that one is refused.
    ///
    /// # Errors
    /// A device without a filter; no entry at all.
    pub fn requests(&self, config: &Valid) -> Result<Requests<'a>, Error> {
        if !config.has_vni_filter() {
            return Err(Error::bare(Errno::EOPNOTSUPP));
        }
        if Attributes::new(self.entries).next().is_none() {
            return Err(invalid("vxlan: No vnis found to process"));
        }
        Ok(Requests(Attributes::new(self.entries)))
    }
}

/// The entries of a request.
#[derive(Clone, Copy, Debug)]
pub struct Requests<'a>(Attributes<'a>);

impl Iterator for Requests<'_> {
    type Item = Result<Request, Error>;

    /// The next entry, or what is wrong with it, which ends the request
    /// (`vxlan_process_vni_filter()`).
    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.0.next()?;
        Some(CONTENT.parse(entry.payload).map(|table| {
            let v4 = table.get(GROUP).map(padded::<4>).map(IpAddr::from);
            let v6 = table.get(GROUP6).map(padded::<16>).map(IpAddr::from);
            Request {
                start: table.number(START),
                end: table.number(END),
                group: v4.or(v6),
            }
        }))
    }
}

impl core::iter::FusedIterator for Requests<'_> {}

impl Question {
    /// Reads a question: `struct tunnel_msg` (`vxlan_vnifilter_dump()`).
    ///
    /// # Errors
    /// A short header, unknown flags.
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        let (header, _) = split(content).ok_or(invalid("Invalid msg length"))?;
        if header.flags & !STATS_WANTED != 0 {
            return Err(invalid("Invalid tunnelmsg flags in ancillary header"));
        }
        Ok(Self {
            interface: IfIndex::new(header.ifindex),
            stats: header.flags & STATS_WANTED != 0,
        })
    }
}

/// Begins a message about the VNIs of a device; [`span`] and [`counted`] add entries.
///
/// # Errors
/// [`OutOfRoom`].
pub fn head(writer: &mut Writer<'_>, ifindex: IfIndex) -> Result<(), OutOfRoom> {
    writer.bytes(&[FAMILY, 0, 0, 0])?;
    writer.bytes(&ifindex.get().to_ne_bytes())
}

/// Adds a range to a message. Several go into one message as long as there is room.
///
/// # Errors
/// [`OutOfRoom`]; nothing is added then.
pub fn span(writer: &mut Writer<'_>, span: &Span) -> Result<(), OutOfRoom> {
    whole(writer, |writer| {
        writer.put_u32(START, span.start)?;
        if span.end != span.start {
            writer.put_u32(END, span.end)?;
        }
        group(writer, span.group)
    })
}

/// Adds a VNI with its counters to a message (`vxlan_fill_vni_filter_entry()`).
///
/// # Errors
/// See [`span`].
pub fn counted(
    writer: &mut Writer<'_>,
    vni: u32,
    of: Option<IpAddr>,
    stats: &Stats,
) -> Result<(), OutOfRoom> {
    whole(writer, |writer| {
        writer.put_u32(START, vni)?;
        group(writer, of)?;
        let counters = writer.nest(STATS | NESTED)?;
        for (number, (_, value)) in (1..).zip(stats.named()) {
            writer.put(number, &value.to_ne_bytes())?;
        }
        writer.close(counters)
    })
}

/// Writes the content of the notification of a change, to be multicast to `RTNLGRP_TUNNEL`; the
/// kind of the message.
///
/// # Errors
/// [`OutOfRoom`].
pub fn event(writer: &mut Writer<'_>, ifindex: IfIndex, event: &Event) -> Result<u16, OutOfRoom> {
    let (kind, vni, of) = match *event {
        Event::Changed { vni, group } => (NEW, vni, group),
        Event::Removed { vni, group } => (DELETE, vni, group),
    };
    head(writer, ifindex)?;
    whole(writer, |writer| {
        writer.put_u32(START, vni)?;
        group(writer, of)
    })?;
    Ok(kind)
}

/// An entry that is written as a whole or not at all.
fn whole(
    writer: &mut Writer<'_>,
    content: impl FnOnce(&mut Writer<'_>) -> Result<(), OutOfRoom>,
) -> Result<(), OutOfRoom> {
    let before = writer.len();
    let write = |writer: &mut Writer<'_>| {
        let entry = writer.nest(ENTRY | NESTED)?;
        content(writer)?;
        writer.close(entry)
    };
    let written = write(writer);
    if written.is_err() {
        writer.truncate(before);
    }
    written
}

fn group(writer: &mut Writer<'_>, group: Option<IpAddr>) -> Result<(), OutOfRoom> {
    match group.filter(|group| !group.is_unspecified()) {
        None => Ok(()),
        Some(IpAddr::V4(addr)) => writer.put(GROUP, &addr.octets()),
        Some(IpAddr::V6(addr)) => writer.put(GROUP6, &addr.octets()),
    }
}

struct Head {
    flags: u8,
    ifindex: u32,
}

fn split(content: &[u8]) -> Option<(Head, &[u8])> {
    let (header, rest) = content.split_first_chunk::<HEADER_LEN>()?;
    let [_, flags, _, _, a, b, c, d] = *header;
    let ifindex = u32::from_ne_bytes([a, b, c, d]);
    Some((Head { flags, ifindex }, rest))
}

/// An address whose last bytes may be missing; what lies behind it is padding.
fn padded<const N: usize>(payload: &[u8]) -> [u8; N] {
    let mut octets = [0; N];
    for (octet, byte) in octets.iter_mut().zip(payload) {
        *octet = *byte;
    }
    octets
}

const fn invalid(message: &'static str) -> Error {
    Error::new(Errno::EINVAL, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Vni};
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// An attribute of an entry.
    type Given<'a> = (u16, &'a [u8]);

    fn filtering() -> Valid {
        let config = Config::new(Vni::MIN).external(true).vni_filter(true);
        config.validate().unwrap()
    }

    /// `struct tunnel_msg` of interface 2 and attributes, entries with the flag they need.
    fn content(entries: &[(u16, &[Given<'_>])]) -> Vec<u8> {
        let mut out = [0; 256];
        let mut writer = Writer::new(&mut out);
        head(&mut writer, IfIndex::new(2).unwrap()).unwrap();
        for (number, attributes) in entries {
            let nest = writer.nest(*number).unwrap();
            for (number, payload) in *attributes {
                writer.put(*number, payload).unwrap();
            }
            writer.close(nest).unwrap();
        }
        let len = writer.len();
        out[..len].to_vec()
    }

    /// Error number and message.
    type Refusal = (i32, Option<String>);

    /// All requests, or what is answered to the first that is none.
    fn ask(config: &Valid, content: &[u8]) -> Result<Vec<Request>, Refusal> {
        let all = Message::parse(content)
            .and_then(|message| message.requests(config)?.collect::<Result<Vec<_>, _>>());
        all.map_err(|error| {
            (
                error.errno().get(),
                error.message().map(ToString::to_string),
            )
        })
    }

    /// What is answered to attributes; each answer was seen on Linux 6.18.
    #[test]
    fn the_form_of_requests() {
        const NEST: u16 = ENTRY | NESTED;
        let five = 5u32.to_ne_bytes();
        let start: Given<'_> = (START, &five);
        let (length, policy) = (
            "invalid attribute length",
            "Attribute failed policy validation",
        );
        for (entries, want) in [
            (&[(NEST, &[start][..])][..], Ok(1)),
            (&[(NEST, &[start]), (NEST, &[])], Ok(2)),
            (&[], Err((22, "vxlan: No vnis found to process"))),
            (&[(ENTRY, &[start])], Err((22, "NLA_F_NESTED is missing"))),
            (&[(2, &[])], Err((22, "Unknown attribute type"))),
            (&[(0, &[])], Err((22, "Unknown attribute type"))),
            (&[(NEST, &[(START, &five[..1])])], Err((22, length))),
            (&[(NEST, &[(END, &[0; 5])])], Err((22, length))),
            (&[(NEST, &[start, (GROUP, &[1; 3])])], Ok(1)),
            (&[(NEST, &[start, (GROUP, &[1; 5])])], Err((34, policy))),
            (&[(NEST, &[start, (GROUP6, &[1; 3])])], Ok(1)),
            (&[(NEST, &[start, (GROUP6, &[1; 17])])], Err((34, policy))),
            (
                &[(NEST, &[start, (STATS, &[])])],
                Err((22, "Unsupported attribute")),
            ),
            (
                &[(NEST, &[start, (9, &[])])],
                Err((22, "Unknown attribute type")),
            ),
            (
                &[(NEST, &[(START | NESTED, &five)])],
                Err((22, "NLA_F_NESTED not expected")),
            ),
        ] {
            let got = ask(&filtering(), &content(entries)).map(|all| all.len());
            assert_eq!(
                got,
                want.map_err(|(errno, text)| (errno, Some(text.into()))),
                "{entries:?}"
            );
        }
        let leftover = [&content(&[(NEST, &[start])])[..], &[1, 2]].concat();
        let text = "bytes leftover after parsing attributes";
        assert_eq!(ask(&filtering(), &leftover), Err((22, Some(text.into()))));
        let short = Err((22, Some("Invalid header length".into())));
        assert_eq!(ask(&filtering(), &leftover[..7]), short);
        let plain = Config::new(Vni::MIN).validate().unwrap();
        assert_eq!(ask(&plain, &content(&[])), Err((95, None)));
    }

    /// The bytes of Linux.
    #[test]
    fn ranges_and_counters() {
        let mut out = [0xff; 256];
        let mut writer = Writer::new(&mut out);
        let two = IfIndex::new(2).unwrap();
        head(&mut writer, two).unwrap();
        let ranges = [
            (0x1e, 0x20, None),
            (0x28, 0x28, None),
            (0x32, 0x33, Some(IpAddr::from([10, 0, 0, 1]))),
        ];
        for (start, end, group) in ranges {
            span(&mut writer, &Span { start, end, group }).unwrap();
        }
        let len = writer.len();
        if cfg!(target_endian = "little") {
            let want = [
                7, 0, 0, 0, 2, 0, 0, 0, 0x14, 0, 1, 0x80, 8, 0, 1, 0, 0x1e, 0, 0, 0, 8, 0, 2, 0,
                0x20, 0, 0, 0, 0x0c, 0, 1, 0x80, 8, 0, 1, 0, 0x28, 0, 0, 0, 0x1c, 0, 1, 0x80, 8, 0,
                1, 0, 0x32, 0, 0, 0, 8, 0, 2, 0, 0x33, 0, 0, 0, 8, 0, 3, 0, 10, 0, 0, 1,
            ];
            assert_eq!(out[..len], want);
        }
        let asked = ask(&filtering(), &out[..len]).unwrap();
        let (start, end) = (Some(0x32), Some(0x33));
        assert_eq!(
            asked[2],
            Request {
                start,
                end,
                group: ranges[2].2
            }
        );
        let mut writer = Writer::new(&mut out);
        head(&mut writer, two).unwrap();
        counted(&mut writer, 0x1e, None, &Stats::default()).unwrap();
        assert_eq!(writer.len(), 8 + 0x70);
        // What does not fit leaves no trace.
        let mut writer = Writer::new(&mut out[..8 + 0x70 + 20]);
        head(&mut writer, two).unwrap();
        counted(&mut writer, 0x1e, None, &Stats::default()).unwrap();
        assert!(counted(&mut writer, 0x1f, None, &Stats::default()).is_err());
        assert_eq!(writer.len(), 8 + 0x70);
    }

    #[test]
    fn questions() {
        let ask = |flags, ifindex: u32| {
            let [a, b, c, d] = ifindex.to_ne_bytes();
            Question::parse(&[7, flags, 0, 0, a, b, c, d])
        };
        let (all, one) = (ask(0, 0).unwrap(), ask(1, 2).unwrap());
        assert_eq!((all.interface, all.stats), (None, false));
        assert_eq!((one.interface, one.stats), (IfIndex::new(2), true));
        let flags = ask(2, 2).unwrap_err().to_string();
        assert_eq!(flags, "Invalid tunnelmsg flags in ancillary header");
        assert_eq!(
            Question::parse(&[7; 4]).unwrap_err().to_string(),
            "Invalid msg length"
        );
    }

    proptest! {
        /// Any bytes are an answer; what is told can be asked for.
        #[test]
        fn told_and_asked_for(
            bytes in vec(any::<u8>(), 0..60),
            (start, end) in (any::<u32>(), any::<u32>()),
            group in prop_oneof![
                Just(None),
                any::<[u8; 4]>().prop_map(|octets| Some(IpAddr::from(octets))),
                any::<[u8; 16]>().prop_map(|octets| Some(IpAddr::from(octets))),
            ],
        ) {
            let _ = ask(&filtering(), &bytes);
            let _ = Question::parse(&bytes);
            let group = group.filter(|group| !group.is_unspecified());
            let mut out = [0; 64];
            let mut writer = Writer::new(&mut out);
            head(&mut writer, IfIndex::LOOPBACK).unwrap();
            span(&mut writer, &Span { start, end, group }).unwrap();
            let len = writer.len();
            let asked = ask(&filtering(), &out[..len]).unwrap();
            let end = Some(end).filter(|end| *end != start);
            prop_assert_eq!(asked, [Request { start: Some(start), end, group }]);
            for len in 0..len {
                let _ = ask(&filtering(), &out[..len]);
            }
        }
    }
}
