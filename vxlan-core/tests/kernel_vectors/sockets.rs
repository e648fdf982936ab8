//! The UDP sockets of the open devices, and the groups they have joined.

use core::net::IpAddr;
use std::collections::BTreeSet;

use vxlan_core::device::Group;
use vxlan_core::vtep::{Member, Vtep};
use vxlan_core::{Flags, IfIndex, Vni};

use super::answer::{EADDRINUSE, Failure, bare};

/// A shared socket (`struct vxlan_sock`). None is bound to an interface.
#[derive(Debug)]
pub(crate) struct Socket {
    ipv6: bool,
    port: u16,
    /// The receive flags that all its devices have.
    flags: Flags,
    /// Devices by VNI; a device's number is its interface number.
    pub(crate) vtep: Vtep<Vec<Member>>,
    users: Vec<u32>,
    groups: BTreeSet<Group>,
}

#[derive(Debug, Default)]
pub(crate) struct Sockets(Vec<Socket>);

/// A device that wants to be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) ifindex: u32,
    pub(crate) ipv6: bool,
    pub(crate) port: u16,
    pub(crate) flags: Flags,
    pub(crate) vni: Vni,
    /// The only interface it listens on, for a link-local device.
    pub(crate) link: Option<IfIndex>,
    /// The group of its default remote and the interface.
    pub(crate) group: Option<Group>,
}

impl Sockets {
    /// Opens or shares a socket and joins the device's group (`vxlan_open()`).
    pub(crate) fn add(&mut self, user: &User) -> Result<(), Failure> {
        let flags = user.flags & Flags::RECEIVE;
        let same_port = |socket: &Socket| (socket.ipv6, socket.port) == (user.ipv6, user.port);
        let at = match self.0.iter().position(same_port) {
            Some(at) if self.0[at].flags == flags => at,
            Some(_) => return Err(bare(EADDRINUSE)),
            None => {
                self.0.push(Socket {
                    ipv6: user.ipv6,
                    port: user.port,
                    flags,
                    vtep: match flags.contains(Flags::COLLECT_METADATA) {
                        true => Vtep::new(vec![Member::EMPTY; 64]).external(),
                        false => Vtep::new(vec![Member::EMPTY; 64]),
                    },
                    users: Vec::new(),
                    groups: BTreeSet::new(),
                });
                self.0.len() - 1
            }
        };
        let socket = &mut self.0[at];
        socket
            .vtep
            .attach(user.vni, user.link, user.ifindex as usize)
            .map_err(|full| Failure::Unsupported(full.to_string()))?;
        socket.users.push(user.ifindex);
        socket.groups.extend(user.group);
        Ok(())
    }

    /// Takes a device off its socket.
    pub(crate) fn remove(&mut self, user: &User) {
        for socket in &mut self.0 {
            if socket.ipv6 == user.ipv6 {
                socket.users.retain(|other| *other != user.ifindex);
                socket.vtep.detach(user.ifindex as usize);
            }
        }
        self.0.retain(|socket| !socket.users.is_empty());
    }

    /// What became of the only interface that a device listens on.
    pub(crate) fn restrict(&mut self, user: u32, link: Option<IfIndex>) {
        for socket in &mut self.0 {
            socket.vtep.restrict(user as usize, link);
        }
    }

    /// Joins a group on a device's socket of that family.
    pub(crate) fn join(&mut self, user: u32, group: Group) {
        for socket in self.of(user, group) {
            socket.groups.insert(group);
        }
    }

    /// Leaves a group; `used` says whether another running device of the socket has it as well.
    pub(crate) fn leave(&mut self, user: u32, group: Group, used: impl Fn(u32) -> bool) {
        for socket in self.of(user, group) {
            let mut others = socket.users.iter().filter(|other| **other != user);
            if !others.any(|other| used(*other)) {
                socket.groups.remove(&group);
            }
        }
    }

    fn of(&mut self, user: u32, group: Group) -> impl Iterator<Item = &mut Socket> {
        self.0.iter_mut().filter(move |socket| {
            socket.ipv6 == group.address.is_ipv6() && socket.users.contains(&user)
        })
    }

    /// The socket that a datagram reaches.
    pub(crate) fn listening(&self, ipv6: bool, port: u16) -> Option<&Socket> {
        self.0
            .iter()
            .find(|socket| (socket.ipv6, socket.port) == (ipv6, port))
    }

    /// The device of this host that a frame may go to without encapsulation
    /// (`vxlan_find_vni()`). Sockets are bound to no interface, so with one given none is found.
    pub(crate) fn find(
        &self,
        ipv6: bool,
        port: u16,
        flags: Flags,
        vni: Vni,
        ifindex: Option<IfIndex>,
    ) -> Option<u32> {
        let socket = self.listening(ipv6, port)?;
        if socket.flags != flags & Flags::RECEIVE || ifindex.is_some() {
            return None;
        }
        let device = socket.vtep.find(vni, ifindex)?;
        u32::try_from(device).ok()
    }

    /// Whether anybody has joined `group` on an interface.
    pub(crate) fn has_joined(&self, ifindex: u32, group: IpAddr) -> bool {
        let mut joined = self.0.iter().flat_map(|socket| &socket.groups);
        joined.any(|on| on.ifindex.get() == ifindex && on.address == group)
    }

    /// All groups joined, by interface.
    pub(crate) fn memberships(&self) -> BTreeSet<(u32, IpAddr)> {
        self.0
            .iter()
            .flat_map(|socket| &socket.groups)
            .map(|group| (group.ifindex.get(), group.address))
            .collect()
    }

    /// The groups of an interface that is gone.
    pub(crate) fn leave_interface(&mut self, ifindex: u32) {
        for socket in &mut self.0 {
            socket.groups.retain(|group| group.ifindex.get() != ifindex);
        }
    }
}

impl Socket {
    /// Whether datagrams without checksum are taken.
    pub(crate) fn allows_unchecked(&self) -> bool {
        !self.ipv6 || self.flags.contains(Flags::UDP_ZERO_CSUM6_RX)
    }
}
