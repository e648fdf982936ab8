//! The steps that a world asks of this host.

use std::io;

use vxlan_core::world::{Action, DeviceId, Errno, Growable, Netdev, SocketId, SocketKey, World};

use super::Memory;
use crate::AddError;
use crate::socket::{Receiver, endpoint, unspecified};

/// The world of a [`Vtep`](super::Vtep).
pub(super) type HostWorld = World<Growable<Memory>>;

/// What is made for a device beside its sockets: a network interface, or whatever else its frames
/// come from. `()` makes nothing.
pub trait Interfaces {
    /// Makes the interface of a new device, down (`register_netdevice()`).
    ///
    /// # Errors
    /// The error number of the host. There is no device then.
    fn register(&mut self, id: DeviceId, netdev: &Netdev<Memory>) -> Result<(), Errno>;

    /// Takes the interface away (`unregister_netdevice()`).
    fn unregister(&mut self, id: DeviceId);
}

impl Interfaces for () {
    fn register(&mut self, _id: DeviceId, _netdev: &Netdev<Memory>) -> Result<(), Errno> {
        Ok(())
    }

    fn unregister(&mut self, _id: DeviceId) {}
}

/// The sockets of a world, and why one could not be had.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: Vec<(SocketId, Receiver)>,
    failure: Option<AddError>,
}

impl Sockets {
    /// All of them.
    pub(super) fn all(&self) -> &[(SocketId, Receiver)] {
        &self.open
    }

    /// More about the last failure than its number.
    pub(super) const fn take_failure(&mut self) -> Option<AddError> {
        self.failure.take()
    }

    /// Does what the world asks for.
    pub(super) fn perform(
        &mut self,
        world: &HostWorld,
        action: &Action,
        interfaces: &mut impl Interfaces,
    ) -> Result<(), Errno> {
        match *action {
            Action::Register(id) => {
                let netdev = world.device(id).ok_or(Errno::ENODEV)?;
                return interfaces.register(id, netdev);
            }
            Action::Unregister(id) => interfaces.unregister(id),
            Action::Open { socket, key } => return self.open(socket, &key),
            Action::Close(socket) => self.open.retain(|(id, _)| *id != socket),
            Action::Join { socket, group } => {
                let receiver = self.find(socket)?;
                let joined = receiver.join(group.address, group.ifindex);
                return joined.map_err(|error| {
                    let number = errno(&error);
                    self.failure = Some(AddError::Join {
                        group: group.address,
                        interface: group.ifindex,
                        error,
                    });
                    number
                });
            }
            Action::Leave { socket, group } => {
                // The interface may be gone, and the membership with it.
                let _ = self.find(socket)?.leave(group.address, group.ifindex);
            }
            // Binding is part of opening, and nobody here wants to know the ports or who is above
            // whom.
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, id: SocketId, key: &SocketKey) -> Result<(), Errno> {
        let local = endpoint(unspecified(key.ipv6), key.port, 0);
        let bind = || {
            let receiver = Receiver::bind(local, key.interface)?;
            if key.accepts_unchecked() {
                receiver.accept_zero_checksum()?;
            }
            Ok(receiver)
        };
        match bind() {
            Ok(receiver) => {
                self.open.push((id, receiver));
                Ok(())
            }
            Err(error) => {
                let number = errno(&error);
                self.failure = Some(AddError::Bind { local, error });
                Err(number)
            }
        }
    }

    fn find(&self, id: SocketId) -> Result<&Receiver, Errno> {
        let found = self.open.iter().find(|(open, _)| *open == id);
        found.map(|(_, receiver)| receiver).ok_or(Errno::ENODEV)
    }
}

fn errno(error: &io::Error) -> Errno {
    Errno::new(error.raw_os_error().unwrap_or(Errno::EINVAL.get()))
}
