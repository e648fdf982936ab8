//! `vtep mdb`: what `bridge mdb` does, to the devices of this daemon.

mod show;

use vxlan_core::IfIndex;
use vxlan_core::fdb::Mode;
use vxlan_core::mdb::{Error, check_flush, check_group};
use vxlan_std::{DeviceId, interface};

use super::options::Options;
use super::refusal::{BRIDGE, Refusal};
use super::run::Devices;
use super::words::{GroupName, GroupRequest, GroupSpec, parse_mdb};
use show::Shown;

/// The exit status of `bridge mdb get` when the kernel refuses.
const NOT_GOT: u8 = 254;

/// Does what the words behind `mdb` say, and returns what there is to print.
pub(crate) fn answer(
    devices: &mut Devices,
    options: Options,
    words: &[&str],
) -> Result<String, Refusal> {
    match parse_mdb(words)? {
        GroupRequest::Add(spec) => change(devices, &spec, Change::Add(Mode::CREATE))?,
        GroupRequest::Replace(spec) => {
            change(devices, &spec, Change::Add(Mode::CREATE | Mode::REPLACE))?;
        }
        GroupRequest::Delete(spec) => change(devices, &spec, Change::Delete)?,
        GroupRequest::Get(name) => return get(devices, options, &name),
        GroupRequest::Flush(flush) => {
            let id = named(devices, &flush.device)?;
            let missing = || Refusal::no_device(BRIDGE, &flush.device);
            let own = devices.link(id).ok_or_else(missing)?.tap.ifindex();
            let port = flush.port.as_deref().map(index).transpose()?;
            let checked = check_flush(own, port, flush.vid, flush.permanent);
            checked.map_err(|error| refused(BRIDGE, error))?;
            if let Some(device) = devices.vtep.device_mut(id) {
                device.mdb_flush(&flush.filter, &mut |_, _| {});
            }
        }
        GroupRequest::Show(device) => return show(devices, options, device.as_deref()),
    }
    Ok(String::new())
}

fn index(name: &str) -> Result<IfIndex, Refusal> {
    interface::index(name).ok_or_else(|| Refusal::no_device(BRIDGE, name))
}

#[derive(Clone, Copy)]
enum Change {
    Add(Mode),
    Delete,
}

fn change(devices: &mut Devices, spec: &GroupSpec, change: Change) -> Result<(), Refusal> {
    let id = named(devices, &spec.name.device)?;
    let port = index(&spec.port)?;
    let via = spec.via.as_deref().map(index).transpose()?;
    let missing = || Refusal::no_device(BRIDGE, &spec.name.device);
    let own = devices.link(id).ok_or_else(missing)?.tap.ifindex();
    let device = devices.vtep.device_mut(id).ok_or_else(missing)?;
    let done = check_group(spec.name.group)
        .and_then(|()| {
            let add = matches!(change, Change::Add(_));
            spec.header(port).check(own, add)
        })
        .and_then(|()| match spec.has_attributes() {
            true => Ok(()),
            false => Err(Error::NoAttributes),
        })
        .and_then(|()| match change {
            Change::Add(mode) => device.mdb_add(&spec.request(via, mode), &mut |_, _| {}),
            Change::Delete => device.mdb_remove(&spec.request(via, Mode::empty()), &mut |_, _| {}),
        });
    done.map_err(|error| refused(BRIDGE, error))
}

fn get(devices: &Devices, options: Options, name: &GroupName) -> Result<String, Refusal> {
    let id = named(devices, &name.device)?;
    let missing = || Refusal::no_device(BRIDGE, &name.device);
    let link = devices.link(id).ok_or_else(missing)?;
    let device = devices.vtep.device(id).ok_or_else(missing)?;
    let found = check_group(name.group).and_then(|()| device.mdb_get(&name.request()));
    let entry = found.map_err(|error| refused(NOT_GOT, error))?;
    let shown = entry.records().map(|record| Shown {
        link,
        config: device.config(),
        record,
        options,
    });
    Ok(show::print(shown, options))
}

fn show(devices: &Devices, options: Options, name: Option<&str>) -> Result<String, Refusal> {
    if let Some(name) = name {
        named(devices, name)?;
    }
    let links = devices.taps.links.iter();
    let links = links.filter(|link| name.is_none_or(|name| name == link.tap.name()));
    let shown = links.flat_map(|link| {
        let device = devices.vtep.device(link.id).into_iter();
        device.flat_map(move |device| {
            device.mdb().iter().map(move |record| Shown {
                link,
                config: device.config(),
                record,
                options,
            })
        })
    });
    Ok(show::print(shown, options))
}

fn named(devices: &Devices, name: &str) -> Result<DeviceId, Refusal> {
    let id = devices.named(name);
    id.ok_or_else(|| Refusal::no_device(BRIDGE, name))
}

fn refused(status: u8, error: Error) -> Refusal {
    match error.message() {
        Some(text) => Refusal::message(status, text),
        None => Refusal::errno(status, error.errno()),
    }
}
