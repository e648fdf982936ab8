//! Where a world keeps its devices and sockets.

use super::{Netdev, Socket};
use crate::fdb::Storage;
use crate::vtep::{Full, Member};

/// A place for a device.
pub type DevicePlace<F> = Option<Netdev<F>>;
/// A place for a socket with its list of VNIs.
pub type SocketPlace<L> = Option<Socket<L>>;

/// Memory for a [`World`](super::World): [`Fixed`] or, with the feature `alloc`, `Growable`.
///
/// What a device brings along, the memory of its forwarding database, comes with the request to
/// make it.
pub trait Memory {
    /// The memory of one forwarding database.
    type Fdb: Storage;
    /// The list of VNIs of one socket.
    type Members: AsRef<[Member]> + AsMut<[Member]>;

    /// The places for devices, free and taken.
    fn devices(&self) -> &[DevicePlace<Self::Fdb>];
    /// The places for devices, to be written.
    fn devices_mut(&mut self) -> &mut [DevicePlace<Self::Fdb>];
    /// The places for sockets, free and taken.
    fn sockets(&self) -> &[SocketPlace<Self::Members>];
    /// The places for sockets, to be written.
    fn sockets_mut(&mut self) -> &mut [SocketPlace<Self::Members>];

    /// Adds a place for a device behind the others.
    ///
    /// # Errors
    /// [`Full`] if there cannot be more.
    fn add_device_place(&mut self) -> Result<(), Full> {
        Err(Full::of(self.devices().len()))
    }

    /// Adds a place for a socket behind the others.
    ///
    /// # Errors
    /// [`Full`] if there cannot be more.
    fn add_socket_place(&mut self) -> Result<(), Full> {
        Err(Full::of(self.sockets().len()))
    }

    /// An empty list of VNIs for a new socket.
    fn members(&mut self) -> Self::Members;

    /// Adds places to a list of VNIs.
    ///
    /// # Errors
    /// [`Full`] if there cannot be more.
    fn add_members(members: &mut Self::Members) -> Result<(), Full> {
        Err(Full::of(members.as_ref().len()))
    }
}

/// Memory of a size known to the compiler, with forwarding databases in `F` and `VNIS` places for
/// each of the `SOCKETS`.
///
/// ```
/// use vxlan_core::{Salt, fdb, world::{Fixed, World}};
///
/// type Tables = fdb::Fixed<64, 64, 64>;
/// let world = World::new(Fixed::<Tables, 4, 2, 8>::new(), Salt::default());
/// assert_eq!(world.devices().count(), 0);
/// ```
#[derive(Debug)]
pub struct Fixed<F, const DEVICES: usize, const SOCKETS: usize, const VNIS: usize> {
    devices: [DevicePlace<F>; DEVICES],
    sockets: [SocketPlace<[Member; VNIS]>; SOCKETS],
}

impl<F, const DEVICES: usize, const SOCKETS: usize, const VNIS: usize>
    Fixed<F, DEVICES, SOCKETS, VNIS>
{
    /// Memory without devices.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            devices: [const { None }; DEVICES],
            sockets: [const { None }; SOCKETS],
        }
    }
}

impl<F, const DEVICES: usize, const SOCKETS: usize, const VNIS: usize> Default
    for Fixed<F, DEVICES, SOCKETS, VNIS>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Storage, const DEVICES: usize, const SOCKETS: usize, const VNIS: usize> Memory
    for Fixed<F, DEVICES, SOCKETS, VNIS>
{
    type Fdb = F;
    type Members = [Member; VNIS];

    #[inline]
    fn devices(&self) -> &[DevicePlace<F>] {
        &self.devices
    }

    fn devices_mut(&mut self) -> &mut [DevicePlace<F>] {
        &mut self.devices
    }

    #[inline]
    fn sockets(&self) -> &[SocketPlace<[Member; VNIS]>] {
        &self.sockets
    }

    fn sockets_mut(&mut self) -> &mut [SocketPlace<[Member; VNIS]>] {
        &mut self.sockets
    }

    fn members(&mut self) -> [Member; VNIS] {
        [Member::EMPTY; VNIS]
    }
}

#[cfg(any(feature = "alloc", test))]
mod growable {
    use alloc::vec::Vec;

    use super::{DevicePlace, Full, Member, Memory, SocketPlace, Storage};

    /// Memory on the heap that grows as devices come (feature `alloc`). A lack of memory is an
    /// error, not an abort.
    #[derive(Debug)]
    pub struct Growable<F> {
        devices: Vec<DevicePlace<F>>,
        sockets: Vec<SocketPlace<Vec<Member>>>,
    }

    impl<F> Growable<F> {
        /// Memory without devices. Nothing is allocated yet.
        #[must_use]
        pub const fn new() -> Self {
            Self {
                devices: Vec::new(),
                sockets: Vec::new(),
            }
        }
    }

    impl<F> Default for Growable<F> {
        fn default() -> Self {
            Self::new()
        }
    }

    impl<F: Storage> Memory for Growable<F> {
        type Fdb = F;
        type Members = Vec<Member>;

        #[inline]
        fn devices(&self) -> &[DevicePlace<F>] {
            &self.devices
        }

        fn devices_mut(&mut self) -> &mut [DevicePlace<F>] {
            &mut self.devices
        }

        #[inline]
        fn sockets(&self) -> &[SocketPlace<Vec<Member>>] {
            &self.sockets
        }

        fn sockets_mut(&mut self) -> &mut [SocketPlace<Vec<Member>>] {
            &mut self.sockets
        }

        fn add_device_place(&mut self) -> Result<(), Full> {
            push(&mut self.devices, None)
        }

        fn add_socket_place(&mut self) -> Result<(), Full> {
            push(&mut self.sockets, None)
        }

        fn members(&mut self) -> Vec<Member> {
            Vec::new()
        }

        fn add_members(members: &mut Vec<Member>) -> Result<(), Full> {
            push(members, Member::EMPTY)?;
            // The rest of what was allocated with it.
            members.resize(members.capacity(), Member::EMPTY);
            Ok(())
        }
    }

    fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), Full> {
        let full = Full::of(list.len());
        list.try_reserve(1).map_err(|_| full)?;
        list.push(item);
        Ok(())
    }
}

#[cfg(any(feature = "alloc", test))]
pub use growable::Growable;
