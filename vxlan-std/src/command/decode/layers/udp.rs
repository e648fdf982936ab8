//! UDP, and which datagrams are VXLAN.

use vxlan_core::wire::udp::{self, Verdict};

use super::ip::Below;
use super::{Carrier, Datagram, Part, Walk};

impl<'p> Walk<'p, '_> {
    pub(super) fn udp(&mut self, below: Below, part: Part<'p>) {
        let Ok((header, _)) = udp::Header::split(part.bytes) else {
            return self.short("UDP header", udp::Header::LEN, part);
        };
        let length = usize::from(header.length());
        // RFC 2675 section 4: zero for a length beyond 16 bits. Otherwise the IP header knows.
        let open = below.open_length && length == 0;
        let fits = open || (length >= udp::Header::LEN && length <= part.length) || below.fragment;
        let whole = if open || length < udp::Header::LEN {
            part
        } else {
            part.limit(length)
        };
        let verdict = verify(below, header, whole, fits && !open);
        self.layer("udp", "UDP", |layer| {
            layer
                .field("source", header.source())
                .field("destination", header.destination());
            layer
                .field("length", length)
                .field("checksum", header.checksum());
            layer.item(format!("{} > {}", header.source(), header.destination()));
            layer.item(match (open, fits) {
                (true, _) => "length 0 (BIG TCP)".to_owned(),
                (_, true) => format!("{length} bytes"),
                (_, false) => format!("length {length} of {} cannot be", part.length),
            });
            let (word, text) = match verdict {
                Checked::Is(Verdict::Valid) => ("ok", "checksum ok"),
                Checked::Is(Verdict::Absent) => ("absent", "no checksum"),
                Checked::Is(Verdict::Invalid) => ("wrong", "checksum wrong"),
                Checked::Partial => ("pseudo-header", "checksum left to the card"),
                Checked::Unknown => ("unverified", "checksum not verified"),
            };
            layer.field("checksum_is", word).item(match verdict {
                Checked::Is(Verdict::Absent) => text.to_owned(),
                _ => format!("{text} ({:#06x})", header.checksum()),
            });
        });
        let (source, destination) = (header.source(), header.destination());
        self.what(|| format!("UDP {source} > {destination}"));
        if !self.ports.contains(&destination) {
            return self.opaque(whole.after(udp::Header::LEN));
        }
        let payload = whole.after(udp::Header::LEN);
        let datagram = Datagram {
            payload,
            source: below.addresses.source(),
            tos: below.tos,
            port: destination,
            vni: payload.u32(4).map(|word| word >> 8),
            carrier: Carrier {
                fragment: below.fragment,
                ip_checksum: below.ip_checksum,
                ip_length: below.ip_length,
                udp_length: fits,
                udp_checksum: match verdict {
                    Checked::Is(verdict) => Some(verdict),
                    Checked::Partial | Checked::Unknown => None,
                },
            },
        };
        self.vxlan(datagram);
    }
}

/// What can be said about a UDP checksum.
#[derive(Clone, Copy)]
enum Checked {
    Is(Verdict),
    /// The sum of the pseudo header: the sender's card fills the rest in.
    Partial,
    /// Not all bytes are here.
    Unknown,
}

fn verify(below: Below, header: udp::Header, whole: Part<'_>, length_known: bool) -> Checked {
    if header.checksum() == 0 {
        return Checked::Is(Verdict::Absent);
    }
    if below.fragment || whole.is_cut() || !length_known {
        return Checked::Unknown;
    }
    let verdict = udp::verify(below.addresses, whole.bytes);
    let pseudo = udp::pseudo_header_sum(below.addresses, whole.length).fold();
    if verdict == Verdict::Invalid && header.checksum() == pseudo {
        return Checked::Partial;
    }
    Checked::Is(verdict)
}
