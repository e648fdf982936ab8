//! Packets in a file that Wireshark and tcpdump read (draft-ietf-opsawg-pcapng).

use std::io::{self, Write};
use std::time::Duration;

/// `LINKTYPE_ETHERNET`.
const ETHERNET: u16 = 1;
/// Time stamps count nanoseconds: ten to the power of minus nine.
const NANOSECONDS: u8 = 9;

/// Writes one section. Interfaces come first, packets refer to them by number.
pub(super) struct Writer<W> {
    out: W,
    written: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a section that `application` wrote.
    pub(super) fn new(out: W, application: &str) -> io::Result<Self> {
        let mut writer = Self { out, written: 0 };
        let mut body = Vec::new();
        body.extend(0x1a2b_3c4d_u32.to_le_bytes()); // tells the byte order
        body.extend(1u16.to_le_bytes()); // version 1.0
        body.extend(0u16.to_le_bytes());
        body.extend(u64::MAX.to_le_bytes()); // length of the section not told
        option(&mut body, 4, application.as_bytes());
        end_of_options(&mut body);
        writer.block(0x0a0d_0d0a, &body)?;
        Ok(writer)
    }

    /// Describes the next Ethernet interface; of each packet `snap` bytes are kept.
    pub(super) fn interface(&mut self, name: &str, snap: u32) -> io::Result<()> {
        let mut body = Vec::new();
        body.extend(ETHERNET.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        body.extend(snap.to_le_bytes());
        option(&mut body, 2, name.as_bytes());
        option(&mut body, 9, &[NANOSECONDS]);
        end_of_options(&mut body);
        self.block(1, &body)
    }

    /// A packet of `len` bytes, of which `bytes` were kept, seen `time` after 1970 began.
    pub(super) fn packet(
        &mut self,
        interface: u32,
        time: Duration,
        len: u32,
        bytes: &[u8],
    ) -> io::Result<()> {
        let nanoseconds = time.as_nanos() as u64;
        let mut body = Vec::with_capacity(20 + bytes.len() + 3);
        body.extend(interface.to_le_bytes());
        body.extend(((nanoseconds >> 32) as u32).to_le_bytes());
        body.extend((nanoseconds as u32).to_le_bytes());
        body.extend((bytes.len() as u32).to_le_bytes());
        body.extend(len.to_le_bytes());
        body.extend_from_slice(bytes);
        pad(&mut body);
        self.block(6, &body)
    }

    /// Writes everything out. Returns the length of the file in bytes.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.written)
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let len = body.len() as u32 + 12;
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&len.to_le_bytes())?;
        self.out.write_all(body)?;
        self.out.write_all(&len.to_le_bytes())?;
        self.written += u64::from(len);
        Ok(())
    }
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Everything ends on a multiple of four.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_add_up_and_say_what_was_cut() {
        let mut file = Vec::new();
        let mut writer = Writer::new(&mut file, "test").unwrap();
        writer.interface("lo", 5).unwrap();
        let time = Duration::new(5, 7);
        writer.packet(0, time, 60, b"snapp").unwrap();
        let len = writer.finish().unwrap();
        assert_eq!(len, file.len() as u64);

        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let mut kinds = Vec::new();
        let (mut at, mut last) = (0, 0);
        while at < file.len() {
            let len = word(at + 4) as usize;
            assert_eq!((len % 4, word(at + len - 4) as usize), (0, len));
            kinds.push(word(at));
            last = at;
            at += len;
        }
        assert_eq!(kinds, [0x0a0d_0d0a, 1, 6]);
        let stamp = u64::from(word(last + 12)) << 32 | u64::from(word(last + 16));
        assert_eq!(stamp, 5_000_000_007);
        assert_eq!((word(last + 20), word(last + 24)), (5, 60));
        assert_eq!(&file[last + 28..last + 36], b"snapp\0\0\0");
    }
}
