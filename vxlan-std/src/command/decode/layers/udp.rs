//! UDP, and which datagrams are VXLAN.

use vxlan_core::wire::udp;

use super::checked::Checked;
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
        let verdict = Checked::udp(below, header, whole, fits && !open);
        self.layer("udp", "UDP", |layer| {
            layer
                .field("source", header.source())
                .field("destination", header.destination());
            layer.field("length", length);
            layer.field("checksum", header.checksum());
            layer.item(format!("{} > {}", header.source(), header.destination()));
            layer.item(match (open, fits) {
                (true, _) => "length 0 (BIG TCP)".to_owned(),
                (_, true) => format!("{length} bytes"),
                (_, false) => format!("length {length} of {} cannot be", part.length),
            });
            verdict.tell(layer, header.checksum());
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
