//! Neighbour messages as the library writes them and as the vectors name them.

use core::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};
use vxlan_core::netlink::{Attributes, Header};

use super::answer::{Failure, unsupported};

/// The content of one message; the ages of an entry are not recorded.
pub(crate) fn named(bytes: &[u8]) -> Result<Value, Failure> {
    let cut = || unsupported("a message cut off");
    let (header, content, rest) = Header::split(bytes).ok_or_else(cut)?;
    if !rest.is_empty() {
        return Err(unsupported("more than one message"));
    }
    let (ndmsg, attributes) = content.split_first_chunk::<12>().ok_or_else(cut)?;
    let [family, 0, 0, 0, a, b, c, d, e, f, flags, kind] = *ndmsg else {
        return Err(unsupported("padding that is none"));
    };
    let mut map = Map::new();
    let kind_of_message = match header.kind {
        28 => "newneigh",
        29 => "delneigh",
        30 => "getneigh",
        other => return Err(unsupported(format!("message {other}"))),
    };
    let family = match family {
        2 => "inet",
        7 => "bridge",
        10 => "inet6",
        other => return Err(unsupported(format!("family {other}"))),
    };
    map.insert("type".into(), kind_of_message.into());
    map.insert("family".into(), family.into());
    map.insert("ifindex".into(), u32::from_ne_bytes([a, b, c, d]).into());
    map.insert("state".into(), u16::from_ne_bytes([e, f]).into());
    map.insert("flags".into(), flags.into());
    map.insert("ndm_type".into(), kind.into());
    let mut walk = Attributes::new(attributes);
    for attribute in walk.by_ref() {
        let (name, value) = match (attribute.number, attribute.payload) {
            (1, &[a, b, c, d]) => ("dst", json!(Ipv4Addr::new(a, b, c, d).to_string())),
            (1, payload) => {
                let octets = <[u8; 16]>::try_from(payload);
                let octets = octets.map_err(|_| unsupported("length of an address"))?;
                ("dst", json!(Ipv6Addr::from(octets).to_string()))
            }
            (2, payload) => {
                let octets: Vec<_> = payload.iter().map(|byte| format!("{byte:02x}")).collect();
                ("lladdr", json!(octets.join(":")))
            }
            (3, payload) if payload.len() == 16 => continue,
            (6, &[a, b]) => ("port", json!(u16::from_be_bytes([a, b]))),
            (number @ (7 | 8 | 11 | 13), &[a, b, c, d]) => {
                let name = match number {
                    7 => "vni",
                    8 => "via_ifindex",
                    11 => "src_vni",
                    _ => "nh_id",
                };
                (name, json!(u32::from_ne_bytes([a, b, c, d])))
            }
            (number, _) => return Err(unsupported(format!("neighbour attribute {number}"))),
        };
        map.insert(name.into(), value);
    }
    if !walk.rest().is_empty() {
        return Err(unsupported("bytes behind the attributes"));
    }
    Ok(map.into())
}
