//! The VNI filter of a device changes (`vxlan_vnifilter_process()`).

use super::netdev::Phase;
use super::open::seat;
use super::task::{Goal, Regroup};
use super::{Action, DeviceId, Error, Memory, Task, World};
use crate::vni_filter::{self, Request};
use crate::{Event, Instant, Vni};

impl<M: Memory> World<M> {
    /// Adds VNIs to the filter of a device, or gives those that are there another group: `bridge vni
    /// add`.
    ///
    /// One VNI after the other is checked and added; the host is asked to leave the group that it had
    /// and to join the one that it has. The first failure ends the task, and what came before it
    /// stays, as in Linux.
    ///
    /// # Errors
    /// [`Error::Vnis`] if the request makes no sense, [`Error::NoDevice`], [`Error::Unfinished`]. The
    /// task ends with [`Error::Vnis`], [`Error::Full`], or what the host reports.
    pub fn add_vnis(
        &mut self,
        id: DeviceId,
        request: &Request,
        now: Instant,
    ) -> Result<Task, Error> {
        self.change_vnis(id, request, Some(now))
    }

    /// Takes VNIs off the filter of a device: `bridge vni del`.
    ///
    /// # Errors
    /// See [`add_vnis`](Self::add_vnis).
    pub fn remove_vnis(&mut self, id: DeviceId, request: &Request) -> Result<Task, Error> {
        self.change_vnis(id, request, None)
    }

    fn change_vnis(
        &mut self,
        id: DeviceId,
        request: &Request,
        add: Option<Instant>,
    ) -> Result<Task, Error> {
        let netdev = self.idle(id)?;
        let range = netdev.device.vni_range(request).map_err(Error::Vnis)?;
        netdev.phase = Phase::Changing;
        Ok(Task::new(Goal::Vnis {
            device: id,
            add,
            group: request.group,
            range,
            groups: Regroup::default(),
        }))
    }

    pub(super) fn advance_vnis(
        &mut self,
        task: &mut Task,
        id: DeviceId,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        while !task.back {
            match self.next_vni(&mut task.goal, id, tell) {
                Ok(Some(action)) => return Some(action),
                Ok(None) => break,
                Err(error) => task.fail(error),
            }
        }
        self.device_mut(id)?.phase = Phase::Idle;
        None
    }

    /// What is left to do for the last VNI, then the next one; `None` when all are done.
    fn next_vni(
        &mut self,
        goal: &mut Goal,
        id: DeviceId,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Result<Option<Action>, Error> {
        let Goal::Vnis {
            add,
            group,
            range,
            groups,
            ..
        } = goal
        else {
            return Ok(None);
        };
        loop {
            if let Some(action) = self.regroup(id, groups)? {
                return Ok(Some(action));
            }
            let Some(number) = range.next() else {
                return Ok(None);
            };
            let changed = if let Some(now) = *add {
                self.make_room(id)?;
                let in_use = self.is_in_use(id, number);
                let netdev = self.device_mut(id).ok_or(Error::NoDevice)?;
                netdev.device.add_vni(now, number, *group, in_use)
            } else {
                let netdev = self.device_mut(id).ok_or(Error::NoDevice)?;
                netdev.device.remove_vni(number)
            };
            let changed = changed.map_err(Error::Vnis)?;
            // None of a higher number is ever on the wire.
            if let Some(vni) = Vni::new(number) {
                if changed.attach {
                    self.attach_everywhere(id, vni)?;
                }
                if changed.detach {
                    self.detach_everywhere(id, vni);
                }
            }
            let told = changed.entry.into_iter();
            told.chain(changed.event.map(Event::Vnis))
                .for_each(|event| tell(id, event));
            *groups = Regroup {
                leave: changed.leave,
                join: changed.join,
            };
            if let Some(failure) = changed.failure {
                return Err(Error::Vnis(failure));
            }
        }
    }

    /// The next group to leave or to join.
    pub(super) fn regroup(
        &mut self,
        id: DeviceId,
        groups: &mut Regroup,
    ) -> Result<Option<Action>, Error> {
        if let Some(group) = groups.leave.take()
            && let Some(leave) = self.leave(id, group)
        {
            return Ok(Some(leave));
        }
        let Some(group) = groups.join.take() else {
            return Ok(None);
        };
        let seats = self.device(id).ok_or(Error::NoDevice)?.seats;
        match seat(&seats, group.address.is_ipv6()) {
            Some(seat) => self.join(seat, group).map(Some),
            None => Ok(None),
        }
    }

    /// Whether another device receives the VNI (`vxlan_vni_in_use()`).
    fn is_in_use(&self, id: DeviceId, vni: u32) -> bool {
        let Some(netdev) = self.device(id) else {
            return false;
        };
        let config = netdev.device.config();
        let mut others = self.devices().filter(|(other, _)| *other != id);
        others.any(|(_, other)| other.device.occupies(vni, config))
    }
}

impl From<vni_filter::Error> for Error {
    fn from(error: vni_filter::Error) -> Self {
        Self::Vnis(error)
    }
}
