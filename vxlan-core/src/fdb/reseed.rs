//! Another salt for a table that is in use.

use super::hash::Hasher;
use super::storage::Reseeded;
use super::{Fdb, Storage};
use crate::Salt;

impl<S: Storage> Fdb<S> {
    /// Places all entries by another salt: when [`overflow`](Self::overflow) says that they lie
    /// badly, somebody may know the old one. Nothing else changes.
    ///
    /// A growing storage does it bit by bit with each new entry, or with
    /// [`rehash`](Self::rehash), beside a second index of the same size; it does not grow
    /// meanwhile. A storage of fixed size has no room for that and does it at once. `false` if
    /// the index is being rebuilt already: then nothing happens.
    pub fn reseed(&mut self, salt: Salt) -> bool {
        let hasher = Hasher::new(salt);
        match self.storage.reseed(hasher, self.head.entries.fresh) {
            None => return false,
            Some(Reseeded::Begun) => {}
            Some(Reseeded::Done(hasher)) => self.hasher = hasher,
        }
        true
    }

    /// Goes on with rebuilding the index, if that is going on, as new entries do: at most two
    /// buckets or one allocation of 2 KiB a step. Says whether there is more to do.
    pub fn rehash(&mut self, steps: u32) -> bool {
        for _ in 0..steps {
            if !self.storage.is_moving() {
                return false;
            }
            self.tend();
        }
        self.storage.is_moving()
    }
}
