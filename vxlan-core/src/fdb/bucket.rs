//! One bucket of the index: seven tags to compare at once, and the numbers of seven entries.
//!
//! ```text
//!  0                    21  24                   31
//! | 7 numbers of 24 bits | - | 7 tags of 8 bits | overflow |
//! ```
//!
//! A tag is the low byte of an entry's hash, made odd; zero marks a vacant place. The last byte
//! says how many entries had no room here and lie in a later bucket, so that a search knows when
//! it may stop.

/// Places for entries in one bucket.
pub(super) const PLACES: u32 = 7;
/// The numbers of entries are below this: they take 24 bits.
pub(super) const ENTRIES_MAX: u32 = 1 << 24;

/// The highest bit of each tag.
const TAG_TOPS: u64 = 0x0080_8080_8080_8080;
/// All bits of the tags.
const TAGS: u64 = 0x00ff_ffff_ffff_ffff;
/// Where the last byte starts.
const LAST: u32 = 56;
/// The bit of the last byte that sends a search on to another index, or along another way in this
/// one.
const DIVERTED: u8 = 0x80;

/// A bucket of the index: 32 bytes, two to a cache line. Opaque; a caller only provides empty ones.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub struct Bucket([u8; 32]);

impl Bucket {
    /// A bucket without entries.
    pub const EMPTY: Self = Self([0; 32]);

    /// The seven tags and, on top, the last byte.
    #[inline]
    pub(super) const fn word(&self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    fn set_word(&mut self, word: u64) {
        if let Some(last) = self.0.last_chunk_mut() {
            *last = word.to_le_bytes();
        }
    }

    /// The number kept at `place`, below eight.
    // Reads one byte too many and cuts it off: a load instead of three.
    #[inline]
    pub(super) fn number(&self, place: usize) -> u32 {
        let at = 3 * place;
        let bytes = self.0.get(at..at + 4).and_then(|four| four.first_chunk());
        u32::from_le_bytes(*bytes.unwrap_or(&[0; 4])) & (ENTRIES_MAX - 1)
    }

    /// How many entries passed this bucket because it was full. Stops counting at 127, and never
    /// counts down from there.
    #[inline]
    pub(super) const fn passed(&self) -> u8 {
        (self.word() >> LAST) as u8 & !DIVERTED
    }

    /// Counts one more entry that had to go on.
    pub(super) fn pass(&mut self) {
        if self.passed() < !DIVERTED {
            self.set_word(self.word() + (1 << LAST));
        }
    }

    /// Takes one back.
    pub(super) fn unpass(&mut self) {
        if (1..!DIVERTED).contains(&self.passed()) {
            self.set_word(self.word() - (1 << LAST));
        }
    }

    /// Says how many there were.
    pub(super) fn set_passed(&mut self, count: u32) {
        let most = u32::from(!DIVERTED);
        let count = if count < most { count } else { most };
        let kept = self.word() & (TAGS | (DIVERTED as u64) << LAST);
        self.set_word(kept | u64::from(count) << LAST);
    }

    /// Whether entries of this bucket may be in another index, or elsewhere in this one.
    #[cfg(any(feature = "alloc", test))]
    pub(super) const fn is_diverted(&self) -> bool {
        (self.word() >> LAST) as u8 & DIVERTED != 0
    }

    pub(super) fn divert(&mut self) {
        self.set_word(self.word() | (DIVERTED as u64) << LAST);
    }

    pub(super) fn undivert(&mut self) {
        self.set_word(self.word() & !((DIVERTED as u64) << LAST));
    }

    /// Whether no entry is here. Others may have passed.
    #[cfg(feature = "alloc")]
    pub(super) const fn is_vacant(&self) -> bool {
        self.word() & TAGS == 0
    }

    /// The first place without an entry.
    pub(super) const fn vacancy(&self) -> Option<usize> {
        let vacant = matches(self.word(), 0);
        if vacant == 0 {
            None
        } else {
            Some(place(vacant))
        }
    }

    /// The occupied places with their numbers.
    pub(super) fn occupied(self) -> impl Iterator<Item = (usize, u32)> {
        let occupied = move |place: &usize| self.word() >> (8 * place) & 0xff != 0;
        (0..PLACES as usize)
            .filter(occupied)
            .map(move |place| (place, self.number(place)))
    }

    /// The places with this tag and their numbers.
    #[inline]
    pub(super) fn tagged(self, tag: u8) -> impl Iterator<Item = (usize, u32)> {
        let word = self.word();
        let mut found = matches(word, tag);
        core::iter::from_fn(move || {
            while found != 0 {
                let place = place(found);
                found &= found - 1;
                if (word >> (8 * place)) as u8 == tag {
                    return Some((place, self.number(place)));
                }
            }
            None
        })
    }

    /// Fills a place.
    pub(super) fn set(&mut self, place: usize, tag: u8, number: u32) {
        let [a, b, c, _] = number.to_le_bytes();
        let at = 3 * place;
        if let Some(bytes) = self.0.get_mut(at..at + 3) {
            bytes.copy_from_slice(&[a, b, c]);
        }
        self.clear(place);
        self.set_word(self.word() | u64::from(tag) << (8 * place));
    }

    /// Vacates a place.
    pub(super) fn clear(&mut self, place: usize) {
        self.set_word(self.word() & !(0xff << (8 * place)));
    }
}

/// Whether [`Bucket::passed`] stopped counting.
pub(super) const fn is_full_count(passed: u8) -> bool {
    passed == !DIVERTED
}

/// The tag of a hash: its low byte, made odd so that it is not zero.
// One bit less than could be had, and three instructions less in every look-up.
#[inline]
pub(super) const fn tag(hash: u64) -> u8 {
    hash as u8 | 1
}

/// The places of `word` that hold `tag`, one bit each. The lowest bit is right and no place is
/// missed, but above a right one there may be a wrong one.
#[inline]
pub(super) const fn matches(word: u64, tag: u8) -> u64 {
    let differ = word ^ (tag as u64 * 0x0101_0101_0101_0101);
    differ.wrapping_sub(0x0101_0101_0101_0101) & !differ & TAG_TOPS
}

/// The first place of what [`matches`] found; eight if it found none.
#[inline]
pub(super) const fn place(matches: u64) -> usize {
    (matches.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// What the documentation promises about memory.
    #[test]
    fn sizes() {
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (32, 32));
    }

    #[test]
    fn the_count_of_those_that_passed_stops_before_the_mark() {
        let mut bucket = Bucket::EMPTY;
        for _ in 0..200 {
            bucket.pass();
        }
        assert_eq!((bucket.passed(), bucket.is_diverted()), (127, false));
        bucket.unpass();
        assert_eq!(bucket.passed(), 127, "nobody knows how many there were");
        let mut bucket = Bucket::EMPTY;
        bucket.unpass();
        assert_eq!(bucket.passed(), 0);
        bucket.divert();
        bucket.pass();
        assert_eq!((bucket.passed(), bucket.is_diverted()), (1, true));
        assert!(bucket.is_vacant());
    }

    proptest! {
        /// F-03: a bucket is seven pairs of tag and number, whatever is done to it.
        #[test]
        fn f03_a_bucket_is_seven_places(
            changes: Vec<(u8, u64, Option<u32>)>,
            probe: u64,
        ) {
            let mut model = [None; 7];
            let mut bucket = Bucket::EMPTY;
            for (at, hash, number) in changes {
                let at = usize::from(at) % 7;
                model[at] = number.map(|number| (tag(2 * (hash % 3)), number % ENTRIES_MAX));
                match model[at] {
                    Some((tag, number)) => bucket.set(at, tag, number),
                    None => bucket.clear(at),
                }
            }
            let occupied: Vec<_> = bucket.occupied().collect();
            let want: Vec<_> = (0..7).filter_map(|at| Some((at, model[at]?.1))).collect();
            prop_assert_eq!(&occupied, &want);
            prop_assert_eq!(bucket.vacancy(), model.iter().position(Option::is_none));
            prop_assert_eq!(bucket.is_vacant(), want.is_empty());
            let probe = tag(2 * (probe % 3));
            let tagged: Vec<_> = bucket.tagged(probe).collect();
            let want: Vec<_> = (0..7)
                .filter_map(|at| model[at].filter(|(tag, _)| *tag == probe).map(|(_, n)| (at, n)))
                .collect();
            prop_assert_eq!(&tagged, &want);
            // The quick comparison: the first is right, none is missed.
            let quick = matches(bucket.word(), probe);
            prop_assert_eq!(want.first().map(|(at, _)| *at), (quick != 0).then(|| place(quick)));
            for (at, _) in want {
                prop_assert!((quick >> (8 * at + 7)) & 1 == 1);
            }
        }
    }
}
