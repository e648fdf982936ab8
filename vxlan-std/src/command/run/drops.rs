//! Lost packets, told to those who want to know.

use std::collections::HashMap;

use vxlan_core::{DropReason, Stats};
use vxlan_std::DeviceId;
use vxlan_std::socket::{SendError, SendErrors};

use super::Audience;
use super::devices::Devices;

/// What was counted when somebody was told last.
#[derive(Debug, Default)]
pub(super) struct Drops {
    /// By device; `None` is what was for none of them.
    told: HashMap<(Option<DeviceId>, &'static str), u64>,
    heard: bool,
}

impl Drops {
    /// Tells what was lost since the last time, a line for each reason. Costs nothing while nobody
    /// listens.
    pub(super) fn tell(&mut self, devices: &Devices, audience: &mut Audience<'_>) {
        if !audience.hears_drops() {
            self.heard = false;
            return;
        }
        // Those who have just begun to listen are told about what comes, not what was.
        let silent = !core::mem::replace(&mut self.heard, true);
        for link in &devices.taps.links {
            if let Some(stats) = devices.vtep.stats(link.id) {
                let errors = devices.vtep.send_errors(link.id);
                for (reason, count) in counts(stats, errors) {
                    let new = self.since(Some(link.id), reason, count);
                    if new > 0 && !silent {
                        audience.lost(Some(link.tap.name()), reason, new);
                    }
                }
            }
        }
        for (reason, count) in counts(devices.vtep.stray(), None) {
            let new = self.since(None, reason, count);
            if new > 0 && !silent {
                audience.lost(None, reason, new);
            }
        }
    }

    /// How many more than were told.
    fn since(&mut self, id: Option<DeviceId>, reason: &'static str, count: u64) -> u64 {
        if count == 0 {
            return 0;
        }
        let told = self.told.entry((id, reason)).or_default();
        count.wrapping_sub(core::mem::replace(told, count))
    }
}

fn counts<'s>(
    stats: &'s Stats,
    errors: Option<&'s SendErrors>,
) -> impl Iterator<Item = (&'static str, u64)> + 's {
    let lost = DropReason::ALL
        .iter()
        .map(|reason| (reason.as_str(), stats.drops(*reason)));
    let refused = errors
        .into_iter()
        .flat_map(|errors| SendError::ALL.map(|reason| (reason.as_str(), errors.count(reason))));
    lost.chain(refused)
}
