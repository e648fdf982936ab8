//! A reader that knows where it is.

use std::io::{self, ErrorKind, Read};

use super::{InputError, Problem};

/// Bytes from a file, counted.
pub(super) struct Source<R> {
    reader: R,
    offset: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, offset: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The four bytes that say what the file is.
    pub(super) fn magic(&mut self) -> Result<[u8; 4], InputError> {
        let mut magic = [0; 4];
        match self.read(&mut magic)? {
            0 => Err(InputError::at(0, Problem::Empty)),
            4 => Ok(magic),
            _ => Err(InputError::at(0, Problem::NotACapture)),
        }
    }

    /// Fills `out`. False if the file ends right here; an error if it ends within a `part` that
    /// started at byte `start`.
    pub(super) fn fill(
        &mut self,
        part: &'static str,
        start: u64,
        out: &mut [u8],
    ) -> Result<bool, InputError> {
        let before = self.offset - start;
        let have = self.read(out)? as u64;
        let need = out.len() as u64;
        if have == need {
            return Ok(true);
        }
        if have == 0 && before == 0 {
            return Ok(false);
        }
        let (need, have) = (before + need, before + have);
        Err(InputError::at(start, Problem::Cut { part, need, have }))
    }

    /// Reads `length` bytes of a `part` that started at byte `start` into `out`, whose memory grows
    /// with what is there, not with what is claimed.
    pub(super) fn take(
        &mut self,
        part: &'static str,
        start: u64,
        length: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), InputError> {
        out.clear();
        let before = self.offset - start;
        let at = self.offset;
        let have = (&mut self.reader)
            .take(length.into())
            .read_to_end(out)
            .map_err(|error| InputError::at(at, Problem::Io(error)))? as u64;
        self.offset += have;
        if have == u64::from(length) {
            return Ok(());
        }
        let (need, have) = (before + u64::from(length), before + have);
        Err(InputError::at(start, Problem::Cut { part, need, have }))
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, InputError> {
        let mut have = 0;
        while let Some(rest) = out.get_mut(have..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) => break,
                Ok(count) => have += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.offset += have as u64;
        Ok(have)
    }

    fn failed(&self, error: io::Error) -> InputError {
        InputError::at(self.offset, Problem::Io(error))
    }
}
