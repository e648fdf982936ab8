//! The type-specific part of a link message, as the library writes it and as the vectors name it.

use core::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};
use vxlan_core::device::Valid;

use super::answer::{Failure, unsupported};
use super::model::to_hex;

/// The bytes of `IFLA_INFO_DATA`.
pub(crate) fn info_data(config: &Valid) -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    let len = config
        .write_attributes(&mut bytes)
        .expect("a kilobyte is enough");
    bytes.truncate(len);
    bytes
}

/// The attributes by their names.
pub(crate) fn named(mut bytes: &[u8]) -> Result<Value, Failure> {
    let mut map = Map::new();
    while let [a, b, c, d, ..] = *bytes {
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let payload = bytes
            .get(4..len)
            .ok_or_else(|| unsupported("attribute cut off"))?;
        let (name, value) = one(u16::from_ne_bytes([c, d]), payload)?;
        map.insert(name.into(), value);
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(map.into())
}

fn one(number: u16, payload: &[u8]) -> Result<(&'static str, Value), Failure> {
    const NAMES: [&str; 35] = [
        "",
        "id",
        "group",
        "link",
        "local",
        "ttl",
        "tos",
        "learning",
        "ageing",
        "limit",
        "port_range",
        "proxy",
        "rsc",
        "l2miss",
        "l3miss",
        "port",
        "group6",
        "local6",
        "udp_csum",
        "udp_zero_csum6_tx",
        "udp_zero_csum6_rx",
        "remcsum_tx",
        "remcsum_rx",
        "gbp",
        "remcsum_nopartial",
        "collect_metadata",
        "label",
        "gpe",
        "ttl_inherit",
        "df",
        "vnifilter",
        "localbypass",
        "label_policy",
        "reserved_bits",
        "mc_route",
    ];
    let name = NAMES.get(usize::from(number)).copied().unwrap_or_default();
    let value = match (number, payload) {
        (2 | 4, &[a, b, c, d]) => json!(Ipv4Addr::new(a, b, c, d).to_string()),
        (16 | 17, payload) => match <[u8; 16]>::try_from(payload) {
            Ok(octets) => json!(Ipv6Addr::from(octets).to_string()),
            Err(_) => return Err(unsupported(format!("length of attribute {number}"))),
        },
        (10, &[a, b, c, d]) => json!([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]),
        (15, &[a, b]) => json!(u16::from_be_bytes([a, b])),
        (26, &[a, b, c, d]) => json!(u32::from_be_bytes([a, b, c, d])),
        (33, payload) => json!(to_hex(payload)),
        (_, []) => json!(1),
        (_, &[value]) => json!(value),
        (_, &[a, b, c, d]) => json!(u32::from_ne_bytes([a, b, c, d])),
        _ => return Err(unsupported(format!("attribute {number}"))),
    };
    Ok((name, value))
}
