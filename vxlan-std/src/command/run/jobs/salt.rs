//! Another salt for a table whose entries lie badly.

use core::time::Duration;

use vxlan_core::Salt;
use vxlan_std::DeviceId;

use super::super::{Audience, Devices};
use super::{Progress, Work};

/// Steps of a rehash in one piece: two buckets each.
const STEPS: u32 = 64;
/// How long before another salt is taken.
const PAUSE: Duration = Duration::from_secs(10);

/// A table that is placed by another salt.
#[derive(Debug)]
pub(crate) struct Reseeding(DeviceId);

impl Reseeding {
    pub(super) fn step(&self, devices: &mut Devices) -> Progress {
        let device = devices.vtep.device_mut(self.0);
        match device.is_some_and(|device| device.fdb_mut().rehash(STEPS)) {
            true => Progress::More,
            false => Progress::Done(Ok(())),
        }
    }
}

/// Draws a salt for a table whose entries lie as chance does not lay them, and tells. Somebody knows
/// the old one, and has made stations for it.
pub(in super::super) fn guard(devices: &mut Devices, audience: &mut Audience<'_>) {
    let now = devices.vtep.now();
    if devices.jobs.salted.is_some_and(|last| now < last + PAUSE) {
        return;
    }
    let mut all = devices.vtep.devices();
    let Some((id, overflow)) = all.find_map(|(id, device)| {
        let fdb = device.fdb();
        fdb.wants_salt().then(|| (id, fdb.overflow()))
    }) else {
        return;
    };
    drop(all);
    let mut secret = [0; 16];
    if getrandom::fill(&mut secret).is_err() {
        return; // The next round tries again.
    }
    let Some(device) = devices.vtep.device_mut(id) else {
        return;
    };
    if device.fdb_mut().reseed(Salt::new(secret)) {
        devices.jobs.salted = Some(now);
        devices.jobs.push(Work::Reseed(Reseeding(id)));
        if let Some(link) = devices.link(id) {
            audience.salted(link.tap.name(), overflow);
        }
    }
}
