//! The bytes of the transfer: a stream that is computed, never stored.
//!
//! A byte follows from its position alone, so that a byte that is lost, doubled, swapped or
//! changed shows, and no part of the stream can stand for another.

/// The eight bytes number `index`: the output function of SplitMix64.
fn word(index: u64) -> [u8; 8] {
    let mut z = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()
}

/// What is left of the word that `position` falls into.
fn from(position: u64) -> impl ExactSizeIterator<Item = u8> {
    word(position / 8).into_iter().skip((position % 8) as usize)
}

/// Writes the part of the stream that begins at `position`.
pub(super) fn fill(mut position: u64, mut bytes: &mut [u8]) {
    while !bytes.is_empty() {
        let part = from(position);
        let len = part.len().min(bytes.len());
        let Some((now, rest)) = bytes.split_at_mut_checked(len) else {
            return;
        };
        position += now.len() as u64;
        now.iter_mut().zip(part).for_each(|(to, byte)| *to = byte);
        bytes = rest;
    }
}

/// Where `bytes`, which should be the stream from `position` on, first differ from it.
pub(super) fn first_difference(mut position: u64, mut bytes: &[u8]) -> Option<u64> {
    while !bytes.is_empty() {
        let part = from(position);
        let (now, rest) = bytes.split_at_checked(part.len()).unwrap_or((bytes, &[]));
        if let Some(at) = now.iter().zip(part).position(|(is, want)| *is != want) {
            return Some(position + at as u64);
        }
        position += now.len() as u64;
        bytes = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_make_the_whole(start in 0u64..1000, cut in 0usize..100) {
            let mut whole = [0; 100];
            fill(start, &mut whole);
            let mut pieces = [0; 100];
            let (front, back) = pieces.split_at_mut(cut);
            fill(start, front);
            fill(start + cut as u64, back);
            prop_assert_eq!(whole, pieces);
            prop_assert_eq!(first_difference(start, &whole), None);
        }

        #[test]
        fn every_changed_byte_is_found(start in 0u64..1 << 40, at in 0usize..100, flip in 1u8..) {
            let mut bytes = [0; 100];
            fill(start, &mut bytes);
            bytes[at] ^= flip;
            prop_assert_eq!(first_difference(start, &bytes), Some(start + at as u64));
        }
    }

    #[test]
    fn another_place_of_the_stream_differs() {
        let mut bytes = [0; 4096];
        fill(0, &mut bytes);
        for shift in 1..64 {
            assert!(first_difference(shift, &bytes).is_some(), "{shift}");
        }
    }
}
