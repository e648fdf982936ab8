//! Changes of a device that exists.

use core::time::Duration;

use vxlan_core::device::{ConfigChange, Valid};
use vxlan_core::{Device, Flags, FlowLabel, Mac};
use vxlan_std::{DeviceId, interface};

use super::super::netlink::Netlink;
use super::super::refusal::{BRIDGE, IP, NO_DEVICE, Refusal};
use super::super::run::{Audience, Devices, Refused, Ticket};
use super::super::words::{LimitOptions, LinkOptions, LinkSpec, Switch};

/// What `ip link set` does: the configuration, then address, MTU and name, then up or down, the
/// order of the kernel (`rtnl_newlink()`, `do_setlink()`). To go down is a job to wait for.
pub(super) fn set(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    spec: &LinkSpec,
) -> Result<Option<Ticket>, Refusal> {
    let name = spec.name.as_deref().unwrap_or_default();
    let missing = || Refusal::no_device(NO_DEVICE, name);
    let id = devices.named(name).ok_or_else(missing)?;
    let before = devices.vtep.netdev(id).ok_or_else(missing)?;
    let (mac, mtu) = (before.device().mac(), before.mtu());
    let config = before.device().config().clone();
    let done = apply(devices, audience, id, spec);
    if done.is_err() {
        // What came before the refusal is taken back.
        if devices.vtep.device(id).map(Device::config) != Some(&config) {
            let _ = reconfigure(devices, audience, id, &as_before(&config));
        }
        let _ = set_mac(devices, id, mac);
        let _ = set_mtu(devices, id, mtu);
        if devices.named(name) != Some(id) {
            let _ = set_name(devices, id, name);
        }
    }
    done
}

fn apply(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    id: DeviceId,
    spec: &LinkSpec,
) -> Result<Option<Ticket>, Refusal> {
    let refused = |refused: Refused| Refusal::link(&refused);
    if !spec.options.is_empty() {
        let change = change(&spec.options, spec.mtu.is_some())?;
        reconfigure(devices, audience, id, &change).map_err(refused)?;
    }
    if let Some(mac) = spec.address {
        set_mac(devices, id, mac).map_err(refused)?;
    }
    if let Some(mtu) = spec.mtu {
        set_mtu(devices, id, mtu).map_err(refused)?;
    }
    if let Some(name) = &spec.new_name {
        set_name(devices, id, name)?;
    }
    match spec.up {
        Some(true) => devices.open(id).map(|()| None),
        Some(false) => devices.stop(id).map(Some),
        None => Ok(None),
    }
    .map_err(refused)
}

fn reconfigure(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    id: DeviceId,
    change: &ConfigChange,
) -> Result<(), Refused> {
    let (name, config) = devices.known(id)?;
    let now = devices.vtep.now();
    let tell = |_, event| audience.tell(&name, &config, &event, now);
    devices.vtep.change(id, change, tell).map_err(Refused::Add)
}

/// The change back to a configuration.
fn as_before(config: &Valid) -> ConfigChange {
    let change = ConfigChange::new()
        .remote(config.remote())
        .local(config.local())
        .lower(config.lower())
        .tos(config.tos())
        .ttl(config.ttl())
        .df(config.df())
        .learning(config.flags().contains(Flags::LEARN))
        .multicast_route(config.flags().contains(Flags::MC_ROUTE))
        .local_bypass(config.flags().contains(Flags::LOCALBYPASS))
        .ageing(config.ageing());
    let change = LimitOptions::of(config).change(change);
    match config.flow_label() {
        FlowLabel::Fixed(label) => change.flow_label(label).inherit_flow_label(false),
        _ => change.inherit_flow_label(true),
    }
}

fn set_mac(devices: &mut Devices, id: DeviceId, mac: Mac) -> Result<(), Refused> {
    devices.vtep.set_mac(id, mac).map_err(Refused::Add)?;
    match devices.link(id) {
        Some(link) => link.tap.set_mac(mac).map_err(Refused::Tap),
        None => Ok(()),
    }
}

fn set_mtu(devices: &mut Devices, id: DeviceId, mtu: u32) -> Result<(), Refused> {
    devices.vtep.set_mtu(id, mtu).map_err(Refused::Add)?;
    match devices.link(id) {
        Some(link) => link.tap.set_mtu(mtu).map_err(Refused::Tap),
        None => Ok(()),
    }
}

/// Renames the interface of a device, and has the device follow.
fn set_name(devices: &mut Devices, id: DeviceId, name: &str) -> Result<(), Refusal> {
    let Some(link) = devices.link(id).filter(|link| link.tap.name() != name) else {
        return Ok(());
    };
    let index = link.tap.ifindex();
    let renamed = Netlink::open(0).and_then(|mut netlink| netlink.rename(index, name));
    renamed.map_err(|error| Refusal::errno(IP, error.raw_os_error().unwrap_or(5)))?;
    devices.renamed(id, name);
    Ok(())
}

/// What of the options may change; otherwise the kernel's refusal, in the order in which it looks
/// at them (`vxlan_nl2conf()`).
fn change(options: &LinkOptions, mtu: bool) -> Result<ConfigChange, Refusal> {
    let mut change = ConfigChange::new();
    if let Some(vni) = options.vni {
        change = change.vni(vni);
    }
    if let Some(remote) = options.remote {
        change = change.remote(remote);
    }
    if let Some(local) = options.local {
        change = change.local(local);
    }
    match &options.dev {
        None => {}
        Some(None) => change = change.lower(None),
        Some(Some(name)) => {
            let missing = || Refusal::no_device(BRIDGE, name);
            change = change.lower(Some(interface::index(name).ok_or_else(missing)?));
        }
    }
    if let Some(tos) = options.tos {
        change = change.tos(tos);
    }
    match options.ttl {
        None => {}
        Some(Some(ttl)) => change = change.ttl(ttl),
        Some(None) => return Err(fixed_flag("TTL_INHERIT")),
    }
    match options.label {
        None => {}
        Some(FlowLabel::Fixed(label)) => {
            change = change.flow_label(label).inherit_flow_label(false);
        }
        Some(_) => change = change.inherit_flow_label(true),
    }
    if let Some(on) = options.switch(Switch::Learning) {
        change = change.learning(on);
    }
    if let Some(seconds) = options.ageing {
        change = change.ageing(Duration::from_secs(seconds.into()));
    }
    for (switch, name) in [
        (Switch::Proxy, "PROXY"),
        (Switch::Rsc, "RSC"),
        (Switch::L2Miss, "L2MISS"),
        (Switch::L3Miss, "L3MISS"),
    ] {
        if options.switch(switch).is_some() {
            return Err(fixed_flag(name));
        }
    }
    if options.limit.is_some() {
        return Err(fixed("limit"));
    }
    if options.switch(Switch::External).is_some() {
        return Err(fixed_flag("COLLECT_METADATA"));
    }
    if options.range.is_some() {
        return Err(fixed("port range"));
    }
    if options.port.is_some() {
        return Err(fixed("port"));
    }
    if options.switch(Switch::UdpCsum).is_some() {
        return Err(fixed("UDP_CSUM flag"));
    }
    if let Some(on) = options.switch(Switch::LocalBypass) {
        change = change.local_bypass(on);
    }
    for (switch, name) in [
        (Switch::ZeroCsum6Tx, "UDP_ZERO_CSUM6_TX"),
        (Switch::ZeroCsum6Rx, "UDP_ZERO_CSUM6_RX"),
        (Switch::RemCsumTx, "REMCSUM_TX"),
        (Switch::RemCsumRx, "REMCSUM_RX"),
        (Switch::Gbp, "GBP"),
    ] {
        if options.switch(switch).is_some() {
            return Err(fixed_flag(name));
        }
    }
    if options.reserved_bits.is_some() {
        return Err(fixed("reserved_bits"));
    }
    if options.switch(Switch::RemCsumNoPartial).is_some() {
        return Err(fixed_flag("REMCSUM_NOPARTIAL"));
    }
    if let Some(on) = options.switch(Switch::McRoute) {
        change = change.multicast_route(on);
    }
    if mtu {
        return Err(fixed("mtu"));
    }
    if let Some(df) = options.df {
        change = change.df(df);
    }
    if options.switch(Switch::VniFilter).is_some() {
        return Err(Refusal::message(IP, "vxlan: cannot change flag"));
    }
    // Not in Linux, so behind all that is.
    Ok(options.limits.change(change))
}

fn fixed(what: &str) -> Refusal {
    Refusal::message(IP, &format!("Cannot change {what}"))
}

fn fixed_flag(name: &str) -> Refusal {
    Refusal::message(IP, &format!("vxlan: cannot change {name} flag"))
}
