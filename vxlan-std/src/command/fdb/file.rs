//! Tables in files.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use vxlan_core::Event;
use vxlan_std::snapshot::{LoadError, RestoreError, Restoring, Taking};
use vxlan_std::{DeviceId, Snapshot};

use super::super::refusal::Refusal;
use super::super::run::{After, Audience, Devices, Errand, PIECE, Progress, Work};
use super::super::words::FileSpec;
use super::find;

/// The exit status when a file cannot be had.
const FAILED: u8 = 1;

/// The table of a device on its way to a file: walked in the loop, written by a thread.
#[derive(Debug)]
pub(crate) struct Saving {
    id: DeviceId,
    which: FileSpec,
    taking: Option<Taking>,
}

impl Saving {
    /// The start of it.
    pub(crate) fn new(devices: &Devices, which: FileSpec) -> Result<Self, Refusal> {
        Ok(Self::of(find(devices, &which.device)?, which))
    }

    /// The same for a device that is known.
    pub(crate) const fn of(id: DeviceId, which: FileSpec) -> Self {
        let taking = None;
        Self { id, which, taking }
    }

    /// How many lines there are so far.
    #[cfg(test)]
    pub(crate) fn met(&self) -> usize {
        self.taking.as_ref().map_or(0, Taking::len)
    }

    /// The next piece.
    pub(crate) fn step(&mut self, devices: &Devices) -> Progress {
        // The table of a device that goes is no longer what was asked for.
        let device = devices.vtep.device(self.id);
        let Some(device) = device.filter(|_| !devices.is_leaving(self.id)) else {
            let gone = Refusal::no_device(super::BRIDGE, &self.which.device);
            return Progress::Done(Err(gone));
        };
        let start = || Taking::start(device, devices.vtep.now(), SystemTime::now());
        let mut taking = self.taking.take().unwrap_or_else(start);
        if taking.more(device, PIECE) {
            self.taking = Some(taking);
            return Progress::More;
        }
        let path = self.which.path.clone();
        Progress::Aside(Errand::new(move || {
            let saved = taking.finish().save(&path);
            saved.map_err(|error| refused(&path, &error))?;
            Ok(After::Nothing)
        }))
    }
}

/// Writes the table of a device at once.
pub(crate) fn save(devices: &Devices, which: &FileSpec) -> Result<(), Refusal> {
    let id = find(devices, &which.device)?;
    let device = devices.vtep.device(id);
    let device = device.ok_or_else(|| Refusal::no_device(super::BRIDGE, &which.device))?;
    let snapshot = Snapshot::take(device, devices.vtep.now(), SystemTime::now());
    let saved = snapshot.save(&which.path);
    saved.map_err(|error| refused(&which.path, &error))
}

/// A file on its way into the table of a device: read by a thread, entered in the loop.
#[derive(Debug)]
pub(crate) struct Loading {
    id: DeviceId,
    which: FileSpec,
    /// What was read.
    read: Option<(Snapshot, Restoring)>,
}

impl Loading {
    /// The start of it.
    pub(super) fn new(devices: &Devices, which: FileSpec) -> Result<Self, Refusal> {
        Ok(Self::of(find(devices, &which.device)?, which))
    }

    /// The same for a device that is known.
    pub(crate) const fn of(id: DeviceId, which: FileSpec) -> Self {
        let read = None;
        Self { id, which, read }
    }

    /// The next piece.
    pub(crate) fn step(&mut self, devices: &mut Devices, audience: &mut Audience<'_>) -> Progress {
        let (id, which) = (self.id, self.which.clone());
        let Some((snapshot, mut restoring)) = self.read.take() else {
            return Progress::Aside(Errand::new(move || {
                let read = Snapshot::load(&which.path);
                let read = read.map_err(|error| refused(&which.path, &error))?;
                let restoring = Restoring::of(&read);
                let read = Some((read, restoring));
                Ok(After::Work(Box::new(Work::Load(Self { id, which, read }))))
            }));
        };
        let now = devices.vtep.now();
        let nexthops = devices.vtep.nexthops().clone();
        let leaves = devices.is_leaving(id);
        let device = devices.vtep.device_mut(id).filter(|_| !leaves);
        let more = match device {
            None => Err(Refusal::no_device(super::BRIDGE, &which.device)),
            Some(device) => {
                let (config, ipv6) = (device.config().clone(), device.config().is_ipv6());
                let more = restoring.more(
                    (&snapshot, PIECE as usize),
                    device,
                    (now, SystemTime::now()),
                    |id| nexthops.usable(id, ipv6),
                    |event| audience.tell(&which.device, &config, &event, now),
                );
                more.map_err(|error| refused(&which.path, &error))
            }
        };
        if let Ok(true) = more {
            self.read = Some((snapshot, restoring));
            return Progress::More;
        }
        Progress::Aside(Errand::new(move || {
            // Even to free them takes a while.
            drop((snapshot, restoring));
            more.map(|_| After::Nothing)
        }))
    }
}

/// The same at start: a file that is not there yet is no error, and what no longer fits is left out
/// and returned.
pub(crate) fn load_what_fits(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    which: &FileSpec,
) -> Result<Vec<RestoreError>, Refusal> {
    let id = find(devices, &which.device)?;
    let snapshot = match Snapshot::load(&which.path) {
        Ok(snapshot) => snapshot,
        Err(LoadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(refused(&which.path, &error)),
    };
    let now = devices.vtep.now();
    let nexthops = devices.vtep.nexthops().clone();
    let device = devices.vtep.device_mut(id);
    let device = device.ok_or_else(|| Refusal::no_device(super::BRIDGE, &which.device))?;
    let ipv6 = device.config().is_ipv6();
    let usable = |id| nexthops.usable(id, ipv6);
    let (records, left) = snapshot.restore_fitting(device, now, SystemTime::now(), usable);
    for record in records {
        audience.tell(&which.device, device.config(), &Event::Changed(record), now);
    }
    Ok(left)
}

fn refused(path: &Path, error: &dyn core::fmt::Display) -> Refusal {
    let shown = path.display().to_string();
    let error = error.to_string();
    let end = error.rfind(" (os error").unwrap_or(error.len());
    let error = error.get(..end).unwrap_or_default();
    Refusal::said(FAILED, format!("vtep: {}: {error}", shown.escape_debug()))
}
