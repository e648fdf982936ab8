//! Captures, read record by record: pcap and pcapng, either byte order, without loading the file.
//!
//! Written out here instead of taken from a crate because a decoder must say where a file is
//! damaged and hand over everything before that place; and because record lengths, time units of
//! any kind and lengths beyond the snap length must be taken as they are.

mod error;
mod pcap;
mod pcapng;
mod source;

use std::io::Read;

pub(super) use error::{InputError, Problem};
use pcap::Pcap;
use pcapng::PcapNg;
use source::Source;

/// The longest record that is believed. libpcap stops at 256 KiB, at 128 MiB for some link types.
const RECORD_MAX: u32 = 128 << 20;

/// What the capture says about a packet. Its bytes are in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Where the record starts in the file, in bytes.
    pub(super) offset: u64,
    /// When it was captured, if known.
    pub(super) time: Option<Time>,
    /// What its first byte belongs to (`LINKTYPE_*`).
    pub(super) link_type: u16,
    /// How long the packet was, in bytes; the capture may hold fewer.
    pub(super) length: usize,
}

/// A time in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(pub(super) i128);

/// A capture that is being read.
pub(super) struct Capture<R> {
    source: Source<R>,
    format: Format,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl<R: Read> Capture<R> {
    /// Looks at the first bytes and starts to read.
    pub(super) fn open(reader: R) -> Result<Self, InputError> {
        let mut source = Source::new(reader);
        let magic = source.magic()?;
        let format = if magic == pcapng::SECTION {
            Format::PcapNg(PcapNg::new())
        } else if let Some(pcap) = Pcap::open(magic, &mut source)? {
            Format::Pcap(pcap)
        } else {
            return Err(InputError::at(0, Problem::NotACapture));
        };
        Ok(Self { source, format })
    }

    /// The next packet, its bytes in `data`; `None` at the end.
    pub(super) fn next(&mut self, data: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.source, data),
            Format::PcapNg(ng) => ng.next(&mut self.source, data),
        }
    }
}

/// The byte order of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Little => i64::from_le_bytes(bytes),
            Self::Big => i64::from_be_bytes(bytes),
        }
    }

    /// The first four bytes as a number, and the rest.
    fn split_u32(self, bytes: &[u8]) -> Option<(u32, &[u8])> {
        let (word, rest) = bytes.split_first_chunk::<4>()?;
        Some((self.u32(*word), rest))
    }

    /// The first two bytes as a number, and the rest.
    fn split_u16(self, bytes: &[u8]) -> Option<(u16, &[u8])> {
        let (word, rest) = bytes.split_first_chunk::<2>()?;
        Some((self.u16(*word), rest))
    }
}
