//! The neighbours that a device may answer for: those that the host knows on its interface.

use core::cell::RefCell;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::time::Instant;

use vxlan_core::fdb::Flags;
use vxlan_core::neighbour::{Lookup, Neighbour, Neighbours};
use vxlan_core::{IfIndex, Mac};

use super::super::netlink::{NeighbourState, Netlink};
use super::ENOENT;

/// How long an answer of the host is good for, if no news say otherwise.
const LIFETIME: Duration = Duration::from_millis(500);
/// Guests choose what is asked: more answers than this are not kept.
const CAPACITY: usize = 4096;

/// The host's tables, asked when a frame asks and remembered for a moment.
#[derive(Debug)]
pub(crate) struct Table {
    host: RefCell<Netlink>,
    answers: RefCell<HashMap<(IfIndex, IpAddr), (Lookup, Instant)>>,
}

impl Table {
    /// Asks through this socket.
    pub(crate) fn new(host: Netlink) -> Self {
        Self {
            host: RefCell::new(host),
            answers: RefCell::default(),
        }
    }

    /// The table of an interface.
    pub(crate) const fn of(&self, index: IfIndex) -> impl Neighbours {
        Interface { table: self, index }
    }

    /// Forgets a neighbour that changed.
    pub(crate) fn forget(&self, index: u32, address: IpAddr) {
        if let Some(index) = IfIndex::new(index) {
            self.answers.borrow_mut().remove(&(index, address));
        }
    }

    /// Forgets all of them.
    pub(crate) fn forget_all(&self) {
        self.answers.borrow_mut().clear();
    }

    fn ask(&self, index: IfIndex, address: IpAddr) -> Lookup {
        let mut host = self.host.borrow_mut();
        match NeighbourState::of(&mut host, index, address) {
            Ok(found) => Lookup::Found(Neighbour {
                mac: found.mac.unwrap_or(Mac::ZERO),
                state: found.state,
                router: found.flags.contains(Flags::ROUTER),
            }),
            Err(error) if error.raw_os_error() == Some(ENOENT) => Lookup::Unknown,
            // Nobody speaks this family here.
            Err(_) => Lookup::NoTable,
        }
    }
}

struct Interface<'t> {
    table: &'t Table,
    index: IfIndex,
}

impl Neighbours for Interface<'_> {
    fn look_up(&self, address: IpAddr) -> Lookup {
        let question = (self.index, address);
        let now = Instant::now();
        let mut answers = self.table.answers.borrow_mut();
        if let Some((answer, until)) = answers.get(&question)
            && now < *until
        {
            return *answer;
        }
        let answer = self.table.ask(self.index, address);
        if answers.len() >= CAPACITY {
            answers.clear();
        }
        answers.insert(question, (answer, now + LIFETIME));
        answer
    }
}
