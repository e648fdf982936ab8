//! Devices go (`vxlan_dellink()`, `unregister_netdevice_many()`).

use super::netdev::{Netdev, Phase};
use super::task::Goal;
use super::{Action, DeviceId, Error, LowerEvent, Memory, Task, World};
use crate::fdb::{Cursor, Storage};
use crate::{Event, IfIndex};

impl<F: Storage> Netdev<F> {
    /// The last steps of the host for an interface without sockets.
    pub(super) fn farewell(&self, id: DeviceId) -> Option<Action> {
        self.unlink(id)
            .or_else(|| self.registered.then_some(Action::Unregister(id)))
    }

    fn unlink(&self, id: DeviceId) -> Option<Action> {
        self.above.map(|lower| Action::Relink {
            device: id,
            from: Some(lower),
            to: None,
        })
    }
}

impl<M: Memory> World<M> {
    /// Deletes a device. Its forwarding database is emptied, each entry told to `tell`; the task goes
    /// on with that if there are more than 1,024, with [`Action::Pause`] between the steps, and takes
    /// the device down and away. It cannot fail.
    ///
    /// # Errors
    /// [`Error::NoDevice`], [`Error::Unfinished`].
    pub fn delete(
        &mut self,
        id: DeviceId,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<Task, Error> {
        self.idle(id)?;
        self.delete_all(false, |_, other| other == id, tell)
    }

    /// Deletes all devices and ends the services (`vxlan_exit_net()`, `vxlan_cleanup_module()`).
    ///
    /// # Errors
    /// [`Error::Unfinished`] if a task about any device is not finished.
    pub fn exit(&mut self, tell: impl FnMut(DeviceId, Event)) -> Result<Task, Error> {
        self.delete_all(true, |_, _| true, tell)
    }

    /// What another interface of the host did (`vxlan_netdevice_event()`).
    ///
    /// If it goes, all devices above it go in one task, the newest first: first all are emptied,
    /// then all go down, then all are taken away. If it asks for ports, the task tells it those of
    /// all sockets. Nothing else makes any difference.
    ///
    /// # Errors
    /// [`Error::Unfinished`] if a task about one of the devices is not finished; nothing has changed
    /// then, and the call is to be made again.
    pub fn lower_event(
        &mut self,
        event: LowerEvent,
        lower: IfIndex,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<Task, Error> {
        let ports = |announce| {
            Ok(Task::new(Goal::Ports {
                announce,
                to: lower,
                next: 0,
            }))
        };
        match event {
            LowerEvent::Unregister => self.delete_all(
                false,
                |netdev, _| netdev.device.config().lower() == Some(lower),
                tell,
            ),
            LowerEvent::PushPorts => ports(true),
            LowerEvent::DropPorts => ports(false),
            LowerEvent::Other => Ok(Task::new(Goal::Done)),
        }
    }

    /// Empties and marks all devices that are meant.
    fn delete_all(
        &mut self,
        exit: bool,
        meant: impl Fn(&Netdev<M::Fdb>, DeviceId) -> bool,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Result<Task, Error> {
        if self
            .devices()
            .any(|(id, netdev)| meant(netdev, id) && netdev.is_busy())
        {
            return Err(Error::Unfinished);
        }
        let batch = self.serial();
        loop {
            let next = self
                .devices()
                .filter(|(id, netdev)| meant(netdev, *id) && !netdev.is_busy())
                .map(|(id, _)| id)
                .max();
            let Some(id) = next else { break };
            if let Some(netdev) = self.device_mut(id) {
                netdev.phase = Phase::Dying { batch };
                netdev.groups = 0;
                netdev.rest = Some(Cursor::START);
                self.flush(id, &mut tell);
            }
        }
        Ok(Task::new(Goal::Delete { batch, exit }))
    }

    pub(super) fn advance_delete(
        &mut self,
        batch: u64,
        exit: bool,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        let ours = |netdev: &Netdev<M::Fdb>| netdev.phase == Phase::Dying { batch };
        let unflushed = |netdev: &Netdev<M::Fdb>| ours(netdev) && netdev.rest.is_some();
        while let Some(id) = self.newest(unflushed) {
            if self.flush(id, tell) {
                return Some(Action::Pause(id));
            }
        }
        let linked = |netdev: &Netdev<M::Fdb>| ours(netdev) && netdev.above.is_some();
        if let Some(id) = self.newest(linked) {
            return self.device(id)?.unlink(id);
        }
        let runs = |netdev: &Netdev<M::Fdb>| {
            ours(netdev) && (netdev.device.is_up() || netdev.seats != [None; 2])
        };
        while let Some(id) = self.newest(runs) {
            if let Some(action) = self.descend(id, tell) {
                return Some(action);
            }
        }
        while let Some(id) = self.newest(ours) {
            let netdev = self.device_mut(id)?;
            // While the device can still be looked at.
            netdev
                .device
                .clear_vnis(|event| tell(id, Event::Vnis(event)));
            if let Some(action) = netdev.farewell(id) {
                return Some(action);
            }
            self.drop_device(id);
        }
        if exit { self.end_last() } else { None }
    }
}
