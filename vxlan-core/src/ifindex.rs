//! Interface numbers.

use core::fmt;
use core::num::NonZeroU32;

/// The number of a network interface. Never zero: "no interface" is `None`.
///
/// ```
/// use vxlan_core::IfIndex;
///
/// assert_eq!(IfIndex::new(10).map(IfIndex::get), Some(10));
/// assert_eq!(IfIndex::new(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(NonZeroU32);

impl IfIndex {
    /// The loopback interface of a Linux host.
    pub const LOOPBACK: Self = Self(NonZeroU32::MIN);

    /// The interface `index`, or `None` for zero.
    #[must_use]
    pub const fn new(index: u32) -> Option<Self> {
        match NonZeroU32::new(index) {
            Some(index) => Some(Self(index)),
            None => None,
        }
    }

    /// The interface as a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
