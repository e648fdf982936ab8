//! Multicast groups that devices on one socket have joined.

use core::net::IpAddr;
use std::io;

use vxlan_core::IfIndex;

use crate::socket::Receiver;

/// The groups one socket is in, and how many devices want each (`vxlan_multicast.c`).
///
/// A socket is a member once; the group is left when the last device that wants it on that
/// interface has gone.
#[derive(Debug, Default)]
pub struct Groups(Vec<Membership>);

#[derive(Debug)]
struct Membership {
    group: IpAddr,
    interface: IfIndex,
    users: u32,
}

impl Groups {
    /// No groups.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Joins a group on behalf of one more device (`vxlan_igmp_join()`).
    ///
    /// # Errors
    /// Those of [`Receiver::join`]; nothing changes then.
    pub fn join(&mut self, socket: &Receiver, group: IpAddr, interface: IfIndex) -> io::Result<()> {
        match self.find(group, interface) {
            Some(membership) => membership.users += 1,
            None => {
                socket.join(group, interface)?;
                self.0.push(Membership {
                    group,
                    interface,
                    users: 1,
                });
            }
        }
        Ok(())
    }

    /// One device less wants a group; the last one leaves it (`vxlan_igmp_leave()`).
    ///
    /// # Errors
    /// Those of [`Receiver::leave`]. The group is forgotten all the same.
    pub fn leave(
        &mut self,
        socket: &Receiver,
        group: IpAddr,
        interface: IfIndex,
    ) -> io::Result<()> {
        match self.find(group, interface) {
            None => Ok(()),
            Some(membership) if membership.users > 1 => {
                membership.users -= 1;
                Ok(())
            }
            Some(_) => {
                self.0
                    .retain(|m| (m.group, m.interface) != (group, interface));
                socket.leave(group, interface)
            }
        }
    }

    /// How many groups the socket is in.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the socket is in no group.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&mut self, group: IpAddr, interface: IfIndex) -> Option<&mut Membership> {
        self.0
            .iter_mut()
            .find(|m| (m.group, m.interface) == (group, interface))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M-22: the last user leaves.
    #[test]
    fn m22_the_last_user_leaves() {
        let loopback = IfIndex::LOOPBACK;
        for (local, group) in [("127.0.0.1:0", "239.1.1.1"), ("[::1]:0", "ff02::1:1")] {
            let socket = Receiver::bind(local.parse().unwrap(), None).unwrap();
            let group: IpAddr = group.parse().unwrap();
            let mut groups = Groups::new();
            groups.join(&socket, group, loopback).unwrap();
            groups.join(&socket, group, loopback).unwrap();
            assert_eq!(groups.len(), 1);
            groups.leave(&socket, group, loopback).unwrap();
            assert_eq!(groups.len(), 1);
            groups.leave(&socket, group, loopback).unwrap();
            assert!(groups.is_empty());
            // Not in it any more, so the host refuses to leave once more.
            assert!(socket.leave(group, loopback).is_err());
            let nowhere = IfIndex::new(i32::MAX as u32).unwrap();
            assert!(groups.join(&socket, group, nowhere).is_err());
            assert!(groups.is_empty());
        }
    }
}
