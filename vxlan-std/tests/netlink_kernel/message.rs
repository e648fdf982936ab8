//! Messages and attributes, written without the library that is under test.

use std::fmt;

/// One attribute.
pub(crate) fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 4).unwrap();
    let mut all = [len.to_ne_bytes(), number.to_ne_bytes()].concat();
    all.extend(payload);
    all.resize(all.len().next_multiple_of(4), 0);
    all
}

/// Number and payload of each attribute.
pub(crate) fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut all = Vec::new();
    while let [a, b, c, d, ..] = *bytes {
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let Some(payload) = bytes.get(4..len) else {
            break;
        };
        all.push((u16::from_ne_bytes([c, d]) & 0x3fff, payload));
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    all
}

pub(crate) fn find(bytes: &[u8], number: u16) -> Option<&[u8]> {
    attributes(bytes)
        .into_iter()
        .find_map(|(found, payload)| (found == number).then_some(payload))
}

/// `struct ifinfomsg` and attributes.
pub(crate) fn link(ifindex: u32, attributes: &[u8]) -> Vec<u8> {
    let mut all = vec![0; 4];
    all.extend(ifindex.to_ne_bytes());
    all.extend([0; 8]);
    all.extend(attributes);
    all
}

/// What a request is answered: error number, or 0, and message.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Answer(pub(crate) i32, pub(crate) Option<String>);

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.0, self.1.as_deref().unwrap_or(""))
    }
}
