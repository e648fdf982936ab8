//! The VXLAN header and what is behind it.

use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::vxlan::{Flags, Header, ReservedBits};

use super::{DEPTH_MAX, Datagram, Layer, Walk};

/// The port of VXLAN-GPE.
const GPE_PORT: u16 = 4790;

/// The bits of the flags word by name, and what they belong to.
const NAMES: [(u32, &str, &str); 8] = [
    (Flags::GROUP_POLICY.bits(), "G", "group_policy"),
    (Flags::VNI.bits(), "I", "vni_valid"),
    (Flags::NEXT_PROTOCOL.bits(), "P", "next_protocol_valid"),
    // GPE: broadcast, unknown unicast or multicast (draft-ietf-nvo3-vxlan-gpe section 3.1).
    (0x0200_0000, "B", "bum"),
    (Flags::OAM.bits(), "O", "oam"),
    (Flags::DONT_LEARN.bits(), "D", "dont_learn"),
    (Flags::REMOTE_CHECKSUM.bits(), "C", "remote_checksum"),
    (Flags::POLICY_APPLIED.bits(), "A", "policy_applied"),
];

impl<'p> Walk<'p, '_> {
    pub(super) fn vxlan(&mut self, datagram: Datagram<'p>) {
        let payload = datagram.payload;
        let outermost = self.decoded.vxlan.is_none();
        if outermost {
            self.decoded.vxlan = Some(datagram);
        }
        let Ok((header, _)) = Header::split(payload.bytes) else {
            self.what(|| "VXLAN".to_owned());
            self.short("VXLAN header", Header::LEN, payload);
            return;
        };
        let extension = Extension::of(&header, datagram.port);
        let vni = header.vni();
        self.what(|| match extension {
            Extension::Gpe => format!("VXLAN-GPE {vni}"),
            _ => format!("VXLAN {vni}"),
        });
        self.layer("vxlan", "VXLAN", |layer| {
            vxlan_layer(layer, &header, extension)
        });
        if self.depth >= DEPTH_MAX {
            return self.opaque(payload.after(Header::LEN));
        }
        self.depth += 1;
        let inner = payload.after(Header::LEN);
        match (extension, header.next_protocol()) {
            (Extension::Gpe, 1) => self.network(EtherType::IPV4, inner),
            (Extension::Gpe, 2) => self.network(EtherType::IPV6, inner),
            (Extension::Gpe, 4) => self.network(EtherType::NSH, inner),
            (Extension::Gpe, number) if number != 3 => self.opaque(inner),
            _ => self.ethernet(inner),
        }
        self.depth -= 1;
    }
}

/// Which extension explains the lower half of the flags word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extension {
    None,
    Gbp,
    Gpe,
}

impl Extension {
    /// The policy and the next protocol lie in the same place. GPE has a port of its own, and
    /// elsewhere P without a protocol that exists is one more reserved bit: an Ethernet frame
    /// follows.
    fn of(header: &Header, port: u16) -> Self {
        let flags = header.flags();
        let policy = flags.contains(Flags::GROUP_POLICY);
        let named = !policy && (1..=5).contains(&header.next_protocol());
        if flags.contains(Flags::NEXT_PROTOCOL) && (port == GPE_PORT || named) {
            Self::Gpe
        } else if policy {
            Self::Gbp
        } else {
            Self::None
        }
    }
}

fn vxlan_layer(layer: &mut Layer, header: &Header, extension: Extension) {
    let (flags, low) = (header.words().0, header.low_byte());
    let set = |bit: u32| flags & bit != 0;
    layer
        .field("vni", header.vni().get())
        .field("flags", flags)
        .field("low_byte", low);
    for (bit, _, name) in NAMES {
        layer.field(name, set(bit));
    }
    let letters: Vec<_> = NAMES
        .iter()
        .filter(|(bit, ..)| set(*bit))
        .map(|(_, letter, _)| *letter)
        .collect();
    layer.item(format!("VNI {}", header.vni()));
    layer.item(format!(
        "flags {:#06x} ({})",
        flags >> 16,
        letters.join(" ")
    ));
    if !set(Flags::VNI.bits()) {
        layer.item("the I flag is clear: the VNI is not valid");
    }
    let mut explained = NAMES.iter().fold(0, |bits, (bit, ..)| bits | bit);
    match extension {
        Extension::Gbp => {
            explained |= 0xffff;
            layer.field("policy", header.group_policy_id());
            layer.item(format!("group policy {}", header.group_policy_id()));
        }
        Extension::Gpe => {
            explained |= 0xff | Flags::VERSION.bits();
            let (version, next) = (
                (flags & Flags::VERSION.bits()) >> 28,
                header.next_protocol(),
            );
            layer.field("version", version).field("next_protocol", next);
            layer.item(format!(
                "GPE, next protocol {next} ({})",
                next_protocol(next)
            ));
            if version != 0 {
                layer.item(format!("version {version}"));
            }
        }
        Extension::None => {}
    }
    let mut explained_low = 0;
    if set(Flags::REMOTE_CHECKSUM.bits()) {
        explained_low = 0xff;
        let (start, offset) = (
            u16::from(low & 0x7f) * 2,
            if low & 0x80 == 0 { 16 } else { 6 },
        );
        layer
            .field("checksum_start", start)
            .field("checksum_offset", offset);
        layer.item(format!(
            "remote checksum from byte {start}, field at +{offset}"
        ));
    }
    let (first, second) = (flags & !explained, low & !explained_low);
    layer.field("unknown_bits", u64::from(first) << 32 | u64::from(second));
    if first != 0 || second != 0 {
        layer.item(format!("bits of no extension {first:08x} {second:08x}"));
    }
    let reserved = header.reserved(ReservedBits::PLAIN);
    layer.field("reserved_bits_set", reserved);
    if reserved {
        layer.item("reserved bits set (RFC 7348)");
    }
}

fn next_protocol(number: u8) -> &'static str {
    match number {
        1 => "IPv4",
        2 => "IPv6",
        3 => "Ethernet",
        4 => "NSH",
        5 => "MPLS",
        _ => "unassigned",
    }
}
