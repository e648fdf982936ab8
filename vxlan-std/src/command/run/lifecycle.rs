//! What others do to interfaces: to those of our devices, and to those below them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::libc;
use vxlan_core::IfIndex;
use vxlan_core::world::Netdev;
use vxlan_std::DeviceId;

use super::super::link::Shown;
use super::super::neigh;
use super::super::netlink::{
    GROUP_LINK, GROUP_NEIGH, LinkState, NeighbourState, Netlink, RTM_DELLINK,
};
use super::Audience;
use super::devices::Devices;

/// What the host says about its interfaces.
#[derive(Debug)]
pub(super) struct Host {
    news: Netlink,
    /// Apart from the news, lest an answer is looked for among them.
    questions: Netlink,
    /// Whom devices may answer for.
    pub(super) neighbours: neigh::Table,
}

impl Host {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            news: Netlink::open(GROUP_LINK | GROUP_NEIGH)?,
            questions: Netlink::open(0)?,
            neighbours: neigh::Table::new(Netlink::open(0)?),
        })
    }

    /// Readable when there are news.
    pub(super) fn news(&self) -> BorrowedFd<'_> {
        self.news.as_fd()
    }
}

/// Follows the news of the host.
///
/// News may be old by the time they are read: they only say which interface to look at.
pub(super) fn follow(devices: &mut Devices, host: &mut Host, audience: &mut Audience<'_>) {
    let Some(news) = host.news.heard() else {
        // Too many to be kept, so anything may have happened.
        host.neighbours.forget_all();
        let ours = devices.taps.links.iter().map(|link| link.tap.ifindex());
        for index in ours.collect::<Vec<_>>() {
            look(devices, host, index, audience);
        }
        let lowers = devices.vtep.devices();
        let lowers = lowers.filter_map(|(_, device)| device.config().lower());
        for index in lowers.collect::<Vec<_>>() {
            let gone = LinkState::of(&mut host.questions, index)
                .is_err_and(|error| error.raw_os_error() == Some(libc::ENODEV));
            if gone {
                lower_is_gone(devices, index, audience);
            }
        }
        return;
    };
    let mut seen = Vec::new();
    for message in news {
        if let Some(neighbour) = NeighbourState::read(&message) {
            host.neighbours.forget(neighbour.index, neighbour.address);
            let link = devices.of(neighbour.index).and_then(|id| devices.link(id));
            if let Some(link) = link {
                audience.neighbour(link.tap.name(), &neighbour);
            }
            continue;
        }
        let Some(link) = LinkState::read(&message) else {
            continue;
        };
        let Some(index) = IfIndex::new(link.index) else {
            continue;
        };
        if message.kind == RTM_DELLINK {
            if let Some(id) = devices.of(index.get()) {
                interface_is_gone(devices, id, audience);
            }
            lower_is_gone(devices, index, audience);
        } else if !seen.contains(&index) {
            seen.push(index);
            look(devices, host, index, audience);
        }
    }
}

/// Looks at an interface whose device was busy when it may have been changed.
pub(super) fn look_again(devices: &mut Devices, host: &mut Host, audience: &mut Audience<'_>) {
    for index in core::mem::take(&mut devices.look_again) {
        look(devices, host, index, audience);
    }
}

/// Makes a device what its interface has been made.
fn look(devices: &mut Devices, host: &mut Host, index: IfIndex, audience: &mut Audience<'_>) {
    let Some(id) = devices.of(index.get()) else {
        return;
    };
    let netdev = devices.vtep.netdev(id);
    if devices.is_leaving(id) || netdev.is_none_or(Netdev::is_busy) {
        return; // Until that is done.
    }
    let Ok(state) = LinkState::of(&mut host.questions, index) else {
        return;
    };
    devices.renamed(id, &state.name);
    if let Some(device) = devices.vtep.device_mut(id) {
        device.set_bridge_port(state.is_bridge_port());
    }
    let Some(netdev) = devices.vtep.netdev(id) else {
        return;
    };
    let (up, mtu, mac) = (netdev.device().is_up(), netdev.mtu(), netdev.device().mac());
    if mtu != state.mtu
        && devices.vtep.set_mtu(id, state.mtu).is_err()
        && let Some(link) = devices.link(id)
    {
        // The lower interface cannot carry it: as it was.
        let _ = link.tap.set_mtu(mtu);
    }
    if mac != state.mac {
        // An interface can only have an address that a device can have.
        let _ = devices.vtep.set_mac(id, state.mac);
    }
    let name = state.name.as_str();
    if state.is_up() && !up {
        if let Err(refused) = devices.open(id) {
            eprintln!("vtep: {}", refused.failure(name));
            if let Some(link) = devices.link(id) {
                let _ = link.tap.set_up(false);
            }
        }
    } else if !state.is_up() && up {
        // It is down already.
        let _ = devices.stop(id);
    }
    tell(devices, host, id, audience);
}

/// Tells about a device if it looks different now.
fn tell(devices: &mut Devices, host: &mut Host, id: DeviceId, audience: &mut Audience<'_>) {
    let Some(link) = devices.link(id) else {
        return;
    };
    let Some(shown) = Shown::new(devices, link, &mut host.questions) else {
        return;
    };
    let state = shown.state().clone();
    if link.told.as_ref() != Some(&state) {
        audience.link(&shown);
    }
    if let Some(link) = devices.taps.links.iter_mut().find(|link| link.id == id) {
        link.told = Some(state);
    }
}

/// Somebody has removed the interface of a device.
pub(super) fn interface_is_gone(devices: &mut Devices, id: DeviceId, audience: &mut Audience<'_>) {
    if let Some(link) = devices.link(id).filter(|link| !link.leaving) {
        eprintln!("vtep: {}: the interface is gone", link.tap.name());
        let _ = devices.leave(id, audience);
    }
}

/// An interface is gone, and the devices above it go with it.
fn lower_is_gone(devices: &mut Devices, lower: IfIndex, audience: &mut Audience<'_>) {
    let above: Vec<_> = devices
        .vtep
        .devices()
        .filter(|(_, device)| device.config().lower() == Some(lower))
        .map(|(id, _)| id)
        .collect();
    // The newest first, as Linux does.
    for id in above.into_iter().rev() {
        if let Some(link) = devices.link(id).filter(|link| !link.leaving) {
            eprintln!("vtep: {}: the interface below is gone", link.tap.name());
            let _ = devices.leave(id, audience);
        }
    }
}
