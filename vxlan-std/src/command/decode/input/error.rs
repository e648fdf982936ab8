//! What is wrong with a file.

use core::fmt;
use std::io;

/// A file that cannot be read on, and where.
#[derive(Debug)]
pub(crate) struct InputError {
    /// The place in the file, in bytes.
    pub(crate) offset: u64,
    problem: Problem,
}

/// What is wrong there.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The file could not be opened or read.
    Io(io::Error),
    /// No byte at all.
    Empty,
    /// Neither pcap nor pcapng.
    NotACapture,
    /// The file ends within this part.
    Cut {
        /// What ends early.
        part: &'static str,
        /// How many bytes belong there.
        need: u64,
        /// How many there are.
        have: u64,
    },
    /// A length that cannot be.
    BadLength {
        /// What has it.
        part: &'static str,
        /// The length, in bytes.
        length: u32,
    },
    /// A pcapng section with an unknown byte order mark.
    ByteOrder,
    /// A packet of an interface that the section does not describe.
    NoInterface(u32),
}

impl InputError {
    pub(super) fn at(offset: u64, problem: Problem) -> Self {
        Self { offset, problem }
    }
}

impl From<io::Error> for InputError {
    fn from(error: io::Error) -> Self {
        Self::at(0, Problem::Io(error))
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            // Not opened at all, as a rule: there is no place to name.
            Problem::Io(_) if self.offset == 0 => {}
            _ => write!(f, "byte {}: ", self.offset)?,
        }
        match &self.problem {
            Problem::Io(error) => write!(f, "{error}"),
            Problem::Empty => f.write_str("the file is empty"),
            Problem::NotACapture => f.write_str("neither a pcap nor a pcapng file"),
            Problem::Cut { part, need, have } => {
                write!(
                    f,
                    "the file ends within a {part}: {have} of {need} bytes are there"
                )
            }
            Problem::BadLength { part, length } => {
                write!(f, "a {part} cannot be {length} bytes long")
            }
            Problem::ByteOrder => f.write_str("the section has no known byte order"),
            Problem::NoInterface(number) => {
                write!(
                    f,
                    "a packet of interface {number}, which the section does not describe"
                )
            }
        }
    }
}
