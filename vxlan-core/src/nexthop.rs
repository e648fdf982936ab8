//! Nexthop groups: several ways to one place, each flow taking one of them.
//!
//! The objects themselves are the caller's, as routes are. An entry of the forwarding database may
//! name a group by its number ([`fdb::Destination::Nexthop`](crate::fdb::Destination)); a frame for
//! it comes out of [`Device::transmit`](crate::Device::transmit) with that number, and
//! [`Device::remote_in`](crate::Device::remote_in) makes a remote of the group.

use core::net::IpAddr;
use core::num::NonZeroU16;

use crate::fdb::NexthopError;

/// One member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The remote VTEP.
    pub gateway: IpAddr,
    /// Its share of the flows, in proportion to the others'. Linux has 1 to 65,535, before
    /// 6.12 1 to 256.
    pub weight: NonZeroU16,
}

impl Path {
    /// A path of weight one.
    #[must_use]
    pub const fn new(gateway: IpAddr) -> Self {
        Self {
            gateway,
            weight: NonZeroU16::MIN,
        }
    }
}

/// A group of nexthops for forwarding databases (`struct nh_group` with `fdb_nh`).
///
/// ```
/// use vxlan_core::nexthop::{Group, Path};
///
/// let paths = [Path::new([192, 0, 2, 1].into()), Path::new([192, 0, 2, 2].into())];
/// let group = Group(&paths);
/// assert_eq!(group.choose(0), Some(&paths[0]));
/// assert_eq!(group.choose(u32::MAX), Some(&paths[1]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'a>(pub &'a [Path]);

impl<'a> Group<'a> {
    /// Whether the entries of a device of this IP version may name the group: one of IPv4 needs a
    /// group with an IPv4 path, one of IPv6 a group without (`vxlan_fdb_nh_update()`).
    ///
    /// # Errors
    /// [`NexthopError::Family`].
    pub fn validity(self, ipv6: bool) -> Result<(), NexthopError> {
        let has_ipv4 = self.0.iter().any(|path| path.gateway.is_ipv4());
        if has_ipv4 == ipv6 {
            return Err(NexthopError::Family);
        }
        Ok(())
    }

    /// The path of the flow with this hash, `None` if there are none. See [`choose`].
    #[must_use]
    pub fn choose(self, flow_hash: u32) -> Option<&'a Path> {
        let weights = self.0.iter().map(|path| path.weight.get());
        self.0.get(choose(weights, flow_hash)?)
    }
}

/// The number of the path that the flow with this hash takes among paths of these weights; `None`
/// if there are none (`nexthop_select_path()` of a hash-threshold group).
///
/// The upper 31 bits of the hash choose: each path takes a stretch of them in proportion to its
/// weight, in the order of the list; one of weight zero takes none. When a path comes or goes only
/// flows next to the borders move (RFC 2992).
#[must_use]
pub fn choose(weights: impl Iterator<Item = u16> + Clone, flow_hash: u32) -> Option<usize> {
    let add = |sum: u32, weight: u16| sum.saturating_add(weight.into());
    let total = weights.clone().fold(0, add);
    if total == 0 {
        return None;
    }
    let hash = u64::from(flow_hash >> 1);
    let mut sum = 0;
    for (at, weight) in weights.enumerate() {
        sum = add(sum, weight);
        // The border is round(sum * 2^31 / total); multiplied out, so that nothing is divided. The
        // last one is 2^31, above every hash.
        let border = (u64::from(sum) << 31) + u64::from(total / 2);
        if (hash + 1) * u64::from(total) <= border {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;

    fn paths(weights: &[u16]) -> Vec<Path> {
        let path = |(at, weight): (usize, &u16)| Path {
            gateway: IpAddr::V4(core::net::Ipv4Addr::from_bits(at as u32)),
            weight: NonZeroU16::new(*weight).unwrap(),
        };
        weights.iter().enumerate().map(path).collect()
    }

    fn position(paths: &[Path], hash: u32) -> Option<usize> {
        let chosen = Group(paths).choose(hash)?;
        paths.iter().position(|path| path == chosen)
    }

    proptest! {
        /// F-01 (CVE-2023-53192): in range for up to 256 paths, any weights and any hash, and as
        /// the rounded borders say.
        #[test]
        fn f01_always_in_range(
            weights in prop::collection::vec(1u16.., 1..=256),
            hashes in prop::collection::vec(any::<u32>(), 16),
        ) {
            let paths = paths(&weights);
            let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
            let border = |at: usize| {
                let sum: u128 = weights[..=at].iter().map(|weight| u128::from(*weight)).sum();
                ((sum << 31) + total / 2) / total
            };
            for hash in hashes.into_iter().chain([0, 1, 1 << 31, u32::MAX - 1, u32::MAX]) {
                let want = (0..weights.len()).find(|at| u128::from(hash >> 1) < border(*at));
                prop_assert!(want.is_some());
                prop_assert_eq!(position(&paths, hash), want);
            }
        }
    }

    /// F-01: shares in proportion to the weights.
    #[test]
    fn f01_shares() {
        let paths = paths(&[1, 2, 1]);
        let mut shares = [0u32; 3];
        for step in 0..4096u32 {
            shares[position(&paths, step << 20 | 0xf_ffff).unwrap()] += 1;
        }
        assert_eq!(shares, [1024, 2048, 1024]);
    }

    /// F-01: sums beyond any real group saturate, and the choice stays in range.
    #[test]
    fn f01_beyond_all_bounds() {
        let paths = paths(&[u16::MAX; 70_000]);
        for hash in [0, u32::MAX] {
            assert!(Group(&paths).choose(hash).is_some());
        }
        assert_eq!(Group(&[]).choose(7), None);
        assert_eq!(choose([0, 0].into_iter(), 7), None);
        assert_eq!(choose([0, 1, 0].into_iter(), u32::MAX), Some(1));
        assert_eq!(choose([0, 1, 0].into_iter(), 0), Some(1));
    }

    /// F-01: an IPv4 device needs an IPv4 path, an IPv6 device must have none.
    #[test]
    fn f01_families() {
        let v4 = Path::new([192, 0, 2, 1].into());
        let v6 = Path::new([0xfd; 16].into());
        for (paths, for_v4, for_v6) in [
            (&[v4][..], Ok(()), Err(NexthopError::Family)),
            (&[v6], Err(NexthopError::Family), Ok(())),
            (&[v6, v4], Ok(()), Err(NexthopError::Family)),
            (&[], Err(NexthopError::Family), Ok(())),
        ] {
            assert_eq!(Group(paths).validity(false), for_v4);
            assert_eq!(Group(paths).validity(true), for_v6);
        }
    }
}
