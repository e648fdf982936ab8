//! Why bytes are not the header they should be.

use core::fmt;

/// The header that an [`Error`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The Ethernet header.
    Ethernet,
    /// An ARP message.
    Arp,
    /// The IPv4 header.
    Ipv4,
    /// The IPv6 header.
    Ipv6,
    /// A message of neighbour discovery, or an option of it.
    Ndisc,
    /// The TCP header.
    Tcp,
    /// The UDP header.
    Udp,
    /// The VXLAN header.
    Vxlan,
}

impl Layer {
    /// The name in prose, such as `"Ethernet"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ethernet => "Ethernet",
            Self::Arp => "ARP",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Ndisc => "neighbour discovery",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Vxlan => "VXLAN",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Bytes that are not the header they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the header, or before the length that the header states. Also: the
    /// slice to write to is too short.
    Truncated {
        /// The header concerned.
        layer: Layer,
        /// How many bytes it takes, from its start.
        need: usize,
        /// How many there are.
        have: usize,
    },
    /// The version field names another protocol.
    Version {
        /// The header concerned.
        layer: Layer,
        /// The version found.
        version: u8,
    },
    /// A length field is too small to hold what it has to count.
    Length {
        /// The header concerned.
        layer: Layer,
        /// The smallest possible length in bytes.
        least: usize,
        /// The length stated, in bytes.
        stated: usize,
    },
    /// A VXLAN header without the I flag carries no VNI (RFC 7348 section 5).
    MissingVniFlag,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { layer, need, have } => {
                write!(f, "{layer}: {need} bytes needed, {have} there")
            }
            Self::Version { layer, version } => write!(f, "{layer}: version {version}"),
            Self::Length {
                layer,
                least,
                stated,
            } => {
                write!(
                    f,
                    "{layer}: length {stated} stated, at least {least} needed"
                )
            }
            Self::MissingVniFlag => f.write_str("VXLAN: no I flag"),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn texts_name_the_layer_and_the_numbers() {
        let layer = Layer::Ipv4;
        for (error, text) in [
            (
                Error::Truncated {
                    layer,
                    need: 20,
                    have: 3,
                },
                "IPv4: 20 bytes needed, 3 there",
            ),
            (Error::Version { layer, version: 6 }, "IPv4: version 6"),
            (
                Error::Length {
                    layer,
                    least: 20,
                    stated: 16,
                },
                "IPv4: length 16 stated, at least 20 needed",
            ),
            (Error::MissingVniFlag, "VXLAN: no I flag"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
