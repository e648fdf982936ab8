//! Link requests: from netlink attributes to a configuration, in the kernel's order of checks
//! (`vxlan_validate()`, `vxlan_nl2conf()`, `vxlan_config_validate()`).

use core::num::NonZeroU32;
use core::time::Duration;

use vxlan_core::wire::vxlan::ReservedBits;
use vxlan_core::{Config, ConfigError, Df, FlowLabel, IfIndex, PortRange, Vni};

use super::answer::{EADDRNOTAVAIL, EINVAL, ERANGE, Failure, refused, unsupported};
use super::model::{Attributes, Create, Raw, bytes, link_address};

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
    let mask = reserved_bits(attributes)?;
    let config = build(attributes, mask.as_deref());
    // The mask is looked at before the VNI filter, everything else after it.
    if let Err(error @ ConfigError::ReservedBitsOverlap { .. }) = config.clone().validate() {
        return Err(error.into());
    }
    let on = |flag: Option<u8>| flag.is_some_and(|flag| flag != 0);
    if on(attributes.vnifilter) && !on(attributes.collect_metadata) {
        return Err(refused(
            EINVAL,
            "vxlan vnifilter only valid in collect metadata mode",
        ));
    }
    // What contradicts itself is refused before it is said what the library lacks. Of the rest,
    // `Missing` knows which frames it concerns.
    refuse_with_gpe(attributes)?;
    config.clone().validate()?;
    for (name, asked) in [
        ("vnifilter", on(attributes.vnifilter)),
        ("mc_route", on(attributes.mc_route)),
    ] {
        if asked {
            return Err(unsupported(format!("attribute {name}")));
        }
    }
    Ok(config)
}

/// What the library lacks cannot go with the generic protocol extension.
fn refuse_with_gpe(attributes: &Attributes) -> Result<(), Failure> {
    let on = |flag: Option<u8>| flag.is_some_and(|flag| flag != 0);
    if attributes.gpe.is_some()
        && (on(attributes.proxy) || on(attributes.rsc) || on(attributes.l3miss))
    {
        return Err(ConfigError::Gpe.into());
    }
    Ok(())
}

fn build(attributes: &Attributes, mask: Option<&[u8]>) -> Config {
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
        .gpe(attributes.gpe.is_some())
        .remote_checksum_tx(set(attributes.remcsum_tx))
        .remote_checksum_nopartial(attributes.remcsum_nopartial.is_some())
        .external(set(attributes.collect_metadata))
        .local_bypass(attributes.localbypass != Some(0));
    // Its mere presence makes its bits used ones.
    match attributes.remcsum_rx {
        Some(on) => config.remote_checksum_rx(on != 0),
        None => config,
    }
}
