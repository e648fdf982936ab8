//! Attributes of netlink messages.

/// The header of an attribute: length and number.
const HEADER: usize = 4;
/// The bits of a number that are none of it: nested, in network order.
const NUMBER: u16 = 0x3fff;

/// Reads attributes one after the other; ends at the first that is broken.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The attributes in `bytes`.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The payload of the first attribute of this number.
    pub(crate) fn find(&self, number: u16) -> Option<&'a [u8]> {
        let mut all = self.clone();
        all.find_map(|(found, payload)| (found == number).then_some(payload))
    }

    /// The same, four bytes in the machine's order.
    pub(crate) fn number(&self, number: u16) -> Option<u32> {
        Some(u32::from_ne_bytes(*self.find(number)?.first_chunk()?))
    }

    /// The same, text with or without a zero at its end.
    pub(crate) fn text(&self, number: u16) -> Option<String> {
        let bytes = self.find(number)?;
        let bytes = bytes.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let (&[l0, l1, n0, n1], rest) = self.0.split_first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let (payload, _) = rest.split_at_checked(len.checked_sub(HEADER)?)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([n0, n1]) & NUMBER, payload))
    }
}

/// Writes attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Builder(Vec<u8>);

impl Builder {
    /// Behind a fixed header.
    pub(crate) const fn new(header: Vec<u8>) -> Self {
        Self(header)
    }

    /// Adds an attribute.
    pub(crate) fn put(mut self, number: u16, payload: &[u8]) -> Self {
        let len = u16::try_from(HEADER + payload.len()).unwrap_or(u16::MAX);
        self.0.extend(len.to_ne_bytes());
        self.0.extend(number.to_ne_bytes());
        self.0.extend(payload);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// All of it.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let bytes = Builder::default()
            .put(3, b"name\0")
            .put(4, &7_u32.to_ne_bytes())
            .finish();
        let attributes = Attributes::new(&bytes);
        assert_eq!(attributes.text(3).as_deref(), Some("name"));
        assert_eq!(attributes.number(4), Some(7));
        assert_eq!(attributes.find(5), None);
        assert_eq!(attributes.count(), 2);
    }
}
