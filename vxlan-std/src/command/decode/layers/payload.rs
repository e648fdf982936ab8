//! What IP and Ethernet carry besides VXLAN: enough to know a packet by.

use core::net::Ipv4Addr;

use vxlan_core::Mac;
use vxlan_core::wire::arp;
use vxlan_core::wire::ethernet::EtherType;

use super::checked::Checked;
use super::ip::Below;
use super::{Part, Walk};

impl<'p> Walk<'p, '_> {
    pub(super) fn arp(&mut self, part: Part<'p>) {
        let fields = (
            part.u16(6),
            part.array::<6>(8),
            part.array::<4>(14),
            part.array::<6>(18),
            part.array::<4>(24),
        );
        let (Some(operation), Some(sender), Some(sender_ip), Some(target), Some(target_ip)) =
            fields
        else {
            return self.short("ARP message", arp::Header::LEN, part);
        };
        let (sender, target) = (Mac::new(sender), Mac::new(target));
        let (sender_ip, target_ip) = (Ipv4Addr::from(sender_ip), Ipv4Addr::from(target_ip));
        let text = match operation {
            1 => format!("who has {target_ip}? tell {sender_ip}"),
            2 => format!("{sender_ip} is at {sender}"),
            _ => format!("operation {operation}"),
        };
        self.what(|| format!("ARP: {text}"));
        self.layer("arp", "ARP", |layer| {
            layer
                .field("operation", operation)
                .field("sender", sender.to_string());
            layer.field("sender_ip", sender_ip.to_string());
            layer.field("target", target.to_string());
            layer.field("target_ip", target_ip.to_string());
            layer.item(text);
        });
    }

    pub(super) fn tcp(&mut self, below: Below, part: Part<'p>) {
        let fields = (part.u16(0), part.u16(2), part.u32(4), part.u16(12));
        let (Some(source), Some(destination), Some(sequence), Some(word)) = fields else {
            return self.short("TCP header", 20, part);
        };
        // A capture may end before it.
        let checksum = part.u16(16);
        let checked = checksum.map(|checksum| Checked::tcp(below, checksum, part));
        let header = usize::from(word >> 12) * 4;
        let payload = part.length.saturating_sub(header);
        let names = [
            (0x02, "SYN"),
            (0x10, "ACK"),
            (0x08, "PSH"),
            (0x01, "FIN"),
            (0x04, "RST"),
            (0x20, "URG"),
            (0x40, "ECE"),
            (0x80, "CWR"),
        ];
        let flags: Vec<_> = names
            .iter()
            .filter(|(bit, _)| word & bit != 0)
            .map(|(_, name)| *name)
            .collect();
        self.what(|| format!("TCP {source} > {destination}"));
        self.layer("tcp", "TCP", |layer| {
            layer
                .field("source", source)
                .field("destination", destination);
            layer
                .field("sequence", sequence)
                .field("flags", word & 0x1ff);
            layer.field("payload", payload);
            layer
                .item(format!("{source} > {destination}"))
                .item(flags.join(" "));
            layer
                .item(format!("seq {sequence}"))
                .item(format!("{payload} bytes of payload"));
            if let (Some(checksum), Some(checked)) = (checksum, checked) {
                layer.field("checksum", checksum);
                checked.tell(layer, checksum);
            }
        });
    }

    pub(super) fn icmp(&mut self, part: Part<'p>, six: bool) {
        let (kind, title) = if six {
            ("icmpv6", "ICMPv6")
        } else {
            ("icmp", "ICMP")
        };
        let Some([number, code]) = part.array(0) else {
            return self.short("ICMP header", 4, part);
        };
        let name = match (six, number) {
            (false, 0) | (true, 129) => "echo reply",
            (false, 8) | (true, 128) => "echo request",
            (false, 3) | (true, 1) => "destination unreachable",
            (true, 2) => "packet too big",
            (false, 5) | (true, 137) => "redirect",
            (false, 11) | (true, 3) => "time exceeded",
            (true, 130) => "multicast listener query",
            (true, 131 | 143) => "multicast listener report",
            (true, 133) => "router solicitation",
            (true, 134) => "router advertisement",
            (true, 135) => "neighbour solicitation",
            (true, 136) => "neighbour advertisement",
            _ => "",
        };
        self.what(|| format!("{title} {}", if name.is_empty() { "message" } else { name }));
        self.layer(kind, title, |layer| {
            layer
                .field("type", number)
                .field("code", code)
                .field("length", part.length);
            if !name.is_empty() {
                layer.item(name);
            }
            layer.item(format!("type {number}, code {code}"));
            layer.item(format!("{} bytes", part.length));
        });
    }

    /// A network service header (RFC 8300 section 2.2); its context headers are passed.
    pub(super) fn nsh(&mut self, part: Part<'p>) {
        let (Some(base), Some(path)) = (part.u32(0), part.u32(4)) else {
            return self.short("NSH header", 8, part);
        };
        let length = (base >> 16 & 0x3f) as usize * 4;
        let next = base as u8;
        self.what(|| "NSH".to_owned());
        self.layer("nsh", "NSH", |layer| {
            layer
                .field("length", length)
                .field("md_type", base >> 8 & 0xf);
            layer
                .field("next_protocol", next)
                .field("path", path >> 8)
                .field("index", path & 0xff);
            layer.item(format!("path {}, index {}", path >> 8, path & 0xff));
            layer.item(format!("MD type {}, {length} bytes", base >> 8 & 0xf));
            layer.item(format!("next protocol {next}"));
        });
        if length < 8 || part.bytes.len() < length {
            return self.short("NSH header", length.max(8), part);
        }
        let rest = part.after(length);
        match next {
            1 => self.network(EtherType::IPV4, rest),
            2 => self.network(EtherType::IPV6, rest),
            3 => self.ethernet(rest),
            _ => self.opaque(rest),
        }
    }
}
