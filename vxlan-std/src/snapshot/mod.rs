//! The forwarding database of a device in a file, across restarts.
//!
//! A file holds the entries of one device with their age, and a checksum over all of it. It is
//! written beside the old one and takes its name only when it is complete; a file that is cut off,
//! damaged or of another kind is refused before anything changes.
//!
//! ```
//! use std::time::SystemTime;
//! use vxlan_core::{Config, Device, Instant, Mac, Vni, fdb};
//! use vxlan_std::Snapshot;
//!
//! let (vni, mac) = (Vni::new(42).ok_or("24 bits")?, Mac::new([2, 0, 0, 0, 0, 1]));
//! let (now, wall) = (Instant::from_millis(5_000), SystemTime::now());
//! let device = || Device::new(Config::new(vni), mac, fdb::Growable::new(), Instant::ZERO);
//!
//! let mut before = device()?;
//! let remote = before.remote("192.0.2.2".parse()?);
//! before.fdb_append(now, Mac::new([2, 0, 0, 0, 0, 2]), remote)?;
//! let bytes = Snapshot::take(&before, now, wall).encode();
//!
//! let mut after = device()?;
//! let restored = Snapshot::decode(&bytes)?.restore(&mut after, now, wall, |_| Ok(()))?;
//! assert_eq!((restored.len(), after.fdb().len()), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codec;
mod error;
mod file;
mod restore;
mod taking;
#[cfg(test)]
mod tests;

use core::net::IpAddr;
use core::time::Duration;
use std::time::SystemTime;

pub use error::{LoadError, RestoreError, SnapshotError};
pub use restore::Restoring;
pub use taking::Taking;
use vxlan_core::fdb::{Destination, Flags, Key, NexthopId, Record, State, Storage};
use vxlan_core::{Device, Instant, Vni};

use crate::interface;

/// The entries of one device at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    vni: Vni,
    taken: SystemTime,
    /// The oldest entry first, its remotes in their order.
    lines: Vec<Line>,
}

/// An entry with one of its destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    key: Key,
    state: State,
    flags: Flags,
    target: Target,
    /// How long ago it was updated and used, in steps of 10 ms.
    updated: Duration,
    used: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Remote {
        addr: IpAddr,
        port: u16,
        vni: u32,
        /// By name: numbers change when the host starts anew.
        interface: Option<String>,
    },
    Nexthop(NexthopId),
}

impl Snapshot {
    /// The entries of `device` as they are at `now`, which `wall` says in the time of calendars.
    ///
    /// Walks the whole table at once; [`Taking`] does it piece by piece. Left out are entries that no look-up finds: outside external mode those for another VNI.
    #[must_use]
    pub fn take<S: Storage>(device: &Device<S>, now: Instant, wall: SystemTime) -> Self {
        let mut taking = Taking::start(device, now, wall);
        while taking.more(device, u32::MAX) {}
        taking.finish()
    }

    /// The VNI of the device.
    #[must_use]
    pub const fn vni(&self) -> Vni {
        self.vni
    }

    /// When it was taken, to the millisecond once it has been in a file.
    #[must_use]
    pub const fn taken(&self) -> SystemTime {
        self.taken
    }

    /// The number of lines: remotes and nexthop groups, not entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Line {
    fn of(record: &Record, now: Instant) -> Self {
        Self {
            key: record.key,
            state: record.state,
            flags: record.flags,
            target: match record.destination {
                Destination::Remote(remote) => Target::Remote {
                    addr: remote.addr,
                    port: remote.port,
                    vni: remote.vni,
                    interface: remote.ifindex.map(interface::name),
                },
                Destination::Nexthop(id) => Target::Nexthop(id),
            },
            updated: now.saturating_duration_since(record.updated),
            used: now.saturating_duration_since(record.used),
        }
    }
}
