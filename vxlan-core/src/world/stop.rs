//! A device goes down (`vxlan_stop()`).

use super::netdev::Phase;
use super::open::seat;
use super::socket::Progress;
use super::task::Goal;
use super::{Action, DeviceId, Errno, Error, Memory, SocketId, Task, World};
use crate::Event;
use crate::device::Group;
use crate::fdb::Cursor;

/// How many places of entries a step looks at.
const PIECE: u32 = 1_024;

impl<M: Memory> World<M> {
    /// Takes a device down: leaves its group unless another device needs it, stops the ageing timer,
    /// flushes entries ([`Device::stop`](crate::Device::stop)), and lets go of its sockets; one
    /// without users is closed. Nothing is to be done for a device that is down.
    ///
    /// Of a large table a step looks at 1,024 entries, with [`Action::Pause`] between the steps.
    /// Nothing is received for the device then.
    ///
    /// The task cannot fail; but the old driver reports that a group could not be left.
    ///
    /// # Errors
    /// [`Error::NoDevice`], [`Error::Unfinished`].
    pub fn stop(&mut self, id: DeviceId) -> Result<Task, Error> {
        let netdev = self.idle(id)?;
        if !netdev.device.is_up() {
            return Ok(Task::new(Goal::Done));
        }
        netdev.phase = Phase::Stopping;
        netdev.groups = 0;
        Ok(Task::new(Goal::Stop { device: id }))
    }

    pub(super) fn advance_stop(
        &mut self,
        id: DeviceId,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        let action = self.descend(id, tell);
        if action.is_none()
            && let Some(netdev) = self.device_mut(id)
        {
            netdev.phase = Phase::Idle;
        }
        action
    }

    /// The next step down for a device that goes down or is deleted.
    pub(super) fn descend(
        &mut self,
        id: DeviceId,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        let netdev = self.device_mut(id)?;
        if netdev.device.is_up() {
            while let Some(group) = self.next_group(id) {
                if let Some(leave) = self.leave(id, group) {
                    return Some(leave);
                }
            }
            let netdev = self.device_mut(id)?;
            netdev.sweep = None;
            netdev.device.set_up(false);
            netdev.rest = Some(Cursor::START);
        }
        if self.flush(id, tell) {
            return Some(Action::Pause(id));
        }
        self.release(id)
    }

    /// One piece of the flush of a device that goes down or away. Says whether there is more.
    pub(super) fn flush(&mut self, id: DeviceId, tell: &mut impl FnMut(DeviceId, Event)) -> bool {
        let Some(netdev) = self.device_mut(id) else {
            return false;
        };
        let Some(cursor) = netdev.rest else {
            return false;
        };
        let mut removed = match netdev.phase {
            Phase::Dying { .. } => netdev.device.clear_some(cursor, PIECE),
            _ => netdev.device.stop_some(cursor, PIECE),
        };
        removed.by_ref().for_each(|event| tell(id, event));
        netdev.rest = removed.finish();
        let (more, seats) = (netdev.rest.is_some(), netdev.seats);
        if more {
            // Otherwise it would learn again what was flushed.
            for seat in seats.into_iter().flatten() {
                let place = self.memory.sockets_mut().get_mut(seat.socket);
                if let Some(socket) = place.and_then(Option::as_mut) {
                    socket.vtep.detach(id.place);
                }
            }
        }
        more
    }

    fn next_group(&mut self, id: DeviceId) -> Option<Group> {
        let netdev = self.device_mut(id)?;
        let group = netdev.group(netdev.groups)?;
        netdev.groups += 1;
        Some(group)
    }

    /// Leaves the groups of a device that could not go up, the last one first.
    pub(super) fn undo_joins(&mut self, id: DeviceId) -> Option<Action> {
        loop {
            let netdev = self.device_mut(id)?;
            netdev.groups = netdev.groups.checked_sub(1)?;
            let group = netdev.group(netdev.groups)?;
            if let Some(leave) = self.leave(id, group) {
                return Some(leave);
            }
        }
    }

    /// The request to leave a group, unless another running device on the same socket has it
    /// (`vxlan_group_used()`).
    pub(super) fn leave(&mut self, id: DeviceId, group: Group) -> Option<Action> {
        let ipv6 = group.address.is_ipv6();
        let mine = seat(&self.device(id)?.seats, ipv6)?;
        let used = self.devices().any(|(other, netdev)| {
            other != id
                && seat(&netdev.seats, ipv6).is_some_and(|seat| seat.socket == mine.socket)
                && netdev.holds(group)
        });
        let socket = self.socket_at(mine.socket).filter(|_| !used)?;
        self.device_mut(id)?.leaving = Some(group);
        Some(Action::Leave { socket, group })
    }

    /// Notes that the host has answered about a group to be left. A batch has one at a time.
    pub(super) fn left(&mut self, task: &Task) {
        let batch = match task.goal {
            Goal::Delete { batch, .. } => Some(Phase::Dying { batch }),
            _ => None,
        };
        for (place, netdev) in self.memory.devices_mut().iter_mut().enumerate() {
            if let Some(netdev) = netdev
                && (task.device() == Some(netdev.id(place)) || batch == Some(netdev.phase))
            {
                netdev.leaving = None;
            }
        }
    }

    /// What a group that could not be left means for the task.
    pub(super) fn not_left(&self, task: &mut Task, errno: Errno) {
        if let Goal::Stop { device } = task.goal
            && let Some(netdev) = self.device(device)
            && netdev.device.config().compat().report_leave
        {
            task.outcome = Err(Error::Host(errno));
        }
    }

    /// The next step to let go of a device's sockets (`vxlan_sock_release()`), IPv4 first.
    pub(super) fn release(&mut self, id: DeviceId) -> Option<Action> {
        for ipv6 in [false, true] {
            let Some(seat) = seat(&self.device(id)?.seats, ipv6) else {
                continue;
            };
            let place = self.memory.sockets_mut().get_mut(seat.socket);
            let Some(place) = place.and_then(Option::as_mut) else {
                self.set_seat(id, ipv6, None);
                continue;
            };
            place.vtep.detach(id.place);
            let socket = place.id(seat.socket);
            if place.users > 1 {
                place.users -= 1;
                self.set_seat(id, ipv6, None);
                continue;
            }
            place.users = 0;
            place.progress = match place.progress {
                Progress::Ready => Progress::Withdrawing,
                Progress::Open | Progress::Bound => Progress::Closing,
                other => other,
            };
            match place.progress {
                Progress::Withdrawing => {
                    return Some(Action::Withdraw {
                        socket,
                        port: place.key.tunnel_port(),
                        to: None,
                    });
                }
                Progress::Closing => return Some(Action::Close(socket)),
                _ => self.forget(socket), // It was never opened.
            }
        }
        None
    }

    /// Takes a socket off the world and off whoever sat on it.
    pub(super) fn forget(&mut self, id: SocketId) {
        if self.socket(id).is_none() {
            return;
        }
        if let Some(place) = self.memory.sockets_mut().get_mut(id.place) {
            *place = None;
        }
        let netdevs = self.memory.devices_mut().iter_mut().flatten();
        for seat in netdevs.flat_map(|netdev| &mut netdev.seats) {
            if seat.is_some_and(|seat| seat.socket == id.place) {
                *seat = None;
            }
        }
    }
}
