//! Memory for a list beside that of a forwarding database.

use super::Slot;
use crate::fdb::{
    Bucket, EntrySlot, Full, Hash, Hashed, Hasher, Overflow, RemoteSlot, RemoteSlots, Reseeded,
    Storage,
};
use crate::mdb;

/// Memory for the tables of a device together with memory for its VNI filter.
///
/// `V` is where the VNIs live: an array, a slice of the caller's, a `Vec`; there can be as many as
/// it has slots, of 384 bytes at most.
#[derive(Debug)]
pub struct WithVnis<S, V> {
    tables: S,
    vnis: V,
}

impl<S, V> WithVnis<S, V> {
    /// Both together. What `vnis` holds from an earlier device is forgotten.
    #[must_use]
    pub const fn new(tables: S, vnis: V) -> Self {
        Self { tables, vnis }
    }
}

impl<S: Storage, V: AsRef<[Slot]> + AsMut<[Slot]>> Storage for WithVnis<S, V> {
    #[inline]
    fn home(&self, hash: Hash) -> Option<&Bucket> {
        self.tables.home(hash)
    }

    #[inline]
    fn near(&self, hash: Hash, steps: usize) -> Option<&Bucket> {
        self.tables.near(hash, steps)
    }

    fn search(&self, key: &Hashed) -> Option<u32> {
        self.tables.search(key)
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&EntrySlot> {
        self.tables.entry(number)
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut EntrySlot> {
        self.tables.entry_mut(number)
    }

    #[inline]
    fn remotes(&self) -> RemoteSlots<'_> {
        self.tables.remotes()
    }

    fn remote_mut(&mut self, position: usize) -> Option<&mut RemoteSlot> {
        self.tables.remote_mut(position)
    }

    fn capacity(&self) -> usize {
        self.tables.capacity()
    }

    fn overflow(&self) -> Overflow {
        self.tables.overflow()
    }

    fn forget(&mut self) {
        self.tables.forget();
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        self.tables.reserve(entries, remotes)
    }

    fn tend(&mut self, len: u32, hasher: &Hasher) -> Option<Hasher> {
        self.tables.tend(len, hasher)
    }

    fn is_moving(&self) -> bool {
        self.tables.is_moving()
    }

    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), Full> {
        self.tables.place(key, number)
    }

    fn displace(&mut self, key: &Hashed, number: u32) {
        self.tables.displace(key, number);
    }

    fn reseed(&mut self, hasher: Hasher, fresh: u32) -> Option<Reseeded> {
        self.tables.reseed(hasher, fresh)
    }

    fn vnis(&self) -> &[Slot] {
        self.vnis.as_ref()
    }

    fn vnis_mut(&mut self) -> &mut [Slot] {
        self.vnis.as_mut()
    }

    #[inline]
    fn has_mdb(&self) -> bool {
        self.tables.has_mdb()
    }

    #[inline]
    fn mdb(&self) -> mdb::View<'_> {
        self.tables.mdb()
    }

    fn mdb_mut(&mut self) -> Option<&mut dyn mdb::Storage> {
        self.tables.mdb_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_have_the_size_that_the_documentation_says() {
        assert!(size_of::<Slot>() <= 384, "{}", size_of::<Slot>());
    }
}
