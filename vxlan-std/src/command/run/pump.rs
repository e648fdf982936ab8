//! The loop of `vtep run`: one thread, one buffer.

use core::time::Duration;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;
use vxlan_core::Event;
use vxlan_std::{Buffer, DeviceId, Received};

use super::super::failure::Failure;
use super::control::Control;
use super::devices::Devices;
use super::sink::Sink;

/// How many frames one interface or the sockets may bring before the others get their turn.
const BATCH: usize = 64;

/// Carries frames both ways and does what is asked for, until a signal comes.
pub(super) fn pump(
    devices: &mut Devices,
    signals: &SignalFd,
    control: &mut Control,
    sink: &Sink,
) -> Result<(), Failure> {
    let mut buffer = Buffer::new();
    let mut told = Vec::new();
    let mut happened = Vec::new();
    loop {
        let places = wait(devices, signals, control, &mut happened)?;
        let mut all = happened.drain(..);
        let mut ready = || {
            all.next()
                .is_some_and(|events: PollFlags| !events.is_empty())
        };
        if ready() {
            return Ok(());
        }
        // Told before anything else is received: sockets come after the interfaces.
        let mut gone = false;
        for place in places.interfaces {
            if ready() {
                gone |= !overlay(devices, place, &mut buffer, &mut told);
            }
        }
        let mut readable = false;
        for _ in 0..places.sockets {
            readable |= ready();
        }
        if readable {
            underlay(devices, &mut buffer, &mut told)?;
        }
        told.extend(devices.vtep.expire());
        let now = devices.vtep.now();
        let mut audience = control.audience(sink);
        for (id, event) in told.drain(..) {
            if let (Some(name), Some(device)) = (devices.name(id), devices.vtep.device(id)) {
                audience.tell(name, device.config(), &event, now);
            }
        }
        control.serve(devices, sink, all);
        if gone {
            remove_gone(devices);
        }
    }
}

/// What was waited for, in this order; behind it the control socket.
struct Places {
    /// The places of the links that have an interface.
    interfaces: Vec<usize>,
    sockets: usize,
}

/// Waits until something happens, and says what: first of all a signal.
fn wait(
    devices: &Devices,
    signals: &SignalFd,
    control: &Control,
    happened: &mut Vec<PollFlags>,
) -> Result<Places, Failure> {
    let mut places = Places {
        interfaces: Vec::new(),
        sockets: 0,
    };
    let mut ready = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    for (place, link) in devices.links.iter().enumerate() {
        if let Some(tap) = &link.tap {
            places.interfaces.push(place);
            ready.push(PollFd::new(tap.as_fd(), PollFlags::POLLIN));
        }
    }
    for socket in devices.vtep.sockets() {
        places.sockets += 1;
        ready.push(PollFd::new(socket, PollFlags::POLLIN));
    }
    let control_sockets = control.descriptors();
    ready.extend(control_sockets.map(|(socket, events)| PollFd::new(socket, events)));
    let timeouts = [devices.vtep.timeout(), control.timeout()];
    let timeout = timeouts.into_iter().flatten().min();
    match poll(&mut ready, timeout.map_or(PollTimeout::NONE, milliseconds)) {
        Ok(_) => happened.extend(
            ready
                .iter()
                .map(|fd| fd.revents().unwrap_or(PollFlags::all())),
        ),
        // Nobody is ready, as far as is known.
        Err(Errno::EINTR) => happened.resize(ready.len(), PollFlags::empty()),
        Err(error) => return Err(Failure::of("poll", error)),
    }
    Ok(places)
}

/// Rounded up, lest the loop spins until the time has come.
fn milliseconds(timeout: Duration) -> PollTimeout {
    let timeout = timeout.saturating_add(Duration::from_nanos(999_999));
    PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)
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
fn remove_gone(devices: &mut Devices) {
    let gone = devices.links.iter().filter(|link| link.tap.is_none());
    for link in gone {
        if devices.vtep.device(link.id).is_some() {
            eprintln!("vtep: {}: the interface is gone", link.name);
            devices.vtep.remove(link.id);
        }
    }
}
