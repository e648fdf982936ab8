//! The memory of a table.

use super::bucket::PLACES;
use super::hash::{Hash, Hashed, Hasher, bucket};
use super::placing::Placing;
use super::probe::{Buckets, Overflow};
use super::slot::Index;
use super::{Bucket, EntrySlot, Full, RemoteSlot};
use crate::{mdb, vni_filter};

#[cfg(feature = "alloc")]
use super::growable::RemoteSlab;

/// Memory for a table: [`Fixed`], [`Borrowed`] or, with the feature `alloc`,
/// [`Growable`](super::Growable).
///
/// The methods serve the table; their types are opaque, so no other storage can be written.
/// [`Borrowed`] takes memory from anywhere.
pub trait Storage {
    /// The bucket in which a look-up starts. `None`: ask [`search`](Self::search).
    fn home(&self, hash: Hash) -> Option<&Bucket>;

    /// The bucket so many behind the one that an entry with this hash is first put into, in the
    /// index where that is now. `None`: ask [`search`](Self::search).
    fn near(&self, hash: Hash, steps: usize) -> Option<&Bucket>;

    /// The number of the entry with this key, wherever it is.
    fn search(&self, key: &Hashed) -> Option<u32>;

    /// An entry by its number.
    fn entry(&self, number: u32) -> Option<&EntrySlot>;

    /// An entry by its number, to be changed.
    fn entry_mut(&mut self, number: u32) -> Option<&mut EntrySlot>;

    /// The remotes, to be read.
    fn remotes(&self) -> RemoteSlots<'_>;

    /// A remote by its position, to be changed.
    fn remote_mut(&mut self, position: usize) -> Option<&mut RemoteSlot>;

    /// How many entries fit without growing.
    fn capacity(&self) -> usize;

    /// How the entries lie in the index.
    fn overflow(&self) -> Overflow;

    /// Forgets whatever an earlier table left.
    fn forget(&mut self);

    /// Makes sure that there are at least so many slots of each kind, used and vacant together.
    ///
    /// # Errors
    /// [`Full`] if there are not and cannot be. Everything in the table stays as it is.
    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full>;

    /// Does a bounded piece of the work that makes the index fit for one more than `len` entries.
    /// Says by which hash the entries lie from now on if that changes.
    fn tend(&mut self, len: u32, hasher: &Hasher) -> Option<Hasher>;

    /// Whether [`tend`](Self::tend) has begun something that it has not finished.
    fn is_moving(&self) -> bool;

    /// Notes an entry in the index.
    ///
    /// # Errors
    /// [`Full::Entries`] if there is no room; everything stays as it is.
    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), Full>;

    /// Takes an entry out of the index.
    fn displace(&mut self, key: &Hashed, number: u32);

    /// Begins to place the `fresh` entries by another hash, or has none to place. `None` if the
    /// storage is busy with another piece of work that has to be finished first.
    fn reseed(&mut self, hasher: Hasher, fresh: u32) -> Option<Reseeded>;

    /// The memory of the same device's VNI filter, to be read; by default there is none.
    fn vnis(&self) -> &[vni_filter::Slot] {
        &[]
    }

    /// The memory of the VNI filter, to be written.
    fn vnis_mut(&mut self) -> &mut [vni_filter::Slot] {
        &mut []
    }

    /// Makes sure that the VNI filter has at least so many slots.
    ///
    /// # Errors
    /// [`vni_filter::Full`] if it has not and cannot have.
    fn reserve_vnis(&mut self, count: usize) -> Result<(), vni_filter::Full> {
        let capacity = self.vnis().len();
        (count <= capacity)
            .then_some(())
            .ok_or(vni_filter::Full { capacity })
    }

    /// Whether there is memory for a multicast database of the same device, see
    /// [`mdb::With`]. If not, frames do not ask for one.
    #[inline]
    fn has_mdb(&self) -> bool {
        false
    }

    /// The memory of the multicast database, to be read.
    #[inline]
    fn mdb(&self) -> mdb::View<'_> {
        mdb::View::EMPTY
    }

    /// The memory of the multicast database, to be written.
    fn mdb_mut(&mut self) -> Option<&mut dyn mdb::Storage> {
        None
    }
}

/// How far a storage came with another hash.
#[derive(Clone, Copy, Debug)]
pub enum Reseeded {
    /// All entries lie by it.
    Done(Hasher),
    /// [`Storage::tend`] will say when they do.
    Begun,
}

impl<S: Storage + ?Sized> Storage for &mut S {
    #[inline]
    fn home(&self, hash: Hash) -> Option<&Bucket> {
        (**self).home(hash)
    }

    #[inline]
    fn near(&self, hash: Hash, steps: usize) -> Option<&Bucket> {
        (**self).near(hash, steps)
    }

    fn search(&self, key: &Hashed) -> Option<u32> {
        (**self).search(key)
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&EntrySlot> {
        (**self).entry(number)
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut EntrySlot> {
        (**self).entry_mut(number)
    }

    #[inline]
    fn remotes(&self) -> RemoteSlots<'_> {
        (**self).remotes()
    }

    fn remote_mut(&mut self, position: usize) -> Option<&mut RemoteSlot> {
        (**self).remote_mut(position)
    }

    fn capacity(&self) -> usize {
        (**self).capacity()
    }

    fn overflow(&self) -> Overflow {
        (**self).overflow()
    }

    fn forget(&mut self) {
        (**self).forget();
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        (**self).reserve(entries, remotes)
    }

    fn tend(&mut self, len: u32, hasher: &Hasher) -> Option<Hasher> {
        (**self).tend(len, hasher)
    }

    fn is_moving(&self) -> bool {
        (**self).is_moving()
    }

    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), Full> {
        (**self).place(key, number)
    }

    fn displace(&mut self, key: &Hashed, number: u32) {
        (**self).displace(key, number);
    }

    fn reseed(&mut self, hasher: Hasher, fresh: u32) -> Option<Reseeded> {
        (**self).reseed(hasher, fresh)
    }

    fn vnis(&self) -> &[vni_filter::Slot] {
        (**self).vnis()
    }

    fn vnis_mut(&mut self) -> &mut [vni_filter::Slot] {
        (**self).vnis_mut()
    }

    fn reserve_vnis(&mut self, count: usize) -> Result<(), vni_filter::Full> {
        (**self).reserve_vnis(count)
    }

    #[inline]
    fn has_mdb(&self) -> bool {
        (**self).has_mdb()
    }

    #[inline]
    fn mdb(&self) -> mdb::View<'_> {
        (**self).mdb()
    }

    fn mdb_mut(&mut self) -> Option<&mut dyn mdb::Storage> {
        (**self).mdb_mut()
    }
}

/// Remotes to be read, whatever the storage. Opaque.
#[derive(Clone, Copy, Debug)]
pub struct RemoteSlots<'a>(pub(super) Slots<'a>);

#[derive(Clone, Copy, Debug)]
pub(super) enum Slots<'a> {
    Flat(&'a [RemoteSlot]),
    #[cfg(feature = "alloc")]
    Chunked(&'a RemoteSlab),
}

impl<'a> RemoteSlots<'a> {
    #[inline(always)]
    pub(super) fn get(self, index: Index) -> Option<&'a RemoteSlot> {
        self.at(index.number())
    }

    // Always, since only where the storage is known does the choice between the kinds vanish.
    #[inline(always)]
    pub(super) fn at(self, number: u32) -> Option<&'a RemoteSlot> {
        match self.0 {
            Slots::Flat(slots) => slots.get((number as usize).wrapping_sub(1)),
            // Its first slot stays unused.
            #[cfg(feature = "alloc")]
            Slots::Chunked(slab) => slab.get(number as usize),
        }
    }
}

/// Memory of a size known to the compiler: 32 bytes a bucket, 24 an entry, 64 a remote.
///
/// It may live in a `static` behind a lock; the table then takes a `&mut` to it.
///
/// A bucket has places for eight entries; one for every five keeps look-ups short. Entries with
/// the same remote share it, so that remotes are needed for each VTEP rather than for each entry;
/// the default entry has one for each VTEP that floods go to.
///
/// ```
/// use vxlan_core::{Salt, fdb};
///
/// let fdb = fdb::Fdb::new(fdb::Fixed::<13, 64, 16>::new(), Salt::default());
/// assert_eq!(fdb.capacity(), 64);
/// ```
#[derive(Debug)]
pub struct Fixed<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize> {
    buckets: [Bucket; BUCKETS],
    entries: [EntrySlot; ENTRIES],
    remotes: [RemoteSlot; REMOTES],
    placing: Placing,
}

impl<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize>
    Fixed<BUCKETS, ENTRIES, REMOTES>
{
    /// Empty memory, all zero bits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buckets: [Bucket::EMPTY; BUCKETS],
            entries: [const { EntrySlot::EMPTY }; ENTRIES],
            remotes: [const { RemoteSlot::EMPTY }; REMOTES],
            placing: Placing::NEW,
        }
    }
}

impl<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize> Default
    for Fixed<BUCKETS, ENTRIES, REMOTES>
{
    fn default() -> Self {
        Self::new()
    }
}

/// Memory that the caller found somewhere: huge pages, a boot allocator, a plain `Vec`.
///
/// ```
/// use vxlan_core::{Salt, fdb};
///
/// let mut buckets = [fdb::Bucket::EMPTY; 2];
/// let mut entries = [const { fdb::EntrySlot::EMPTY }; 8];
/// let mut remotes = [const { fdb::RemoteSlot::EMPTY }; 8];
/// let storage = fdb::Borrowed::new(&mut buckets, &mut entries, &mut remotes);
/// let fdb = fdb::Fdb::new(storage, Salt::default());
/// assert_eq!(fdb.capacity(), 8);
/// ```
#[derive(Debug)]
pub struct Borrowed<'s> {
    buckets: &'s mut [Bucket],
    entries: &'s mut [EntrySlot],
    remotes: &'s mut [RemoteSlot],
    placing: Placing,
}

impl<'s> Borrowed<'s> {
    /// A storage over these slices. What they hold from an earlier table is forgotten.
    #[must_use]
    pub const fn new(
        buckets: &'s mut [Bucket],
        entries: &'s mut [EntrySlot],
        remotes: &'s mut [RemoteSlot],
    ) -> Self {
        Self {
            buckets,
            entries,
            remotes,
            placing: Placing::NEW,
        }
    }
}

/// Slices to work on: what [`Fixed`] and [`Borrowed`] have in common.
struct Flat<'a> {
    buckets: &'a mut [Bucket],
    entries: &'a [EntrySlot],
    remotes: &'a [RemoteSlot],
    placing: &'a mut Placing,
}

#[inline]
fn flat_near(buckets: &[Bucket], hash: Hash, steps: usize) -> Option<&Bucket> {
    buckets.get(bucket(hash, buckets.count()).saturating_add(steps))
}

fn flat_search(
    buckets: &[Bucket],
    entries: &[EntrySlot],
    placing: &Placing,
    key: &Hashed,
) -> Option<u32> {
    placing.find(buckets, key, |number| {
        let entry = entries.get(number as usize);
        entry.is_some_and(|entry| entry.is(key.mac, key.vni))
    })
}

const fn flat_capacity(buckets: usize, entries: usize) -> usize {
    let places = buckets.saturating_mul(PLACES as usize);
    if places < entries { places } else { entries }
}

impl Flat<'_> {
    fn forget(&mut self) {
        self.buckets.fill(Bucket::EMPTY);
        *self.placing = Placing::NEW;
    }

    fn reserve(&self, entries: u32, remotes: u32) -> Result<(), Full> {
        if self.entries.len() < entries as usize {
            Err(Full::Entries)
        } else if self.remotes.len() < remotes as usize {
            Err(Full::Remotes)
        } else {
            Ok(())
        }
    }

    fn tend(&mut self, hasher: &Hasher) -> Option<Hasher> {
        self.placing.tend(self.buckets, self.entries, hasher)
    }

    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), Full> {
        let placed = self.placing.place(self.buckets, key, number);
        placed.ok_or(Full::Entries)
    }

    fn displace(&mut self, key: &Hashed, number: u32) {
        self.placing.displace(self.buckets, key, number);
    }
}

impl<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize>
    Fixed<BUCKETS, ENTRIES, REMOTES>
{
    fn flat(&mut self) -> Flat<'_> {
        Flat {
            buckets: &mut self.buckets,
            entries: &self.entries,
            remotes: &self.remotes,
            placing: &mut self.placing,
        }
    }
}

impl Borrowed<'_> {
    fn flat(&mut self) -> Flat<'_> {
        Flat {
            buckets: self.buckets,
            entries: self.entries,
            remotes: self.remotes,
            placing: &mut self.placing,
        }
    }
}

impl<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize> Storage
    for Fixed<BUCKETS, ENTRIES, REMOTES>
{
    #[inline]
    fn home(&self, hash: Hash) -> Option<&Bucket> {
        flat_near(&self.buckets, hash, 0)
    }

    #[inline]
    fn near(&self, hash: Hash, steps: usize) -> Option<&Bucket> {
        flat_near(&self.buckets, hash, steps)
    }

    fn search(&self, key: &Hashed) -> Option<u32> {
        flat_search(&self.buckets, &self.entries, &self.placing, key)
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&EntrySlot> {
        self.entries.get(number as usize)
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut EntrySlot> {
        self.entries.get_mut(number as usize)
    }

    #[inline]
    fn remotes(&self) -> RemoteSlots<'_> {
        RemoteSlots(Slots::Flat(&self.remotes))
    }

    fn remote_mut(&mut self, position: usize) -> Option<&mut RemoteSlot> {
        self.remotes.get_mut(position)
    }

    fn capacity(&self) -> usize {
        flat_capacity(BUCKETS, ENTRIES)
    }

    fn overflow(&self) -> Overflow {
        self.placing.overflow()
    }

    fn forget(&mut self) {
        self.flat().forget();
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        self.flat().reserve(entries, remotes)
    }

    fn tend(&mut self, _: u32, hasher: &Hasher) -> Option<Hasher> {
        self.flat().tend(hasher)
    }

    fn is_moving(&self) -> bool {
        self.placing.is_moving()
    }

    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), Full> {
        self.flat().place(key, number)
    }

    fn displace(&mut self, key: &Hashed, number: u32) {
        self.flat().displace(key, number);
    }

    fn reseed(&mut self, hasher: Hasher, fresh: u32) -> Option<Reseeded> {
        self.placing.reseed(hasher, fresh)
    }
}

impl Storage for Borrowed<'_> {
    #[inline]
    fn home(&self, hash: Hash) -> Option<&Bucket> {
        flat_near(self.buckets, hash, 0)
    }

    #[inline]
    fn near(&self, hash: Hash, steps: usize) -> Option<&Bucket> {
        flat_near(self.buckets, hash, steps)
    }

    fn search(&self, key: &Hashed) -> Option<u32> {
        flat_search(self.buckets, self.entries, &self.placing, key)
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&EntrySlot> {
        self.entries.get(number as usize)
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut EntrySlot> {
        self.entries.get_mut(number as usize)
    }

    #[inline]
    fn remotes(&self) -> RemoteSlots<'_> {
        RemoteSlots(Slots::Flat(self.remotes))
    }

    fn remote_mut(&mut self, position: usize) -> Option<&mut RemoteSlot> {
        self.remotes.get_mut(position)
    }

    fn capacity(&self) -> usize {
        flat_capacity(self.buckets.len(), self.entries.len())
    }

    fn overflow(&self) -> Overflow {
        self.placing.overflow()
    }

    fn forget(&mut self) {
        self.flat().forget();
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        self.flat().reserve(entries, remotes)
    }

    fn tend(&mut self, _: u32, hasher: &Hasher) -> Option<Hasher> {
        self.flat().tend(hasher)
    }

    fn is_moving(&self) -> bool {
        self.placing.is_moving()
    }

    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), Full> {
        self.flat().place(key, number)
    }

    fn displace(&mut self, key: &Hashed, number: u32) {
        self.flat().displace(key, number);
    }

    fn reseed(&mut self, hasher: Hasher, fresh: u32) -> Option<Reseeded> {
        self.placing.reseed(hasher, fresh)
    }
}
