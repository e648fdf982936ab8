//! The VXLAN network identifier.

use core::fmt;

/// A VXLAN network identifier: 24 bits, 0 to 16,777,215.
///
/// RFC 7348 section 5 gives it 24 bits. Linux 6.18 allows every value, zero included; the driver
/// of Linux 4.2 refused the highest one ([`Compat`](crate::Compat) knows).
///
/// ```
/// use vxlan_core::Vni;
///
/// assert_eq!(Vni::new(42).map(Vni::get), Some(42));
/// assert_eq!(Vni::new(1 << 24), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vni(u32);

impl Vni {
    /// The lowest VNI, 0.
    pub const MIN: Self = Self(0);
    /// The highest VNI, 16,777,215.
    pub const MAX: Self = Self(0x00ff_ffff);

    /// The VNI `value`, or `None` if it needs more than 24 bits.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        if value <= Self::MAX.0 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The low 24 bits of `value`: what remains of a wider number in a VXLAN header.
    #[must_use]
    pub const fn truncate(value: u32) -> Self {
        Self(value & Self::MAX.0)
    }

    /// The VNI as a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<Vni> for u32 {
    fn from(vni: Vni) -> Self {
        vni.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_24_bits_and_no_more() {
        for (value, want) in [
            (0, Some(Vni::MIN)),
            (0x00ff_ffff, Some(Vni::MAX)),
            (0x0100_0000, None),
            (u32::MAX, None),
        ] {
            assert_eq!(Vni::new(value), want, "{value:#x}");
        }
        assert_eq!(Vni::truncate(0x0100_002a).get(), 42);
    }
}
