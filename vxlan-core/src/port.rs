//! UDP source-port ranges.

use core::fmt;

/// The range that outer UDP source ports are taken from.
///
/// As in Linux (`udp_flow_src_port()`) the highest port is never chosen: 50000 to 50001 always
/// gives 50000. A range with equal bounds, 0 to 0 included, stands for the host's ephemeral range.
///
/// ```
/// use vxlan_core::PortRange;
///
/// let range = PortRange::new(49152, 65535).unwrap();
/// assert_eq!(range.pick(0x1234_5678), 53522);
/// assert_eq!(PortRange::new(2, 1), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortRange {
    low: u16,
    high: u16,
}

impl PortRange {
    /// Not set: the host's ephemeral range is used.
    pub const UNSET: Self = Self { low: 0, high: 0 };
    /// The ephemeral range of Linux unless changed: 32768 to 60999.
    pub const EPHEMERAL: Self = Self {
        low: 32768,
        high: 60999,
    };

    /// The range from `low` to `high`, or `None` if `high` is below `low`.
    #[must_use]
    pub const fn new(low: u16, high: u16) -> Option<Self> {
        if high < low {
            None
        } else {
            Some(Self { low, high })
        }
    }

    /// The lowest port.
    #[must_use]
    pub const fn low(self) -> u16 {
        self.low
    }

    /// The bound above the highest port that is chosen.
    #[must_use]
    pub const fn high(self) -> u16 {
        self.high
    }

    /// This range, or `host` if the bounds are equal.
    #[must_use]
    pub const fn or(self, host: Self) -> Self {
        if self.low == self.high { host } else { self }
    }

    /// The port for a flow hash: `low <= port < high` (equal bounds give `low`).
    ///
    /// The hash is mixed as in Linux, so that its upper 16 bits count most.
    #[must_use]
    #[inline]
    pub const fn pick(self, hash: u32) -> u16 {
        let mixed = hash ^ (hash << 16);
        let span = (self.high - self.low) as u64;
        // Below `span`, so it fits 16 bits and the sum stays below `high`.
        self.low + ((mixed as u64 * span) >> 32) as u16
    }
}

impl Default for PortRange {
    fn default() -> Self {
        Self::UNSET
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-13: the worked values of the specification.
    #[test]
    fn t13_pick_as_linux_does() {
        let dynamic = PortRange::new(49152, 65535).unwrap();
        for (range, hash, want) in [
            (PortRange::EPHEMERAL, 0x0000_0001, 32768),
            (PortRange::EPHEMERAL, 0x1234_5678, 40299),
            (PortRange::EPHEMERAL, 0x8000_0000, 46883),
            (PortRange::EPHEMERAL, 0xffff_ffff, 32768),
            (PortRange::EPHEMERAL, 0xb360_ceea, 46612),
            (dynamic, 0x0000_0001, 49152),
            (dynamic, 0x1234_5678, 53522),
            (dynamic, 0x8000_0000, 57343),
            (dynamic, 0xffff_ffff, 49152),
        ] {
            assert_eq!(range.pick(hash), want, "{range}, {hash:#x}");
        }
    }

    #[test]
    fn t13_the_upper_bound_is_never_chosen() {
        let range = PortRange::new(50000, 50001).unwrap();
        for hash in (0..=u32::MAX).step_by(65_537) {
            assert_eq!(range.pick(hash), 50000);
        }
    }

    #[test]
    fn equal_bounds_stand_for_the_host() {
        let equal = PortRange::new(40000, 40000).unwrap();
        assert_eq!(equal.or(PortRange::EPHEMERAL), PortRange::EPHEMERAL);
        assert_eq!(
            PortRange::UNSET.or(PortRange::EPHEMERAL),
            PortRange::EPHEMERAL
        );
        let set = PortRange::new(1, 3).unwrap();
        assert_eq!(set.or(PortRange::EPHEMERAL), set);
    }
}
