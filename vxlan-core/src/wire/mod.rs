//! Headers as they lie on the wire.
//!
//! Only this module knows byte offsets, and it knows nothing else: no table, no device, no policy.
//! Headers are plain values of big-endian words; outside of them everything is in host order and
//! every length is in bytes.
//!
//! Each header has the same few doors:
//!
//! | function | |
//! |---|---|
//! | `split` | takes the header off the front of a slice; judges the length, nothing else |
//! | `split_mut` | the same, but lends the header in place, to be changed |
//! | `parse` | `split`, and the checks that a receiver makes |
//! | `write` | puts the header in front of a slice and returns what follows it |
//! | `to_bytes` | the header as an array |

mod addresses;
pub mod arp;
mod error;
pub mod ethernet;
pub mod extension;
pub mod gpe;
pub mod icmp;
pub mod icmpv6;
pub mod ipv4;
pub mod ipv6;
pub mod ndisc;
pub mod rco;
pub mod tcp;
pub mod udp;
pub mod vlan;
pub mod vxlan;

pub use addresses::Addresses;
pub use error::{Error, Layer};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// IP protocol numbers (IANA "Protocol Numbers").
pub mod protocol {
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
}

/// Copies a header off the front of `bytes`.
#[inline]
fn split<T: FromBytes>(layer: Layer, bytes: &[u8]) -> Result<(T, &[u8]), Error> {
    T::read_from_prefix(bytes).map_err(|_| Error::Truncated {
        layer,
        need: size_of::<T>(),
        have: bytes.len(),
    })
}

/// Lends the header at the front of `bytes`.
#[inline]
fn split_mut<T>(layer: Layer, bytes: &mut [u8]) -> Result<(&mut T, &mut [u8]), Error>
where
    T: FromBytes + IntoBytes + KnownLayout,
{
    let have = bytes.len();
    T::mut_from_prefix(bytes).map_err(|_| Error::Truncated {
        layer,
        need: size_of::<T>(),
        have,
    })
}

/// Puts a header at the front of `out` and returns what follows it.
#[inline]
fn write<'o, T>(layer: Layer, header: &T, out: &'o mut [u8]) -> Result<&'o mut [u8], Error>
where
    T: IntoBytes + Immutable,
{
    let have = out.len();
    let Some((front, rest)) = out.split_at_mut_checked(size_of::<T>()) else {
        return Err(Error::Truncated {
            layer,
            need: size_of::<T>(),
            have,
        });
    };
    front.copy_from_slice(header.as_bytes());
    Ok(rest)
}
