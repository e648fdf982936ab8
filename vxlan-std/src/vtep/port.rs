//! One UDP port and the devices behind it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use vxlan_core::device::Valid;
use vxlan_core::vtep::Member;
use vxlan_core::{DropReason, Flags, IfIndex, Vni};

use crate::socket::{Datagram, Receiver, endpoint, unspecified};
use crate::{AddError, Groups};

/// A socket and the devices behind it (`struct vxlan_sock`).
#[derive(Debug)]
pub(super) struct Port {
    receiver: Receiver,
    /// What devices must have in common to share it.
    flags: Flags,
    list: vxlan_core::Vtep<Vec<Member>>,
    /// The same in the order of arrival, to be listed anew when the list is full.
    members: Vec<(Vni, Option<IfIndex>, usize)>,
    groups: Groups,
}

impl Port {
    /// The socket that a device needs.
    pub(super) fn open(config: &Valid) -> Result<Self, AddError> {
        let flags = config.flags() & Flags::RECEIVE;
        let local = endpoint(unspecified(config.is_ipv6()), config.port(), 0);
        let bind = || {
            let receiver = Receiver::bind(local, None)?;
            if flags.contains(Flags::UDP_ZERO_CSUM6_RX) {
                receiver.accept_zero_checksum()?;
            }
            Ok(receiver)
        };
        Ok(Self {
            receiver: bind().map_err(|error| AddError::Bind { local, error })?,
            flags,
            list: vxlan_core::Vtep::new(Vec::new()),
            members: Vec::new(),
            groups: Groups::new(),
        })
    }

    /// Whether a device can share this socket.
    pub(super) fn serves(&self, config: &Valid) -> bool {
        let flags = config.flags() & Flags::RECEIVE;
        self.is(config.is_ipv6(), config.port(), flags)
    }

    pub(super) fn is(&self, ipv6: bool, port: u16, flags: Flags) -> bool {
        let local = self.receiver.local();
        local.is_ipv6() == ipv6 && local.port() == port && self.flags == flags
    }

    /// Lets a device receive, and joins its group.
    pub(super) fn attach(&mut self, config: &Valid, device: usize) -> Result<(), AddError> {
        if let Some((group, interface)) = group(config) {
            let joined = self.groups.join(&self.receiver, group, interface);
            joined.map_err(|error| AddError::Join {
                group,
                interface,
                error,
            })?;
        }
        let link_local = config.flags().contains(Flags::IPV6_LINKLOCAL);
        let link = config.lower().filter(|_| link_local);
        self.members.push((config.vni(), link, device));
        if self.list.attach(config.vni(), link, device).is_err() {
            self.list_anew();
        }
        Ok(())
    }

    /// The opposite.
    pub(super) fn detach(&mut self, config: &Valid, device: usize) {
        self.members.retain(|(_, _, member)| *member != device);
        self.list.detach(device);
        if let Some((group, interface)) = group(config) {
            // The interface may be gone, and the membership with it.
            let _ = self.groups.leave(&self.receiver, group, interface);
        }
    }

    pub(super) const fn is_unused(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn recv(&self, buffer: &mut [u8]) -> io::Result<Option<Datagram>> {
        self.receiver.recv(buffer)
    }

    pub(super) fn demultiplex(
        &self,
        payload: &[u8],
        arrival: Option<IfIndex>,
    ) -> Result<usize, DropReason> {
        self.list.demultiplex(payload, arrival)
    }

    pub(super) fn find(&self, vni: Vni, arrival: Option<IfIndex>) -> Option<usize> {
        self.list.find(vni, arrival)
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }

    fn list_anew(&mut self) {
        let places = self.members.len().next_power_of_two();
        self.list = vxlan_core::Vtep::new(vec![Member::EMPTY; places]);
        for (vni, link, device) in &self.members {
            // There are as many places as members, or more.
            let _ = self.list.attach(*vni, *link, *device);
        }
    }
}

/// The group that a device is in, and on which interface.
fn group(config: &Valid) -> Option<(core::net::IpAddr, IfIndex)> {
    let group = config.remote();
    Some((group, config.lower()?)).filter(|_| group.is_multicast())
}
