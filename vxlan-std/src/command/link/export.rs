//! `vtep link export`: the commands that make the devices in the kernel.

use core::fmt::Write;
use std::collections::BTreeSet;

use vxlan_core::fdb::{Destination, Flags, NexthopId, Record, State};
use vxlan_core::{Device, fdb};
use vxlan_std::nexthops::{Nexthop, Nexthops};
use vxlan_std::{Memory, interface};

use super::super::netlink::{LinkState, Netlink};
use super::super::nexthop;
use super::super::refusal::{IP, NO_DEVICE, Refusal};
use super::super::run::{Devices, Link};
use super::super::words::write_link;

/// The words of an entry's flags.
const FLAGS: [(Flags, &str); 3] = [
    (Flags::ROUTER, "router"),
    (Flags::EXT_LEARNED, "extern_learn"),
    (Flags::STICKY, "sticky"),
];

/// The commands for the device of this name, or for all.
pub(super) fn export(devices: &Devices, name: Option<&str>) -> Result<String, Refusal> {
    let failed = |error: std::io::Error| Refusal::errno(IP, error.raw_os_error().unwrap_or(5));
    let mut netlink = Netlink::open(0).map_err(failed)?;
    let links = devices.taps.links.iter();
    let chosen: Vec<&Link> = links
        .filter(|link| name.is_none_or(|name| name == link.tap.name()))
        .collect();
    if let (Some(name), true) = (name, chosen.is_empty()) {
        let text = format!("Device \"{name}\" does not exist.");
        return Err(Refusal::said(NO_DEVICE, text));
    }
    let mut out = String::new();
    let mut entries = String::new();
    let mut used = Vec::new();
    for link in chosen {
        let Some(device) = devices.vtep.device(link.id) else {
            continue;
        };
        // Somebody may have removed it just now.
        let Ok(state) = LinkState::of(&mut netlink, link.tap.ifindex()) else {
            continue;
        };
        let dev = device.config().lower().map(interface::name);
        let (mac, mtu) = (Some(device.mac()), Some(state.mtu));
        let words = write_link(&state.name, mac, mtu, device.config(), dev.as_deref());
        // Writing to a string cannot fail.
        let _ = writeln!(out, "ip link add {words}");
        write_entries(&mut entries, &state.name, device, &mut used);
        if state.is_up() {
            let _ = writeln!(entries, "ip link set {} up", state.name);
        }
    }
    write_nexthops(&mut out, devices.vtep.nexthops(), &used);
    Ok(out + &entries)
}

/// The entries, the oldest first, for a device that starts with the entry for its default remote.
fn write_entries(out: &mut String, name: &str, device: &Device<Memory>, used: &mut Vec<NexthopId>) {
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for record in device.fdb() {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| first.key == record.key) => {
                group.push(record);
            }
            _ => groups.push(vec![record]),
        }
    }
    let mut records: Vec<Record> = groups.into_iter().rev().flatten().collect();
    if !device.config().remote().is_unspecified() {
        let first = records.first();
        if first.is_some_and(|first| is_made_with(first, device)) {
            records.remove(0);
        } else {
            let _ = writeln!(out, "bridge fdb del 00:00:00:00:00:00 dev {name}");
        }
    }
    for record in records {
        if let Destination::Nexthop(id) = record.destination {
            used.push(id);
        }
        let _ = writeln!(out, "bridge fdb append {}", words(&record, name, device));
    }
}

/// Whether a device like this one has such an entry from the start.
fn is_made_with(record: &Record, device: &Device<Memory>) -> bool {
    let remote = fdb::Remote {
        ifindex: device.config().lower(),
        ..device.remote(device.config().remote())
    };
    record.key.mac.is_zero() && record.destination == Destination::Remote(remote)
}

/// An entry in the words of `bridge fdb append`.
fn words(record: &Record, name: &str, device: &Device<Memory>) -> String {
    let mut line = format!("{} dev {name}", record.key.mac);
    let config = device.config();
    match record.destination {
        Destination::Nexthop(id) => {
            let _ = write!(line, " nhid {id}");
        }
        Destination::Remote(remote) => {
            let _ = write!(line, " dst {}", remote.addr);
            if remote.port != config.port() {
                let _ = write!(line, " port {}", remote.port);
            }
            if remote.vni != config.vni().get() {
                let _ = write!(line, " vni {}", remote.vni);
            }
            if let Some(via) = remote.ifindex {
                let _ = write!(line, " via {}", interface::name(via));
            }
        }
    }
    if config.is_external() {
        let _ = write!(line, " src_vni {}", record.key.vni);
    }
    line.push_str(" self");
    for (flag, word) in FLAGS {
        if record.flags.contains(flag) {
            line.push(' ');
            line.push_str(word);
        }
    }
    line.push_str(match record.state {
        state if state.contains(State::PERMANENT) => " permanent",
        state if state.contains(State::NOARP) => " static",
        _ => " dynamic",
    });
    line
}

/// The nexthop objects that the entries use, with their members.
fn write_nexthops(out: &mut String, nexthops: &Nexthops, used: &[NexthopId]) {
    let mut wanted: BTreeSet<NexthopId> = used.iter().copied().collect();
    for group in used {
        if let Some(Nexthop::Group(legs)) = nexthops.get(*group) {
            wanted.extend(legs.iter().map(|leg| leg.id));
        }
    }
    for line in nexthop::script(nexthops, |id| wanted.contains(&id)).lines() {
        let _ = writeln!(out, "ip nexthop add {line}");
    }
}
