//! Link requests as the bytes of netlink attributes, for the library to make sense of.

use core::net::IpAddr;

use super::answer::{Failure, unsupported};
use super::model::{Attributes, Raw, bytes, link_address};

const IFLA_ADDRESS: u16 = 1;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;

/// One attribute.
pub(crate) fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 4).expect("short");
    let mut all = [len.to_ne_bytes(), number.to_ne_bytes()].concat();
    all.extend(payload);
    all.resize(all.len().next_multiple_of(4), 0);
    all
}

/// The octets of an address.
pub(crate) fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    }
}

/// The attributes of a link message. `config` is what is type-specific; `raw` comes last.
pub(crate) fn link(
    mac: Option<&str>,
    mtu: Option<u32>,
    config: Option<&Attributes>,
    raw: &[Raw],
) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    if let Some(mac) = mac {
        let address = link_address(mac).map_err(unsupported)?;
        all.extend(attribute(IFLA_ADDRESS, &address));
    }
    if let Some(mtu) = mtu {
        all.extend(attribute(IFLA_MTU, &mtu.to_ne_bytes()));
    }
    let mut info = attribute(IFLA_INFO_KIND, b"vxlan");
    if let Some(config) = config {
        info.extend(attribute(IFLA_INFO_DATA, &data(config)?));
    }
    all.extend(attribute(IFLA_LINKINFO, &info));
    all.extend(
        raw.iter()
            .flat_map(|raw| attribute(raw.number, &raw.payload)),
    );
    Ok(all)
}

/// The type-specific attributes (`IFLA_VXLAN_*`), by number; what is raw comes last.
fn data(config: &Attributes) -> Result<Vec<u8>, Failure> {
    let host = |number: Option<u32>| number.map(|number| number.to_ne_bytes().to_vec());
    let byte = |byte: Option<u8>| byte.map(|byte| vec![byte]);
    let present = |flag: Option<u8>| flag.map(|_| Vec::new());
    let mask = config.reserved_bits.as_deref().map(bytes).transpose();
    let range = |[low, high]: [u16; 2]| [low.to_be_bytes(), high.to_be_bytes()].concat();
    let fields = [
        (1, host(config.id)),
        (2, config.group.map(octets)),
        (3, host(config.link)),
        (4, config.local.map(octets)),
        (5, byte(config.ttl)),
        (6, byte(config.tos)),
        (7, byte(config.learning)),
        (8, host(config.ageing)),
        (9, host(config.limit)),
        (10, config.port_range.map(range)),
        (11, byte(config.proxy)),
        (12, byte(config.rsc)),
        (13, byte(config.l2miss)),
        (14, byte(config.l3miss)),
        (15, config.port.map(|port| port.to_be_bytes().to_vec())),
        (16, config.group6.map(octets)),
        (17, config.local6.map(octets)),
        (18, byte(config.udp_csum)),
        (19, byte(config.udp_zero_csum6_tx)),
        (20, byte(config.udp_zero_csum6_rx)),
        (21, byte(config.remcsum_tx)),
        (22, byte(config.remcsum_rx)),
        (23, present(config.gbp)),
        (24, present(config.remcsum_nopartial)),
        (25, byte(config.collect_metadata)),
        (26, config.label.map(|label| label.to_be_bytes().to_vec())),
        (27, present(config.gpe)),
        (28, present(config.ttl_inherit)),
        (29, byte(config.df)),
        (30, byte(config.vnifilter)),
        (31, byte(config.localbypass)),
        (32, host(config.label_policy)),
        (33, mask.map_err(unsupported)?),
        (34, byte(config.mc_route)),
    ];
    let fields = fields.into_iter();
    let mut all: Vec<u8> = fields
        .filter_map(|(number, payload)| Some(attribute(number, &payload?)))
        .flatten()
        .collect();
    let raw = config.raw.iter();
    all.extend(raw.flat_map(|raw| attribute(raw.number, &raw.payload)));
    Ok(all)
}
