//! F-03, M-03: keys chosen to collide, and another salt for a table in use.

use std::vec;

use super::*;
use crate::fdb::bucket::{Bucket, PLACES};
use crate::fdb::hash::{Hash, Hasher, bucket};
use crate::fdb::probe::{self, Overflow};

const COUNT: u64 = 40_000;
const SALTS: u8 = 24;

type Family = fn(u64) -> (u64, u32);

/// Addresses as networks have them, in the byte order of the table.
const FAMILIES: [(&str, Family); 7] = [
    ("consecutive", |i| (mac(0x0242_0000_0000 + i), 42)),
    ("one vendor, every 256th", |i| {
        (mac(0x5254_0000_0000 + (i << 8)), 42)
    }),
    ("one suffix", |i| (mac((i << 24) | 0x01), 42)),
    ("high bytes", |i| (mac((i << 32) | 0x01), 42)),
    ("network sweep", |i| (mac(0x0242_0000_0001), i as u32)),
    ("a few stations in many networks", |i| {
        (mac(0x0242_0000_0000 + (i & 7)), (i >> 3) as u32)
    }),
    ("many stations in some networks", |i| {
        (mac(0x0242_0000_0000 + (i >> 6)), (i & 63) as u32)
    }),
];

const fn mac(number: u64) -> u64 {
    (number << 16).swap_bytes()
}

fn random(i: u64) -> (u64, u32) {
    let mut z = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 16, z as u32 & 0xff)
}

/// How many of these keys overflow in an index that is full to three quarters.
fn overflow(hash: impl Fn(u64, u32) -> Hash, keys: impl Iterator<Item = (u64, u32)>) -> u32 {
    let buckets = COUNT * 4 / 3 / u64::from(PLACES);
    let mut buckets = vec![Bucket::EMPTY; buckets as usize];
    let mut overflow = Overflow::NONE;
    for (number, (mac, vni)) in (0u32..).zip(keys) {
        probe::insert(
            buckets.as_mut_slice(),
            &mut overflow,
            hash(mac, vni),
            number,
        )
        .unwrap();
    }
    overflow.entries
}

fn salt(number: u8) -> Salt {
    Salt::new([number.wrapping_mul(37); 16])
}

/// The largest share of what random keys overflow, over all families and salts.
fn worst(hash: impl Fn(u8, u64, u32) -> Hash) -> f64 {
    let mut worst = 0f64;
    for number in 0..SALTS {
        let hash = |mac, vni| hash(number, mac, vni);
        let usual = overflow(hash, (0..COUNT).map(random));
        for (_, family) in FAMILIES {
            let ratio = f64::from(overflow(hash, (0..COUNT).map(family))) / f64::from(usual);
            worst = worst.max(ratio);
        }
    }
    worst
}

/// F-03: structured keys overflow no more than 1.2 times as often as random ones.
#[test]
fn f03_structured_keys_are_as_good_as_random_ones() {
    let hashers: Vec<Hasher> = (0..SALTS).map(|number| Hasher::new(salt(number))).collect();
    let worst = worst(|number, mac, vni| hashers[usize::from(number)].hash(mac, vni));
    assert!(worst <= 1.2, "{worst}");
}

/// F-03: and it takes the second multiply. With one, the test above fails.
#[test]
fn f03_one_multiply_is_not_enough() {
    let words: Vec<[u64; 2]> = (0..SALTS).map(|number| salt(number).words(1)).collect();
    let worst = worst(|number, mac, vni| {
        let [a, b] = words[usize::from(number)];
        let product = u128::from(mac ^ a) * u128::from(u64::from(vni) ^ b);
        let tags = (product >> 64) as u64;
        Hash {
            place: product as u64 ^ tags,
            tags,
        }
    });
    assert!(worst > 1.2, "{worst}");
}

/// F-03: who knows the algorithm but not the salt can choose keys that collide under a salt of his
/// own. Under ours they are as good as any.
#[test]
fn f03_collisions_under_a_guessed_salt_gain_nothing() {
    let guess = Hasher::new(Salt::new([0xaa; 16]));
    // All in a 64th of the buckets, if the guess were right.
    let chosen: Vec<(u64, u32)> = (0u64..)
        .map(|i| (mac(0x0242_0000_0000 + i), 42))
        .filter(|(mac, vni)| bucket(guess.hash(*mac, *vni), 64) == 0)
        .take(COUNT as usize)
        .collect();
    let keys = || chosen.iter().copied();
    let usual = overflow(|mac, vni| guess.hash(mac, vni), (0..COUNT).map(random));
    let right = overflow(|mac, vni| guess.hash(mac, vni), keys());
    assert!(right > 9 * COUNT as u32 / 10, "the attack works: {right}");
    for number in 0..SALTS {
        let hasher = Hasher::new(salt(number));
        let gained = overflow(|mac, vni| hasher.hash(mac, vni), keys());
        let ratio = f64::from(gained) / f64::from(usual);
        assert!(ratio <= 1.2, "salt {number}: {ratio}");
    }
}

fn station(number: u64) -> Key {
    let [.., a, b, c, d] = number.to_be_bytes();
    key(Mac::new([2, 0x42, a, b, c, d]))
}

fn learn<S: Storage>(fdb: &mut Fdb<S>, number: u64) {
    let update = Update {
        key: station(number),
        ..request(STATION, ADD, remote(number as u8))
    };
    fdb.update(Instant::ZERO, &update).unwrap();
}

/// F-03, M-03: a table that was attacked by someone who knew its salt is cured by another, with
/// every entry found all the time, while entries come and go.
#[test]
fn f03_m03_another_salt_cures_a_table_in_use() {
    let known = Salt::new([1; 16]);
    let hasher = Hasher::new(known);
    let hostile: Vec<u64> = (0u64..)
        .filter(|number| bucket(hasher.key(&station(*number)).hash, 256) == 0)
        .take(2_000)
        .collect();
    let mut fdb = Fdb::new(Growable::new(), known);
    for number in &hostile {
        learn(&mut fdb, *number);
    }
    let attacked = fdb.overflow();
    assert!(
        attacked.entries > 1_500 && attacked.deepest > 100,
        "{attacked:?}"
    );
    assert!(!fdb.rehash(u32::MAX) && fdb.wants_salt());
    let order: Vec<Key> = fdb.entries().map(|entry| entry.key()).collect();
    while fdb.rehash(1) {}

    assert!(fdb.reseed(Salt::new([2; 16])));
    assert!(!fdb.reseed(Salt::new([3; 16])), "one at a time");
    assert!(!fdb.wants_salt(), "it is about to get one");
    let all_there = |fdb: &Fdb<Growable>| {
        hostile
            .iter()
            .all(|number| fdb.find(&station(*number)).is_some())
    };
    // Entries that come and go meanwhile.
    let (mut come, mut step) = (u64::from(u32::MAX), 0);
    while fdb.rehash(1) {
        assert!(all_there(&fdb), "step {step}");
        learn(&mut fdb, come);
        if step % 3 == 0 {
            fdb.remove(&station(come), None).unwrap().for_each(drop);
        }
        assert_eq!(fdb.find(&station(come)).is_some(), step % 3 != 0);
        (come, step) = (come - 1, step + 1);
    }
    assert!(step > 50, "in small steps: {step}");
    assert!(all_there(&fdb));
    let cured = fdb.overflow();
    assert!(cured.entries < 400 && cured.deepest < 32, "{cured:?}");
    assert!(!fdb.wants_salt());
    let entries = fdb.entries().map(|entry| entry.key());
    assert!(
        entries
            .filter(|key| order.contains(key))
            .eq(order.iter().copied())
    );
}

/// F-03, M-03: the same in a storage of fixed size, which has no room for a second index, whether
/// there is room for more entries or not.
#[test]
fn f03_m03_another_salt_cures_a_table_of_fixed_size() {
    let known = Salt::new([1; 16]);
    let hasher = Hasher::new(known);
    for (count, room) in [(2_000, 1_000), (2_800, 0)] {
        let hostile: Vec<u64> = (0u64..)
            .filter(|number| bucket(hasher.key(&station(*number)).hash, 16) == 0)
            .take(count)
            .collect();
        let mut buckets = vec![Bucket::EMPTY; 350];
        let mut entries: Vec<_> = (0..count + room).map(|_| EntrySlot::EMPTY).collect();
        let mut remotes: Vec<_> = (0..256).map(|_| RemoteSlot::EMPTY).collect();
        let storage = Borrowed::new(&mut buckets, &mut entries, &mut remotes);
        let mut fdb = Fdb::new(storage, known);
        for number in &hostile {
            learn(&mut fdb, *number);
        }
        let attacked = fdb.overflow();
        assert!(
            attacked.entries > 1_500 && attacked.deepest > 100,
            "{attacked:?}"
        );
        let before: Vec<Record> = fdb.iter().collect();
        assert!(fdb.reseed(Salt::new([2; 16])));
        assert!(!fdb.reseed(Salt::new([3; 16])), "one at a time");
        let all_there = |fdb: &Fdb<Borrowed<'_>>| {
            hostile
                .iter()
                .all(|number| fdb.find(&station(*number)).is_some())
        };
        let (mut come, mut step) = (u64::from(u32::MAX), 0);
        while fdb.rehash(1) {
            assert!(step % 16 != 0 || all_there(&fdb), "step {step}");
            assert!(fdb.find(&station(come)).is_none());
            if room > 0 {
                learn(&mut fdb, come);
                assert!(fdb.find(&station(come)).is_some());
                fdb.remove(&station(come), None).unwrap().for_each(drop);
            }
            (come, step) = (come - 1, step + 1);
        }
        assert!(step > 250, "in small steps: {step}");
        assert!(all_there(&fdb));
        assert!(fdb.iter().eq(before));
        assert_eq!(fdb.wants_salt(), room == 0, "a full table cannot be cured");
        let cured = fdb.overflow();
        let fresh = {
            let mut buckets = vec![Bucket::EMPTY; 350];
            let (mut overflow, hasher) = (Overflow::NONE, Hasher::new(Salt::new([2; 16])));
            for (number, station) in (0u32..).zip(hostile.iter().map(|number| station(*number))) {
                let hash = hasher.key(&station).hash;
                probe::insert(buckets.as_mut_slice(), &mut overflow, hash, number).unwrap();
            }
            overflow
        };
        // No worse than a table that had this salt from the start, but for a little.
        assert!(
            cured.entries <= fresh.entries * 5 / 4 && cured.deepest <= fresh.deepest.max(16) * 2,
            "{cured:?} {fresh:?}"
        );
    }
}

/// F-03: a table of fixed size with a second salt does what it does with one.
#[test]
fn f03_a_fixed_table_takes_another_salt() {
    let mut fdb = Fdb::new(Fixed::<32, 200, 200>::new(), Salt::default());
    assert!(
        fdb.reseed(Salt::new([8; 16])) && !fdb.rehash(1),
        "empty: at once"
    );
    for number in 0..200 {
        learn(&mut fdb, number);
    }
    fdb.remove(&station(7), None).unwrap().for_each(drop);
    let before: Vec<Record> = fdb.iter().collect();
    assert!(fdb.reseed(Salt::new([9; 16])));
    assert!(!fdb.rehash(u32::MAX));
    assert!(fdb.iter().eq(before));
    assert!((0..200).all(|number| fdb.find(&station(number)).is_some() == (number != 7)));
    assert_eq!(fdb.remove(&station(8), None).unwrap().count(), 1);
    learn(&mut fdb, 8);
}
