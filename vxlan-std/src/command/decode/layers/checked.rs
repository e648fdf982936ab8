//! Whether the checksum of TCP or UDP holds, inside of tunnels and outside.

use vxlan_core::wire::protocol;
use vxlan_core::wire::udp::{self, Verdict};

use super::ip::Below;
use super::{Layer, Part};

/// What can be said about a checksum.
#[derive(Clone, Copy)]
pub(super) enum Checked {
    Is(Verdict),
    /// The sum of the pseudo header: the sender's card fills the rest in.
    Partial,
    /// Not all bytes are here.
    Unknown,
}

impl Checked {
    /// That of a datagram, `whole` as its header says.
    pub(super) fn udp(
        below: Below,
        header: udp::Header,
        whole: Part<'_>,
        length_known: bool,
    ) -> Self {
        if header.checksum() == 0 {
            return Self::Is(Verdict::Absent);
        }
        if below.fragment || whole.is_cut() || !length_known {
            return Self::Unknown;
        }
        let verdict = udp::verify(below.addresses, whole.bytes);
        let pseudo = udp::pseudo_header_sum(below.addresses, whole.length).fold();
        if verdict == Verdict::Invalid && header.checksum() == pseudo {
            return Self::Partial;
        }
        Self::Is(verdict)
    }

    /// That of a segment. One that is longer than 16 bits can say was cut from many.
    pub(super) fn tcp(below: Below, checksum: u16, segment: Part<'_>) -> Self {
        if below.fragment || !below.ip_length || segment.is_cut() {
            return Self::Unknown;
        }
        let length = u32::try_from(segment.length).unwrap_or(u32::MAX);
        let pseudo = below.addresses.pseudo_header_sum(protocol::TCP, length);
        // RFC 9293 section 3.1: with its own checksum the sum is all ones.
        if pseudo.add_bytes(segment.bytes).fold() == 0xffff {
            Self::Is(Verdict::Valid)
        } else if checksum == pseudo.fold() {
            Self::Partial
        } else {
            Self::Is(Verdict::Invalid)
        }
    }

    /// Says it of a layer with this checksum.
    pub(super) fn tell(self, layer: &mut Layer, checksum: u16) {
        let (word, text) = match self {
            Self::Is(Verdict::Valid) => ("ok", "checksum ok"),
            Self::Is(Verdict::Absent) => ("absent", "no checksum"),
            Self::Is(Verdict::Invalid) => ("wrong", "checksum wrong"),
            Self::Partial => ("pseudo-header", "checksum left to the card"),
            Self::Unknown => ("unverified", "checksum not verified"),
        };
        layer.field("checksum_is", word).item(match self {
            Self::Is(Verdict::Absent) => text.to_owned(),
            _ => format!("{text} ({checksum:#06x})"),
        });
    }
}
