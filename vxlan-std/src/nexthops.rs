//! Nexthop objects: gateways by number, and groups of them that entries of a forwarding database
//! can point to.

use core::fmt;
use core::net::IpAddr;
use core::num::NonZeroU32;
use std::collections::BTreeMap;

use vxlan_core::fdb::{NexthopError, NexthopId};
use vxlan_core::nexthop;

/// The highest weight of a path: one byte on the wire, counted from one.
pub const WEIGHT_MAX: u16 = 256;

/// The nexthop objects of a network namespace, as far as forwarding databases use them (`ip
/// nexthop … fdb`).
///
/// ```
/// use vxlan_core::fdb::NexthopId;
/// use vxlan_std::nexthops::{Leg, Nexthop, Nexthops};
///
/// let mut nexthops = Nexthops::default();
/// let one = nexthops.add(None, Nexthop::Gateway("192.0.2.3".parse()?))?;
/// let ten = NexthopId::new(10);
/// let group = nexthops.add(ten, Nexthop::Group(vec![Leg { id: one, weight: 1 }]))?;
/// assert_eq!(nexthops.path(group, 12345), Some("192.0.2.3".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nexthops {
    objects: BTreeMap<NexthopId, Nexthop>,
}

/// A nexthop object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nexthop {
    /// A remote by its address.
    Gateway(IpAddr),
    /// Several of those, each with its share. Never empty in a table.
    Group(Vec<Leg>),
}

/// A path of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leg {
    /// The gateway's object.
    pub id: NexthopId,
    /// Its share, 1 to [`WEIGHT_MAX`].
    pub weight: u16,
}

/// Why a change of the nexthop objects is refused. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NexthopsError {
    /// The number is taken.
    Exists,
    /// There is no such object.
    NotFound,
    /// No number is left.
    NoId,
    /// A group without paths.
    Empty,
    /// A group names an object twice.
    Twice,
    /// A group names an object that is not there.
    UnknownLeg,
    /// A group in a group.
    Nested,
    /// Paths of both address families in a group.
    MixedFamilies,
    /// A weight of zero or beyond [`WEIGHT_MAX`].
    Weight,
    /// A gateway in place of a group.
    GatewayForGroup,
    /// A group in place of a gateway.
    GroupForGateway,
}

impl Nexthops {
    /// Adds an object; without a number it takes the lowest that is free.
    ///
    /// # Errors
    /// A [`NexthopsError`].
    pub fn add(
        &mut self,
        id: Option<NexthopId>,
        nexthop: Nexthop,
    ) -> Result<NexthopId, NexthopsError> {
        if id.is_some_and(|id| self.objects.contains_key(&id)) {
            return Err(NexthopsError::Exists);
        }
        self.check(&nexthop)?;
        let id = match id {
            Some(id) => id,
            None => self.free().ok_or(NexthopsError::NoId)?,
        };
        self.objects.insert(id, nexthop);
        Ok(id)
    }

    /// Puts an object in the place of one of its kind, or adds it.
    ///
    /// # Errors
    /// A [`NexthopsError`].
    pub fn replace(&mut self, id: NexthopId, nexthop: Nexthop) -> Result<(), NexthopsError> {
        self.check(&nexthop)?;
        match (self.objects.get(&id), &nexthop) {
            (Some(Nexthop::Group(_)), Nexthop::Gateway(_)) => {
                return Err(NexthopsError::GatewayForGroup);
            }
            (Some(Nexthop::Gateway(_)), Nexthop::Group(_)) => {
                return Err(NexthopsError::GroupForGateway);
            }
            _ => {}
        }
        self.objects.insert(id, nexthop);
        Ok(())
    }

    /// Removes an object. It leaves its groups, and those that are empty then go, too. Returns all
    /// that is gone: entries that point there have to be flushed
    /// ([`Filter::nexthop`](vxlan_core::fdb::Filter)), which Linux does without a word.
    ///
    /// # Errors
    /// [`NexthopsError::NotFound`].
    pub fn remove(&mut self, id: NexthopId) -> Result<Vec<NexthopId>, NexthopsError> {
        self.objects.remove(&id).ok_or(NexthopsError::NotFound)?;
        let (removed, mut gone) = (id, vec![id]);
        self.objects.retain(|id, nexthop| {
            let Nexthop::Group(legs) = nexthop else {
                return true;
            };
            legs.retain(|leg| leg.id != removed);
            if legs.is_empty() {
                gone.push(*id);
            }
            !legs.is_empty()
        });
        Ok(gone)
    }

    /// The object of this number.
    #[must_use]
    pub fn get(&self, id: NexthopId) -> Option<&Nexthop> {
        self.objects.get(&id)
    }

    /// All objects, by their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (NexthopId, &Nexthop)> {
        self.objects.iter().map(|(id, nexthop)| (*id, nexthop))
    }

    /// Whether an entry of a device may point to `id` (`vxlan_fdb_nh_update()`).
    ///
    /// # Errors
    /// What the table answers then.
    pub fn usable(&self, id: NexthopId, ipv6: bool) -> Result<(), NexthopError> {
        match self.objects.get(&id) {
            None => Err(NexthopError::Unknown),
            Some(Nexthop::Gateway(_)) => Err(NexthopError::NotGroup),
            Some(Nexthop::Group(legs)) if self.has_ipv4(legs) == ipv6 => Err(NexthopError::Family),
            Some(Nexthop::Group(_)) => Ok(()),
        }
    }

    /// The gateway that the group `id` has for a flow, by its hash (`nexthop_path_fdb_result()`,
    /// [`nexthop::choose`]).
    #[must_use]
    pub fn path(&self, id: NexthopId, hash: u32) -> Option<IpAddr> {
        let Nexthop::Group(legs) = self.objects.get(&id)? else {
            return None;
        };
        let chosen = nexthop::choose(legs.iter().map(|leg| leg.weight), hash)?;
        match self.objects.get(&legs.get(chosen)?.id)? {
            Nexthop::Gateway(gateway) => Some(*gateway),
            Nexthop::Group(_) => None,
        }
    }

    /// Whether the objects allow `nexthop` beside them.
    fn check(&self, nexthop: &Nexthop) -> Result<(), NexthopsError> {
        let Nexthop::Group(legs) = nexthop else {
            return Ok(());
        };
        let first = legs.first().ok_or(NexthopsError::Empty)?;
        for (at, leg) in legs.iter().enumerate() {
            if !(1..=WEIGHT_MAX).contains(&leg.weight) {
                return Err(NexthopsError::Weight);
            }
            if legs.iter().take(at).any(|other| other.id == leg.id) {
                return Err(NexthopsError::Twice);
            }
        }
        let family = |leg: &Leg| match self.objects.get(&leg.id) {
            None => Err(NexthopsError::UnknownLeg),
            Some(Nexthop::Group(_)) => Err(NexthopsError::Nested),
            Some(Nexthop::Gateway(gateway)) => Ok(gateway.is_ipv6()),
        };
        let want = family(first)?;
        for leg in legs {
            if family(leg)? != want {
                return Err(NexthopsError::MixedFamilies);
            }
        }
        Ok(())
    }

    /// Whether one of the paths is an IPv4 one (`nh_group->has_v4`). Gateways may change their
    /// family under a group.
    fn has_ipv4(&self, legs: &[Leg]) -> bool {
        legs.iter().any(|leg| {
            matches!(self.objects.get(&leg.id), Some(Nexthop::Gateway(gateway)) if gateway.is_ipv4())
        })
    }

    fn free(&self) -> Option<NexthopId> {
        let mut free = NonZeroU32::MIN;
        for id in self.objects.keys() {
            if id.get() != free.get() {
                break;
            }
            free = free.checked_add(1)?;
        }
        NexthopId::new(free.get())
    }
}

impl NexthopsError {
    /// The kernel's error number.
    #[must_use]
    pub const fn errno(self) -> i32 {
        const ENOENT: i32 = 2;
        const EEXIST: i32 = 17;
        const EINVAL: i32 = 22;
        const ENOSPC: i32 = 28;
        match self {
            Self::Exists => EEXIST,
            Self::NotFound => ENOENT,
            Self::NoId => ENOSPC,
            _ => EINVAL,
        }
    }

    /// The kernel's text, if it has one.
    #[must_use]
    pub const fn message(self) -> Option<&'static str> {
        match self {
            Self::Exists | Self::NotFound | Self::NoId => None,
            Self::Empty => Some("Invalid length for nexthop group attribute"),
            Self::Twice => Some("Nexthop id can not be used twice in a group"),
            Self::UnknownLeg => Some("Invalid nexthop id"),
            Self::Nested => Some("Hash-threshold group can not be a nexthop within a group"),
            Self::MixedFamilies => Some("FDB nexthop group cannot have mixed family nexthops"),
            Self::Weight => Some("Invalid value for weight"),
            Self::GatewayForGroup => Some("Can not replace a nexthop group with a nexthop"),
            Self::GroupForGateway => Some("Can not replace a nexthop with a nexthop group"),
        }
    }
}

impl fmt::Display for NexthopsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exists => "the nexthop exists",
            Self::NotFound => "no such nexthop",
            Self::NoId => "no nexthop number is free",
            other => other.message().unwrap_or("refused"),
        })
    }
}

impl core::error::Error for NexthopsError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u32) -> NexthopId {
        NexthopId::new(number).unwrap()
    }

    fn gateway(last: u8) -> Nexthop {
        Nexthop::Gateway([192, 0, 2, last].into())
    }

    fn group(legs: &[(u32, u16)]) -> Nexthop {
        let leg = |(number, weight): &(u32, u16)| Leg {
            id: id(*number),
            weight: *weight,
        };
        Nexthop::Group(legs.iter().map(leg).collect())
    }

    fn some() -> Nexthops {
        let mut nexthops = Nexthops::default();
        nexthops.add(Some(id(1)), gateway(3)).unwrap();
        nexthops.add(Some(id(2)), gateway(4)).unwrap();
        let six = Nexthop::Gateway("2001:db8::3".parse().unwrap());
        nexthops.add(Some(id(3)), six).unwrap();
        nexthops
            .add(Some(id(10)), group(&[(1, 1), (2, 1)]))
            .unwrap();
        nexthops
            .add(Some(id(11)), group(&[(1, 3), (2, 2)]))
            .unwrap();
        nexthops.add(Some(id(14)), group(&[(3, 1)])).unwrap();
        nexthops
    }

    /// As `ip nexthop` of iproute2 6.1 told what Linux 6.18 answers.
    #[test]
    fn what_linux_refuses() {
        let before = some();
        for (number, nexthop, want) in [
            (1, gateway(5), NexthopsError::Exists),
            (12, group(&[(1, 1), (3, 1)]), NexthopsError::MixedFamilies),
            (13, group(&[(1, 1), (9, 1)]), NexthopsError::UnknownLeg),
            (20, group(&[(1, 1), (1, 1)]), NexthopsError::Twice),
            (20, group(&[(10, 1)]), NexthopsError::Nested),
            (20, group(&[(1, 0)]), NexthopsError::Weight),
            (20, group(&[(1, 257)]), NexthopsError::Weight),
            (20, group(&[]), NexthopsError::Empty),
        ] {
            let mut nexthops = some();
            assert_eq!(nexthops.add(Some(id(number)), nexthop), Err(want));
            assert_eq!(nexthops, before);
        }
        for (number, nexthop, want) in [
            (10, gateway(9), NexthopsError::GatewayForGroup),
            (1, group(&[(2, 1)]), NexthopsError::GroupForGateway),
        ] {
            let mut nexthops = some();
            assert_eq!(nexthops.replace(id(number), nexthop), Err(want));
            assert_eq!(nexthops, before);
        }
        assert_eq!(some().remove(id(99)), Err(NexthopsError::NotFound));
    }

    #[test]
    fn a_member_that_goes_leaves_its_groups() {
        let mut nexthops = some();
        nexthops.replace(id(10), group(&[(2, 1)])).unwrap();
        assert_eq!(nexthops.remove(id(2)), Ok(vec![id(2), id(10)]));
        let left: Vec<u32> = nexthops.iter().map(|(id, _)| id.get()).collect();
        assert_eq!(left, [1, 3, 11, 14]);
        assert_eq!(nexthops.get(id(11)), Some(&group(&[(1, 3)])));
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let mut nexthops = some();
        assert_eq!(nexthops.add(None, gateway(9)), Ok(id(4)));
        assert_eq!(nexthops.add(None, gateway(9)), Ok(id(5)));
        nexthops.remove(id(1)).unwrap();
        assert_eq!(nexthops.add(None, gateway(9)), Ok(id(1)));
    }

    #[test]
    fn who_may_point_where() {
        let nexthops = some();
        for (number, ipv6, want) in [
            (10, false, Ok(())),
            (14, true, Ok(())),
            (10, true, Err(NexthopError::Family)),
            (14, false, Err(NexthopError::Family)),
            (1, false, Err(NexthopError::NotGroup)),
            (9, false, Err(NexthopError::Unknown)),
        ] {
            assert_eq!(nexthops.usable(id(number), ipv6), want, "{number} {ipv6}");
        }
    }

    #[test]
    fn shares_follow_the_weights() {
        let nexthops = some();
        let to = |number: u32, hash: u32| nexthops.path(id(number), hash);
        let (three, four) = (Some([192, 0, 2, 3].into()), Some([192, 0, 2, 4].into()));
        for (hash, want) in [
            (0, three),
            (0x7fff_ffff, three),
            (0x8000_0000, four),
            (u32::MAX, four),
        ] {
            assert_eq!(to(10, hash), want, "{hash:#x}");
        }
        let first = (0..1000u32)
            .filter(|n| to(11, n * (u32::MAX / 1000)) == three)
            .count();
        assert!((599..=601).contains(&first), "{first}");
        assert_eq!((to(1, 0), to(9, 0)), (None, None));
    }

    proptest! {
        /// Lesson of CVE-2023-53192: whatever the weights and the hash, some path is chosen, and
        /// each in its share.
        #[test]
        fn lesson_a_path_for_every_hash(
            weights in proptest::collection::vec(1..=WEIGHT_MAX, 1..=256),
            hash in any::<u32>(),
        ) {
            let mut nexthops = Nexthops::default();
            let mut legs = Vec::new();
            for (at, weight) in (0u32..).zip(&weights) {
                let address = core::net::Ipv4Addr::from_bits(at).into();
                let id = nexthops.add(None, Nexthop::Gateway(address)).unwrap();
                legs.push(Leg { id, weight: *weight });
            }
            let group = nexthops.add(None, Nexthop::Group(legs)).unwrap();
            let chosen = nexthops.path(group, hash).unwrap();
            let at = (0..weights.len() as u32)
                .find(|at| IpAddr::from(core::net::Ipv4Addr::from_bits(*at)) == chosen)
                .unwrap() as usize;
            let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
            let before: f64 = weights[..at].iter().map(|weight| f64::from(*weight)).sum();
            let share = f64::from(hash >> 1) / f64::from(1u32 << 31) * total;
            prop_assert!(share >= before - 1e-3, "{share} {before}");
            prop_assert!(share <= before + f64::from(weights[at]) + 1e-3);
        }
    }
}
