//! Many look-ups at once, so that the memory they wait for is fetched at once.

use super::bucket::place;
use super::hash::{Hash, Hashed};
use super::{Bucket, Entry, EntrySlot, Fdb, Key, Storage};

/// How many look-ups are under way at once.
const BATCH: usize = 32;

/// One look-up under way.
#[derive(Clone, Copy)]
struct Lookup<'a> {
    key: Hashed,
    home: Option<&'a Bucket>,
    candidate: Option<&'a EntrySlot>,
}

impl Lookup<'_> {
    const NONE: Self = Self {
        key: Hashed {
            mac: 0,
            vni: 0,
            hash: Hash { place: 0, tags: 0 },
        },
        home: None,
        candidate: None,
    };
}

impl<S: Storage> Fdb<S> {
    /// Looks up each of `keys` and puts what [`find`](Self::find) says into `found`. The shorter
    /// of the two slices counts.
    ///
    /// In a table that is larger than the caches a look-up waits for memory twice. Here 32 of them
    /// wait together: over four times as fast as one after the other.
    ///
    /// ```
    /// # use vxlan_core::{Mac, Salt, fdb};
    /// # let fdb = fdb::Fdb::new(fdb::Fixed::<1, 1, 1>::new(), Salt::default());
    /// let keys = [fdb::Key { mac: Mac::BROADCAST, vni: 42 }; 64];
    /// let mut found = [None; 64];
    /// fdb.find_batch(&keys, &mut found);
    /// assert!(found.iter().all(Option::is_none));
    /// ```
    pub fn find_batch<'a>(&'a self, keys: &[Key], found: &mut [Option<Entry<'a>>]) {
        // Reads the lines; that the values come to nothing must not be noticed.
        self.batch(keys, found, Bucket::touch, |entry| {
            _ = core::hint::black_box(entry.mac())
        });
    }

    /// The same with the processor's prefetch (feature `prefetch`): nothing waits before all are
    /// asked for.
    #[cfg(feature = "prefetch")]
    pub fn find_batch_prefetched<'a>(&'a self, keys: &[Key], found: &mut [Option<Entry<'a>>]) {
        self.batch(keys, found, vxlan_prefetch::read, vxlan_prefetch::read);
    }

    #[inline(always)]
    fn batch<'a>(
        &'a self,
        keys: &[Key],
        found: &mut [Option<Entry<'a>>],
        touch_bucket: impl Fn(&'a Bucket),
        touch_entry: impl Fn(&'a EntrySlot),
    ) {
        for (keys, found) in keys.chunks(BATCH).zip(found.chunks_mut(BATCH)) {
            let mut lookups = [Lookup::NONE; BATCH];
            for (lookup, key) in lookups.iter_mut().zip(keys) {
                lookup.key = self.hasher.key(key);
                lookup.home = self.storage.near(lookup.key.hash, 0);
            }
            // These two loops do nothing else, so that many of their loads are under way at once.
            for bucket in lookups.iter().filter_map(|lookup| lookup.home) {
                touch_bucket(bucket);
            }
            for lookup in &mut lookups {
                lookup.candidate = lookup.home.and_then(|bucket| {
                    let found = bucket.matches(lookup.key.hash.tags)?;
                    self.storage.entry(bucket.number(place(found)))
                });
            }
            for entry in lookups.iter().filter_map(|lookup| lookup.candidate) {
                touch_entry(entry);
            }
            for (lookup, found) in lookups.iter().zip(found) {
                // The first with the tag is mostly it.
                let slot = match lookup.candidate {
                    Some(slot) if slot.has_key(lookup.key.mac, lookup.key.vni) => Some(slot),
                    None if lookup.home.is_some_and(Bucket::is_whole) => None,
                    _ => self
                        .locate_slowly(lookup.key.mac, lookup.key.vni)
                        .map(|(_, slot)| slot),
                };
                *found = slot.map(|slot| self.entry_of(slot));
            }
        }
    }
}
