//! One bucket of the index: eight tags to compare at once, and the numbers of eight entries.
//!
//! ```text
//!  0                     16                    24                    32
//! | 8 chunks of 16 bits  | 8 offsets of 7 bits | 8 tags of 7 bits    |
//! ```
//!
//! A number is a chunk of 128 entries and an offset in it, apart, so that a table in chunks loads
//! each where it needs it. A tag is taken from one byte of the entry's hash, each place from
//! another, so that the hash is compared as it is. The highest bit of each byte of the tags marks
//! an occupied place. Those of the offsets are one byte, the passage: how many entries had no room
//! here and lie in a later bucket, so that a search knows when it may stop.

use core::num::NonZeroU64;

/// Places for entries in one bucket.
pub(super) const PLACES: u32 = 8;
/// The numbers of entries are below this.
pub(super) const ENTRIES_MAX: u32 = 1 << (16 + OFFSET_BITS);
/// Bits of a number that are an offset.
pub(super) const OFFSET_BITS: u32 = 7;

/// The highest bit of each byte.
const TOPS: u64 = 0x8080_8080_8080_8080;
/// The bits of a number that are an offset.
const OFFSET: u32 = (1 << OFFSET_BITS) - 1;
/// The bit of the passage that sends a search on to another index, or along another way in this
/// one.
const DIVERTED: u8 = 0x80;

/// A bucket of the index: 32 bytes, two to a cache line. Opaque; a caller only provides empty ones.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub struct Bucket {
    chunks: [u16; 8],
    offsets: [u8; 8],
    tags: u64,
}

impl Bucket {
    /// A bucket without entries.
    pub const EMPTY: Self = Self {
        chunks: [0; 8],
        offsets: [0; 8],
        tags: 0,
    };

    /// The places that hold an entry with these tags.
    // Where seven bits are equal the difference is zero, and only from zero does 128 stay 128.
    #[inline]
    pub(super) const fn matches(&self, tags: u64) -> Option<NonZeroU64> {
        let equal = TOPS.wrapping_sub((self.tags ^ tags) & !TOPS);
        NonZeroU64::new(equal & self.tags & TOPS)
    }

    /// The number kept at `place`, below eight.
    // What shows the compiler that the offset is below 128 makes it forget the bounds of a chunk.
    #[inline]
    pub(super) fn number(&self, place: usize) -> u32 {
        let chunk = self.chunks.get(place).copied().unwrap_or(0);
        let offset = self.offsets.get(place).copied().unwrap_or(0);
        u32::from(chunk) << OFFSET_BITS | u32::from(offset) & OFFSET
    }

    /// Loads the line of memory that this is in.
    #[inline]
    pub(super) fn touch(&self) {
        core::hint::black_box(self.tags);
    }

    /// Whether all entries whose home this is are here.
    #[inline]
    pub(super) const fn is_whole(&self) -> bool {
        u64::from_ne_bytes(self.offsets) & TOPS == 0
    }

    /// The highest bits of the offsets: the first is the lowest.
    #[inline]
    const fn passage(&self) -> u8 {
        // Each bit to its place among the highest eight.
        let bits = (u64::from_le_bytes(self.offsets) & TOPS) >> 7;
        (bits.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
    }

    fn set_passage(&mut self, passage: u8) {
        for (place, offset) in (0..).zip(&mut self.offsets) {
            *offset = *offset & OFFSET as u8 | (passage >> place & 1) << OFFSET_BITS;
        }
    }

    /// How many entries passed this bucket because it was full. Stops counting at 127, and never
    /// counts down from there.
    #[inline]
    pub(super) const fn passed(&self) -> u8 {
        self.passage() & !DIVERTED
    }

    /// Counts one more entry that had to go on.
    pub(super) fn pass(&mut self) {
        if self.passed() < !DIVERTED {
            self.set_passage(self.passage() + 1);
        }
    }

    /// Takes one back.
    pub(super) fn unpass(&mut self) {
        if (1..!DIVERTED).contains(&self.passed()) {
            self.set_passage(self.passage() - 1);
        }
    }

    /// Says how many there were.
    pub(super) fn set_passed(&mut self, count: u32) {
        let most = !DIVERTED;
        let count = u8::try_from(count).unwrap_or(most).min(most);
        self.set_passage(self.passage() & DIVERTED | count);
    }

    /// Whether entries of this bucket may be in another index, or elsewhere in this one.
    #[cfg(any(feature = "alloc", test))]
    #[inline]
    pub(super) const fn is_diverted(&self) -> bool {
        self.passage() & DIVERTED != 0
    }

    pub(super) fn divert(&mut self) {
        self.set_passage(self.passage() | DIVERTED);
    }

    pub(super) fn undivert(&mut self) {
        self.set_passage(self.passage() & !DIVERTED);
    }

    /// Whether no entry is here. Others may have passed.
    #[cfg(feature = "alloc")]
    pub(super) const fn is_vacant(&self) -> bool {
        self.tags & TOPS == 0
    }

    /// The first place without an entry.
    pub(super) const fn vacancy(&self) -> Option<usize> {
        match NonZeroU64::new(!self.tags & TOPS) {
            Some(vacant) => Some(place(vacant)),
            None => None,
        }
    }

    /// The occupied places with their numbers.
    pub(super) fn occupied(self) -> impl Iterator<Item = (usize, u32)> {
        let mut places = NonZeroU64::new(self.tags & TOPS);
        core::iter::from_fn(move || {
            let (place, rest) = (place(places?), others(places?));
            places = rest;
            Some((place, self.number(place)))
        })
    }

    /// Fills a place with a number and its byte of the tags.
    pub(super) fn set(&mut self, place: usize, tags: u64, number: u32) {
        if let Some(chunk) = self.chunks.get_mut(place) {
            *chunk = (number >> OFFSET_BITS) as u16;
        }
        if let Some(offset) = self.offsets.get_mut(place) {
            *offset = *offset & !(OFFSET as u8) | (number & OFFSET) as u8;
        }
        self.clear(place);
        self.tags |= (tags | TOPS) & 0xff << (8 * place);
    }

    /// Vacates a place.
    pub(super) const fn clear(&mut self, place: usize) {
        self.tags &= !(0xff << (8 * place));
    }
}

/// Whether [`Bucket::passed`] stopped counting.
pub(super) const fn is_full_count(passed: u8) -> bool {
    passed == !DIVERTED
}

/// The first of some places.
#[inline]
pub(super) const fn place(places: NonZeroU64) -> usize {
    (places.trailing_zeros() / 8) as usize
}

/// Some places but for the first.
#[inline]
pub(super) const fn others(places: NonZeroU64) -> Option<NonZeroU64> {
    NonZeroU64::new(places.get() & (places.get() - 1))
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
        /// F-03: a bucket is eight pairs of tag and number, whatever is done to it.
        #[test]
        fn f03_a_bucket_is_eight_places(
            changes: Vec<(u8, u64, Option<u32>)>,
            probe: u64,
            passage: u8,
        ) {
            // Few bits of many, so that tags repeat.
            let tags = |seed: u64| seed & 0x8301_8001_0380_0103;
            let mut model = [None; 8];
            let mut bucket = Bucket::EMPTY;
            bucket.set_passage(passage);
            for (at, hash, number) in changes {
                let at = usize::from(at) % 8;
                model[at] = number.map(|number| (tags(hash), number % ENTRIES_MAX));
                match model[at] {
                    Some((tags, number)) => bucket.set(at, tags, number),
                    None => bucket.clear(at),
                }
            }
            let occupied: Vec<_> = bucket.occupied().collect();
            let want: Vec<_> = (0..8).filter_map(|at| Some((at, model[at]?.1))).collect();
            prop_assert_eq!(&occupied, &want);
            prop_assert_eq!(bucket.vacancy(), model.iter().position(Option::is_none));
            prop_assert_eq!(bucket.is_vacant(), want.is_empty());
            prop_assert_eq!(bucket.is_whole(), passage == 0);
            prop_assert_eq!(bucket.passed(), passage & 0x7f);
            prop_assert_eq!(bucket.is_diverted(), passage & 0x80 != 0);
            // Exactly the places whose seven bits are those of the same place in the probe.
            let probe = tags(probe);
            let mut found = bucket.matches(probe);
            for (at, kept) in model.iter().enumerate() {
                let byte = |tags: u64| tags >> (8 * at) & 0x7f;
                if kept.is_some_and(|(tags, _)| byte(tags) == byte(probe)) {
                    prop_assert_eq!(found.map(place), Some(at));
                    found = found.and_then(others);
                }
            }
            prop_assert_eq!(found, None);
        }
    }
}
