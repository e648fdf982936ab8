//! The next generation: sections of blocks, each block with its type and length.

use std::io::Read;

use super::source::Source;
use super::{InputError, Order, Problem, RECORD_MAX, Record, Time};

/// The type of the block that begins a section. The same in either byte order.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const OPTION_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

/// A pcapng file whose first four bytes have been read.
pub(super) struct PcapNg {
    order: Order,
    interfaces: Vec<Interface>,
    begun: bool,
    block: Vec<u8>,
}

/// What a section says about an interface.
#[derive(Clone, Copy)]
struct Interface {
    link_type: u16,
    snap_length: u32,
    /// Units of time in a second.
    units: u128,
    /// Seconds to add.
    seconds: i64,
}

impl PcapNg {
    pub(super) fn new() -> Self {
        Self {
            order: Order::Little,
            interfaces: Vec::new(),
            begun: false,
            block: Vec::new(),
        }
    }

    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
        data: &mut Vec<u8>,
    ) -> Result<Option<Record>, InputError> {
        loop {
            let Some((offset, kind)) = self.block(source)? else {
                return Ok(None);
            };
            let record = match kind {
                INTERFACE => {
                    self.describe(offset)?;
                    None
                }
                ENHANCED_PACKET => Some(self.packet(offset, data, Layout::Enhanced)?),
                OBSOLETE_PACKET => Some(self.packet(offset, data, Layout::Obsolete)?),
                SIMPLE_PACKET => Some(self.simple(offset, data)?),
                _ => None,
            };
            if record.is_some() {
                return Ok(record);
            }
        }
    }

    /// Reads a block: leaves what is between its two lengths in `self.block`, returns where it
    /// starts and its type.
    fn block<R: Read>(&mut self, source: &mut Source<R>) -> Result<Option<(u64, u32)>, InputError> {
        const PART: &str = "block";
        let mut kind = SECTION;
        let offset = if self.begun { source.offset() } else { 0 };
        if self.begun && !source.fill(PART, offset, &mut kind)? {
            return Ok(None);
        }
        self.begun = true;
        let mut length = [0; 4];
        source.fill(PART, offset, &mut length)?;
        let mut read = 8;
        if kind == SECTION {
            let mut mark = [0; 4];
            source.fill(PART, offset, &mut mark)?;
            read += 4;
            self.order = match u32::from_le_bytes(mark) {
                0x1a2b_3c4d => Order::Little,
                0x4d3c_2b1a => Order::Big,
                _ => return Err(InputError::at(offset, Problem::ByteOrder)),
            };
            self.interfaces.clear();
        }
        let length = self.order.u32(length);
        // Some writers leave the padding out of the first length: the block is a multiple of four.
        let bad = || InputError::at(offset, Problem::BadLength { part: PART, length });
        let rest = length
            .checked_next_multiple_of(4)
            .and_then(|length| length.checked_sub(read))
            .filter(|rest| (4..=RECORD_MAX).contains(rest))
            .ok_or_else(bad)?;
        source.take(PART, offset, rest, &mut self.block)?;
        // The length stands at the end again.
        let trailer = self.block.split_last_chunk::<4>();
        let Some((body, _)) = trailer.filter(|(_, again)| self.order.u32(**again) == length) else {
            return Err(bad());
        };
        self.block.truncate(body.len());
        Ok(Some((offset, self.order.u32(kind))))
    }

    fn describe(&mut self, offset: u64) -> Result<(), InputError> {
        let order = self.order;
        let parsed = order.split_u16(&self.block).and_then(|(link_type, rest)| {
            let (_reserved, rest) = order.split_u16(rest)?;
            let (snap_length, options) = order.split_u32(rest)?;
            Some((link_type, snap_length, options))
        });
        let Some((link_type, snap_length, options)) = parsed else {
            return Err(self.short(offset));
        };
        let mut interface = Interface {
            link_type,
            snap_length,
            units: 1_000_000,
            seconds: 0,
        };
        let options = Options {
            order,
            rest: options,
        };
        for (code, value) in options {
            match (code, value) {
                (OPTION_RESOLUTION, [units]) => interface.units = resolution(*units),
                (OPTION_TIME_OFFSET, value) => {
                    if let Ok(seconds) = value.try_into() {
                        interface.seconds = order.i64(seconds);
                    }
                }
                _ => {}
            }
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn packet(
        &self,
        offset: u64,
        data: &mut Vec<u8>,
        layout: Layout,
    ) -> Result<Record, InputError> {
        let order = self.order;
        let fields = self.block.split_first_chunk::<20>();
        let Some((header, rest)) = fields else {
            return Err(self.short(offset));
        };
        let mut words = [0; 5];
        for (word, bytes) in words.iter_mut().zip(header.as_chunks::<4>().0) {
            *word = order.u32(*bytes);
        }
        let [interface, high, low, captured, length] = words;
        let interface = match layout {
            Layout::Enhanced => interface,
            // 16 bits of interface, then 16 bits of a drop counter.
            Layout::Obsolete => header.first_chunk().map_or(0, |id| order.u16(*id).into()),
        };
        let Some(described) = self.interfaces.get(interface as usize) else {
            return Err(InputError::at(offset, Problem::NoInterface(interface)));
        };
        let Some(bytes) = rest.get(..captured as usize) else {
            let problem = Problem::BadLength {
                part: "packet",
                length: captured,
            };
            return Err(InputError::at(offset, problem));
        };
        data.clear();
        data.extend_from_slice(bytes);
        Ok(Record {
            offset,
            time: Some(described.time(u64::from(high) << 32 | u64::from(low))),
            link_type: described.link_type,
            length: (length as usize).max(bytes.len()),
        })
    }

    /// A packet of the first interface without a time. How much was captured follows from the
    /// block's length and the snap length.
    fn simple(&self, offset: u64, data: &mut Vec<u8>) -> Result<Record, InputError> {
        let Some((length, rest)) = self.order.split_u32(&self.block) else {
            return Err(self.short(offset));
        };
        let Some(interface) = self.interfaces.first() else {
            return Err(InputError::at(offset, Problem::NoInterface(0)));
        };
        let snap = match interface.snap_length {
            0 => length,
            snap => length.min(snap),
        };
        let bytes = rest.get(..snap as usize).unwrap_or(rest);
        data.clear();
        data.extend_from_slice(bytes);
        Ok(Record {
            offset,
            time: None,
            link_type: interface.link_type,
            length: (length as usize).max(bytes.len()),
        })
    }

    fn short(&self, offset: u64) -> InputError {
        let length = u32::try_from(self.block.len())
            .unwrap_or(u32::MAX)
            .saturating_add(12);
        InputError::at(
            offset,
            Problem::BadLength {
                part: "block",
                length,
            },
        )
    }
}

/// The two blocks that say when and on which interface a packet was seen.
#[derive(Clone, Copy)]
enum Layout {
    Enhanced,
    Obsolete,
}

impl Interface {
    fn time(&self, units: u64) -> Time {
        let whole = u128::from(units) / self.units;
        let part = u128::from(units) % self.units;
        // Both factors stay below 2^94.
        let nanoseconds =
            (whole * 1_000_000_000) as i128 + (part * 1_000_000_000 / self.units) as i128;
        Time(nanoseconds + i128::from(self.seconds) * 1_000_000_000)
    }
}

/// Units in a second: a power of ten, of two with the highest bit set. Beyond 64 bits the time
/// counts as a whole number of seconds at zero.
fn resolution(code: u8) -> u128 {
    let exponent = u32::from(code & 0x7f);
    let base: u128 = if code & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u128::MAX)
}

/// The options at the end of a block.
struct Options<'b> {
    order: Order,
    rest: &'b [u8],
}

impl<'b> Iterator for Options<'b> {
    type Item = (u16, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, rest) = self.order.split_u16(self.rest)?;
        let (length, rest) = self.order.split_u16(rest)?;
        if code == 0 {
            return None;
        }
        let length = usize::from(length);
        let value = rest.get(..length)?;
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}
