//! IPv4 and IPv6.

use vxlan_core::wire::{Addresses, ipv4, ipv6, protocol};

use super::{Layer, Part, Walk};

/// How many IPv6 extension headers are passed at most.
const EXTENSIONS_MAX: usize = 8;

/// What UDP needs to know about the IP header before it.
#[derive(Clone, Copy)]
pub(super) struct Below {
    pub(super) addresses: Addresses,
    pub(super) tos: u8,
    pub(super) fragment: bool,
    pub(super) ip_checksum: bool,
    pub(super) ip_length: bool,
    /// The IP header leaves the length open: BIG TCP, longer than 16 bits can say.
    pub(super) open_length: bool,
}

impl<'p> Walk<'p, '_> {
    pub(super) fn ipv4(&mut self, part: Part<'p>) {
        let Ok((header, rest)) = ipv4::Header::split(part.bytes) else {
            return self.short("IPv4 header", ipv4::Header::LEN, part);
        };
        self.between(header.source(), header.destination());
        let (total, length) = (usize::from(header.total_length()), header.header_len());
        if header.version() != 4 || length < ipv4::Header::LEN {
            self.layer("ipv4", "IPv4", |layer| {
                layer
                    .field("version", header.version())
                    .field("header_length", length);
                layer.item(format!(
                    "version {}, header of {length} bytes",
                    header.version()
                ));
                layer.item("no IPv4 header");
            });
            self.what(|| "IPv4, malformed".to_owned());
            return;
        }
        let options = rest.get(..length - ipv4::Header::LEN);
        let checksum = options.map(|options| header.verify_checksum(options));
        self.layer("ipv4", "IPv4", |layer| {
            ipv4_layer(layer, &header);
            lengths(layer, part, (total != 0).then_some(total), "total");
            if checksum == Some(false) {
                layer.item(format!(
                    "header checksum {:#06x} is wrong",
                    header.checksum()
                ));
            }
            layer.field("checksum_ok", checksum);
        });
        let whole = if total == 0 { part } else { part.limit(total) };
        if whole.length < length || options.is_none() {
            return self.short("IPv4 header", length, whole);
        }
        self.what(|| format!("IPv4 protocol {}", transport(header.protocol())));
        let below = Below {
            addresses: header.addresses(),
            tos: header.tos(),
            fragment: header.is_fragment(),
            ip_checksum: checksum != Some(false),
            ip_length: total <= part.length,
            open_length: total == 0,
        };
        if header.fragment_offset() != 0 {
            return self.fragment(
                header.protocol(),
                header.fragment_offset(),
                whole.after(length),
            );
        }
        self.transport(header.protocol(), below, whole.after(length));
    }

    pub(super) fn ipv6(&mut self, part: Part<'p>) {
        let Ok((header, _)) = ipv6::Header::split(part.bytes) else {
            return self.short("IPv6 header", ipv6::Header::LEN, part);
        };
        self.between(header.source(), header.destination());
        let payload = usize::from(header.payload_length());
        let total = (payload != 0).then_some(payload + ipv6::Header::LEN);
        self.layer("ipv6", "IPv6", |layer| {
            ipv6_layer(layer, &header);
            lengths(layer, part, total, "payload");
            layer.field("payload_length", payload);
            if header.version() != 6 {
                layer.item(format!("version {}: no IPv6 header", header.version()));
            }
        });
        if header.version() != 6 {
            self.what(|| "IPv6, malformed".to_owned());
            return;
        }
        let whole = total.map_or(part, |total| part.limit(total));
        let below = Below {
            addresses: header.addresses(),
            tos: header.traffic_class(),
            fragment: false,
            ip_checksum: true,
            ip_length: total.is_none_or(|total| total <= part.length),
            open_length: total.is_none(),
        };
        self.extensions(header.next_header(), below, whole.after(ipv6::Header::LEN));
    }

    /// Passes IPv6 extension headers (RFC 8200 section 4).
    fn extensions(&mut self, mut next: u8, mut below: Below, mut part: Part<'p>) {
        for _ in 0..EXTENSIONS_MAX {
            let name = match next {
                0 => "hop-by-hop options",
                43 => "routing header",
                44 => "fragment header",
                51 => "authentication header",
                60 => "destination options",
                _ => break,
            };
            let Some([following, size]) = part.array(0) else {
                return self.short(name, 8, part);
            };
            let length = match next {
                44 => 8,
                51 => (usize::from(size) + 2) * 4,
                _ => (usize::from(size) + 1) * 8,
            };
            if part.bytes.len() < length {
                return self.short(name, length, part);
            }
            let fragment = (next == 44).then(|| part.u16(2)).flatten();
            self.layer("ipv6_extension", "extension", |layer| {
                layer.field("header", next).field("length", length);
                layer.item(name).item(format!("{length} bytes"));
                if let Some(word) = fragment {
                    layer
                        .field("offset", word & !7)
                        .field("more_fragments", word & 1 != 0);
                    layer.item(format!("offset {}", word & !7));
                    if word & 1 != 0 {
                        layer.item("more fragments");
                    }
                }
            });
            part = part.after(length);
            next = following;
            if let Some(word) = fragment {
                below.fragment |= word & !6 != 0;
                if word & !7 != 0 {
                    return self.fragment(next, usize::from(word & !7), part);
                }
            }
        }
        self.what(|| format!("IPv6 protocol {}", transport(next)));
        self.transport(next, below, part);
    }

    /// A fragment but the first: what it carries began in another packet.
    fn fragment(&mut self, number: u8, offset: usize, part: Part<'p>) {
        self.what(|| format!("fragment of {} at byte {offset}", transport(number)));
        self.layer("fragment", "fragment", |layer| {
            layer.field("protocol", number).field("offset", offset);
            layer.field("length", part.length);
            layer.item(format!("{} bytes of {}", part.length, transport(number)));
            layer.item(format!("from byte {offset} on"));
        });
    }

    fn transport(&mut self, number: u8, below: Below, part: Part<'p>) {
        match number {
            protocol::UDP => self.udp(below, part),
            protocol::TCP => self.tcp(below, part),
            1 => self.icmp(part, false),
            protocol::ICMPV6 => self.icmp(part, true),
            _ => self.opaque(part),
        }
    }
}

fn ipv4_layer(layer: &mut Layer, header: &ipv4::Header) {
    layer.field("source", header.source().to_string());
    layer.field("destination", header.destination().to_string());
    layer.field("ttl", header.ttl()).field("tos", header.tos());
    layer
        .field("id", header.identification())
        .field("protocol", header.protocol());
    layer.field("dont_fragment", header.dont_fragment());
    layer.field("more_fragments", header.more_fragments());
    layer.field("fragment_offset", header.fragment_offset());
    layer.field("total_length", header.total_length());
    layer.field("header_length", header.header_len());
    layer.item(format!("{} > {}", header.source(), header.destination()));
    layer
        .item(transport(header.protocol()))
        .item(format!("ttl {}", header.ttl()));
    layer
        .item(tos(header.tos()))
        .item(format!("id {}", header.identification()));
    if header.dont_fragment() {
        layer.item("DF");
    }
    if header.is_fragment() {
        layer.item(format!("fragment at byte {}", header.fragment_offset()));
        if header.more_fragments() {
            layer.item("more fragments");
        }
    }
    if header.header_len() > ipv4::Header::LEN {
        layer.item(format!(
            "{} bytes of options",
            header.header_len() - ipv4::Header::LEN
        ));
    }
}

fn ipv6_layer(layer: &mut Layer, header: &ipv6::Header) {
    layer.field("source", header.source().to_string());
    layer.field("destination", header.destination().to_string());
    layer
        .field("hop_limit", header.hop_limit())
        .field("traffic_class", header.traffic_class());
    layer
        .field("flow_label", header.flow_label())
        .field("next_header", header.next_header());
    layer.item(format!("{} > {}", header.source(), header.destination()));
    layer
        .item(transport(header.next_header()))
        .item(format!("hop limit {}", header.hop_limit()));
    layer.item(tos(header.traffic_class()));
    if header.flow_label() != 0 {
        layer.item(format!("flow label {:#x}", header.flow_label()));
    }
}

/// Says how long the packet is: what its header says, against what is there.
fn lengths(layer: &mut Layer, part: Part<'_>, total: Option<usize>, name: &str) {
    layer.field("big_tcp", total.is_none());
    let Some(total) = total else {
        layer.item(format!(
            "{name} length 0: BIG TCP, {} bytes by the capture",
            part.length
        ));
        return;
    };
    layer.item(format!("{total} bytes"));
    if total > part.length {
        layer.field("missing", total - part.length);
        layer.item(format!("{} more than the frame has", total - part.length));
    } else if total < part.length {
        layer.field("trailing", part.length - total);
        layer.item(format!("{} bytes behind it", part.length - total));
    }
}

fn tos(tos: u8) -> String {
    let ecn = match tos & 3 {
        1 => " (ECT(1))",
        2 => " (ECT(0))",
        3 => " (CE)",
        _ => "",
    };
    format!("tos {tos:#04x}{ecn}")
}

/// An IP protocol for people.
pub(super) fn transport(number: u8) -> String {
    let name = match number {
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPv4",
        protocol::TCP => "TCP",
        protocol::UDP => "UDP",
        41 => "IPv6",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        protocol::ICMPV6 => "ICMPv6",
        59 => "nothing",
        89 => "OSPF",
        103 => "PIM",
        112 => "VRRP",
        132 => "SCTP",
        _ => return format!("protocol {number}"),
    };
    name.to_owned()
}
