//! The keyed hash that spreads entries over buckets.

use core::fmt;
use core::net::IpAddr;

use super::{Destination, Key};
use crate::{IfIndex, Salt};

/// Two folded multiplies with four secret words.
///
/// One multiply is not enough: consecutive addresses then pile up under some salts. This is no
/// cryptographic hash, but without the salt nobody can choose addresses that share a bucket.
#[derive(Clone, Copy)]
pub struct Hasher([u64; 4]);

/// What the hash says about a key. Opaque.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hash {
    /// Which bucket, see [`bucket`].
    pub(super) place: u64,
    /// What to compare in it: seven bits of each byte.
    pub(super) tags: u64,
}

/// A key with its hash.
#[derive(Clone, Copy, Debug)]
pub struct Hashed {
    pub(super) mac: u64,
    pub(super) vni: u32,
    pub(super) hash: Hash,
}

impl Hasher {
    /// Separates these words from those of the other hashes of one salt.
    const PURPOSE: u64 = 1;

    /// No secret: where none is needed yet.
    pub(super) const NONE: Self = Self([0; 4]);

    pub(super) const fn new(salt: Salt) -> Self {
        Self(salt.words(Self::PURPOSE))
    }

    /// Place and tags are two values of one product; the half that they do not share makes them
    /// independent. The last tag is uneven, since the highest bits of a product are: it is the
    /// place that is filled last.
    #[inline]
    pub(super) fn hash(&self, mac: u64, vni: u32) -> Hash {
        let [a, b, c, d] = self.0;
        let p = u128::from(mac ^ a) * u128::from(u64::from(vni) ^ b);
        let q = u128::from(p as u64 ^ c) * u128::from((p >> 64) as u64 ^ d);
        let tags = (q >> 64) as u64;
        Hash {
            place: q as u64 ^ tags,
            tags,
        }
    }

    #[inline]
    pub(super) fn key(&self, key: &Key) -> Hashed {
        let mac = key.word();
        Hashed {
            mac,
            vni: key.vni,
            hash: self.hash(mac, key.vni),
        }
    }
}

impl fmt::Debug for Hasher {
    /// Never prints the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(..)")
    }
}

/// The same for remotes, with words of its own.
pub(super) struct RemoteHasher([u64; 4]);

impl RemoteHasher {
    const PURPOSE: u64 = 7;

    pub(super) const fn new(salt: Salt) -> Self {
        Self(salt.words(Self::PURPOSE))
    }

    pub(super) fn hash(&self, held: &Destination, wide: u16) -> u32 {
        let [a, b, c, d] = self.0;
        let (addr, rest, vni) = match held {
            Destination::Remote(remote) => {
                let addr = match remote.addr {
                    IpAddr::V4(addr) => u128::from(addr.to_bits()),
                    IpAddr::V6(addr) => addr.to_bits(),
                };
                let ifindex = remote.ifindex.map_or(0, IfIndex::get);
                let rest = u64::from(ifindex) << 32 | u64::from(remote.port);
                (addr, rest, remote.vni)
            }
            Destination::Nexthop(id) => (0, 0, id.get()),
        };
        let addr = fold(addr as u64 ^ a, (addr >> 64) as u64 ^ b);
        let rest = rest | u64::from(wide) << 16;
        (fold(addr ^ rest ^ c, u64::from(vni) ^ d) >> 32) as u32
    }
}

/// Both halves of a product, as one.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// The bucket of a hash among `buckets`, by its place: below `buckets` unless that is zero.
///
/// Monotonic: the entries of one bucket are in neighbouring ones if there are more, so that a
/// larger index can be filled from its front.
#[inline]
pub(super) const fn bucket(hash: Hash, buckets: usize) -> usize {
    ((hash.place as u128 * buckets as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn more_buckets_keep_the_order(
            hash: u64,
            other: u64,
            buckets in 1usize..=1 << 22,
            more in 0usize..1 << 22,
        ) {
            let at = |place| Hash { place, tags: 0 };
            let (low, high) = (at(hash.min(other)), at(hash.max(other)));
            prop_assert!(bucket(high, buckets) < buckets);
            prop_assert!(bucket(low, buckets) <= bucket(high, buckets));
            let spread = bucket(high, buckets + more) - bucket(low, buckets + more);
            if bucket(low, buckets) == bucket(high, buckets) {
                prop_assert!(spread <= more / buckets + 2);
            }
        }
    }

    /// F-03: no bucket gets much more than its share, whatever the pattern of the addresses.
    #[test]
    fn f03_patterns_spread_evenly() {
        type Pattern = fn(u64) -> (u64, u32);
        let patterns: [(&str, Pattern); 4] = [
            ("consecutive addresses", |i| (0x0200_0000_0000 + i, 42)),
            ("high bytes differ", |i| (0x0200_0000_0001 + (i << 32), 42)),
            ("networks differ", |i| (0x0200_0000_0001, i as u32)),
            ("both differ", |i| {
                (0x5254_0000_0000 + (i >> 6), (i & 63) as u32)
            }),
        ];
        for salt in 0..4 {
            let hasher = Hasher::new(Salt::new([salt * 77; 16]));
            for (name, pattern) in patterns {
                let mut buckets = [0u32; 1024];
                let mut tags = [[0u32; 128]; 8];
                for i in 0..16 * 1024 {
                    let (mac, vni) = pattern(i);
                    let hash = hasher.hash(mac, vni);
                    buckets[bucket(hash, 1024)] += 1;
                    for (place, tags) in tags.iter_mut().enumerate() {
                        tags[(hash.tags >> (8 * place) & 0x7f) as usize] += 1;
                    }
                }
                // Mean 16, standard deviation 4: 48 is eight deviations away.
                let fullest = buckets.iter().max().unwrap();
                assert!(*fullest < 48, "{name}, salt {salt}: {fullest}");
                let fullest = tags.map(|tags| tags.into_iter().max().unwrap());
                let [rest @ .., last] = fullest;
                // Mean 128, standard deviation 11: eight deviations again.
                assert!(
                    rest.iter().all(|tag| *tag < 218),
                    "{name}, {salt}: {rest:?}"
                );
                assert!(last < 1024, "{name}, salt {salt}, last tag: {last}");
            }
        }
    }
}
