//! The memory of a table.

use super::hash::Hasher;
use super::view::{Buckets, BucketsMut, Slots, SlotsMut, View, ViewMut};
use super::{Bucket, EntrySlot, Full, RemoteSlot};

/// Memory for a table: [`Fixed`], [`Borrowed`] or, with the feature `alloc`,
/// [`Growable`](super::Growable).
///
/// The methods serve the table; their types are opaque, so no other storage can be written.
/// [`Borrowed`] takes memory from anywhere.
pub trait Storage {
    /// The memory, to be read.
    fn view(&self) -> View<'_>;

    /// The memory, to be written.
    fn view_mut(&mut self) -> ViewMut<'_>;

    /// Makes sure that there are at least so many slots of each kind, used and vacant together.
    ///
    /// # Errors
    /// [`Full`] if there are not and cannot be. Everything in the table stays as it is.
    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        let view = self.view();
        if view.entries.len() < entries as usize {
            Err(Full::Entries)
        } else if view.remotes.len() < remotes as usize {
            Err(Full::Remotes)
        } else {
            Ok(())
        }
    }

    /// Prepares the index for one more than `len` entries, a bounded piece of work.
    ///
    /// # Errors
    /// [`Full::Entries`] if there are no buckets and cannot be. A lack of memory for *more*
    /// buckets is no error: chains grow longer instead.
    fn spread(&mut self, len: u32, hasher: &Hasher) -> Result<(), Full> {
        let _ = len;
        match self.view_mut().buckets.get_mut(hasher.hash(0, 0)) {
            Some(_) => Ok(()),
            None => Err(Full::Entries),
        }
    }
}

impl<S: Storage + ?Sized> Storage for &mut S {
    #[inline]
    fn view(&self) -> View<'_> {
        (**self).view()
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        (**self).view_mut()
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        (**self).reserve(entries, remotes)
    }

    fn spread(&mut self, len: u32, hasher: &Hasher) -> Result<(), Full> {
        (**self).spread(len, hasher)
    }
}

/// Memory of a size known to the compiler: 4 bytes a bucket, 48 an entry, 32 a remote.
///
/// It may live in a `static` behind a lock; the table then takes a `&mut` to it.
///
/// As many buckets as entries keep look-ups short. Most entries have one remote; the default
/// entry has one for each VTEP that floods go to.
///
/// ```
/// use vxlan_core::{Salt, fdb};
///
/// let fdb = fdb::Fdb::new(fdb::Fixed::<64, 64, 80>::new(), Salt::default());
/// assert_eq!(fdb.capacity(), 64);
/// ```
#[derive(Debug)]
pub struct Fixed<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize> {
    buckets: [Bucket; BUCKETS],
    entries: [EntrySlot; ENTRIES],
    remotes: [RemoteSlot; REMOTES],
}

impl<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize>
    Fixed<BUCKETS, ENTRIES, REMOTES>
{
    /// Empty memory, all zero bits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buckets: [const { Bucket::EMPTY }; BUCKETS],
            entries: [const { EntrySlot::EMPTY }; ENTRIES],
            remotes: [const { RemoteSlot::EMPTY }; REMOTES],
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

impl<const BUCKETS: usize, const ENTRIES: usize, const REMOTES: usize> Storage
    for Fixed<BUCKETS, ENTRIES, REMOTES>
{
    #[inline]
    fn view(&self) -> View<'_> {
        View {
            buckets: Buckets::Flat(&self.buckets),
            entries: Slots::Flat(&self.entries),
            remotes: Slots::Flat(&self.remotes),
        }
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut {
            buckets: BucketsMut::Flat(&mut self.buckets),
            entries: SlotsMut::Flat(&mut self.entries),
            remotes: SlotsMut::Flat(&mut self.remotes),
        }
    }
}

/// Memory that the caller found somewhere: huge pages, a boot allocator, a plain `Vec`.
///
/// ```
/// use vxlan_core::{Salt, fdb};
///
/// let mut buckets = [const { fdb::Bucket::EMPTY }; 8];
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
        }
    }
}

impl Storage for Borrowed<'_> {
    #[inline]
    fn view(&self) -> View<'_> {
        View {
            buckets: Buckets::Flat(self.buckets),
            entries: Slots::Flat(self.entries),
            remotes: Slots::Flat(self.remotes),
        }
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut {
            buckets: BucketsMut::Flat(self.buckets),
            entries: SlotsMut::Flat(self.entries),
            remotes: SlotsMut::Flat(self.remotes),
        }
    }
}
