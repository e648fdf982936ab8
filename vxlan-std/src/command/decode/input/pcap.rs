//! The classic format: a header of 24 bytes, then records of a 16-byte header and the packet.

use std::io::Read;

use super::source::Source;
use super::{InputError, Order, Problem, RECORD_MAX, Record, Time};

/// A pcap file behind its header.
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds in a unit of the second time field.
    unit: u32,
    /// Bytes in a record's header.
    header: usize,
    link_type: u16,
}

impl Pcap {
    /// Reads the rest of the file's header, if `magic` begins one.
    pub(super) fn open<R: Read>(
        magic: [u8; 4],
        source: &mut Source<R>,
    ) -> Result<Option<Self>, InputError> {
        let (order, unit, header) = match u32::from_be_bytes(magic) {
            0xa1b2_c3d4 => (Order::Big, 1000, 16),
            0xd4c3_b2a1 => (Order::Little, 1000, 16),
            0xa1b2_3c4d => (Order::Big, 1, 16),
            0x4d3c_b2a1 => (Order::Little, 1, 16),
            // A patched libpcap of old: eight more bytes in each record.
            0xa1b2_cd34 => (Order::Big, 1000, 24),
            0x34cd_b2a1 => (Order::Little, 1000, 24),
            _ => return Ok(None),
        };
        let mut rest = [0; 20];
        source.fill("file header", 0, &mut rest)?;
        // The upper half of the last word says how long the frame check sequence is.
        let network = rest.last_chunk::<4>().map_or(0, |word| order.u32(*word));
        Ok(Some(Self {
            order,
            unit,
            header,
            link_type: (network & 0xffff) as u16,
        }))
    }

    pub(super) fn next<R: Read>(
        &self,
        source: &mut Source<R>,
        data: &mut Vec<u8>,
    ) -> Result<Option<Record>, InputError> {
        let offset = source.offset();
        let mut header = [0; 24];
        let (header, _) = header.split_at_mut_checked(self.header).unwrap_or_default();
        if !source.fill("record header", offset, header)? {
            return Ok(None);
        }
        let mut fields = [0; 4];
        for (field, word) in fields.iter_mut().zip(header.as_chunks::<4>().0) {
            *field = self.order.u32(*word);
        }
        let [seconds, fraction, captured, length] = fields;
        if captured > RECORD_MAX {
            let problem = Problem::BadLength {
                part: "packet",
                length: captured,
            };
            return Err(InputError::at(offset, problem));
        }
        source.take("record", offset, captured, data)?;
        let nanoseconds =
            i128::from(seconds) * 1_000_000_000 + i128::from(fraction) * i128::from(self.unit);
        Ok(Some(Record {
            offset,
            time: Some(Time(nanoseconds)),
            link_type: self.link_type,
            length: (length as usize).max(data.len()),
        }))
    }
}
