//! `vtep neigh`: what `ip neigh` does, about the interfaces of this daemon.
//!
//! A device answers for the neighbours that the host's tables have about its interface, as the
//! kernel's own device does. So what is entered here is entered there, and what others enter
//! there counts as well.

mod show;
mod table;

use core::net::IpAddr;
use std::io;

use vxlan_core::IfIndex;
use vxlan_core::fdb::{Mode, State};

use super::json::{Array, Json};
use super::netlink::{NeighbourState, Netlink};
use super::options::Options;
use super::refusal::{IP, NO_DEVICE, Refusal};
use super::run::Devices;
use super::words::{NeighFilter, NeighRequest, NeighSpec, parse_neigh};
pub(crate) use show::Shown;
pub(crate) use table::Table;

const ENOENT: i32 = 2;
const EINVAL: i32 = 22;

/// Does what the words behind `neigh` say.
pub(crate) fn answer(
    devices: &Devices,
    options: Options,
    words: &[&str],
) -> Result<String, Refusal> {
    let request = parse_neigh(words)?;
    let mut host = Netlink::open(0).map_err(|error| refused(&error))?;
    let host = &mut host;
    match request {
        NeighRequest::Add(entry) => update(devices, host, &entry, Mode::CREATE | Mode::EXCL)?,
        NeighRequest::Change(entry) => update(devices, host, &entry, Mode::REPLACE)?,
        NeighRequest::Replace(entry) => {
            update(devices, host, &entry, Mode::CREATE | Mode::REPLACE)?;
        }
        NeighRequest::Delete(entry) => {
            let entry = asked(devices, &entry)?;
            entry.delete(host).map_err(|error| refused(&error))?;
        }
        NeighRequest::Get(entry) => return get(devices, host, options, &entry),
        NeighRequest::Flush(filter) => flush(devices, host, options, &filter)?,
        NeighRequest::Show(filter) => return show(devices, host, options, &filter),
    }
    Ok(String::new())
}

fn update(
    devices: &Devices,
    host: &mut Netlink,
    entry: &NeighSpec,
    mode: Mode,
) -> Result<(), Refusal> {
    let lacks_mac = entry.mac.is_none();
    let done = asked(devices, entry)?.update(host, mode.bits());
    done.map_err(|error| match error.raw_os_error() {
        Some(EINVAL) if lacks_mac => Refusal::message(IP, "No link layer address given"),
        _ => refused(&error),
    })
}

fn get(
    devices: &Devices,
    host: &mut Netlink,
    options: Options,
    entry: &NeighSpec,
) -> Result<String, Refusal> {
    let index = index(devices, &entry.device)?;
    let found = NeighbourState::of(host, index, entry.address);
    let found = found.map_err(|error| match error.raw_os_error() {
        Some(ENOENT) => Refusal::message(IP, "Neighbour entry not found"),
        _ => refused(&error),
    })?;
    Ok(print(options, [(Some(entry.device.as_str()), &found)]))
}

fn show(
    devices: &Devices,
    host: &mut Netlink,
    options: Options,
    filter: &NeighFilter,
) -> Result<String, Refusal> {
    // `ip` leaves out what nobody resolved.
    let default = !State::NOARP.bits() & 0xff;
    let found = matching(devices, host, options, filter, default)?;
    let shown = found.iter().map(|(name, entry)| {
        let name = filter.device.is_none().then_some(name.as_str());
        (name, entry)
    });
    Ok(print(options, shown))
}

fn flush(
    devices: &Devices,
    host: &mut Netlink,
    options: Options,
    filter: &NeighFilter,
) -> Result<(), Refusal> {
    let default = !(State::PERMANENT | State::NOARP).bits() & 0x1ff;
    for (_, entry) in matching(devices, host, options, filter, default)? {
        match entry.delete(host) {
            Err(error) if error.raw_os_error() != Some(ENOENT) => return Err(refused(&error)),
            // It may have gone meanwhile.
            _ => {}
        }
    }
    Ok(())
}

/// The entries of our interfaces that meet a filter, with the names of those.
fn matching(
    devices: &Devices,
    host: &mut Netlink,
    options: Options,
    filter: &NeighFilter,
    default: u16,
) -> Result<Vec<(String, NeighbourState)>, Refusal> {
    let only = filter.device.as_ref().map(|name| index(devices, name));
    let only = only.transpose()?;
    let state = filter.state.unwrap_or(default);
    let all = NeighbourState::all(host).map_err(|error| refused(&error))?;
    let meets = |entry: &NeighbourState| {
        let bits = entry.state.bits();
        only.is_none_or(|index| entry.index == index.get())
            && filter
                .prefix
                .is_none_or(|prefix| within(entry.address, prefix))
            && options
                .ipv6
                .is_none_or(|ipv6| entry.address.is_ipv6() == ipv6)
            && (bits & state != 0
                || (bits == 0 && state & 0x100 != 0)
                || entry.flags.contains(vxlan_core::fdb::Flags::EXT_LEARNED))
    };
    let ours = all.into_iter().filter(meets).filter_map(|entry| {
        let link = devices.link(devices.of(entry.index)?)?;
        Some((link.tap.name().to_owned(), entry))
    });
    Ok(ours.collect())
}

fn print<'a>(
    options: Options,
    entries: impl IntoIterator<Item = (Option<&'a str>, &'a NeighbourState)>,
) -> String {
    let mut out = String::new();
    let mut array = options.json.then(|| Array::start(&mut out, options.pretty));
    for (device, entry) in entries {
        let shown = Shown {
            device,
            entry,
            stats: options.stats > 0,
        };
        match &mut array {
            Some(array) => array.push(&mut out, &Json::Object(shown.fields())),
            None => shown.text(&mut out),
        }
    }
    if let Some(array) = array {
        array.end(&mut out);
    }
    out
}

fn asked(devices: &Devices, entry: &NeighSpec) -> Result<NeighbourState, Refusal> {
    Ok(NeighbourState {
        index: index(devices, &entry.device)?.get(),
        address: entry.address,
        state: entry.state,
        flags: entry.flags,
        mac: entry.mac,
        gone: false,
        times: None,
        probes: None,
    })
}

fn index(devices: &Devices, name: &str) -> Result<IfIndex, Refusal> {
    let id = devices.named(name);
    let link = id.and_then(|id| devices.link(id));
    let missing = || Refusal::no_device(NO_DEVICE, name);
    Ok(link.ok_or_else(missing)?.tap.ifindex())
}

fn within(address: IpAddr, (prefix, len): (IpAddr, u8)) -> bool {
    let len = u32::from(len);
    match (address, prefix) {
        (IpAddr::V4(address), IpAddr::V4(prefix)) => {
            let differ = address.to_bits() ^ prefix.to_bits();
            differ.leading_zeros() >= len
        }
        (IpAddr::V6(address), IpAddr::V6(prefix)) => {
            let differ = address.to_bits() ^ prefix.to_bits();
            differ.leading_zeros() >= len
        }
        _ => false,
    }
}

fn refused(error: &io::Error) -> Refusal {
    Refusal::errno(IP, error.raw_os_error().unwrap_or(EINVAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for (address, prefix, len, want) in [
            ("10.0.0.3", "10.0.0.0", 30, true),
            ("10.0.0.4", "10.0.0.0", 30, false),
            ("10.0.0.4", "0.0.0.0", 0, true),
            ("10.0.0.4", "10.0.0.4", 32, true),
            ("2001:db8::1", "2001:db8::", 64, true),
            ("2001:db8:0:1::1", "2001:db8::", 64, false),
            ("2001:db8::1", "0.0.0.0", 0, false),
        ] {
            assert_eq!(
                within(ip(address), (ip(prefix), len)),
                want,
                "{address} {prefix}/{len}"
            );
        }
    }
}
