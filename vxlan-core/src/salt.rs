//! The secret that table placement and flow hashes depend on.

use core::fmt;

/// 128 secret bits. Draw them from a good random source and keep them to yourself: whoever knows
/// them can choose addresses that share a bucket or flows that share a source port.
///
/// The same salt and the same operations lead to the same state; another salt changes placement
/// and source ports, never an observable result. The default is all zeros and protects nobody.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl Salt {
    /// The salt made of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Four secret words for the hash named by `purpose`, so that different hashes of one salt
    /// have nothing in common.
    pub(crate) const fn words<const N: usize>(self, purpose: u64) -> [u64; N] {
        let number = u128::from_le_bytes(self.0);
        let mut state = number as u64 ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let high = (number >> 64) as u64;
        let mut words = [0; N];
        let mut rest: &mut [u64] = &mut words;
        while let Some((word, tail)) = rest.split_first_mut() {
            // SplitMix64 over the low half, the high half mixed in before each finaliser.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state ^ high;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *word = z ^ (z >> 31);
            rest = tail;
        }
        words
    }
}

impl fmt::Debug for Salt {
    /// Never prints the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_every_purpose_counts() {
        let base: [u64; 4] = Salt::default().words(1);
        assert_ne!(base, Salt::default().words(2));
        for bit in 0..128 {
            let salted: [u64; 4] = Salt::new((1u128 << bit).to_le_bytes()).words(1);
            for (a, b) in base.iter().zip(&salted) {
                assert_ne!(a, b, "bit {bit}");
            }
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        extern crate std;
        let text = std::format!("{:?}", Salt::new([0x5a; 16]));
        assert_eq!(text, "Salt(..)");
    }
}
