//! `vtep link export`: the commands that make the devices in the kernel.

use core::fmt::Write;
use std::collections::{BTreeSet, VecDeque};
use std::time::SystemTime;

use vxlan_core::device::Valid;
use vxlan_core::fdb::{self, Destination, Flags, NexthopId, Record, State};
use vxlan_std::nexthops::{Nexthop, Nexthops};
use vxlan_std::snapshot::Taking;
use vxlan_std::{DeviceId, interface};

use super::super::netlink::{LinkState, Netlink};
use super::super::nexthop;
use super::super::refusal::{IP, NO_DEVICE, Refusal};
use super::super::run::{After, Devices, Errand, Link, PIECE, Progress};
use super::super::words::{write_limits, write_link};

/// The words of an entry's flags.
const FLAGS: [(Flags, &str); 3] = [
    (Flags::ROUTER, "router"),
    (Flags::EXT_LEARNED, "extern_learn"),
    (Flags::STICKY, "sticky"),
];

/// How much is printed in one piece.
const PRINT: usize = 1 << 15;

/// Devices on their way to commands: their tables are walked in the loop, written by a thread.
#[derive(Debug)]
pub(crate) struct Exporting {
    parts: Vec<Part>,
    /// Those before this one have been walked.
    at: usize,
    nexthops: Nexthops,
}

/// A device as it is at the start, and its entries.
#[derive(Debug)]
struct Part {
    id: DeviceId,
    name: String,
    config: Valid,
    /// What the default remote becomes in the table.
    made_with: fdb::Remote,
    /// What makes it.
    words: String,
    up: bool,
    taking: Taking,
}

impl Exporting {
    /// The device of this name, or all.
    pub(super) fn new(devices: &Devices, name: Option<&str>) -> Result<Self, Refusal> {
        let failed = |error: std::io::Error| Refusal::errno(IP, error.raw_os_error().unwrap_or(5));
        let mut netlink = Netlink::open(0).map_err(failed)?;
        let links = devices.taps.links.iter().filter(|link| !link.leaving);
        let chosen: Vec<&Link> = links
            .filter(|link| name.is_none_or(|name| name == link.tap.name()))
            .collect();
        if let (Some(name), true) = (name, chosen.is_empty()) {
            let text = format!("Device \"{name}\" does not exist.");
            return Err(Refusal::said(NO_DEVICE, text));
        }
        // Somebody may have removed one just now.
        let parts = chosen.into_iter().filter_map(|link| {
            let device = devices.vtep.device(link.id)?;
            let state = LinkState::of(&mut netlink, link.tap.ifindex()).ok()?;
            let config = device.config();
            let dev = config.lower().map(interface::name);
            let (mac, mtu) = (Some(device.mac()), Some(state.mtu));
            let words = write_link(&state.name, mac, mtu, config, dev.as_deref());
            Some(Part {
                id: link.id,
                config: config.clone(),
                made_with: fdb::Remote {
                    ifindex: config.lower(),
                    ..device.remote(config.remote())
                },
                up: state.is_up(),
                name: state.name,
                words,
                taking: Taking::start(device, devices.vtep.now(), SystemTime::now()),
            })
        });
        Ok(Self {
            parts: parts.collect(),
            at: 0,
            nexthops: devices.vtep.nexthops().clone(),
        })
    }

    /// The next piece.
    pub(crate) fn step(&mut self, devices: &Devices) -> Progress {
        let Some(part) = self.parts.get_mut(self.at) else {
            let parts = core::mem::take(&mut self.parts);
            let nexthops = core::mem::take(&mut self.nexthops);
            return Progress::Aside(Errand::new(move || {
                Ok(After::Print(write(parts, &nexthops)))
            }));
        };
        let device = devices.vtep.device(part.id);
        match device.filter(|_| !devices.is_leaving(part.id)) {
            Some(device) if part.taking.more(device, PIECE) => {}
            Some(_) => self.at += 1,
            None => drop(self.parts.remove(self.at)),
        }
        Progress::More
    }
}

/// The commands: devices, then the nexthop objects that entries use, then the entries.
fn write(parts: Vec<Part>, nexthops: &Nexthops) -> VecDeque<String> {
    let mut out = String::new();
    let (mut entries, mut used) = (Pieces::default(), Vec::new());
    for part in parts {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "ip link add {}", part.words);
        let limits = write_limits(&part.config);
        if !limits.is_empty() {
            let _ = writeln!(out, "# Linux has no {}", limits.join(" "));
        }
        write_entries(&mut entries, part, &mut used);
    }
    write_nexthops(&mut out, nexthops, &used);
    let mut pieces = entries.0;
    if !out.is_empty() {
        pieces.push_front(out);
    }
    pieces
}

/// Text that is printed piece by piece.
#[derive(Debug, Default)]
struct Pieces(VecDeque<String>);

impl Pieces {
    fn push(&mut self, line: &str) {
        match self.0.back_mut() {
            Some(last) if last.len() < PRINT => last.push_str(line),
            _ => self.0.push_back(line.to_owned()),
        }
    }
}

/// The entries, the oldest first, for a device that starts with the entry for its default remote.
fn write_entries(out: &mut Pieces, part: Part, used: &mut Vec<NexthopId>) {
    let Part {
        name,
        config,
        made_with,
        up,
        taking,
        ..
    } = part;
    let records = taking.records();
    let mut records = records.as_slice();
    if !config.remote().is_unspecified() {
        match records.split_first() {
            Some((first, rest)) if is_made_with(first, made_with) => records = rest,
            _ => out.push(&format!("bridge fdb del 00:00:00:00:00:00 dev {name}\n")),
        }
    }
    for record in records {
        if let Destination::Nexthop(id) = record.destination {
            used.push(id);
        }
        let words = words(record, &name, &config);
        out.push(&format!("bridge fdb append {words}\n"));
    }
    if up {
        out.push(&format!("ip link set {name} up\n"));
    }
}

/// Whether a device with this default remote has such an entry from the start.
fn is_made_with(record: &Record, remote: fdb::Remote) -> bool {
    record.key.mac.is_zero() && record.destination == Destination::Remote(remote)
}

/// An entry in the words of `bridge fdb append`.
fn words(record: &Record, name: &str, config: &Valid) -> String {
    let mut line = format!("{} dev {name}", record.key.mac);
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
