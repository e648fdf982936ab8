//! Tables in files.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use vxlan_core::Event;
use vxlan_std::Snapshot;
use vxlan_std::snapshot::{LoadError, RestoreError};

use super::super::refusal::Refusal;
use super::super::run::{Audience, Devices};
use super::super::words::FileSpec;
use super::find;

/// The exit status when a file cannot be had.
const FAILED: u8 = 1;

/// Writes the table of a device.
pub(crate) fn save(devices: &Devices, which: &FileSpec) -> Result<(), Refusal> {
    let id = find(devices, &which.device)?;
    let device = devices.vtep.device(id);
    let device = device.ok_or_else(|| Refusal::no_device(super::BRIDGE, &which.device))?;
    let snapshot = Snapshot::take(device, devices.vtep.now(), SystemTime::now());
    let saved = snapshot.save(&which.path);
    saved.map_err(|error| refused(&which.path, &error))
}

/// Gives a device what a file holds and it lacks.
pub(crate) fn load(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    which: &FileSpec,
) -> Result<(), Refusal> {
    let id = find(devices, &which.device)?;
    let snapshot = Snapshot::load(&which.path).map_err(|error| refused(&which.path, &error))?;
    restore(devices, audience, which, id, &snapshot)
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

fn restore(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    which: &FileSpec,
    id: vxlan_std::DeviceId,
    snapshot: &Snapshot,
) -> Result<(), Refusal> {
    let now = devices.vtep.now();
    let nexthops = devices.vtep.nexthops().clone();
    let device = devices.vtep.device_mut(id);
    let device = device.ok_or_else(|| Refusal::no_device(super::BRIDGE, &which.device))?;
    let ipv6 = device.config().is_ipv6();
    let usable = |id| nexthops.usable(id, ipv6);
    let restored = snapshot.restore(device, now, SystemTime::now(), usable);
    let records = restored.map_err(|error| refused(&which.path, &error))?;
    for record in records {
        audience.tell(&which.device, device.config(), &Event::Changed(record), now);
    }
    Ok(())
}

fn refused(path: &Path, error: &dyn core::fmt::Display) -> Refusal {
    let shown = path.display().to_string();
    let error = error.to_string();
    let end = error.rfind(" (os error").unwrap_or(error.len());
    let error = error.get(..end).unwrap_or_default();
    Refusal::said(FAILED, format!("vtep: {}: {error}", shown.escape_debug()))
}
