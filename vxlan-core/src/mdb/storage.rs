//! The memory of a table.

use super::slot::{Bucket, GroupSlot, RemoteSlot, SourceSlot};

/// Which part of the storage is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Full {
    /// No slot for another entry.
    Groups,
    /// No slot for another remote.
    Remotes,
    /// No slot for another source.
    Sources,
}

/// A storage seen by a reader. Opaque: only the storages of this module make one.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) buckets: &'a [Bucket],
    pub(super) groups: &'a [GroupSlot],
    pub(super) remotes: &'a [RemoteSlot],
    pub(super) sources: &'a [SourceSlot],
}

impl View<'_> {
    /// No memory at all.
    pub(crate) const EMPTY: Self = Self {
        buckets: &[],
        groups: &[],
        remotes: &[],
        sources: &[],
    };
}

/// A storage seen by a writer. Opaque: only the storages of this module make one.
#[derive(Debug)]
pub struct ViewMut<'a> {
    pub(super) buckets: &'a mut [Bucket],
    pub(super) groups: &'a mut [GroupSlot],
    pub(super) remotes: &'a mut [RemoteSlot],
    pub(super) sources: &'a mut [SourceSlot],
}

impl ViewMut<'_> {
    /// Forgets whatever an earlier table left.
    pub(crate) fn clear(&mut self) {
        self.buckets.fill(Bucket::EMPTY);
    }

    pub(super) fn read(&self) -> View<'_> {
        View {
            buckets: self.buckets,
            groups: self.groups,
            remotes: self.remotes,
            sources: self.sources,
        }
    }
}

/// How many slots there have to be, used and vacant together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    pub(super) groups: u32,
    pub(super) remotes: u32,
    pub(super) sources: u32,
}

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

    /// Makes sure that there are at least so many slots of each kind.
    ///
    /// # Errors
    /// [`Full`] if there are not and cannot be. Everything in the table stays as it is.
    fn reserve(&mut self, needed: Needed) -> Result<(), Full> {
        let view = self.view();
        for (have, need, full) in [
            (view.groups.len(), needed.groups, Full::Groups),
            (view.remotes.len(), needed.remotes, Full::Remotes),
            (view.sources.len(), needed.sources, Full::Sources),
        ] {
            if have < need as usize {
                return Err(full);
            }
        }
        if view.buckets.is_empty() && needed.groups > 0 {
            return Err(Full::Groups);
        }
        Ok(())
    }

    /// Takes more buckets if `groups` entries want them. True if it did: all buckets are empty
    /// then.
    fn spread(&mut self, groups: u32) -> bool {
        let _ = groups;
        false
    }
}

impl<M: Storage + ?Sized> Storage for &mut M {
    fn view(&self) -> View<'_> {
        (**self).view()
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        (**self).view_mut()
    }

    fn reserve(&mut self, needed: Needed) -> Result<(), Full> {
        (**self).reserve(needed)
    }

    fn spread(&mut self, groups: u32) -> bool {
        (**self).spread(groups)
    }
}

/// Memory of a size known to the compiler: 4 bytes a bucket, 64 an entry, 48 a remote, 24 a
/// source.
///
/// It may live in a `static` behind a lock; the table then takes a `&mut` to it. Each source in
/// a list takes a slot for a source and, for its (S,G) entry, one for an entry and one for a
/// remote.
///
/// ```
/// use vxlan_core::{Salt, mdb};
///
/// let mdb = mdb::Mdb::new(mdb::Fixed::<16, 16, 32, 32>::new(), Salt::default());
/// assert!(mdb.table().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Fixed<
    const BUCKETS: usize,
    const GROUPS: usize,
    const REMOTES: usize,
    const SOURCES: usize,
> {
    buckets: [Bucket; BUCKETS],
    groups: [GroupSlot; GROUPS],
    remotes: [RemoteSlot; REMOTES],
    sources: [SourceSlot; SOURCES],
}

impl<const BUCKETS: usize, const GROUPS: usize, const REMOTES: usize, const SOURCES: usize>
    Fixed<BUCKETS, GROUPS, REMOTES, SOURCES>
{
    /// Empty memory, all zero bits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buckets: [Bucket::EMPTY; BUCKETS],
            groups: [const { GroupSlot::EMPTY }; GROUPS],
            remotes: [const { RemoteSlot::EMPTY }; REMOTES],
            sources: [const { SourceSlot::EMPTY }; SOURCES],
        }
    }
}

impl<const BUCKETS: usize, const GROUPS: usize, const REMOTES: usize, const SOURCES: usize> Default
    for Fixed<BUCKETS, GROUPS, REMOTES, SOURCES>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const BUCKETS: usize, const GROUPS: usize, const REMOTES: usize, const SOURCES: usize> Storage
    for Fixed<BUCKETS, GROUPS, REMOTES, SOURCES>
{
    #[inline]
    fn view(&self) -> View<'_> {
        View {
            buckets: &self.buckets,
            groups: &self.groups,
            remotes: &self.remotes,
            sources: &self.sources,
        }
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut {
            buckets: &mut self.buckets,
            groups: &mut self.groups,
            remotes: &mut self.remotes,
            sources: &mut self.sources,
        }
    }
}

/// Memory that the caller found somewhere: a boot allocator, a plain `Vec`.
#[derive(Debug)]
pub struct Borrowed<'s> {
    buckets: &'s mut [Bucket],
    groups: &'s mut [GroupSlot],
    remotes: &'s mut [RemoteSlot],
    sources: &'s mut [SourceSlot],
}

impl<'s> Borrowed<'s> {
    /// A storage over these slices. What they hold from an earlier table is forgotten.
    #[must_use]
    pub const fn new(
        buckets: &'s mut [Bucket],
        groups: &'s mut [GroupSlot],
        remotes: &'s mut [RemoteSlot],
        sources: &'s mut [SourceSlot],
    ) -> Self {
        Self {
            buckets,
            groups,
            remotes,
            sources,
        }
    }
}

impl Storage for Borrowed<'_> {
    #[inline]
    fn view(&self) -> View<'_> {
        View {
            buckets: self.buckets,
            groups: self.groups,
            remotes: self.remotes,
            sources: self.sources,
        }
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut {
            buckets: self.buckets,
            groups: self.groups,
            remotes: self.remotes,
            sources: self.sources,
        }
    }
}
