//! A packet taken apart, layer by layer.
//!
//! Nothing is judged here and nothing is believed: each layer says what its bytes say, and where
//! the packet or the capture ends early, that is a layer as well.

mod checked;
mod ip;
mod link;
mod payload;
mod udp;
mod vxlan;

use core::net::IpAddr;

use serde_json::{Map, Value};
use vxlan_core::wire::udp::Verdict;

/// How deep tunnels may nest before the rest counts as payload.
const DEPTH_MAX: usize = 4;

/// A packet taken apart.
#[derive(Debug)]
pub(super) struct Decoded<'p> {
    /// From the outside inwards.
    pub(super) layers: Vec<Layer>,
    /// Who sent it: the outermost IP address, else the MAC address.
    pub(super) source: Option<String>,
    /// Whom to.
    pub(super) destination: Option<String>,
    /// What it is, in a few words.
    pub(super) what: String,
    /// The outermost VXLAN packet in it.
    pub(super) vxlan: Option<Datagram<'p>>,
}

/// One layer: items for a person, fields for a program.
#[derive(Debug)]
pub(super) struct Layer {
    /// The name for programs.
    pub(super) kind: &'static str,
    /// The name for people.
    pub(super) title: &'static str,
    /// How many tunnels it is in.
    pub(super) depth: usize,
    /// What there is to say about it.
    pub(super) items: Vec<String>,
    /// The same as values.
    pub(super) fields: Map<String, Value>,
}

impl Layer {
    fn item(&mut self, item: impl Into<String>) -> &mut Self {
        self.items.push(item.into());
        self
    }

    fn field(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

/// A UDP payload for a VXLAN port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'p> {
    /// The payload from the VXLAN header on.
    pub(super) payload: Part<'p>,
    /// The outer source address.
    pub(super) source: IpAddr,
    /// The outer TOS byte or traffic class.
    pub(super) tos: u8,
    /// The UDP destination port.
    pub(super) port: u16,
    /// The VNI, whatever the flags say; `None` below eight bytes.
    pub(super) vni: Option<u32>,
    /// What a host looks at before VXLAN comes to see the datagram.
    pub(super) carrier: Carrier,
}

/// The state of the outer IP and UDP headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carrier {
    /// A part of a datagram: a host puts it together first.
    pub(super) fragment: bool,
    /// The IPv4 header's checksum is right, or there is none.
    pub(super) ip_checksum: bool,
    /// The IP packet is not longer than what carries it.
    pub(super) ip_length: bool,
    /// The UDP length is one that can be.
    pub(super) udp_length: bool,
    /// The UDP checksum; `None` if it cannot be verified here.
    pub(super) udp_checksum: Option<Verdict>,
}

/// Bytes of a packet, and how many there were before the capture cut it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'p> {
    /// What the capture holds.
    pub(super) bytes: &'p [u8],
    /// How many there were. Never fewer.
    pub(super) length: usize,
}

impl<'p> Part<'p> {
    /// Everything behind the first `count` bytes.
    fn after(self, count: usize) -> Self {
        Self {
            bytes: self.bytes.get(count..).unwrap_or_default(),
            length: self.length.saturating_sub(count),
        }
    }

    /// The first `count` bytes.
    fn limit(self, count: usize) -> Self {
        Self {
            bytes: self.bytes.get(..count).unwrap_or(self.bytes),
            length: self.length.min(count),
        }
    }

    /// Whether the capture ends before the packet.
    pub(super) fn is_cut(self) -> bool {
        self.bytes.len() < self.length
    }

    fn array<const N: usize>(self, offset: usize) -> Option<[u8; N]> {
        self.bytes.get(offset..)?.first_chunk().copied()
    }

    fn u16(self, offset: usize) -> Option<u16> {
        self.array(offset).map(u16::from_be_bytes)
    }

    fn u32(self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_be_bytes)
    }
}

/// Takes a packet apart that starts with the link layer `link_type` and was `length` bytes long.
/// UDP datagrams to one of `ports` are VXLAN.
pub(super) fn decode<'p>(
    link_type: u16,
    bytes: &'p [u8],
    length: usize,
    ports: &[u16],
) -> Decoded<'p> {
    let part = Part {
        bytes,
        length: length.max(bytes.len()),
    };
    let mut walk = Walk {
        ports,
        depth: 0,
        decoded: Decoded {
            layers: Vec::new(),
            source: None,
            destination: None,
            what: String::new(),
            vxlan: None,
        },
    };
    walk.link(link_type, part);
    walk.decoded
}

/// A walk through a packet.
struct Walk<'p, 'c> {
    ports: &'c [u16],
    depth: usize,
    decoded: Decoded<'p>,
}

impl Walk<'_, '_> {
    /// Adds a layer, written by `fill`.
    fn layer(&mut self, kind: &'static str, title: &'static str, fill: impl FnOnce(&mut Layer)) {
        let mut layer = Layer {
            kind,
            title,
            depth: self.depth,
            items: Vec::new(),
            fields: Map::new(),
        };
        fill(&mut layer);
        self.decoded.layers.push(layer);
    }

    /// Says what an outer packet is, over what a lower layer said.
    fn what(&mut self, what: impl FnOnce() -> String) {
        if self.depth == 0 {
            self.decoded.what = what();
        }
    }

    /// Says who speaks to whom, over what a lower layer said.
    fn between(&mut self, source: impl ToString, destination: impl ToString) {
        if self.depth == 0 {
            self.decoded.source = Some(source.to_string());
            self.decoded.destination = Some(destination.to_string());
        }
    }

    /// A layer that ends before its `need` bytes: by the packet's fault or by the capture's.
    fn short(&mut self, name: &'static str, need: usize, part: Part<'_>) {
        let (have, cut) = (part.bytes.len(), part.length >= need);
        self.layer("short", "short", |layer| {
            layer
                .field("of", name)
                .field("need", need)
                .field("have", have);
            layer.field("cut_by_capture", cut);
            layer.item(if cut {
                format!("the capture ends within the {name}: {have} of {need} bytes are there")
            } else {
                format!("too short for the {name}: {} of {need} bytes", part.length)
            });
        });
        self.what(|| {
            format!(
                "{name}, {}",
                if cut {
                    "cut by the capture"
                } else {
                    "too short"
                }
            )
        });
    }

    /// Bytes that nothing here reads.
    fn opaque(&mut self, part: Part<'_>) {
        if part.length == 0 {
            return;
        }
        self.layer("data", "data", |layer| {
            layer.field("length", part.length);
            layer.item(format!("{} bytes", part.length));
            if part.is_cut() {
                layer.field("captured", part.bytes.len());
                layer.item(format!("{} of them captured", part.bytes.len()));
            }
        });
    }
}
