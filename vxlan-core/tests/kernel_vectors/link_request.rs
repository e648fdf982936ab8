//! Link requests: from netlink attributes to a configuration, in the kernel's order of checks
//! (`vxlan_validate()`, `vxlan_nl2conf()`, `vxlan_config_validate()`).

use core::num::NonZeroU32;
use core::time::Duration;

use vxlan_core::wire::vxlan::ReservedBits;
use vxlan_core::{Config, ConfigError, Df, FlowLabel, IfIndex, PortRange, Vni};

use super::answer::{EADDRNOTAVAIL, EINVAL, ERANGE, Failure, refused, unsupported};
use super::model::{Attributes, Create, Raw, bytes, link_address};

/// What may go with the generic protocol extension (`VXLAN_F_ALLOWED_GPE`).
const ALLOWED_WITH_GPE: u32 = 0x1a_e1e0;

/// The attribute policy: lengths and ranges, before anything else is looked at.
pub(crate) fn policy(attributes: &Attributes) -> Result<(), Failure> {
    let out_of_range = |value: Option<u32>| value.is_some_and(|value| value > 1);
    if out_of_range(attributes.localbypass.map(u32::from))
        || out_of_range(attributes.label_policy)
        || out_of_range(attributes.mc_route.map(u32::from))
    {
        return Err(refused(ERANGE, "integer out of range"));
    }
    if reserved_bits(attributes)?.is_some_and(|mask| mask.len() != 8) {
        return Err(refused(ERANGE, "binary attribute size out of range"));
    }
    attributes.raw.iter().try_for_each(raw_policy)
}

fn raw_policy(raw: &Raw) -> Result<(), Failure> {
    let least = match raw.number {
        1 | 3 | 8 | 9 | 10 | 26 => 4,
        2 | 4 => 4,
        15 => 2,
        16 | 17 => 16,
        5..=7 | 11..=14 | 18..=22 | 25 | 29 | 30 => 1,
        23 | 24 | 27 | 28 => 0,
        // Newer than the newest that is known: ignored.
        0 | 35.. => return Ok(()),
        31..=34 => return Err(unsupported(format!("raw attribute {}", raw.number))),
    };
    if raw.payload.len() < least || (raw.number == 28 && !raw.payload.is_empty()) {
        return Err(refused(ERANGE, "Attribute failed policy validation"));
    }
    Err(unsupported(format!(
        "raw attribute {} of sound length",
        raw.number
    )))
}

fn reserved_bits(attributes: &Attributes) -> Result<Option<Vec<u8>>, Failure> {
    attributes
        .reserved_bits
        .as_deref()
        .map(bytes)
        .transpose()
        .map_err(unsupported)
}

/// The checks that need no device.
pub(crate) fn validate(create: &Create) -> Result<(), Failure> {
    let address = create
        .mac
        .as_deref()
        .map(link_address)
        .transpose()
        .map_err(unsupported)?;
    let raw = create.link_raw.iter().map(|raw| match raw.number {
        1 => Ok(raw.payload.clone()),
        number => Err(unsupported(format!("raw link attribute {number}"))),
    });
    let addresses = raw.collect::<Result<Vec<_>, _>>()?;
    for address in address.iter().chain(&addresses) {
        match address[..] {
            [first, _, _, _, _, _] => {
                if first & 1 == 1 || address.iter().all(|octet| *octet == 0) {
                    let message = "Provided Ethernet address is not unicast";
                    return Err(refused(EADDRNOTAVAIL, message));
                }
            }
            _ => {
                return Err(refused(
                    EINVAL,
                    "Provided link layer address is not Ethernet",
                ));
            }
        }
    }
    if create.mtu.is_some_and(|mtu| !(68..=65535).contains(&mtu)) {
        return Err(refused(EINVAL, "MTU must be between 68 and 65535"));
    }
    let Some(config) = &create.config else {
        let message = "Required attributes not provided to perform the operation";
        return Err(refused(EINVAL, message));
    };
    if config.id.is_some_and(|id| Vni::new(id).is_none()) {
        return Err(ConfigError::VniTooHigh(Vni::MAX).into());
    }
    if config.port_range.is_some_and(|[low, high]| high < low) {
        return Err(refused(EINVAL, "Invalid source port range"));
    }
    if config.df.is_some_and(|df| df > 2) {
        return Err(refused(EINVAL, "Invalid DF attribute"));
    }
    Ok(())
}

/// The configuration that the attributes of a new device ask for.
pub(crate) fn config(attributes: &Attributes) -> Result<Config, Failure> {
    let used = used_bits(attributes);
    let mask = reserved_bits(attributes)?;
    if let Some(mask) = &mask {
        let mask = mask
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        if mask & used != 0 {
            return Err(Failure::Refused(
                EINVAL,
                Some(format!(
                    "Used bits 0x{used:016x} cannot overlap reserved bits 0x{mask:016x}"
                )),
            ));
        }
    }
    let on = |flag: Option<u8>| flag.is_some_and(|flag| flag != 0);
    if on(attributes.vnifilter) && !on(attributes.collect_metadata) {
        return Err(refused(
            EINVAL,
            "vxlan vnifilter only valid in collect metadata mode",
        ));
    }
    let flags = flag_bits(attributes);
    if on(attributes.gpe) && (flags & !ALLOWED_WITH_GPE != 0 || !on(attributes.collect_metadata)) {
        let message = "VXLAN GPE does not support this combination of attributes";
        return Err(refused(EINVAL, message));
    }
    build(attributes, mask.as_deref())
}

fn build(attributes: &Attributes, mask: Option<&[u8]>) -> Result<Config, Failure> {
    let set = |flag: Option<u8>| flag.is_some_and(|flag| flag != 0);
    let mut config = Config::new(Vni::truncate(attributes.id.unwrap_or(0)));
    if let Some(remote) = attributes.group.or(attributes.group6) {
        config = config.remote(remote);
    }
    if let Some(local) = attributes.local.or(attributes.local6) {
        config = config.local(local);
    }
    if let Some(port) = attributes.port {
        config = config.port(port);
    }
    if let Some([low, high]) = attributes.port_range {
        config = config.port_range(PortRange::new(low, high).unwrap_or(PortRange::UNSET));
    }
    if let Some(mask) = mask.and_then(|mask| <[u8; 8]>::try_from(mask).ok()) {
        config = config.reserved_bits(ReservedBits::new(mask));
    }
    let label = attributes.label.unwrap_or(0);
    let config = config
        .lower(attributes.link.and_then(IfIndex::new))
        .ttl(attributes.ttl.unwrap_or(0))
        .ttl_inherit(set(attributes.ttl_inherit))
        .tos(attributes.tos.unwrap_or(0))
        .df(match attributes.df {
            Some(1) => Df::Set,
            Some(2) => Df::Inherit,
            _ => Df::Unset,
        })
        .flow_label(match attributes.label_policy {
            Some(1) => FlowLabel::Inherit(label),
            _ => FlowLabel::Fixed(label),
        })
        .learning(attributes.learning != Some(0))
        .ageing(Duration::from_secs(attributes.ageing.unwrap_or(0).into()))
        .limit(attributes.limit.and_then(NonZeroU32::new))
        .l2miss(set(attributes.l2miss))
        .udp_checksum(attributes.udp_csum != Some(0))
        .udp_zero_checksum6_tx(set(attributes.udp_zero_csum6_tx))
        .udp_zero_checksum6_rx(set(attributes.udp_zero_csum6_rx))
        .gbp(attributes.gbp.is_some())
        .local_bypass(attributes.localbypass != Some(0));
    // What contradicts itself is refused before it is said what the library lacks. Of the rest,
    // `Missing` knows which frames it concerns.
    config.clone().validate()?;
    for (name, asked) in [
        ("collect_metadata", set(attributes.collect_metadata)),
        // Its mere presence makes its bits used ones.
        ("remcsum_rx", attributes.remcsum_rx.is_some()),
        ("remcsum_nopartial", attributes.remcsum_nopartial.is_some()),
        ("gpe", attributes.gpe.is_some()),
        ("vnifilter", set(attributes.vnifilter)),
        ("mc_route", set(attributes.mc_route)),
    ] {
        if asked {
            return Err(unsupported(format!("attribute {name}")));
        }
    }
    Ok(config)
}

/// The header bits that the device uses, flags word first.
fn used_bits(attributes: &Attributes) -> u64 {
    let mut used = 0x0800_0000_ffff_ff00;
    if attributes.remcsum_rx.is_some() {
        used |= 0x0020_0000_0000_00ff;
    }
    if attributes.gbp.is_some() {
        used |= 0x80ff_ffff_0000_0000;
    }
    if attributes.gpe.is_some() {
        used |= 0x3500_00ff_0000_0000;
    }
    used
}

/// The kernel's flag bits that the attributes set (`VXLAN_F_*`).
fn flag_bits(attributes: &Attributes) -> u32 {
    let on = |flag: Option<u8>| flag.is_some_and(|flag| flag != 0);
    [
        (attributes.learning != Some(0), 0x1),
        (on(attributes.proxy), 0x2),
        (on(attributes.rsc), 0x4),
        (on(attributes.l2miss), 0x8),
        (on(attributes.l3miss), 0x10),
        (attributes.udp_csum == Some(0), 0x40),
        (on(attributes.udp_zero_csum6_tx), 0x80),
        (on(attributes.udp_zero_csum6_rx), 0x100),
        (on(attributes.remcsum_tx), 0x200),
        (on(attributes.remcsum_rx), 0x400),
        (attributes.gbp.is_some(), 0x800),
        (attributes.remcsum_nopartial.is_some(), 0x1000),
        (on(attributes.collect_metadata), 0x2000),
        (attributes.gpe.is_some(), 0x4000),
        (attributes.ttl_inherit.is_some(), 0x1_0000),
        (on(attributes.vnifilter), 0x2_0000),
        (attributes.localbypass != Some(0), 0x8_0000),
        (on(attributes.mc_route), 0x10_0000),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .fold(0, |bits, (_, bit)| bits | bit)
}
