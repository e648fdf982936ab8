//! The forwarding database: which remote VTEPs an inner address is behind.
//!
//! Behaves as that of Linux 6.18 (`drivers/net/vxlan`), which `bridge fdb` shows and changes:
//! entries by address and network, each with a list of remotes or a nexthop group; the same
//! answers to the same requests, the same notifications, the same order (newest first).
//!
//! It knows no packets, no devices, no routes and no clock. Time is an argument, and so is
//! whether a nexthop group is usable. What it needs for a look-up is shared, so that frames are
//! decided about on `&self`; changes take `&mut self` and return what there is to tell.
//!
//! ```
//! use vxlan_core::fdb::{Fdb, Fixed, Flags, Key, Mode, Remote, State, Update};
//! use vxlan_core::{Instant, Mac, Salt};
//!
//! let mut fdb = Fdb::new(Fixed::<13, 64, 16>::new(), Salt::default());
//! let key = Key { mac: Mac::new([2, 0, 0, 0, 0, 1]), vni: 42 };
//! let remote = Remote { addr: [192, 0, 2, 1].into(), port: 4789, vni: 42, ifindex: None };
//! let learned = fdb.update(
//!     Instant::ZERO,
//!     &Update {
//!         key,
//!         state: State::REACHABLE,
//!         flags: Flags::SELF,
//!         mode: Mode::CREATE | Mode::EXCL,
//!         destination: remote.into(),
//!         limit: 0,
//!     },
//! )?;
//! assert!(learned.is_some(), "something to tell");
//! let entry = fdb.find(&key).ok_or("lost")?;
//! assert_eq!(entry.first_remote(), Some(&remote));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod age;
mod batch;
mod bucket;
mod cursor;
mod entry;
mod error;
mod flags;
#[cfg(feature = "alloc")]
mod growable;
mod hash;
mod iter;
mod key;
mod learned;
mod placing;
mod probe;
mod remote;
mod remotes;
mod remove;
mod reseed;
mod slot;
mod stamp;
mod storage;
mod table;
#[cfg(test)]
mod tests;
mod update;

use core::fmt;

pub use age::{Aged, Ageing, Clock, SWEEP_INTERVAL};
pub use bucket::Bucket;
pub use cursor::Cursor;
pub use entry::{Entry, Record, Remotes};
pub use error::{Error, Full, NexthopError};
pub use flags::{Flags, Mode, State};
#[cfg(feature = "alloc")]
pub use growable::Growable;
pub use hash::{Hash, Hashed, Hasher};
pub use iter::{Entries, Iter};
pub use key::Key;
pub use probe::Overflow;
pub use remote::{Destination, NexthopId, Remote};
pub use remove::{Filter, Keep, Removed};
pub use slot::{EntrySlot, RemoteSlot};
pub use storage::{Borrowed, Fixed, RemoteSlots, Reseeded, Storage};
pub use update::{Target, Update};

use crate::Salt;
use hash::RemoteHasher;
use table::Head;

/// The forwarding database of one device.
pub struct Fdb<S> {
    storage: S,
    head: Head,
    hasher: Hasher,
    remote_hasher: RemoteHasher,
}

impl<S: Storage> Fdb<S> {
    /// An empty table in `storage`. The salt decides about nothing but the order within the
    /// memory.
    pub fn new(storage: S, salt: Salt) -> Self {
        let mut fdb = Self {
            storage,
            head: Head::default(),
            hasher: Hasher::new(salt),
            remote_hasher: RemoteHasher::new(salt),
        };
        fdb.storage.forget();
        fdb
    }

    /// The number of entries. Remotes do not count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len as usize
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.len == 0
    }

    /// How many entries the storage can hold, for `Growable` without growing.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.storage.capacity()
    }

    /// How the entries lie in the index: whether look-ups are as short as they should be.
    #[must_use]
    pub fn overflow(&self) -> Overflow {
        self.storage.overflow()
    }

    /// The entry with exactly this key. Changes nothing, neither of its times.
    #[must_use]
    // Always: a call would write the result to memory.
    #[inline(always)]
    pub fn find(&self, key: &Key) -> Option<Entry<'_>> {
        let (_, slot) = self.locate(&self.hasher.key(key))?;
        Some(self.entry_of(slot))
    }

    #[inline(always)]
    fn entry_of<'a>(&'a self, slot: &'a EntrySlot) -> Entry<'a> {
        Entry {
            slot,
            remotes: self.storage.remotes(),
            clock: self.head.clock,
        }
    }

    pub(crate) const fn storage(&self) -> &S {
        &self.storage
    }

    pub(crate) const fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    fn entry_at(&self, number: u32) -> Option<Entry<'_>> {
        let slot = self.storage.entry(number)?;
        (!slot.is_vacant()).then(|| self.entry_of(slot))
    }
}

impl<S> fmt::Debug for Fdb<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fdb")
            .field("len", &self.head.len)
            .finish_non_exhaustive()
    }
}
