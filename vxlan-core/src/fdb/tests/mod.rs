//! Tests that need the whole table.

extern crate std;

mod ageing;
mod cursors;
mod growth;
mod hostile;
mod model;
mod placing;
mod reference;
mod removal;
mod rules;

use std::vec::Vec;

use super::*;
use crate::{Instant, Mac};

const VNI: u32 = 42;
const STATION: Mac = Mac::new([2, 0, 0, 0, 0, 1]);
const OTHER: Mac = Mac::new([2, 0, 0, 0, 0, 2]);
const GROUP: Mac = Mac::new([1, 0, 0x5e, 0, 0, 9]);

const fn key(mac: Mac) -> Key {
    Key { mac, vni: VNI }
}

/// The remote 192.0.2.`last`.
fn remote(last: u8) -> Remote {
    Remote {
        addr: [192, 0, 2, last].into(),
        port: 4789,
        vni: VNI,
        ifindex: None,
    }
}

fn nexthop(id: u32) -> Target {
    Destination::Nexthop(NexthopId::new(id).unwrap()).into()
}

fn unusable(id: u32, error: NexthopError) -> Target {
    Target::Nexthop {
        id: NexthopId::new(id).unwrap(),
        validity: Err(error),
    }
}

/// What `bridge fdb` sends: a permanent entry of a user.
fn request(mac: Mac, mode: Mode, destination: impl Into<Target>) -> Update {
    Update {
        key: key(mac),
        state: State::PERMANENT,
        flags: Flags::SELF | Flags::ADDED_BY_USER,
        mode,
        destination: destination.into(),
        limit: 0,
    }
}

const ADD: Mode = Mode::CREATE.union(Mode::EXCL);
const APPEND: Mode = Mode::CREATE.union(Mode::APPEND);
const REPLACE: Mode = Mode::CREATE.union(Mode::REPLACE);

type Small = Fdb<Fixed<4, 8, 12>>;

fn small() -> Small {
    Fdb::new(Fixed::new(), Salt::default())
}

/// A table in which these requests succeeded.
fn small_with(requests: &[Update]) -> Small {
    let mut fdb = small();
    for request in requests {
        fdb.update(Instant::ZERO, request).unwrap();
    }
    fdb
}

/// The last byte of each remote's address, in order; a nexthop group by its number plus 1000.
fn destinations<S: Storage>(fdb: &Fdb<S>, mac: Mac) -> Vec<u32> {
    let of_mac = fdb.iter().filter(|record| record.key.mac == mac);
    of_mac.map(|record| number(&record.destination)).collect()
}

fn number(destination: &Destination) -> u32 {
    match destination {
        Destination::Remote(remote) => match remote.addr {
            core::net::IpAddr::V4(addr) => u32::from(addr.octets()[3]),
            core::net::IpAddr::V6(addr) => u32::from(addr.octets()[15]),
        },
        Destination::Nexthop(id) => 1000 + id.get(),
    }
}
