//! Memory for both tables of a device.

use super::Storage;
use crate::fdb::{self, Hash, Hashed, Hasher};
use crate::vni_filter;

/// The memory of a forwarding database with that of a multicast database beside it.
///
/// ```
/// use vxlan_core::{Config, Device, Instant, Mac, Vni, fdb, mdb};
///
/// let memory = mdb::With::new(
///     fdb::Fixed::<64, 64, 64>::new(),
///     mdb::Fixed::<8, 8, 16, 16>::new(),
/// );
/// let mac = Mac::new([2, 0, 0, 0, 0, 1]);
/// let device = Device::new(Config::new(Vni::MIN), mac, memory, Instant::ZERO)?;
/// assert!(device.mdb().is_empty());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct With<S, M> {
    fdb: S,
    mdb: M,
}

impl<S, M> With<S, M> {
    /// Both.
    #[must_use]
    pub const fn new(fdb: S, mdb: M) -> Self {
        Self { fdb, mdb }
    }
}

impl<S: fdb::Storage, M: Storage> fdb::Storage for With<S, M> {
    #[inline]
    fn home(&self, hash: Hash) -> Option<&fdb::Bucket> {
        self.fdb.home(hash)
    }

    #[inline]
    fn near(&self, hash: Hash, steps: usize) -> Option<&fdb::Bucket> {
        self.fdb.near(hash, steps)
    }

    fn search(&self, key: &Hashed) -> Option<u32> {
        self.fdb.search(key)
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&fdb::EntrySlot> {
        self.fdb.entry(number)
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut fdb::EntrySlot> {
        self.fdb.entry_mut(number)
    }

    #[inline]
    fn remotes(&self) -> fdb::RemoteSlots<'_> {
        self.fdb.remotes()
    }

    fn remote_mut(&mut self, position: usize) -> Option<&mut fdb::RemoteSlot> {
        self.fdb.remote_mut(position)
    }

    fn capacity(&self) -> usize {
        self.fdb.capacity()
    }

    fn overflow(&self) -> fdb::Overflow {
        self.fdb.overflow()
    }

    fn forget(&mut self) {
        self.fdb.forget();
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), fdb::Full> {
        self.fdb.reserve(entries, remotes)
    }

    fn tend(&mut self, len: u32, hasher: &Hasher) -> Option<Hasher> {
        self.fdb.tend(len, hasher)
    }

    fn is_moving(&self) -> bool {
        self.fdb.is_moving()
    }

    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), fdb::Full> {
        self.fdb.place(key, number)
    }

    fn displace(&mut self, key: &Hashed, number: u32) {
        self.fdb.displace(key, number);
    }

    fn reseed(&mut self, hasher: Hasher, fresh: u32) -> Option<fdb::Reseeded> {
        self.fdb.reseed(hasher, fresh)
    }

    fn vnis(&self) -> &[vni_filter::Slot] {
        self.fdb.vnis()
    }

    fn vnis_mut(&mut self) -> &mut [vni_filter::Slot] {
        self.fdb.vnis_mut()
    }

    fn reserve_vnis(&mut self, count: usize) -> Result<(), vni_filter::Full> {
        self.fdb.reserve_vnis(count)
    }

    #[inline]
    fn has_mdb(&self) -> bool {
        true
    }

    #[inline]
    fn mdb(&self) -> super::View<'_> {
        self.mdb.view()
    }

    fn mdb_mut(&mut self) -> Option<&mut dyn Storage> {
        Some(&mut self.mdb)
    }
}
