//! Time passes (`vxlan_cleanup()`).

use super::{DeviceId, Memory, World};
use crate::{Event, Instant};

impl<M: Memory> World<M> {
    /// Runs the ageing timers that are due; entries that go are told to `tell`.
    pub fn age(&mut self, now: Instant, mut tell: impl FnMut(DeviceId, Event)) {
        for (place, netdev) in self.memory.devices_mut().iter_mut().enumerate() {
            let Some(netdev) = netdev else { continue };
            if netdev.sweep.is_none_or(|due| due > now) {
                continue;
            }
            let id = netdev.id(place);
            let mut aged = netdev.device.age(now);
            aged.by_ref().for_each(|event| tell(id, event));
            netdev.sweep = Some(aged.next_sweep());
        }
    }

    /// When [`age`](Self::age) has work to do; `None` while all devices are down.
    #[must_use]
    pub fn next_sweep(&self) -> Option<Instant> {
        let devices = self.devices();
        devices.filter_map(|(_, netdev)| netdev.sweep).min()
    }
}
