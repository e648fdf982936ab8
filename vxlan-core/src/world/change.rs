//! A device changes (`vxlan_changelink()`, `vxlan_change_mtu()`).

use super::create::known;
use super::netdev::Phase;
use super::task::{Goal, Regroup};
use super::{Action, DeviceId, Error, Lower, Memory, Task, World};
use crate::device::{MTU_MAX, MTU_MIN, Valid};
use crate::{ConfigChange, Event, Instant};

impl<M: Memory> World<M> {
    /// Changes the configuration of a device. `lower` are the facts about the lower interface that
    /// the change names, or that the device has named before.
    ///
    /// The host is asked to note what it is above now, to leave the old group and to join the new
    /// one. A failure before the groups leaves everything as it was; if the new group cannot be
    /// joined, the change stays, as in Linux, and the task says why.
    ///
    /// # Errors
    /// Those of [`Valid::changed`](crate::device::Valid::changed), then the lower interface, then
    /// [`Error::VniInUse`]; [`Error::NoDevice`], [`Error::Unfinished`].
    pub fn change(
        &mut self,
        id: DeviceId,
        change: &ConfigChange,
        lower: Option<Lower>,
        now: Instant,
    ) -> Result<Task, Error> {
        self.idle(id)?;
        self.check_change(id, change, lower)?;
        self.idle(id)?.phase = Phase::Changing;
        Ok(Task::new(Goal::Change {
            device: id,
            now,
            change: change.clone(),
            lower,
            groups: None,
        }))
    }

    fn check_change(
        &self,
        id: DeviceId,
        change: &ConfigChange,
        lower: Option<Lower>,
    ) -> Result<Valid, Error> {
        let netdev = self.device(id).ok_or(Error::NoDevice)?;
        let next = netdev.device.config().changed(change)?;
        known(&next, next.named_lower(), lower)?;
        self.check_vni(&next, Some(id))?;
        Ok(next)
    }

    pub(super) fn advance_change(
        &mut self,
        task: &mut Task,
        id: DeviceId,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        if !task.back
            && let Goal::Change { groups: None, .. } = task.goal
        {
            match self.make_change(task, id, tell) {
                Ok(Some(action)) => return Some(action),
                Ok(None) => {}
                Err(error) => task.fail(error),
            }
        }
        let netdev = self.device(id)?;
        let (lower, above) = (netdev.device.config().lower(), netdev.above);
        if let Goal::Change {
            groups: Some(groups),
            ..
        } = &mut task.goal
        {
            match self.regroup(id, groups) {
                Ok(Some(action)) => return Some(action),
                Ok(None) => {}
                Err(error) => task.outcome = Err(error),
            }
        } else if above != lower {
            return Some(Action::Relink {
                device: id,
                from: above,
                to: lower,
            });
        }
        self.device_mut(id)?.phase = Phase::Idle;
        None
    }

    /// Asks for the new lower interface, then changes the device.
    fn make_change(
        &mut self,
        task: &mut Task,
        id: DeviceId,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Result<Option<Action>, Error> {
        let Goal::Change {
            now,
            change,
            lower,
            groups,
            ..
        } = &mut task.goal
        else {
            return Ok(None);
        };
        let next = self.check_change(id, change, *lower)?;
        let netdev = self.device_mut(id).ok_or(Error::NoDevice)?;
        if netdev.above != next.lower() {
            return Ok(Some(Action::Relink {
                device: id,
                from: netdev.above,
                to: next.lower(),
            }));
        }
        let changed = netdev
            .device
            .change(*now, change, |event| tell(id, event))?;
        let new = lower.filter(|lower| changed.relink == Some(lower.index));
        netdev.apply(new.as_ref(), Some(netdev.mtu));
        if changed.age_now && netdev.device.is_up() {
            netdev.sweep = Some(*now);
        }
        let (arrival, seats) = (netdev.device.config().arrival(), netdev.seats);
        for seat in seats.iter().flatten() {
            if let Some(Some(socket)) = self.memory.sockets_mut().get_mut(seat.socket) {
                socket.vtep.restrict(id.place, arrival);
            }
        }
        *groups = Some(Regroup {
            leave: changed.leave,
            join: changed.join,
        });
        Ok(None)
    }

    /// Sets the MTU of a device. `lower` are the facts about its lower interface.
    ///
    /// # Errors
    /// [`Error::MtuTooSmall`], [`Error::MtuTooLarge`], [`Error::MtuAboveLower`],
    /// [`Error::NoDevice`]; nothing changes then.
    pub fn set_mtu(&mut self, id: DeviceId, mtu: u32, lower: Option<&Lower>) -> Result<(), Error> {
        let netdev = self.device_mut(id).ok_or(Error::NoDevice)?;
        if mtu < MTU_MIN {
            return Err(Error::MtuTooSmall);
        }
        let config = netdev.device.config();
        let checked = config.compat().check_mtu;
        if checked && mtu > MTU_MAX {
            return Err(Error::MtuTooLarge);
        }
        let lower = lower.filter(|lower| Some(lower.index) == config.lower());
        // The old driver takes the headroom off the highest MTU as well.
        let carried = lower.map(|lower| lower.mtu);
        let carried = carried.or((!checked).then_some(MTU_MAX));
        if carried.is_some_and(|carried| mtu > carried.saturating_sub(config.headroom())) {
            return Err(Error::MtuAboveLower);
        }
        netdev.mtu = mtu;
        Ok(())
    }
}
