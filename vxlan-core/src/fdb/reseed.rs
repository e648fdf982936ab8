//! Another salt for a table that is in use.

use super::hash::Hasher;
use super::storage::Reseeded;
use super::{Fdb, Overflow, Storage};
use crate::Salt;

/// So many buckets, or entries, are no accident.
const FAR: u32 = 64;

impl<S: Storage> Fdb<S> {
    /// Places all entries by another salt: when [`overflow`](Self::overflow) says that they lie
    /// badly, somebody may know the old one. Nothing else changes.
    ///
    /// It is done bit by bit with each new entry, or with [`rehash`](Self::rehash); every entry is
    /// found all the time. A growing storage fills a second index of the same size and does not grow
    /// meanwhile. A storage of fixed size needs no more memory: it places one entry after the other
    /// anew in the index that it has, and look-ups that miss take two ways meanwhile. `false` if the
    /// index is being rebuilt already: then nothing happens.
    pub fn reseed(&mut self, salt: Salt) -> bool {
        let hasher = Hasher::new(salt);
        match self.storage.reseed(hasher, self.head.entries.fresh) {
            None => return false,
            Some(Reseeded::Begun) => {}
            Some(Reseeded::Done(hasher)) => self.hasher = hasher,
        }
        true
    }

    /// Whether entries lie as chance does not lay them, so that somebody must know the salt: it is
    /// time for another one. Looks at no entry. False while the index is being rebuilt.
    ///
    /// That is more than a quarter of the entries away from home, and 64 at least, or one of them by
    /// more than 64 buckets. A growing storage never comes near that by itself, nor does one of fixed
    /// size with a bucket for every five entries; one that is full to the last place does.
    ///
    /// ```
    /// # use vxlan_core::{Salt, fdb};
    /// # fn random() -> [u8; 16] { [4; 16] }
    /// # let mut fdb = fdb::Fdb::new(fdb::Fixed::<1, 1, 1>::new(), Salt::default());
    /// // Now and then:
    /// if fdb.wants_salt() {
    ///     fdb.reseed(Salt::new(random()));
    /// }
    /// fdb.rehash(16);
    /// ```
    #[must_use]
    pub fn wants_salt(&self) -> bool {
        let Overflow { entries, deepest } = self.overflow();
        let far = deepest > FAR || entries > FAR && entries > self.head.len / 4;
        far && !self.storage.is_moving()
    }

    /// Goes on with rebuilding the index, if that is going on, as new entries do. A step of a growing
    /// storage is two buckets or one allocation of 2 KiB at most, one of a fixed storage 64 buckets
    /// or eight entries. Says whether there is more to do.
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
