//! Link requests: from netlink attributes to a configuration, in the kernel's order of checks
//! (`vxlan_validate()`, `vxlan_nl2conf()`, `vxlan_config_validate()`).

use core::num::NonZeroU32;
use core::time::Duration;

use vxlan_core::device::Valid;
use vxlan_core::wire::vxlan::ReservedBits;
use vxlan_core::{Config, ConfigChange, ConfigError, Df, FlowLabel, IfIndex, PortRange, Vni};

use super::answer::{EADDRNOTAVAIL, EINVAL, EOPNOTSUPP, ERANGE, Failure, refused, unsupported};
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
    validate_attributes(config)
}

/// The part of them that a change of a device goes through as well.
pub(crate) fn validate_attributes(config: &Attributes) -> Result<(), Failure> {
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

fn df(value: u8) -> Df {
    match value {
        1 => Df::Set,
        2 => Df::Inherit,
        _ => Df::Unset,
    }
}

/// The change that the attributes ask of a device that is configured like this. Attributes that
/// cannot change are refused even if they name what is.
pub(crate) fn change(attributes: &Attributes, current: &Valid) -> Result<ConfigChange, Failure> {
    let change = build_change(attributes);
    let fault = current.changed(&change).err();
    if let Some(
        error @ (ConfigError::VniFixed | ConfigError::RemoteFamily | ConfigError::LocalFamily),
    ) = fault
    {
        return Err(error.into());
    }
    if let Some(message) = fixed(attributes) {
        return Err(refused(EOPNOTSUPP, message));
    }
    match fault {
        Some(error) => Err(error.into()),
        None => Ok(change),
    }
}

fn build_change(attributes: &Attributes) -> ConfigChange {
    let mut change = ConfigChange::new();
    if let Some(id) = attributes.id {
        change = change.vni(Vni::truncate(id));
    }
    if let Some(remote) = attributes.group.or(attributes.group6) {
        change = change.remote(remote);
    }
    if let Some(local) = attributes.local.or(attributes.local6) {
        change = change.local(local);
    }
    if let Some(link) = attributes.link {
        change = change.lower(IfIndex::new(link));
    }
    if let Some(tos) = attributes.tos {
        change = change.tos(tos);
    }
    if let Some(ttl) = attributes.ttl {
        change = change.ttl(ttl);
    }
    if let Some(label) = attributes.label {
        change = change.flow_label(label);
    }
    if let Some(policy) = attributes.label_policy {
        change = change.inherit_flow_label(policy != 0);
    }
    if let Some(learning) = attributes.learning {
        change = change.learning(learning != 0);
    }
    if let Some(ageing) = attributes.ageing {
        change = change.ageing(Duration::from_secs(ageing.into()));
    }
    if let Some(bypass) = attributes.localbypass {
        change = change.local_bypass(bypass != 0);
    }
    if let Some(value) = attributes.df {
        change = change.df(df(value));
    }
    change
}

/// What the kernel says to the first attribute that cannot change, in its order.
fn fixed(attributes: &Attributes) -> Option<&'static str> {
    [
        (
            attributes.ttl_inherit.is_some(),
            "vxlan: cannot change TTL_INHERIT flag",
        ),
        (
            attributes.proxy.is_some(),
            "vxlan: cannot change PROXY flag",
        ),
        (attributes.rsc.is_some(), "vxlan: cannot change RSC flag"),
        (
            attributes.l2miss.is_some(),
            "vxlan: cannot change L2MISS flag",
        ),
        (
            attributes.l3miss.is_some(),
            "vxlan: cannot change L3MISS flag",
        ),
        (attributes.limit.is_some(), "Cannot change limit"),
        (
            attributes.collect_metadata.is_some(),
            "vxlan: cannot change COLLECT_METADATA flag",
        ),
        (attributes.port_range.is_some(), "Cannot change port range"),
        (attributes.port.is_some(), "Cannot change port"),
        (attributes.udp_csum.is_some(), "Cannot change UDP_CSUM flag"),
        (
            attributes.udp_zero_csum6_tx.is_some(),
            "vxlan: cannot change UDP_ZERO_CSUM6_TX flag",
        ),
        (
            attributes.udp_zero_csum6_rx.is_some(),
            "vxlan: cannot change UDP_ZERO_CSUM6_RX flag",
        ),
        (
            attributes.remcsum_tx.is_some(),
            "vxlan: cannot change REMCSUM_TX flag",
        ),
        (
            attributes.remcsum_rx.is_some(),
            "vxlan: cannot change REMCSUM_RX flag",
        ),
        (attributes.gbp.is_some(), "vxlan: cannot change GBP flag"),
        (attributes.gpe.is_some(), "vxlan: cannot change GPE flag"),
        (
            attributes.reserved_bits.is_some(),
            "Cannot change reserved_bits",
        ),
        (
            attributes.remcsum_nopartial.is_some(),
            "vxlan: cannot change REMCSUM_NOPARTIAL flag",
        ),
        (attributes.vnifilter.is_some(), "vxlan: cannot change flag"),
    ]
    .into_iter()
    .find_map(|(named, message)| named.then_some(message))
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
        .df(df(attributes.df.unwrap_or(0)))
        .flow_label(match attributes.label_policy {
            Some(1) => FlowLabel::Inherit(label),
            _ => FlowLabel::Fixed(label),
        })
        .learning(attributes.learning != Some(0))
        .ageing(Duration::from_secs(attributes.ageing.unwrap_or(0).into()))
        .limit(attributes.limit.and_then(NonZeroU32::new))
        .l2miss(set(attributes.l2miss))
        .l3miss(set(attributes.l3miss))
        .proxy(set(attributes.proxy))
        .route_short_circuit(set(attributes.rsc))
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
