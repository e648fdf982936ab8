//! Tables full of stations.

use std::net::IpAddr;

use vxlan_core::fdb::{Fdb, Flags, Growable, Key, Mode, Remote, State, Storage, Update};
use vxlan_core::{Instant, Mac, Salt};

/// VTEPs that the stations are behind.
pub(super) const VTEPS: u32 = 1_000;

/// The address of a station: no pattern that a hash could thank for.
pub(super) fn station(number: u32) -> Key {
    const MASK: u64 = (1 << 40) - 1;
    // Each step can be undone, so that no two stations have the same address.
    let z = u64::from(number).wrapping_mul(0x9e37_79b9_7f4b) & MASK;
    let z = (z ^ (z >> 20)).wrapping_mul(0xbf58_476d_1ce5) & MASK;
    let [a, b, c, d, e, ..] = (z ^ (z >> 20)).to_le_bytes();
    Key {
        mac: Mac::new([2, a, b, c, d, e]),
        vni: 42,
    }
}

/// SplitMix64: a permutation of 64-bit numbers that looks random.
pub(super) const fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The request that learning makes.
pub(super) fn learned(number: u32) -> Update {
    let vtep = 0x0a00_0000 + mix(number.into()) as u32 % VTEPS;
    Update {
        key: station(number),
        state: State::REACHABLE,
        flags: Flags::SELF,
        mode: Mode::CREATE | Mode::EXCL,
        destination: Remote {
            addr: IpAddr::from(vtep.to_be_bytes()),
            port: 4789,
            vni: 42,
            ifindex: None,
        }
        .into(),
        limit: 0,
    }
}

pub(super) fn empty() -> Fdb<Growable> {
    Fdb::new(Growable::new(), Salt::new([0x5a; 16]))
}

pub(super) fn learn<S: Storage>(fdb: &mut Fdb<S>, number: u32) -> Result<(), String> {
    let told = fdb.update(Instant::ZERO, &learned(number));
    told.map(drop)
        .map_err(|error| format!("station {number}: {error:?}"))
}

/// A table that has learned so many stations.
pub(super) fn full(entries: u32) -> Result<Fdb<Growable>, String> {
    let mut fdb = empty();
    for number in 0..entries {
        learn(&mut fdb, number)?;
    }
    Ok(fdb)
}

/// What the same costs in a table of hashbrown: an entry of 24 bytes, the same hash.
#[derive(Clone, Copy)]
pub(super) struct Other {
    pub(super) mac: u64,
    pub(super) vni: u32,
    pub(super) remote: u32,
    pub(super) updated: u32,
    pub(super) used: u32,
}

/// The hash of the forwarding database, under words of its own.
#[inline]
pub(super) fn hash(mac: u64, vni: u32) -> u64 {
    const WORDS: [u64; 4] = [mix(1), mix(2), mix(3), mix(4)];
    let [a, b, c, d] = WORDS;
    let p = u128::from(mac ^ a) * u128::from(u64::from(vni) ^ b);
    let q = u128::from(p as u64 ^ c) * u128::from((p >> 64) as u64 ^ d);
    q as u64 ^ (q >> 64) as u64
}

/// The other table with so many stations.
pub(super) fn other(entries: u32) -> hashbrown::HashTable<Other> {
    let mut table = hashbrown::HashTable::new();
    for number in 0..entries {
        let key = station(number);
        let entry = Other {
            mac: key.mac.to_u64(),
            vni: key.vni,
            remote: mix(number.into()) as u32 % VTEPS,
            updated: 0,
            used: 0,
        };
        let hash = hash(entry.mac, entry.vni);
        table.insert_unique(hash, entry, |entry| self::hash(entry.mac, entry.vni));
    }
    table
}
