//! The loop of `vtep run`: one thread, one buffer.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;
use vxlan_core::Event;
use vxlan_std::{Buffer, DeviceId, Received};

use super::super::failure::Failure;
use super::Output;
use super::devices::Devices;

/// How many frames one interface or the sockets may bring before the others get their turn.
const BATCH: usize = 64;

/// Carries frames both ways until a signal comes.
pub(super) fn pump(
    devices: &mut Devices,
    signals: &SignalFd,
    output: Output,
) -> Result<(), Failure> {
    let mut buffer = Buffer::new();
    let mut told = Vec::new();
    loop {
        let watched = Watched::new(devices).map_err(|error| Failure::of("poll", error))?;
        let mut ready = watched.all(signals);
        loop {
            wait(&mut ready, devices)?;
            let mut all = ready.iter().map(happened);
            if all.next() == Some(true) {
                return Ok(());
            }
            // Told before anything else is received: sockets come after the interfaces.
            let mut gone = false;
            for place in watched.interfaces.iter().map(|(place, _)| *place) {
                if all.next() == Some(true) {
                    gone |= !overlay(devices, place, &mut buffer, &mut told);
                }
            }
            if all.any(|ready| ready) {
                underlay(devices, &mut buffer, &mut told)?;
            }
            told.extend(devices.vtep.expire());
            for (id, event) in told.drain(..) {
                devices.tell(id, &event, output)?;
            }
            if gone {
                break;
            }
        }
        remove_gone(devices)?;
    }
}

/// What is waited for. The descriptors are copies, so that the devices can be used meanwhile.
struct Watched {
    interfaces: Vec<(usize, OwnedFd)>,
    sockets: Vec<OwnedFd>,
}

impl Watched {
    fn new(devices: &Devices) -> io::Result<Self> {
        let mut interfaces = Vec::new();
        for (place, link) in devices.links.iter().enumerate() {
            if let Some(tap) = &link.tap {
                interfaces.push((place, tap.as_fd().try_clone_to_owned()?));
            }
        }
        let sockets = devices.vtep.sockets();
        Ok(Self {
            interfaces,
            sockets: sockets
                .map(|s| s.try_clone_to_owned())
                .collect::<Result<_, _>>()?,
        })
    }

    fn all<'w>(&'w self, signals: &'w SignalFd) -> Vec<PollFd<'w>> {
        let interfaces = self.interfaces.iter().map(|(_, fd)| fd.as_fd());
        let sockets = self.sockets.iter().map(OwnedFd::as_fd);
        core::iter::once(signals.as_fd())
            .chain(interfaces)
            .chain(sockets)
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect()
    }
}

fn wait(ready: &mut [PollFd<'_>], devices: &Devices) -> Result<(), Failure> {
    let timeout = devices.vtep.timeout();
    let timeout = timeout.map_or(PollTimeout::NONE, |timeout| {
        PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)
    });
    match poll(ready, timeout) {
        Ok(_) => Ok(()),
        Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(Failure::of("poll", error)),
    }
}

/// Readable, or an error that reading tells.
fn happened(fd: &PollFd<'_>) -> bool {
    fd.revents().is_none_or(|events| !events.is_empty())
}

/// Carries what the host sent by an interface. False if the interface is gone.
fn overlay(
    devices: &mut Devices,
    place: usize,
    buffer: &mut Buffer,
    told: &mut Vec<(DeviceId, Event)>,
) -> bool {
    let Devices { vtep, links } = devices;
    let Some(link) = links.get(place) else {
        return true;
    };
    let Some(tap) = &link.tap else {
        return false;
    };
    let mut refused = Vec::new();
    for _ in 0..BATCH {
        let len = match tap.recv(buffer.frame_area()) {
            Ok(Some(len)) => len,
            Ok(None) => break,
            Err(_) => {
                if let Some(link) = links.get_mut(place) {
                    link.tap = None;
                }
                return false;
            }
        };
        let sent = vtep.send(link.id, buffer, len);
        told.extend_from_slice(sent.events);
        for to in sent.local {
            let target = links.get(to.index());
            let target = target.and_then(|link| link.tap.as_ref());
            if target.is_none_or(|tap| tap.send(buffer.frame(len)).is_err()) {
                refused.push(*to);
            }
        }
        for id in refused.drain(..) {
            vtep.count_refused(id);
        }
    }
    true
}

/// Carries what the sockets brought.
fn underlay(
    devices: &mut Devices,
    buffer: &mut Buffer,
    told: &mut Vec<(DeviceId, Event)>,
) -> Result<(), Failure> {
    let Devices { vtep, links } = devices;
    for _ in 0..BATCH * vtep.sockets().count() {
        let received = vtep.recv(buffer);
        match received.map_err(|error| Failure::of("receive", error))? {
            None => break,
            Some(Received::Frame {
                device,
                frame,
                event,
            }) => {
                told.extend(event.map(|event| (device, event)));
                let link = links.get(device.index());
                let tap = link.and_then(|link| link.tap.as_ref());
                if tap.is_none_or(|tap| tap.send(frame).is_err()) {
                    vtep.count_refused(device);
                }
            }
            Some(Received::Dropped { device, event, .. }) => {
                told.extend(device.zip(event));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Says which interfaces somebody has removed. The other devices go on.
fn remove_gone(devices: &mut Devices) -> Result<(), Failure> {
    let gone = devices.links.iter().filter(|link| link.tap.is_none());
    for link in gone {
        if devices.vtep.device(link.id).is_some() {
            eprintln!("vtep: {}: the interface is gone", link.name);
            devices.vtep.remove(link.id);
        }
    }
    if devices.links.iter().all(|link| link.tap.is_none()) {
        return Err(Failure::new("no interface is left"));
    }
    Ok(())
}
