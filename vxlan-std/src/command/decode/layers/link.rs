//! Link layers: Ethernet with its tags, and what captures have in the place of it.

use vxlan_core::Mac;
use vxlan_core::wire::ethernet::{self, EtherType};
use vxlan_core::wire::vlan::{self, Tag};

use super::{Part, Walk};

/// `LINKTYPE_*` values (tcpdump.org/linktypes.html).
mod link_type {
    pub(super) const NULL: u16 = 0;
    pub(super) const ETHERNET: u16 = 1;
    /// `DLT_RAW` of most systems and of OpenBSD, then the assigned value.
    pub(super) const RAW: [u16; 3] = [12, 14, 101];
    pub(super) const LOOP: u16 = 108;
    pub(super) const LINUX_SLL: u16 = 113;
    pub(super) const IPV4: u16 = 228;
    pub(super) const IPV6: u16 = 229;
    pub(super) const LINUX_SLL2: u16 = 276;
}

impl<'p> Walk<'p, '_> {
    pub(super) fn link(&mut self, number: u16, part: Part<'p>) {
        match number {
            link_type::ETHERNET => self.ethernet(part),
            link_type::LINUX_SLL => self.cooked(part),
            link_type::LINUX_SLL2 => self.cooked2(part),
            link_type::NULL | link_type::LOOP => self.loopback(part, number),
            link_type::IPV4 => self.ipv4(part),
            link_type::IPV6 => self.ipv6(part),
            _ if link_type::RAW.contains(&number) => self.raw_ip(part),
            _ => {
                self.what(|| format!("link type {number}, not decoded"));
                self.opaque(part);
            }
        }
    }

    pub(super) fn ethernet(&mut self, part: Part<'p>) {
        let Ok((header, _)) = ethernet::Header::parse(part.bytes) else {
            return self.short("Ethernet header", ethernet::Header::LEN, part);
        };
        self.between(header.source(), header.destination());
        self.layer("ethernet", "Ethernet", |layer| {
            layer.field("source", header.source().to_string());
            layer.field("destination", header.destination().to_string());
            layer.field("ethertype", header.ethertype().get());
            layer.item(format!("{} > {}", header.source(), header.destination()));
            layer.item(ethertype(header.ethertype()));
        });
        let (mut kind, mut rest) = (header.ethertype(), part.after(ethernet::Header::LEN));
        for _ in 0..vlan::MAX_DEPTH {
            // 0x9100 is an older value for the outer tag.
            if !kind.is_vlan() && kind.get() != 0x9100 {
                break;
            }
            let (Some(tci), Some(next)) = (rest.u16(0), rest.u16(2)) else {
                return self.short("VLAN tag", vlan::LEN, rest);
            };
            let tag = Tag::from_tci(kind, tci);
            kind = EtherType::new(next);
            rest = rest.after(vlan::LEN);
            self.layer("vlan", "VLAN", |layer| {
                layer
                    .field("tpid", tag.tpid().get())
                    .field("vid", tag.vid());
                layer
                    .field("priority", tag.priority())
                    .field("ethertype", next);
                layer.field("drop_eligible", tag.drop_eligible());
                layer.item(format!("VID {}, priority {}", tag.vid(), tag.priority()));
                if tag.drop_eligible() {
                    layer.item("drop eligible");
                }
                layer.item(format!("TPID {:#06x}", tag.tpid().get()));
                layer.item(ethertype(kind));
            });
        }
        self.network(kind, rest);
    }

    /// Linux cooked capture: what the kernel knows in the place of a link header.
    fn cooked(&mut self, part: Part<'p>) {
        let (Some(packet), Some(address), Some(protocol)) =
            (part.u16(0), part.array::<8>(6), part.u16(14))
        else {
            return self.short("Linux cooked header", 16, part);
        };
        self.cooked_layer(1, packet, part.u16(4), address, protocol);
        self.network(EtherType::new(protocol), part.after(16));
    }

    fn cooked2(&mut self, part: Part<'p>) {
        let (Some(protocol), Some(packet), Some(address)) =
            (part.u16(0), part.array::<1>(10), part.array::<8>(12))
        else {
            return self.short("Linux cooked header", 20, part);
        };
        let [packet] = packet;
        let length = part.array::<1>(11).map(|[length]| length.into());
        self.cooked_layer(2, packet.into(), length, address, protocol);
        self.network(EtherType::new(protocol), part.after(20));
    }

    fn cooked_layer(
        &mut self,
        version: u8,
        packet: u16,
        length: Option<u16>,
        address: [u8; 8],
        protocol: u16,
    ) {
        let to = match packet {
            0 => "to us",
            1 => "broadcast",
            2 => "multicast",
            3 => "to somebody else",
            4 => "from us",
            _ => "packet type unknown",
        };
        self.layer("cooked", "cooked", |layer| {
            layer.field("version", version).field("packet_type", packet);
            layer.field("ethertype", protocol);
            layer
                .item(format!("Linux cooked capture v{version}"))
                .item(to);
            if let ([a, b, c, d, e, f, ..], Some(6)) = (address, length) {
                let mac = Mac::new([a, b, c, d, e, f]);
                layer.field("source", mac.to_string());
                layer.item(format!("from {mac}"));
            }
            layer.item(ethertype(EtherType::new(protocol)));
        });
    }

    /// BSD loopback: an address family in the byte order of the host that captured (of the network
    /// for `LINKTYPE_LOOP`).
    fn loopback(&mut self, part: Part<'p>, number: u16) {
        let Some(family) = part.u32(0) else {
            return self.short("loopback header", 4, part);
        };
        let family = if number == link_type::NULL && family > 0xffff {
            family.swap_bytes()
        } else {
            family
        };
        self.layer("loopback", "loopback", |layer| {
            layer.field("family", family);
            layer.item(format!("address family {family}"));
        });
        match family {
            2 => self.ipv4(part.after(4)),
            // AF_INET6 of NetBSD, FreeBSD, macOS and Linux.
            24 | 28 | 30 | 10 => self.ipv6(part.after(4)),
            _ => {
                self.what(|| format!("address family {family}"));
                self.opaque(part.after(4));
            }
        }
    }

    /// IP without a link layer: the version says which.
    pub(super) fn raw_ip(&mut self, part: Part<'p>) {
        match part.bytes.first().map(|byte| byte >> 4) {
            Some(4) => self.ipv4(part),
            Some(6) => self.ipv6(part),
            Some(version) => {
                self.what(|| format!("IP version {version}"));
                self.opaque(part);
            }
            None => self.short("IP header", 1, part),
        }
    }

    /// What follows a link layer.
    pub(super) fn network(&mut self, kind: EtherType, part: Part<'p>) {
        match kind {
            EtherType::IPV4 => self.ipv4(part),
            EtherType::IPV6 => self.ipv6(part),
            EtherType::ARP => self.arp(part),
            EtherType::NSH => self.nsh(part),
            _ => {
                self.what(|| ethertype(kind));
                self.opaque(part);
            }
        }
    }
}

/// An ethertype for people.
pub(super) fn ethertype(kind: EtherType) -> String {
    let name = match kind {
        EtherType::IPV4 => "IPv4",
        EtherType::IPV6 => "IPv6",
        EtherType::ARP => "ARP",
        EtherType::VLAN => "VLAN",
        EtherType::QINQ => "QinQ",
        EtherType::TEB => "Ethernet",
        EtherType::MPLS => "MPLS",
        EtherType::NSH => "NSH",
        _ => match kind.get() {
            0x8863 | 0x8864 => "PPPoE",
            0x8035 => "RARP",
            0x888e => "EAPOL",
            0x88cc => "LLDP",
            0x88e5 => "MACsec",
            length if kind.is_length() => return format!("802.3 length {length}"),
            number => return format!("ethertype {number:#06x}"),
        },
    };
    name.to_owned()
}
