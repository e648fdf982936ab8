//! A storage on the heap.

use alloc::vec::Vec;

use super::slot::{Bucket, Cell, GroupSlot, RemoteSlot, SourceSlot};
use super::storage::{Full, Needed, Storage, View, ViewMut};

/// Memory on the heap that grows as entries come (feature `alloc`), up to a limit of the caller's.
///
/// Only the operator adds entries, so growing may pause: arrays double when they are full. A lack
/// of memory is a [`Full`] error, not an abort. Memory is kept until the storage is dropped.
///
/// ```
/// use vxlan_core::{Salt, mdb};
///
/// let mdb = mdb::Mdb::new(mdb::Growable::new(), Salt::default());
/// assert!(mdb.table().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Growable {
    buckets: Vec<Bucket>,
    groups: Vec<GroupSlot>,
    remotes: Vec<RemoteSlot>,
    sources: Vec<SourceSlot>,
    limit: Needed,
}

impl Growable {
    /// Memory without any slots. Nothing is allocated yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::limited(u32::MAX, u32::MAX, u32::MAX)
    }

    /// The same, but it never grows beyond so many entries, remotes and sources.
    #[must_use]
    pub const fn limited(groups: u32, remotes: u32, sources: u32) -> Self {
        Self {
            buckets: Vec::new(),
            groups: Vec::new(),
            remotes: Vec::new(),
            sources: Vec::new(),
            limit: Needed {
                groups,
                remotes,
                sources,
            },
        }
    }
}

impl Default for Growable {
    fn default() -> Self {
        Self::new()
    }
}

impl Storage for Growable {
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

    fn reserve(&mut self, needed: Needed) -> Result<(), Full> {
        let limit = self.limit;
        fill(&mut self.groups, needed.groups, limit.groups).ok_or(Full::Groups)?;
        fill(&mut self.remotes, needed.remotes, limit.remotes).ok_or(Full::Remotes)?;
        fill(&mut self.sources, needed.sources, limit.sources).ok_or(Full::Sources)?;
        if self.buckets.is_empty() && needed.groups > 0 {
            self.buckets.try_reserve(8).map_err(|_| Full::Groups)?;
            self.buckets.resize(8, Bucket::EMPTY);
        }
        Ok(())
    }

    fn spread(&mut self, groups: u32) -> bool {
        let len = self.buckets.len();
        // Without memory for it chains are longer, and the next insert tries again.
        if groups as usize <= len || self.buckets.try_reserve(len).is_err() {
            return false;
        }
        self.buckets.clear();
        self.buckets.resize(len.saturating_mul(2), Bucket::EMPTY);
        true
    }
}

/// Makes `slots` at least `needed` long. `None` beyond `limit` and without memory.
fn fill<T: Cell + Clone>(slots: &mut Vec<T>, needed: u32, limit: u32) -> Option<()> {
    let more = (needed as usize).saturating_sub(slots.len());
    if more > 0 {
        if needed > limit {
            return None;
        }
        slots.try_reserve(more).ok()?;
        slots.resize(needed as usize, T::VACANT);
    }
    Some(())
}
