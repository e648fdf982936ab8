//! How long segments will be, before anything is written.

use core::num::NonZero;

use crate::packet::Gso;
use crate::wire::ethernet::EtherType;

use super::super::layout::Layout;
use super::{LENGTH_MAX, SegmentError};

/// How long the segments of a packet will be, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) longest: usize,
    pub(crate) shortest: usize,
    pub(crate) count: usize,
}

impl Measure {
    /// A packet that stands for itself.
    #[inline]
    pub(crate) const fn of_one(len: usize) -> Self {
        Self {
            longest: len,
            shortest: len,
            count: 1,
        }
    }

    /// The same with headers in front of each segment.
    pub(crate) const fn encapsulated(self, len: usize) -> Result<Self, SegmentError> {
        let longest = self.longest + len;
        if longest > LENGTH_MAX {
            return Err(SegmentError::TooLong { length: longest });
        }
        Ok(Self {
            longest,
            shortest: self.shortest + len,
            count: self.count,
        })
    }
}

/// Measures the segments of an inner frame, which is a `protocol`.
pub(crate) fn measure(
    frame: &[u8],
    protocol: EtherType,
    gso: Gso,
) -> Result<Measure, SegmentError> {
    let layout = Layout::of(frame, protocol)?;
    let size = checked_size(&layout, gso)?;
    let payload = frame.len().saturating_sub(layout.payload);
    // An empty payload makes a segment, too.
    let others = payload.saturating_sub(1) / size;
    let size = size.get();
    Ok(Measure {
        longest: layout.payload + payload.min(size),
        shortest: layout.payload + payload - others * size,
        count: others + 1,
    })
}

/// The payload bytes of a segment.
pub(super) fn checked_size(layout: &Layout, gso: Gso) -> Result<NonZero<usize>, SegmentError> {
    if layout.kind != gso.kind {
        return Err(SegmentError::Kind { found: layout.kind });
    }
    NonZero::new(gso.size.into()).ok_or(SegmentError::ZeroSize)
}
