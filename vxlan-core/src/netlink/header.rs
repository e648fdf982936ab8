//! The header of every message (`struct nlmsghdr`).

use super::Writer;
use crate::packet::OutOfRoom;

/// What stands before the content of a message.
///
/// ```text
///  | length, 32 bits | kind, 16 bits | flags, 16 bits | sequence, 32 bits | port, 32 bits |
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `RTM_*`.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The number of the request that is answered; zero in notifications.
    pub sequence: u32,
    /// The socket that is answered; zero in notifications.
    pub port: u32,
}

impl Header {
    /// The length of a header in bytes.
    pub const LEN: usize = 16;
    /// `NLM_F_MULTI`: one of several messages that answer a dump.
    pub const MULTI: u16 = 0x2;
    /// `NLM_F_BULK`: a deletion is of all that matches.
    pub const BULK: u16 = 0x200;

    /// Splits the first message off `bytes`: its header, its content, and what follows.
    ///
    /// `None` if there is no whole message, as for `nlmsg_ok()`.
    #[must_use]
    pub fn split(bytes: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let header = bytes.first_chunk::<{ Self::LEN }>()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *header;
        let len = usize::try_from(u32::from_ne_bytes([a, b, c, d])).ok()?;
        let content = bytes.get(Self::LEN..len)?;
        let rest = bytes.get(len.checked_next_multiple_of(4)?..);
        let header = Self {
            kind: u16::from_ne_bytes([e, f]),
            flags: u16::from_ne_bytes([g, h]),
            sequence: u32::from_ne_bytes([i, j, k, l]),
            port: u32::from_ne_bytes([m, n, o, p]),
        };
        Some((header, content, rest.unwrap_or_default()))
    }

    /// Writes a message to the front of `out`: this header, and what `content` writes. Returns its
    /// length in bytes.
    ///
    /// # Errors
    /// [`OutOfRoom`] if `out` is too short; what has been written until then stays.
    pub fn write(
        &self,
        out: &mut [u8],
        content: impl FnOnce(&mut Writer<'_>) -> Result<(), OutOfRoom>,
    ) -> Result<usize, OutOfRoom> {
        let mut writer = Writer::new(out);
        let [a, b] = self.kind.to_ne_bytes();
        let [c, d] = self.flags.to_ne_bytes();
        writer.bytes(&[0, 0, 0, 0, a, b, c, d])?;
        writer.bytes(&self.sequence.to_ne_bytes())?;
        writer.bytes(&self.port.to_ne_bytes())?;
        content(&mut writer)?;
        let len = writer.len();
        let place = out.first_chunk_mut::<4>();
        let value = u32::try_from(len).map_err(|_| OutOfRoom {
            need: len,
            have: u32::MAX as usize,
        })?;
        if let Some(place) = place {
            *place = value.to_ne_bytes();
        }
        Ok(len)
    }
}
