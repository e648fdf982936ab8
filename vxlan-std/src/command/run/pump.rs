//! The loop of `vtep run`: one thread, one buffer.

use core::time::Duration;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;
use vxlan_core::Event;
use vxlan_std::{Buffer, DeviceId, Received};

use super::super::failure::Failure;
use super::super::neigh;
use super::control::Control;
use super::devices::Devices;
use super::drops::Drops;
use super::jobs;
use super::lifecycle::{self, Host};
use super::sink::Sink;
use super::state::{Ending, State};

/// How many frames one interface or the sockets may bring before the others get their turn.
const BATCH: usize = 64;

/// Carries frames both ways and does what is asked for, until a signal comes: then until `state` is
/// on the disk, or another one comes. What came of that.
pub(super) fn pump(
    devices: &mut Devices,
    signals: &SignalFd,
    state: Option<&State<'_>>,
    mut host: Host,
    control: &mut Control,
    sink: &Sink,
) -> Result<Result<(), Failure>, Failure> {
    let mut ending: Option<Ending> = None;
    let mut buffer = Buffer::new();
    let mut told = Vec::new();
    let mut happened = Vec::new();
    let mut drops = Drops::default();
    loop {
        let places = wait(devices, signals, &host, control, &mut happened)?;
        let mut all = happened.drain(..);
        let mut ready = || {
            all.next()
                .is_some_and(|events: PollFlags| !events.is_empty())
        };
        if ready() {
            // Two that come at once are one.
            while matches!(signals.read_signal(), Ok(Some(_))) {}
            match (state, ending.take()) {
                (None, _) => return Ok(Ok(())),
                (Some(state), None) => ending = Some(state.save(devices)),
                (Some(_), Some(ending)) => return Ok(ending.broken_off()),
            }
        }
        let news = ready();
        if ready() {
            devices.jobs.collect();
        }
        // Told before anything else is received: sockets come after the interfaces.
        let mut gone = Vec::new();
        for id in places.interfaces {
            if ready() && !overlay(devices, id, &host.neighbours, &mut buffer, &mut told) {
                gone.push(id);
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
            if let (Some(link), Some(device)) = (devices.link(id), devices.vtep.device(id)) {
                audience.tell(link.tap.name(), device.config(), &event, now);
            }
        }
        for id in gone {
            lifecycle::interface_is_gone(devices, id, &mut audience);
        }
        if news {
            lifecycle::follow(devices, &mut host, &mut audience);
        }
        control.serve(devices, sink, all);
        jobs::guard(devices, &mut control.audience(sink));
        jobs::step(devices, &mut control.audience(sink));
        let mut finished = devices.jobs.finished();
        if let Some(ending) = &mut ending {
            ending.note(devices, &mut finished);
        }
        control.settle(finished);
        lifecycle::look_again(devices, &mut host, &mut control.audience(sink));
        // Behind it: who has just begun to listen is told what comes from now on.
        drops.tell(devices, &mut control.audience(sink));
        if let Some(over) = ending.take_if(|ending| ending.is_over()) {
            return Ok(over.outcome());
        }
    }
}

/// What was waited for behind signals, news of the host and news of jobs, in this order; behind it
/// the control socket.
struct Places {
    /// The devices of the interfaces.
    interfaces: Vec<DeviceId>,
    sockets: usize,
}

/// Waits until something happens, and says what: first of all a signal.
fn wait(
    devices: &Devices,
    signals: &SignalFd,
    host: &Host,
    control: &Control,
    happened: &mut Vec<PollFlags>,
) -> Result<Places, Failure> {
    let mut places = Places {
        interfaces: Vec::new(),
        sockets: 0,
    };
    let mut ready = vec![
        PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        PollFd::new(host.news(), PollFlags::POLLIN),
        PollFd::new(devices.jobs.news(), PollFlags::POLLIN),
    ];
    for link in devices.taps.links.iter().filter(|link| !link.leaving) {
        places.interfaces.push(link.id);
        ready.push(PollFd::new(link.tap.as_fd(), PollFlags::POLLIN));
    }
    for socket in devices.vtep.sockets() {
        places.sockets += 1;
        ready.push(PollFd::new(socket, PollFlags::POLLIN));
    }
    let control_sockets = control.descriptors();
    ready.extend(control_sockets.map(|(socket, events)| PollFd::new(socket, events)));
    let busy = devices.jobs.is_ready().then_some(Duration::ZERO);
    let timeouts = [devices.vtep.timeout(), control.timeout(), busy];
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
    id: DeviceId,
    neighbours: &neigh::Table,
    buffer: &mut Buffer,
    told: &mut Vec<(DeviceId, Event)>,
) -> bool {
    let Devices { vtep, taps, .. } = devices;
    let Some(link) = taps.links.iter().find(|link| link.id == id) else {
        return true;
    };
    let mut refused = Vec::new();
    for _ in 0..BATCH {
        let len = match link.tap.recv(buffer.frame_area()) {
            Ok(Some(len)) => len,
            Ok(None) => break,
            // It is down.
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => break,
            Err(_) => return false,
        };
        let neighbours = neighbours.of(link.tap.ifindex());
        let sent = vtep.send_with(link.id, buffer, len, &neighbours);
        told.extend_from_slice(sent.events);
        for reply in sent.replies.iter() {
            if link.tap.send(reply).is_err() {
                refused.push(id);
            }
        }
        for to in sent.local {
            let target = taps.links.iter().find(|link| link.id == *to);
            if target.is_none_or(|link| link.tap.send(buffer.frame(sent.len)).is_err()) {
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
    let Devices { vtep, taps, .. } = devices;
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
                let link = taps.links.iter().find(|link| link.id == device);
                if link.is_none_or(|link| link.tap.send(frame).is_err()) {
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
