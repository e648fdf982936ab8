//! Which VNIs a device receives on its sockets.

use super::netdev::Seat;
use super::{DeviceId, Error, Memory, World};
use crate::{IfIndex, Vni};

impl<M: Memory> World<M> {
    /// Lets packets for the device in: those for its VNI, or for those of its filter
    /// (`vxlan_vs_add_dev()`, `vxlan_vs_add_vnigrp()`).
    pub(super) fn attach(&mut self, id: DeviceId, seat: Seat) -> Result<(), Error> {
        let device = self.device(id).ok_or(Error::NoDevice)?.device();
        let config = device.config();
        let arrival = config.arrival();
        if !config.has_vni_filter() {
            let vni = config.vni();
            return self.attach_vni(id, seat, vni, arrival);
        }
        for at in 0.. {
            let device = self.device(id).ok_or(Error::NoDevice)?.device();
            let Some(entry) = device.vnis().nth(at) else {
                break;
            };
            // None of a higher number is ever on the wire.
            if let Some(vni) = Vni::new(entry.vni()) {
                self.attach_vni(id, seat, vni, arrival)?;
            }
        }
        Ok(())
    }

    /// Makes sure that one more VNI can be attached on each socket of a device.
    pub(super) fn make_room(&mut self, id: DeviceId) -> Result<(), Error> {
        let seats = self.device(id).ok_or(Error::NoDevice)?.seats;
        for seat in seats.into_iter().flatten() {
            let vtep = &mut self.socket_of(seat)?.vtep;
            if vtep.is_full() {
                M::add_members(vtep.storage_mut()).map_err(|_| Error::Full)?;
            }
        }
        Ok(())
    }

    /// Lets packets for one more VNI of a filter in.
    pub(super) fn attach_everywhere(&mut self, id: DeviceId, vni: Vni) -> Result<(), Error> {
        let netdev = self.device(id).ok_or(Error::NoDevice)?;
        let (seats, arrival) = (netdev.seats, netdev.device.config().arrival());
        for seat in seats.into_iter().flatten() {
            self.attach_vni(id, seat, vni, arrival)?;
        }
        Ok(())
    }

    /// Keeps those for one VNI of a filter out.
    pub(super) fn detach_everywhere(&mut self, id: DeviceId, vni: Vni) {
        let seats = self.device(id).map(|netdev| netdev.seats);
        for seat in seats.into_iter().flatten().flatten() {
            if let Ok(socket) = self.socket_of(seat) {
                socket.vtep.detach_vni(vni, id.place);
            }
        }
    }

    fn attach_vni(
        &mut self,
        id: DeviceId,
        seat: Seat,
        vni: Vni,
        arrival: Option<IfIndex>,
    ) -> Result<(), Error> {
        let vtep = &mut self.socket_of(seat)?.vtep;
        if vtep.is_full() {
            M::add_members(vtep.storage_mut()).map_err(|_| Error::Full)?;
        }
        let attached = vtep.attach(vni, arrival, id.place);
        attached.map_err(|_| Error::Full)
    }

    fn socket_of(&mut self, seat: Seat) -> Result<&mut super::Socket<M::Members>, Error> {
        let place = self.memory.sockets_mut().get_mut(seat.socket);
        place.and_then(Option::as_mut).ok_or(Error::SocketBusy)
    }
}
