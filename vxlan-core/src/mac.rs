//! Ethernet addresses.

use core::fmt;
use core::str::FromStr;

/// A 48-bit Ethernet address.
///
/// ```
/// use vxlan_core::Mac;
///
/// let mac: Mac = "02:42:c0:a8:00:01".parse()?;
/// assert!(mac.is_unicast() && !mac.is_multicast());
/// assert_eq!(mac.to_string(), "02:42:c0:a8:00:01");
/// # Ok::<(), vxlan_core::ParseMacError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl Mac {
    /// The all-zeros address. In the FDB it names the default entry.
    pub const ZERO: Self = Self([0; 6]);
    /// The broadcast address.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The address with these octets, in the order of the wire.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The locally administered address of one station made of these octets, which should be random
    /// (`eth_random_addr()`).
    ///
    /// ```
    /// use vxlan_core::Mac;
    ///
    /// assert_eq!(Mac::local([0xff; 6]).to_string(), "fe:ff:ff:ff:ff:ff");
    /// ```
    #[must_use]
    pub const fn local(random: [u8; 6]) -> Self {
        let [first, b, c, d, e, f] = random;
        Self([first & 0xfe | 0x02, b, c, d, e, f])
    }

    /// The octets in the order of the wire.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Whether the group bit is set. True for broadcast as well.
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        let [first, ..] = self.0;
        first & 1 != 0
    }

    /// Whether all bits are set.
    #[must_use]
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// Whether all bits are clear.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// Whether one station can own this address: neither a group nor all zeros
    /// (`is_valid_ether_addr()` in Linux).
    #[must_use]
    pub fn is_unicast(self) -> bool {
        !self.is_multicast() && !self.is_zero()
    }

    /// The address as a number: the first octet in bits 47 to 40.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl From<[u8; 6]> for Mac {
    fn from(octets: [u8; 6]) -> Self {
        Self(octets)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A text that is no Ethernet address: six pairs of hexadecimal digits with colons were expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseMacError;

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an Ethernet address such as 02:00:00:00:00:01")
    }
}

impl core::error::Error for ParseMacError {}

impl FromStr for Mac {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().ok_or(ParseMacError)?;
            if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(ParseMacError);
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| ParseMacError)?;
        }
        match parts.next() {
            None => Ok(Self(octets)),
            Some(_) => Err(ParseMacError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (name, mac, unicast, multicast) in [
            ("zero", Mac::ZERO, false, false),
            ("broadcast", Mac::BROADCAST, false, true),
            ("group", Mac::new([1, 0, 0x5e, 0, 0, 1]), false, true),
            ("station", Mac::new([2, 0, 0, 0, 0, 1]), true, false),
        ] {
            assert_eq!(mac.is_unicast(), unicast, "{name}");
            assert_eq!(mac.is_multicast(), multicast, "{name}");
        }
    }

    #[test]
    fn text() {
        for (text, want) in [
            ("02:00:00:00:00:01", Ok(Mac::new([2, 0, 0, 0, 0, 1]))),
            ("2:0:0:0:0:1", Ok(Mac::new([2, 0, 0, 0, 0, 1]))),
            ("FF:ff:ff:ff:ff:ff", Ok(Mac::BROADCAST)),
            ("02:00:00:00:00", Err(ParseMacError)),
            ("02:00:00:00:00:01:02", Err(ParseMacError)),
            ("02:00:00:00:00:+1", Err(ParseMacError)),
            ("02:00:00:00:00:001", Err(ParseMacError)),
            ("", Err(ParseMacError)),
        ] {
            assert_eq!(text.parse::<Mac>(), want, "{text}");
        }
    }
}
