//! `vtep link import`: a device like one of the kernel.

use std::io;

use nix::libc;
use vxlan_core::fdb::{Flags, Mode, NexthopId, Remote, State, Target, Update};
use vxlan_core::netlink::{Writer, link};
use vxlan_core::{Compat, Config, Device, Event, IfIndex, Instant, fdb};
use vxlan_std::nexthops::Nexthop;
use vxlan_std::{DeviceId, Memory};

use super::super::netlink::{EntryState, LinkState, Netlink, nexthops};
use super::super::refusal::{BRIDGE, IP, Refusal};
use super::super::run::{Audience, Devices};
use super::super::words::ImportSpec;

/// The number of `IFLA_VXLAN_TTL_INHERIT`, which is asked for as a flag and told as a byte.
const TTL_INHERIT: u16 = 28;
/// The number of `IFLA_VXLAN_REMCSUM_RX`, which takes header bits off the reserved ones whatever it
/// says.
const REMCSUM_RX: u16 = 22;
/// The longest `IFLA_INFO_DATA`, and what stands around it.
const ROOM: usize = 1024;

/// Makes a device with the configuration, the address, the MTU and the entries of one of the kernel.
/// Nothing of it stays if something is refused.
pub(super) fn import(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    spec: &ImportSpec,
) -> Result<(), Refusal> {
    let mut netlink = Netlink::open(0).map_err(|error| failed(&error))?;
    let theirs = LinkState::named(&mut netlink, &spec.device).map_err(|error| {
        match error.raw_os_error() {
            Some(libc::ENODEV) => Refusal::no_device(BRIDGE, &spec.device),
            _ => failed(&error),
        }
    })?;
    if theirs.kind != "vxlan" {
        let text = format!("\"{}\" is not a vxlan device", spec.device);
        return Err(Refusal::said(IP, text));
    }
    let config = config(&theirs.data)?;
    if config
        .clone()
        .validate()
        .is_ok_and(|config| config.is_external())
    {
        let text = "an external device's metadata does not fit through a TAP interface";
        return Err(Refusal::said(IP, text.to_owned()));
    }
    let entries = EntryState::all(&mut netlink, theirs.index).map_err(|error| failed(&error))?;
    let new = new_nexthops(devices, &mut netlink, &entries)?;
    let name = spec.name.clone().unwrap_or_else(|| spec.device.clone());
    let made = add_nexthops(devices, &new)
        .and_then(|()| make(devices, audience, name, config, &theirs))
        .and_then(|id| fill(devices, audience, id, &entries, spec.up));
    if made.is_err() {
        // Groups stand behind their members.
        for (id, _) in new.iter().rev() {
            let _ = devices.vtep.nexthops_mut().remove(*id);
        }
    }
    made
}

fn add_nexthops(devices: &mut Devices, new: &[(NexthopId, Nexthop)]) -> Result<(), Refusal> {
    for (id, nexthop) in new {
        let added = devices.vtep.nexthops_mut().add(Some(*id), nexthop.clone());
        added.map_err(|error| refused(*id, &error))?;
    }
    Ok(())
}

fn make(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    name: String,
    config: Config,
    theirs: &LinkState,
) -> Result<DeviceId, Refusal> {
    let made = devices.like(name, config, theirs.mac, theirs.mtu, audience);
    made.map_err(|refused| Refusal::link(&refused))
}

/// Gives a new device its entries, and takes it up; or it is gone again.
fn fill(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    id: DeviceId,
    entries: &[EntryState],
    up: bool,
) -> Result<(), Refusal> {
    let now = devices.vtep.now();
    let mut told = Vec::new();
    let filled = match devices.vtep.device_mut(id) {
        Some(device) => copy(device, now, entries, &mut told),
        None => Ok(()),
    };
    if let Ok((name, config)) = devices.known(id) {
        for event in &told {
            audience.tell(&name, &config, event, now);
        }
    }
    let opened = filled.and_then(|()| match up {
        true => devices.open(id).map_err(|refused| Refusal::link(&refused)),
        false => Ok(()),
    });
    if opened.is_err() {
        let _ = devices.delete(id, audience);
    }
    opened
}

/// The configuration that the attributes of a link tell.
fn config(data: &[u8]) -> Result<Config, Refusal> {
    let mut message = [0; ROOM];
    let mut writer = Writer::new(&mut message);
    let too_long = |_| failed(&io::ErrorKind::InvalidData.into());
    let info = writer.nest(link::LINKINFO).map_err(too_long)?;
    writer.put(link::KIND, b"vxlan").map_err(too_long)?;
    let nest = writer.nest(link::DATA).map_err(too_long)?;
    for (number, payload) in super::super::netlink::Attributes::new(data) {
        match (number, payload) {
            (TTL_INHERIT | REMCSUM_RX, [0]) => {}
            (TTL_INHERIT, _) => writer.put(number, &[]).map_err(too_long)?,
            _ => writer.put(number, payload).map_err(too_long)?,
        }
    }
    writer.close(nest).map_err(too_long)?;
    writer.close(info).map_err(too_long)?;
    let len = writer.len();
    let message = message.get(..len).unwrap_or_default();
    let asked = link::Request::parse(message, &Compat::LINUX_6)
        .and_then(|request| request.new_device())
        .map_err(|error| Refusal::message(IP, &error.to_string()))?;
    Ok(asked.config)
}

/// The nexthop objects that the entries need and that are not here yet, gateways first.
fn new_nexthops(
    devices: &Devices,
    netlink: &mut Netlink,
    entries: &[EntryState],
) -> Result<Vec<(NexthopId, Nexthop)>, Refusal> {
    let used = entries.iter().filter_map(|entry| entry.nexthop);
    let groups: Vec<_> = used.filter_map(NexthopId::new).collect();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let all = nexthops(netlink).map_err(|error| failed(&error))?;
    let legs = all.iter().filter(|(id, _)| groups.contains(id));
    let legs: Vec<_> = legs
        .filter_map(|(_, nexthop)| match nexthop {
            Nexthop::Group(legs) => Some(legs.iter().map(|leg| leg.id)),
            Nexthop::Gateway(_) => None,
        })
        .flatten()
        .collect();
    let wanted = |id: &NexthopId| groups.contains(id) || legs.contains(id);
    let mut new: Vec<_> = all.into_iter().filter(|(id, _)| wanted(id)).collect();
    new.sort_by_key(|(id, nexthop)| (matches!(nexthop, Nexthop::Group(_)), *id));
    for (id, nexthop) in &new {
        if devices
            .vtep
            .nexthops()
            .get(*id)
            .is_some_and(|ours| ours != nexthop)
        {
            return Err(refused(*id, &"another one of this number is here"));
        }
    }
    new.retain(|(id, _)| devices.vtep.nexthops().get(*id).is_none());
    Ok(new)
}

/// Puts the entries in the place of those that a new device starts with.
fn copy(
    device: &mut Device<Memory>,
    now: Instant,
    entries: &[EntryState],
    told: &mut Vec<Event>,
) -> Result<(), Refusal> {
    let gone = device.fdb_mut().flush(fdb::Filter::default());
    told.extend(gone.map(Event::Removed));
    for entry in entries {
        let own = device.config().vni().get();
        let src_vni = entry.src_vni.unwrap_or(own);
        let key = device.key_in(entry.mac, src_vni);
        let destination = match entry.nexthop.and_then(NexthopId::new) {
            Some(id) => Target::Nexthop {
                id,
                validity: Ok(()),
            },
            None => {
                let unspecified = device.config().local();
                let unspecified = match unspecified.is_ipv6() {
                    true => core::net::Ipv6Addr::UNSPECIFIED.into(),
                    false => core::net::Ipv4Addr::UNSPECIFIED.into(),
                };
                let default = device.remote(entry.dst.unwrap_or(unspecified));
                Target::Remote(Remote {
                    port: entry.port.unwrap_or(default.port),
                    vni: entry.vni.unwrap_or(default.vni),
                    ifindex: entry.via.and_then(IfIndex::new),
                    ..default
                })
            }
        };
        // Who asked for an entry is not told; what does not age was asked for.
        let asked = entry.state.intersects(State::PERMANENT | State::NOARP);
        let by_user = if asked {
            Flags::ADDED_BY_USER
        } else {
            Flags::empty()
        };
        let update = Update {
            key,
            state: entry.state,
            flags: entry.flags | by_user,
            mode: Mode::CREATE | Mode::APPEND,
            destination,
            limit: 0,
        };
        let updated = device.fdb_mut().update_as(now, src_vni, &update);
        told.extend(updated.map_err(Refusal::fdb)?.map(Event::Changed));
        if let Some(made) = device.fdb().find(&key) {
            let ago = |age: core::time::Duration| {
                let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
                Instant::from_millis(now.as_millis().saturating_sub(age))
            };
            made.touch_updated(ago(entry.updated));
            made.touch_used(ago(entry.used));
        }
    }
    Ok(())
}

fn refused(id: NexthopId, why: &dyn core::fmt::Display) -> Refusal {
    Refusal::said(IP, format!("nexthop {id}: {why}"))
}

fn failed(error: &io::Error) -> Refusal {
    Refusal::errno(IP, error.raw_os_error().unwrap_or(5))
}
