//! The host's side of UDP sockets: the groups that they have joined.

use core::net::IpAddr;
use std::collections::BTreeSet;

use vxlan_core::IfIndex;
use vxlan_core::device::Group;
use vxlan_core::world::{Action, Errno, SocketId};

/// The groups of all sockets.
#[derive(Debug, Default)]
pub(crate) struct Memberships(BTreeSet<(SocketId, Group)>);

impl Memberships {
    /// Does what the world asks for. Sockets and interfaces come and go without any trouble here.
    pub(crate) fn perform(&mut self, action: &Action) -> Result<(), Errno> {
        match *action {
            Action::Join { socket, group } if !self.0.insert((socket, group)) => {
                Err(Errno::EADDRINUSE)
            }
            Action::Leave { socket, group } if !self.0.remove(&(socket, group)) => {
                Err(Errno::EADDRNOTAVAIL)
            }
            Action::Close(closed) => {
                self.0.retain(|(socket, _)| *socket != closed);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether anybody has joined `group` on an interface.
    pub(crate) fn has_joined(&self, ifindex: u32, group: IpAddr) -> bool {
        let mut joined = self.0.iter();
        joined.any(|(_, on)| number(on) == ifindex && on.address == group)
    }

    /// All groups joined, by interface.
    pub(crate) fn all(&self) -> BTreeSet<(u32, IpAddr)> {
        let groups = self.0.iter().map(|(_, group)| group);
        groups.map(|group| (number(group), group.address)).collect()
    }

    /// The groups of an interface that is gone.
    pub(crate) fn leave_interface(&mut self, ifindex: u32) {
        self.0.retain(|(_, group)| number(group) != ifindex);
    }
}

/// The interface of a group as a number.
fn number(group: &Group) -> u32 {
    group.ifindex.map_or(0, IfIndex::get)
}
