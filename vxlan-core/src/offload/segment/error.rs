//! Why a frame cannot be cut.

use core::fmt;

use crate::packet::GsoKind;
use crate::wire::Error;

/// A frame that cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SegmentError {
    /// A header is cut off or contradicts itself.
    Malformed(Error),
    /// Not TCP or UDP over IP, seen through VLAN tags, IPv6 hop-by-hop and destination options.
    Protocol,
    /// It is a fragment, so its payload begins elsewhere.
    Fragment,
    /// The frame is something else than was stated.
    Kind {
        /// What the frame is.
        found: GsoKind,
    },
    /// Segments without payload would never come to an end.
    ZeroSize,
    /// A segment would be longer than its length fields can say.
    TooLong {
        /// The length of the segment in bytes.
        length: usize,
    },
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Malformed(error) => error.fmt(f),
            Self::Protocol => f.write_str("neither TCP nor UDP over IP"),
            Self::Fragment => f.write_str("a fragment"),
            Self::Kind { found } => write!(f, "the frame is {found:?}"),
            Self::ZeroSize => f.write_str("segments of no bytes"),
            Self::TooLong { length } => write!(f, "a segment of {length} bytes"),
        }
    }
}

impl core::error::Error for SegmentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for SegmentError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}
