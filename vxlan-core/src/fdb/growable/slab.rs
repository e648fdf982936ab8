//! Slots in chunks that never move.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A list that grows chunk by chunk. The directory of the chunks is reserved in advance, so that
/// it is not copied either.
#[derive(Debug)]
pub(in crate::fdb) struct Slab<T, const CHUNK: usize>(Vec<Box<[T; CHUNK]>>);

impl<T, const CHUNK: usize> Slab<T, CHUNK> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len() * CHUNK
    }

    pub(super) const fn allocated(&self) -> usize {
        self.0.len() * (size_of::<[T; CHUNK]>() + size_of::<Box<[T; CHUNK]>>())
    }

    #[inline]
    pub(in crate::fdb) fn get(&self, position: usize) -> Option<&T> {
        self.0.get(position / CHUNK)?.get(position % CHUNK)
    }

    pub(super) fn get_mut(&mut self, position: usize) -> Option<&mut T> {
        self.0.get_mut(position / CHUNK)?.get_mut(position % CHUNK)
    }

    /// Room in the directory for so many slots, if there is memory for it.
    pub(super) fn provide(&mut self, limit: usize) {
        let more = limit.div_ceil(CHUNK).saturating_sub(self.0.len());
        let _ = self.0.try_reserve_exact(more);
    }

    /// Makes sure that there are so many slots. `None` if there is no memory.
    pub(super) fn grow(&mut self, len: usize, empty: impl Fn() -> T) -> Option<()> {
        while self.len() < len {
            self.0.try_reserve(1).ok()?;
            self.0.push(chunk(&empty)?);
        }
        Some(())
    }
}

/// A chunk of empty slots. `None` if there is no memory.
pub(super) fn chunk<T, const CHUNK: usize>(empty: &impl Fn() -> T) -> Option<Box<[T; CHUNK]>> {
    let mut slots = Vec::new();
    slots.try_reserve_exact(CHUNK).ok()?;
    slots.extend((0..CHUNK).map(|_| empty()));
    slots.into_boxed_slice().try_into().ok()
}
