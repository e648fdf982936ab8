//! The keyed hash that spreads entries over buckets.

use core::fmt;

use super::Key;
use crate::Salt;

/// Two folded multiplies with four secret words.
///
/// One multiply is not enough: consecutive addresses then pile up under some salts. This is no
/// cryptographic hash, but without the salt nobody can choose addresses that share a bucket.
pub struct Hasher([u64; 4]);

impl Hasher {
    /// Separates these words from those of the other hashes of one salt.
    const PURPOSE: u64 = 1;

    pub(super) const fn new(salt: Salt) -> Self {
        Self(salt.words(Self::PURPOSE))
    }

    #[inline]
    pub(super) fn hash(&self, mac: u64, vni: u32) -> u64 {
        let [a, b, c, d] = self.0;
        let p = u128::from(mac ^ a) * u128::from(u64::from(vni) ^ b);
        let q = u128::from(p as u64 ^ c) * u128::from((p >> 64) as u64 ^ d);
        q as u64 ^ (q >> 64) as u64
    }

    #[inline]
    pub(super) fn hash_key(&self, key: &Key) -> u64 {
        self.hash(key.mac.to_u64(), key.vni)
    }
}

impl fmt::Debug for Hasher {
    /// Never prints the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(..)")
    }
}

/// The bucket of `hash` among `buckets`, by its upper half: below `buckets` unless that is zero.
///
/// Monotonic: if there are twice as many buckets, the entries of bucket `b` are in `2b` and
/// `2b + 1`.
#[inline]
pub(super) const fn bucket(hash: u64, buckets: u32) -> u32 {
    (((hash >> 32) * buckets as u64) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn doubling_splits_each_bucket_in_two(hash: u64, buckets in 1u32..=1 << 30) {
            let before = bucket(hash, buckets);
            prop_assert!(before < buckets);
            prop_assert_eq!(bucket(hash, buckets * 2) / 2, before);
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
                for i in 0..16 * 1024 {
                    let (mac, vni) = pattern(i);
                    buckets[bucket(hasher.hash(mac, vni), 1024) as usize] += 1;
                }
                // Mean 16, standard deviation 4: 48 is eight deviations away.
                let fullest = buckets.iter().max().unwrap();
                assert!(*fullest < 48, "{name}, salt {salt}: {fullest}");
            }
        }
    }
}
