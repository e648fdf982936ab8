//! The bytes on the control socket.
//!
//! ```text
//! request:  u32 bytes that follow | words, each: u32 length | bytes
//! answer:   chunks, each: u8 kind | u32 length | bytes
//! ```
//! Numbers are little-endian. The last chunk of an answer is the exit status.

/// The most bytes of a request.
pub(super) const REQUEST_MAX: usize = 1 << 16;
/// The most words of a request.
const WORDS_MAX: usize = 1 << 12;
/// The most bytes of a chunk.
pub(super) const CHUNK_MAX: usize = 1 << 20;
/// The bytes before those of a chunk.
pub(super) const CHUNK_HEAD: usize = 5;

/// What a chunk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The exit status, one byte: the end.
    Exit,
    /// For the standard output.
    Output,
    /// For the standard error stream.
    Error,
    /// Nothing: more may take any time, as long as events take to happen.
    Wait,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Exit, Self::Output, Self::Error, Self::Wait];

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// The bytes of a request, or `None` for one that is too long.
pub(super) fn request(words: &[String]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 4];
    for word in words {
        bytes.extend(u32::try_from(word.len()).ok()?.to_le_bytes());
        bytes.extend(word.as_bytes());
    }
    let len = bytes.len() - 4;
    if len > REQUEST_MAX || words.len() > WORDS_MAX {
        return None;
    }
    let (head, _) = bytes.split_first_chunk_mut()?;
    *head = u32::try_from(len).ok()?.to_le_bytes();
    Some(bytes)
}

/// What the bytes that came so far say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// There are more to come.
    Partial,
    /// All of it.
    Words(Vec<String>),
    /// No request.
    Broken,
}

/// Reads a request.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let Some((len, rest)) = number(bytes) else {
        return Parsed::Partial;
    };
    if len > REQUEST_MAX || rest.len() > len {
        return Parsed::Broken;
    }
    if rest.len() < len {
        return Parsed::Partial;
    }
    words(rest).map_or(Parsed::Broken, Parsed::Words)
}

fn words(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut words = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = number(bytes)?;
        let (word, rest) = rest.split_at_checked(len)?;
        words.push(str::from_utf8(word).ok()?.to_owned());
        if words.len() > WORDS_MAX {
            return None;
        }
        bytes = rest;
    }
    Some(words)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    let number = u32::from_le_bytes(*number);
    Some((usize::try_from(number).ok()?, rest))
}

/// Appends a chunk; a long text becomes several.
pub(super) fn chunk(out: &mut Vec<u8>, kind: Kind, bytes: &[u8]) {
    let mut put = |part: &[u8]| {
        out.push(kind as u8);
        out.extend((part.len() as u32).to_le_bytes());
        out.extend(part);
    };
    if bytes.is_empty() {
        return put(bytes);
    }
    bytes.chunks(CHUNK_MAX).for_each(put);
}

/// What the head of a chunk says: its kind and length.
pub(super) fn head(head: [u8; CHUNK_HEAD]) -> Option<(Kind, usize)> {
    let [kind, len @ ..] = head;
    let len = usize::try_from(u32::from_le_bytes(len)).ok()?;
    Kind::from_byte(kind)
        .zip(Some(len))
        .filter(|(_, len)| *len <= CHUNK_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_asked_arrives(words in proptest::collection::vec("\\PC{0,20}", 0..20)) {
            let bytes = request(&words).unwrap();
            for cut in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..cut]), Parsed::Partial);
            }
            prop_assert_eq!(parse(&bytes), Parsed::Words(words));
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            parse(&bytes);
        }
    }

    #[test]
    fn what_is_no_request() {
        let good = request(&["fdb".into(), "show".into()]).unwrap();
        let with = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            bytes
        };
        for (name, bytes) in [
            ("more than announced", [&good[..], &[0]].concat()),
            ("a request too long", with(2, 0x02)),
            ("a word too long", with(4, 200)),
            ("half a length", with(4, 10)),
            ("no text", with(8, 0xff)),
        ] {
            assert_eq!(parse(&bytes), Parsed::Broken, "{name}");
        }
        assert_eq!(request(&vec![String::new(); WORDS_MAX + 1]), None);
        assert_eq!(request(&["x".repeat(REQUEST_MAX)]), None);
        let mut many = (4 * (WORDS_MAX as u32 + 1)).to_le_bytes().to_vec();
        many.resize(4 + 4 * (WORDS_MAX + 1), 0);
        assert_eq!(parse(&many), Parsed::Broken);
    }

    #[test]
    fn chunks() {
        let mut out = Vec::new();
        chunk(&mut out, Kind::Wait, b"");
        chunk(&mut out, Kind::Output, &vec![b'x'; CHUNK_MAX + 1]);
        chunk(&mut out, Kind::Exit, &[2]);
        let mut rest = &out[..];
        let mut seen = Vec::new();
        while let Some((start, more)) = rest.split_first_chunk() {
            let (kind, len) = head(*start).unwrap();
            seen.push((kind, len));
            rest = &more[len..];
        }
        let want = [
            (Kind::Wait, 0),
            (Kind::Output, CHUNK_MAX),
            (Kind::Output, 1),
            (Kind::Exit, 1),
        ];
        assert_eq!(seen, want);
        assert_eq!(head([4, 0, 0, 0, 0]), None, "no such kind");
        assert_eq!(head([1, 1, 0, 16, 0]), None, "too long");
    }
}
