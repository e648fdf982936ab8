//! Time passes (`vxlan_cleanup()`).

use super::{DeviceId, Memory, World};
use crate::{Event, Instant};

impl<M: Memory> World<M> {
    /// Runs the ageing timers that are due, the earliest first; entries that go are told to `tell`.
    pub fn age(&mut self, now: Instant, mut tell: impl FnMut(DeviceId, Event)) {
        // The next sweep of a device is later than `now`.
        while let Some((_, id)) = self.first_sweep().filter(|(due, _)| *due <= now) {
            let Some(netdev) = self.device_mut(id) else {
                return;
            };
            let mut aged = netdev.device.age(now);
            aged.by_ref().for_each(|event| tell(id, event));
            netdev.sweep = Some(aged.next_sweep());
        }
    }

    /// When [`age`](Self::age) has work to do; `None` while all devices are down.
    #[must_use]
    pub fn next_sweep(&self) -> Option<Instant> {
        self.first_sweep().map(|(due, _)| due)
    }

    fn first_sweep(&self) -> Option<(Instant, DeviceId)> {
        let due = self.devices();
        due.filter_map(|(id, netdev)| Some((netdev.sweep?, id)))
            .min()
    }
}
