//! Setting a world up and taking it down (`vxlan_init_module()`, `vxlan_exit_net()`), and telling
//! network cards about ports.

use super::socket::Progress;
use super::task::Goal;
use super::{Action, Memory, Service, Task, World};

impl<M: Memory> World<M> {
    /// Starts services of the host in their order, all or none: [`Service::LINUX_6`], or whatever of
    /// them the host has.
    pub fn start(&mut self, services: &'static [Service]) -> Task {
        if self.started == 0 {
            self.services = services;
        }
        Task::new(Goal::Start)
    }

    pub(super) fn advance_start(&self, task: &Task) -> Option<Action> {
        if task.back {
            return self.end_last();
        }
        self.services.get(self.started).copied().map(Action::Start)
    }

    /// Ends the service that was started last.
    pub(super) fn end_last(&self) -> Option<Action> {
        let last = self.started.checked_sub(1)?;
        self.services.get(last).copied().map(Action::End)
    }

    /// Tells one network card the port of each socket, the oldest first, or makes it forget them.
    pub(super) fn advance_ports(&self, task: &mut Task) -> Option<Action> {
        let Goal::Ports {
            announce,
            to,
            ref mut next,
        } = task.goal
        else {
            return None;
        };
        let ready = self.sockets().filter(|(id, socket)| {
            id.serial >= *next && matches!(socket.progress, Progress::Ready)
        });
        let (socket, port) = ready
            .map(|(id, socket)| (id, socket.key.tunnel_port()))
            .min_by_key(|(id, _)| *id)?;
        *next = socket.serial + 1;
        let to = Some(to);
        Some(if announce {
            Action::Announce { socket, port, to }
        } else {
            Action::Withdraw { socket, port, to }
        })
    }
}
