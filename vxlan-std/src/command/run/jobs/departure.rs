//! Devices go down and away, entry by entry.

use vxlan_core::device::Valid;
use vxlan_std::{AddError, Departure, DeviceId};

use super::super::super::refusal::Refusal;
use super::super::{Audience, Devices, Refused};
use super::Progress;

/// A device that goes down or away.
#[derive(Debug)]
pub(crate) struct Departing {
    id: DeviceId,
    /// What events say even when it is gone.
    name: String,
    config: Valid,
    /// It is deleted.
    away: bool,
    /// Once that has begun.
    under_way: Option<Departure>,
}

impl Departing {
    pub(crate) const fn new(id: DeviceId, name: String, config: Valid, away: bool) -> Self {
        Self {
            id,
            name,
            config,
            away,
            under_way: None,
        }
    }

    pub(super) fn step(&mut self, devices: &mut Devices, audience: &mut Audience<'_>) -> Progress {
        let (vtep, taps) = (&mut devices.vtep, &mut devices.taps);
        let now = vtep.now();
        let mut tell = |_, event| audience.tell(&self.name, &self.config, &event, now);
        let more = match &mut self.under_way {
            Some(departure) => vtep.depart(departure, taps, tell),
            None => {
                let begun = match self.away {
                    true => vtep.begin_delete(self.id, &mut tell),
                    false => vtep.begin_stop(self.id),
                };
                begun.map(|departure| {
                    self.under_way = Some(departure);
                    true
                })
            }
        };
        match more {
            Ok(true) => Progress::More,
            Ok(false) => {
                self.end(devices);
                Progress::Done(Ok(()))
            }
            Err(error) => {
                self.end(devices);
                Progress::Done(Err(refused(error)))
            }
        }
    }

    fn end(&self, devices: &mut Devices) {
        if self.away {
            devices.vtep.remove_overlay(&self.name);
        } else if let Some(link) = devices.link(self.id) {
            // It may have been taken up meanwhile.
            let index = link.tap.ifindex();
            devices.look_again.push(index);
        }
    }
}

fn refused(error: AddError) -> Refusal {
    Refusal::link(&Refused::Add(error))
}
