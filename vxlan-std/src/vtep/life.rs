//! Devices come, change and go.

use vxlan_core::device::ConfigChange;
use vxlan_core::world::{self, Action, DeviceId, Lower, LowerEvent, NewDevice, Task};
use vxlan_core::{Event, IfIndex, Mac, vni_filter};

use super::carrier::Carrier;
use super::{Interfaces, Memory, Vtep};
use crate::{AddError, interface};

/// A device on its way down or away. It is busy until [`Vtep::depart`] says that this is done.
#[derive(Debug)]
#[must_use = "the device is busy until it is done"]
pub struct Departure(Task);

impl Vtep {
    /// Makes a device, down (`vxlan_newlink()`). Entries that it starts with are told to `tell`.
    /// What [`NewDevice::lower`] says is found out here.
    ///
    /// # Errors
    /// An [`AddError`]; nothing is left behind.
    pub fn create(
        &mut self,
        mut new: NewDevice,
        interfaces: &mut impl Interfaces,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<DeviceId, AddError> {
        let now = self.clock.now();
        let config = new.config.clone().validate();
        let named = config.as_ref().ok().and_then(|config| config.lower());
        new.lower = named.and_then(interface::lower);
        let task = self.world.create(new, Memory::default(), now)?;
        let id = task.device().ok_or(world::Error::NoDevice)?;
        self.run(task, interfaces, tell)?;
        if self.carriers.len() <= id.place() {
            self.carriers.resize_with(id.place() + 1, || None);
        }
        if let Some(place) = self.carriers.get_mut(id.place()) {
            *place = Some(Carrier::new(id, now));
        }
        Ok(id)
    }

    /// Takes a device up: opens or shares sockets, joins its group (`vxlan_open()`).
    ///
    /// # Errors
    /// An [`AddError`]; the device stays down.
    pub fn open(&mut self, id: DeviceId) -> Result<(), AddError> {
        let lower = self.lower(id);
        let now = self.clock.now();
        let task = self.world.open(id, lower.as_ref(), now)?;
        // First, lest one of the sending sockets takes the port.
        self.run(task, &mut (), |_, _| {})?;
        let opened = self.reopen(id);
        if opened.is_err() {
            self.stop(id, |_, _| {})?;
        }
        opened
    }

    /// Takes a device down: what traffic made is flushed and told to `tell` (`vxlan_stop()`). A
    /// large table takes its time; [`begin_stop`](Self::begin_stop) does it step by step.
    ///
    /// # Errors
    /// [`AddError::World`] without such a device, or while it is busy.
    pub fn stop(
        &mut self,
        id: DeviceId,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), AddError> {
        let mut departure = self.begin_stop(id)?;
        while self.depart(&mut departure, &mut (), &mut tell)? {}
        Ok(())
    }

    /// Begins to take a device down: the rest is for [`depart`](Self::depart).
    ///
    /// # Errors
    /// [`AddError::World`] without such a device, or while it is busy.
    pub fn begin_stop(&mut self, id: DeviceId) -> Result<Departure, AddError> {
        let task = self.world.stop(id)?;
        if let Some(carrier) = self.carrier_mut(id) {
            carrier.close();
        }
        Ok(Departure(task))
    }

    /// Changes the configuration of a device (`vxlan_changelink()`).
    ///
    /// # Errors
    /// An [`AddError`]; see [`World::change`](world::World::change).
    pub fn change(
        &mut self,
        id: DeviceId,
        change: &ConfigChange,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), AddError> {
        let config = self
            .device(id)
            .map(|device| device.config().changed(change));
        let named = config
            .and_then(Result::ok)
            .and_then(|config| config.lower());
        let lower = named.and_then(interface::lower);
        let now = self.clock.now();
        let task = self.world.change(id, change, lower, now)?;
        // What the sending sockets are made for cannot change.
        self.run(task, &mut (), tell)
    }

    /// Lets a device receive more VNIs: `bridge vni add`.
    ///
    /// # Errors
    /// See [`World::add_vnis`](world::World::add_vnis): VNIs before the one that is refused stay.
    pub fn add_vnis(
        &mut self,
        id: DeviceId,
        request: &vni_filter::Request,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), AddError> {
        let now = self.clock.now();
        let task = self.world.add_vnis(id, request, now)?;
        self.run(task, &mut (), tell)
    }

    /// Lets a device receive fewer VNIs: `bridge vni del`.
    ///
    /// # Errors
    /// See [`World::remove_vnis`](world::World::remove_vnis).
    pub fn remove_vnis(
        &mut self,
        id: DeviceId,
        request: &vni_filter::Request,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), AddError> {
        let task = self.world.remove_vnis(id, request)?;
        self.run(task, &mut (), tell)
    }

    /// Deletes a device with all its entries (`vxlan_dellink()`). A large table takes its time;
    /// [`begin_delete`](Self::begin_delete) does it step by step.
    ///
    /// # Errors
    /// [`AddError::World`] without such a device, or while it is busy.
    pub fn delete(
        &mut self,
        id: DeviceId,
        interfaces: &mut impl Interfaces,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), AddError> {
        let mut departure = self.begin_delete(id, &mut tell)?;
        while self.depart(&mut departure, interfaces, &mut tell)? {}
        Ok(())
    }

    /// Begins to delete a device: the rest is for [`depart`](Self::depart).
    ///
    /// # Errors
    /// [`AddError::World`] without such a device, or while it is busy.
    pub fn begin_delete(
        &mut self,
        id: DeviceId,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<Departure, AddError> {
        let task = self.world.delete(id, tell)?;
        if let Some(carrier) = self.carrier_mut(id) {
            carrier.close();
        }
        Ok(Departure(task))
    }

    /// One more step of a device on its way down or away: looks at 1,024 entries at most. False once
    /// it is done.
    ///
    /// # Errors
    /// An [`AddError`] once it is done, with what the host reported.
    pub fn depart(
        &mut self,
        departure: &mut Departure,
        interfaces: &mut impl Interfaces,
        tell: impl FnMut(DeviceId, Event),
    ) -> Result<bool, AddError> {
        let paused = self.step(&mut departure.0, interfaces, tell);
        if !matches!(paused, Ok(true)) {
            self.bury();
        }
        paused
    }

    /// An interface of the host is gone: so are the devices above it (`vxlan_netdevice_event()`).
    ///
    /// # Errors
    /// [`AddError::World`] while one of them is busy.
    pub fn lower_is_gone(
        &mut self,
        lower: IfIndex,
        interfaces: &mut impl Interfaces,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), AddError> {
        let task = self
            .world
            .lower_event(LowerEvent::Unregister, lower, &mut tell)?;
        let done = self.run(task, interfaces, tell);
        self.bury();
        done
    }

    /// Sets the MTU of a device (`vxlan_change_mtu()`).
    ///
    /// # Errors
    /// [`AddError::World`] with the kernel's reason; nothing changes then.
    pub fn set_mtu(&mut self, id: DeviceId, mtu: u32) -> Result<(), AddError> {
        let lower = self.lower(id);
        Ok(self.world.set_mtu(id, mtu, lower.as_ref())?)
    }

    /// Gives a device another MAC address.
    ///
    /// # Errors
    /// [`AddError::World`] for a group or all zeros, and without such a device.
    pub fn set_mac(&mut self, id: DeviceId, mac: Mac) -> Result<(), AddError> {
        Ok(self.world.set_mac(id, mac)?)
    }

    /// The facts about the interface below a device.
    fn lower(&self, id: DeviceId) -> Option<Lower> {
        interface::lower(self.device(id)?.config().lower()?)
    }

    /// Opens sending sockets for the configuration as it is now.
    fn reopen(&mut self, id: DeviceId) -> Result<(), AddError> {
        let device = self.device(id).ok_or(world::Error::NoDevice)?;
        let config = device.config().clone();
        let carrier = self.carrier_mut(id).ok_or(world::Error::NoDevice)?;
        carrier.open(&config)
    }

    /// Runs a task to its end.
    fn run(
        &mut self,
        mut task: Task,
        interfaces: &mut impl Interfaces,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), AddError> {
        while self.step(&mut task, interfaces, &mut tell)? {}
        Ok(())
    }

    /// Runs a task to its end or to the next pause, which is true.
    fn step(
        &mut self,
        task: &mut Task,
        interfaces: &mut impl Interfaces,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Result<bool, AddError> {
        while let Some(action) = self.world.next(task, &mut tell) {
            let done = self.sockets.perform(&self.world, &action, interfaces);
            self.world.report(task, done);
            if matches!(action, Action::Pause(_)) {
                return Ok(true);
            }
        }
        self.turn = 0;
        match (task.outcome(), self.sockets.take_failure()) {
            (Err(world::Error::Host(_)), Some(failure)) => Err(failure),
            (done, _) => Ok(done.map(|()| false)?),
        }
    }

    /// Forgets what belonged to devices that are gone.
    fn bury(&mut self) {
        for place in &mut self.carriers {
            if place
                .as_ref()
                .is_some_and(|carrier| self.world.device(carrier.id).is_none())
            {
                *place = None;
            }
        }
    }
}
