//! A snapshot of a table that is in use.

use std::collections::HashSet;
use std::time::SystemTime;

use vxlan_core::fdb::{Cursor, Record, Storage};
use vxlan_core::{Device, Instant, Vni};

use super::{Line, Snapshot};

/// A snapshot that is taken piece by piece, while the table changes in between.
///
/// An entry that is there all the time is in it once. One that comes, changes or goes meanwhile is
/// in it as it was when it was met, or not at all. Ages are those at the start.
///
/// ```
/// # use std::time::SystemTime;
/// # use vxlan_core::{Config, Device, Instant, Mac, Vni, fdb};
/// # use vxlan_std::snapshot::Taking;
/// # let mac = Mac::new([2, 0, 0, 0, 0, 1]);
/// # let device = Device::new(Config::new(Vni::MIN), mac, fdb::Growable::new(), Instant::ZERO)?;
/// let mut taking = Taking::start(&device, Instant::ZERO, SystemTime::now());
/// while taking.more(&device, 1_000) {
///     // Frames get their turn.
/// }
/// let writer = std::thread::spawn(move || taking.finish().encode());
/// # drop(writer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Taking {
    vni: Vni,
    now: Instant,
    wall: SystemTime,
    rest: Option<Cursor>,
    /// Newest entries first. Apart, since a list that grows is copied now and then.
    pieces: Vec<Vec<Record>>,
}

impl Taking {
    /// Looks at nothing yet. `wall` says `now` in the time of calendars.
    #[must_use]
    pub fn start<S: Storage>(device: &Device<S>, now: Instant, wall: SystemTime) -> Self {
        Self {
            vni: device.config().vni(),
            now,
            wall,
            rest: Some(Cursor::START),
            pieces: Vec::new(),
        }
    }

    /// Looks at `budget` more places of entries at most, vacant ones included. False once the table
    /// has been walked to its end.
    ///
    /// All remotes of an entry count as one: they are as many as a frame is sent to at once.
    pub fn more<S: Storage>(&mut self, device: &Device<S>, budget: u32) -> bool {
        let Some(cursor) = self.rest else {
            return false;
        };
        let found = |record: &Record| device.key_in(record.key.mac, record.key.vni) == record.key;
        let mut records = device.fdb().iter_some(cursor, budget);
        let piece: Vec<Record> = records.by_ref().filter(found).collect();
        self.rest = records.rest();
        if !piece.is_empty() {
            self.pieces.push(piece);
        }
        self.rest.is_some()
    }

    /// How many lines have been met: remotes and nexthop groups, not entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Whether none has been met yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What has been met: the oldest entry first, its remotes in their order. Takes its time with a
    /// large table.
    #[must_use]
    pub fn records(self) -> Vec<Record> {
        let mut seen = HashSet::new();
        let mut records = Vec::new();
        for piece in self.pieces.iter().rev() {
            for entry in piece.chunk_by(|one, next| one.key == next.key).rev() {
                // One that went and came again was met twice: as it was the last time.
                if entry.first().is_some_and(|first| seen.insert(first.key)) {
                    records.extend(entry);
                }
            }
        }
        records
    }

    /// The snapshot of what has been met. Takes its time with a large table, and asks the host for
    /// names of interfaces; needs the device no more.
    #[must_use]
    pub fn finish(self) -> Snapshot {
        let (vni, now, taken) = (self.vni, self.now, self.wall);
        let records = self.records();
        let lines = records.iter().map(|record| Line::of(record, now));
        Snapshot {
            vni,
            taken,
            lines: lines.collect(),
        }
    }
}
