//! `vtep fdb`: what `bridge fdb` does, to the devices of this daemon.

mod dump;
mod file;
mod flush;

use vxlan_core::IfIndex;
use vxlan_core::fdb::{
    Destination, Entry, Flags, Key, Mode, NexthopId, Record, Remote, Target, Update,
};
use vxlan_std::{DeviceId, interface};

use super::answer::Answer;
use super::json::{Array, Json};
use super::options::Options;
use super::refusal::{BRIDGE, Refusal};
use super::run::{Audience, Devices, Work};
use super::show::Shown;
use super::words::{FdbRequest, FdbSpec, GetSpec, parse_fdb_request};
pub(crate) use dump::Dump;
pub(crate) use file::{Loading, Saving, load_what_fits, save};
pub(crate) use flush::Flush;

/// The exit status of `bridge fdb get` when there is no such entry.
const NOT_GOT: u8 = 254;
const EINVAL: i32 = 22;
const EOPNOTSUPP: i32 = 95;

/// Does what the words behind `fdb` say.
pub(crate) fn answer(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    options: Options,
    words: &[&str],
) -> Result<Answer, Refusal> {
    match parse_fdb_request(words)? {
        FdbRequest::Add(entry) => update(devices, audience, &entry, Mode::EXCL)?,
        FdbRequest::Append(entry) => update(devices, audience, &entry, Mode::APPEND)?,
        FdbRequest::Replace(entry) => update(devices, audience, &entry, Mode::REPLACE)?,
        FdbRequest::Delete(entry) => delete(devices, audience, &entry)?,
        FdbRequest::Flush(filter) => {
            let flush = Flush::new(devices, &filter)?;
            return Ok(Answer::from(devices.jobs.push(Work::Flush(flush))));
        }
        FdbRequest::Save(which) => {
            let saving = Saving::new(devices, which)?;
            return Ok(Answer::from(devices.jobs.push(Work::Save(saving))));
        }
        FdbRequest::Load(which) => {
            let loading = Loading::new(devices, which)?;
            return Ok(Answer::from(devices.jobs.push(Work::Load(loading))));
        }
        FdbRequest::Get(which) => return get(devices, options, &which).map(Answer::Text),
        FdbRequest::Show(filter) => {
            return Dump::new(devices, options, filter).map(Answer::Dump);
        }
    }
    Ok(Answer::Text(String::new()))
}

/// Makes or changes an entry (`vxlan_fdb_add()`).
pub(crate) fn update(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    entry: &FdbSpec,
    mode: Mode,
) -> Result<(), Refusal> {
    let id = find(devices, &entry.device)?;
    let asked = Asked::new(devices, id, entry)?;
    if entry.dst.is_none() && entry.nhid.is_none() {
        return Err(Refusal::errno(BRIDGE, EINVAL));
    }
    let device = devices.vtep.device(id);
    let is_ipv6 = device.is_some_and(|device| device.config().is_ipv6());
    let destination = match entry.nhid.and_then(NexthopId::new) {
        None => Target::Remote(asked.remote),
        Some(id) => Target::Nexthop {
            id,
            validity: devices.vtep.nexthops().usable(id, is_ipv6),
        },
    };
    let update = Update {
        key: asked.key,
        state: entry.state,
        flags: entry.flags,
        mode: Mode::CREATE | mode,
        destination,
        limit: 0,
    };
    let now = devices.vtep.now();
    let device = devices.vtep.device_mut(id);
    let device = device.ok_or_else(|| Refusal::no_device(BRIDGE, &entry.device))?;
    let event = device
        .fdb_update_as(now, asked.src_vni, &update)
        .map_err(Refusal::fdb)?;
    if let Some(event) = event {
        audience.tell(&entry.device, device.config(), &event, now);
    }
    Ok(())
}

/// Deletes an entry or one remote of it (`vxlan_fdb_delete()`).
fn delete(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    entry: &FdbSpec,
) -> Result<(), Refusal> {
    let id = find(devices, &entry.device)?;
    let asked = Asked::new(devices, id, entry)?;
    let now = devices.vtep.now();
    let device = devices.vtep.device_mut(id);
    let device = device.ok_or_else(|| Refusal::no_device(BRIDGE, &entry.device))?;
    let config = device.config().clone();
    let removed = device
        .fdb_remove_at(&asked.key, Some(&asked.remote))
        .map_err(Refusal::fdb)?;
    for event in removed {
        audience.tell(&entry.device, &config, &event, now);
    }
    Ok(())
}

/// Shows the first destination of an entry (`vxlan_fdb_get()`).
fn get(devices: &Devices, options: Options, which: &GetSpec) -> Result<String, Refusal> {
    let id = find(devices, &which.device)?;
    let device = devices.vtep.device(id);
    let device = device.ok_or_else(|| Refusal::no_device(BRIDGE, &which.device))?;
    let key = match which.vni {
        Some(vni) => device.key_in(which.mac, vni),
        None => device.key(which.mac),
    };
    let record = device.fdb().find(&key).and_then(|entry| first(&entry));
    let record = record.ok_or_else(|| Refusal::message(NOT_GOT, "Fdb entry not found"))?;
    let shown = Shown {
        device: Some(&which.device),
        config: device.config(),
        record: &record,
        now: (options.stats > 0).then(|| devices.vtep.now()),
    };
    let mut out = String::new();
    if options.json {
        let mut array = Array::start(&mut out, options.pretty);
        array.push(&mut out, &Json::Object(shown.fields()));
        array.end(&mut out);
    } else {
        shown.text(&mut out);
    }
    Ok(out)
}

/// An entry with its first destination.
fn first(entry: &Entry<'_>) -> Option<Record> {
    let remote = entry.first_remote().copied().map(Destination::Remote);
    Some(Record {
        key: entry.key(),
        state: entry.state(),
        flags: entry.flags(),
        destination: remote.or(entry.nexthop().map(Destination::Nexthop))?,
        updated: entry.updated(),
        used: entry.used(),
    })
}

/// What a request names, defaults filled in.
struct Asked {
    key: Key,
    /// The network that a new entry is stored for.
    src_vni: u32,
    remote: Remote,
}

impl Asked {
    fn new(devices: &Devices, id: DeviceId, entry: &FdbSpec) -> Result<Self, Refusal> {
        // Names become numbers before the kernel is asked.
        let via = entry.via.as_deref().map(index).transpose()?;
        if !entry.flags.contains(Flags::SELF) {
            return Err(Refusal::errno(BRIDGE, EOPNOTSUPP));
        }
        let device = devices.vtep.device(id);
        let device = device.ok_or_else(|| Refusal::no_device(BRIDGE, &entry.device))?;
        let names_remote = entry.dst.is_some() || entry.vni.is_some() || entry.port.is_some();
        if entry.nhid.is_some() && (names_remote || via.is_some()) {
            let text = "DST, VNI, ifindex and port are mutually exclusive with NH_ID";
            return Err(Refusal::message(BRIDGE, text));
        }
        let unspecified = match device.config().is_ipv6() {
            true => core::net::Ipv6Addr::UNSPECIFIED.into(),
            false => core::net::Ipv4Addr::UNSPECIFIED.into(),
        };
        let default = device.remote(entry.dst.unwrap_or(unspecified));
        let src_vni = entry.src_vni.unwrap_or(default.vni);
        Ok(Self {
            key: device.key_in(entry.mac, src_vni),
            src_vni,
            remote: Remote {
                port: entry.port.unwrap_or(default.port),
                vni: entry.vni.unwrap_or(default.vni),
                ifindex: via,
                ..default
            },
        })
    }
}

fn find(devices: &Devices, name: &str) -> Result<DeviceId, Refusal> {
    let missing = || Refusal::no_device(BRIDGE, name);
    devices.named(name).ok_or_else(missing)
}

fn index(name: &str) -> Result<IfIndex, Refusal> {
    interface::index(name).ok_or_else(|| Refusal::no_device(BRIDGE, name))
}
