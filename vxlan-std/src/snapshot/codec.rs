//! A snapshot as bytes. All numbers are in network order.
//!
//! ```text
//!   0        8         10        12     16            24            32
//!  | "vtepfdb\n" | version | 64   | VNI  | taken, ms   | lines       |
//!  | lines of 64 bytes                                             ..
//!  | CRC-32 of all before (IEEE 802.3)                              |
//!
//!  a line:
//!   0     6       8       10     11    12    16         32     34    36
//!  | MAC | state | flags | kind | 0   | VNI | address  | port | 0   | VNI or nexthop |
//!   40        44     48          64
//!  | updated | used | interface |
//! ```
//!
//! The kind is 4 or 6 for a remote, 0 for a nexthop group; ages are in steps of 10 ms.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use std::time::UNIX_EPOCH;

use vxlan_core::fdb::{Flags, Key, NexthopId, State};
use vxlan_core::{Mac, Vni};

use super::{Line, Snapshot, SnapshotError, Target};

const MAGIC: [u8; 8] = *b"vtepfdb\n";
const VERSION: u16 = 1;
const HEADER_LEN: usize = 32;
const LINE_LEN: usize = 64;
const TRAILER_LEN: usize = 4;
const NAME_LEN: usize = 16;
/// A stamp of the table lasts as long as 32 bits of this.
const STEP: Duration = Duration::from_millis(10);

impl Snapshot {
    /// The bytes of a file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let taken = self.taken.duration_since(UNIX_EPOCH).unwrap_or_default();
        let taken = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
        let mut out = Vec::with_capacity(HEADER_LEN + self.lines.len() * LINE_LEN + TRAILER_LEN);
        out.extend(MAGIC);
        out.extend(VERSION.to_be_bytes());
        out.extend((LINE_LEN as u16).to_be_bytes());
        out.extend(self.vni.get().to_be_bytes());
        out.extend(taken.to_be_bytes());
        out.extend((self.lines.len() as u64).to_be_bytes());
        for line in &self.lines {
            line.encode(&mut out);
        }
        let sum = crc32fast::hash(&out);
        out.extend(sum.to_be_bytes());
        out
    }

    /// The snapshot that `bytes` holds.
    ///
    /// # Errors
    /// A [`SnapshotError`] unless every byte is as [`encode`](Self::encode) wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut header = Reader(bytes);
        if header.take() != Some(MAGIC) {
            return Err(SnapshotError::NoSnapshot);
        }
        let have = bytes.len() as u64;
        let short = |need: usize| SnapshotError::Length {
            need: need as u64,
            have,
        };
        let shortest = || short(HEADER_LEN + TRAILER_LEN);
        match header.take().map(u16::from_be_bytes) {
            Some(VERSION) => {}
            Some(other) => return Err(SnapshotError::Version(other)),
            None => return Err(shortest()),
        }
        let (Some(line_len), Some(vni), Some(taken), Some(lines)) =
            (header.take(), header.take(), header.take(), header.take())
        else {
            return Err(shortest());
        };
        let lines = u64::from_be_bytes(lines);
        let around = (HEADER_LEN + TRAILER_LEN) as u64;
        let need = lines.saturating_mul(LINE_LEN as u64).saturating_add(around);
        if need != have {
            return Err(SnapshotError::Length { need, have });
        }
        let (body, sum) = bytes.split_last_chunk().ok_or_else(shortest)?;
        if crc32fast::hash(body) != u32::from_be_bytes(*sum) {
            return Err(SnapshotError::Checksum);
        }
        let lines = header.0.chunks_exact(LINE_LEN).enumerate();
        let lines = lines.map(|(at, line)| Line::decode(line).ok_or(SnapshotError::Line(at)));
        let taken = Duration::from_millis(u64::from_be_bytes(taken));
        match (
            u16::from_be_bytes(line_len),
            Vni::new(u32::from_be_bytes(vni)),
            UNIX_EPOCH.checked_add(taken),
        ) {
            (len, Some(vni), Some(taken)) if usize::from(len) == LINE_LEN => Ok(Self {
                vni,
                taken,
                lines: lines.collect::<Result<_, _>>()?,
            }),
            _ => Err(SnapshotError::NoSnapshot),
        }
    }

    /// How many bytes a file whose head is `head` has, if it is one of this version.
    pub(super) fn file_len(head: &[u8]) -> Option<u64> {
        let mut head = Reader(head);
        let magic = head.take()? == MAGIC;
        let version = u16::from_be_bytes(head.take()?) == VERSION;
        let _: [u8; 14] = head.take()?;
        let lines = u64::from_be_bytes(head.take()?);
        let around = (HEADER_LEN + TRAILER_LEN) as u64;
        let len = lines.checked_mul(LINE_LEN as u64)?.checked_add(around)?;
        (magic && version).then_some(len)
    }
}

/// The length of what [`Snapshot::file_len`] needs.
pub(super) const HEAD_LEN: usize = HEADER_LEN;

impl Line {
    fn encode(&self, out: &mut Vec<u8>) {
        let (kind, addr, port, number, name) = match &self.target {
            Target::Remote {
                addr,
                port,
                vni,
                interface,
            } => {
                let (kind, octets) = match addr {
                    IpAddr::V4(addr) => (4, addr.to_ipv6_mapped().octets()),
                    IpAddr::V6(addr) => (6, addr.octets()),
                };
                (kind, octets, *port, *vni, interface.as_deref())
            }
            Target::Nexthop(id) => (0, [0; 16], 0, id.get(), None),
        };
        out.extend(self.key.mac.octets());
        out.extend(self.state.bits().to_be_bytes());
        out.extend(self.flags.bits().to_be_bytes());
        out.extend([kind, 0]);
        out.extend(self.key.vni.to_be_bytes());
        out.extend(addr);
        out.extend(port.to_be_bytes());
        out.extend([0; 2]);
        out.extend(number.to_be_bytes());
        out.extend(steps(self.updated).to_be_bytes());
        out.extend(steps(self.used).to_be_bytes());
        let mut field = [0; NAME_LEN];
        for (byte, letter) in field.iter_mut().zip(name.unwrap_or_default().bytes()) {
            *byte = letter;
        }
        out.extend(field);
    }

    fn decode(line: &[u8]) -> Option<Self> {
        let mut line = Reader(line);
        let mac = Mac::new(line.take()?);
        let state = State::from_bits_retain(u16::from_be_bytes(line.take()?));
        let flags = Flags::from_bits_retain(u16::from_be_bytes(line.take()?));
        let [kind, zero] = line.take()?;
        let vni = u32::from_be_bytes(line.take()?);
        let addr = Ipv6Addr::from_octets(line.take()?);
        let port = u16::from_be_bytes(line.take()?);
        let zeros: [u8; 2] = line.take()?;
        let number = u32::from_be_bytes(line.take()?);
        let updated = STEP.checked_mul(u32::from_be_bytes(line.take()?))?;
        let used = STEP.checked_mul(u32::from_be_bytes(line.take()?))?;
        let interface = name(&line.take()?)?;
        let remote = |addr| Target::Remote {
            addr,
            port,
            vni: number,
            interface,
        };
        let target = match (kind, addr.to_ipv4_mapped()) {
            (4, Some(addr)) => remote(Ipv4Addr::into(addr)),
            (6, _) => remote(addr.into()),
            (0, _) if addr.is_unspecified() && port == 0 => {
                Target::Nexthop(NexthopId::new(number)?)
            }
            _ => return None,
        };
        ((zero, zeros) == (0, [0; 2])).then_some(Self {
            key: Key { mac, vni },
            state,
            flags,
            target,
            updated,
            used,
        })
    }
}

/// A name that ends with zero bytes; none if it is empty, nothing if it is no name.
fn name(field: &[u8; NAME_LEN]) -> Option<Option<String>> {
    let end = field.iter().position(|byte| *byte == 0)?;
    let (text, rest) = field.split_at_checked(end)?;
    let text = core::str::from_utf8(text).ok()?;
    let named = (!text.is_empty()).then(|| text.to_owned());
    rest.iter().all(|byte| *byte == 0).then_some(named)
}

fn steps(age: Duration) -> u32 {
    u32::try_from(age.as_millis() / STEP.as_millis()).unwrap_or(u32::MAX)
}

/// Takes fields off the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
