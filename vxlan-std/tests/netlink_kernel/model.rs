//! The reference beside the kernel and the library: what core's own tests hold the table to.

use std::vec::Vec;

use vxlan_core::fdb::{
    Ageing, Clock, Destination, Error, Filter, Flags, Full, Keep, Key, Mode, NexthopId, Record,
    Remote, State, Target, Update,
};
use vxlan_core::netlink::neighbour::Request;
use vxlan_core::{Instant, Mac};

#[expect(dead_code, reason = "a table of limited room is another test's")]
#[path = "../../../vxlan-core/src/fdb/tests/reference.rs"]
mod reference;

const UNLIMITED: reference::Room = reference::Room {
    entries: usize::MAX,
    remotes: usize::MAX,
};

/// Ages are counted in steps of 10 ms.
const fn tick(now: Instant) -> Instant {
    Instant::from_millis(now.as_millis() / 10 * 10)
}

/// What a request is answered and makes the device tell, by the reference.
pub(crate) type Told = Result<Vec<Record>, Error>;

/// The reference for one device.
pub(crate) struct Model {
    lines: reference::Model,
    ageing: Ageing,
    /// How many entries there may be, 0 for any number.
    limit: u32,
    ipv6: bool,
}

impl Model {
    /// A device that has these entries.
    pub(crate) fn new(records: &[Record], ageing: Ageing, limit: u32, ipv6: bool) -> Self {
        let mut lines = reference::Model::new(UNLIMITED);
        for record in records.iter().rev() {
            let made = Update {
                key: record.key,
                state: record.state,
                flags: record.flags,
                mode: Mode::CREATE | Mode::EXCL,
                destination: record.destination.into(),
                limit: 0,
            };
            let told = lines.update(record.updated, record.key.vni, &made);
            assert_eq!(told, Ok(Some(*record)));
        }
        Self {
            lines,
            ageing,
            limit,
            ipv6,
        }
    }

    /// A request that was understood; `None` if it is none of a change.
    pub(crate) fn request(&mut self, now: Instant, request: &Request) -> Option<Told> {
        let now = tick(now);
        Some(match request {
            Request::Update { src_vni, update } => self.update(now, *src_vni, update),
            Request::Remove { key, remote } => self.lines.remove(key, Some(remote), false),
            Request::Flush(filter) => Ok(self.lines.flush(filter)),
            _ => return None,
        })
    }

    /// `vxlan_fdb_add()` before `vxlan_fdb_update()`.
    fn update(&mut self, now: Instant, src_vni: u32, update: &Update) -> Told {
        if update.state.bits() & 0x82 == 0 {
            return Err(Error::State);
        }
        if let Target::Remote(remote) = update.destination
            && remote.addr.is_ipv6() != self.ipv6
        {
            return Err(Error::Family);
        }
        let update = Update {
            flags: update.flags | Flags::ADDED_BY_USER,
            limit: self.limit,
            ..*update
        };
        let told = self.lines.update(now, src_vni, &update);
        told.map(|told| told.into_iter().collect())
    }

    /// One sweep; what is gone.
    pub(crate) fn age(&mut self, now: Instant) -> Vec<Record> {
        self.lines.age(tick(now), &self.ageing).0
    }

    pub(crate) fn dump(&self) -> Vec<Record> {
        self.lines.dump()
    }
}
