//! One step of a task after the other.

use super::task::Goal;
use super::{Action, DeviceId, Errno, Error, Memory, Task, World};
use crate::Event;

impl<M: Memory> World<M> {
    /// What the host has to do next for this task; `None` once it is done.
    ///
    /// The same action is returned until its result is [reported](Self::report). Entries of the
    /// forwarding databases that come and go are told to `tell`.
    pub fn next(
        &mut self,
        task: &mut Task,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        if task.pending.is_none() {
            task.pending = self.advance(task, &mut tell);
        }
        task.pending
    }

    /// Takes the result of the last action. Without one under way nothing happens.
    ///
    /// What takes something away counts as done whatever the result is: there is no way back from
    /// it. To have joined a group already is no failure.
    pub fn report(&mut self, task: &mut Task, result: Result<(), Errno>) {
        let Some(action) = task.pending.take() else {
            return;
        };
        if let Action::Join { .. } = action {
            self.not_joining(task);
        }
        match (action, result) {
            (_, Ok(())) | (Action::Join { .. }, Err(Errno::EADDRINUSE)) => {
                self.performed(task, &action);
            }
            (Action::Leave { .. }, Err(errno)) => {
                self.not_left(task, errno);
                self.performed(task, &action);
            }
            (
                Action::End(_)
                | Action::Unregister(_)
                | Action::Withdraw { .. }
                | Action::Close(_)
                | Action::Pause(_)
                | Action::Relink { to: None, .. },
                Err(_),
            ) => self.performed(task, &action),
            (Action::Announce { to: Some(_), .. }, Err(errno)) => {
                // The others want to be told all the same.
                task.outcome = task.outcome.and(Err(Error::Host(errno)));
            }
            (Action::Open { socket, key }, Err(Errno::EAFNOSUPPORT)) if key.ipv6 => {
                self.go_without_ipv6(task, socket);
            }
            (_, Err(_)) if task.back => self.performed(task, &action),
            (_, Err(errno)) => task.fail(Error::Host(errno)),
        }
    }

    /// Runs a task to its end: `perform` does what is asked and returns what came of it.
    ///
    /// # Errors
    /// See [`Task::outcome`].
    pub fn run(
        &mut self,
        mut task: Task,
        mut perform: impl FnMut(&Self, &Action) -> Result<(), Errno>,
        mut tell: impl FnMut(DeviceId, Event),
    ) -> Result<(), Error> {
        while let Some(action) = self.next(&mut task, &mut tell) {
            let result = perform(self, &action);
            self.report(&mut task, result);
        }
        task.outcome()
    }

    fn advance(
        &mut self,
        task: &mut Task,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        let action = match task.goal {
            Goal::Done => None,
            Goal::Start => self.advance_start(task),
            Goal::Create { device } => self.advance_create(task, device, tell),
            Goal::Open { device, .. } => self.advance_open(task, device),
            Goal::Stop { device } => self.advance_stop(device, tell),
            Goal::Change { device, .. } => self.advance_change(task, device, tell),
            Goal::Vnis { device, .. } => self.advance_vnis(task, device, tell),
            Goal::Delete { batch, exit } => self.advance_delete(batch, exit, tell),
            Goal::Ports { .. } => self.advance_ports(task),
        };
        if action.is_none() {
            task.goal = Goal::Done;
        }
        action
    }

    /// Notes that the host has done it.
    fn performed(&mut self, task: &Task, action: &Action) {
        match *action {
            Action::Start(_) => self.started += 1,
            Action::End(_) => self.started = self.started.saturating_sub(1),
            Action::Register(device) => self.set_registered(device, true),
            Action::Unregister(device) => self.set_registered(device, false),
            Action::Relink { device, to, .. } => {
                if let Some(netdev) = self.device_mut(device) {
                    netdev.above = to;
                }
            }
            Action::Open { socket, .. }
            | Action::Bind { socket, .. }
            | Action::Announce {
                socket, to: None, ..
            }
            | Action::Withdraw {
                socket, to: None, ..
            } => {
                if let Some(socket) = self.socket_mut(socket) {
                    socket.progress = socket.progress.next();
                }
            }
            Action::Close(socket) => self.forget(socket),
            Action::Join { .. } => self.joined(task),
            Action::Leave { .. } => self.left(task),
            Action::Announce { .. } | Action::Withdraw { .. } | Action::Pause(_) => {}
        }
    }

    fn set_registered(&mut self, device: DeviceId, registered: bool) {
        if let Some(netdev) = self.device_mut(device) {
            netdev.registered = registered;
        }
    }
}
