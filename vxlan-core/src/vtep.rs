//! One UDP port: which device is a VNI for?

use core::fmt;

use crate::device::parse_header;
use crate::{DropReason, IfIndex, Vni};

/// The devices behind one UDP socket, by VNI (`struct vxlan_sock`).
///
/// `S` is where the list lives: an array, a slice of the caller's, a `Vec`. The device itself
/// stays with the caller; the list knows it by a number of the caller's choice.
///
/// ```
/// use vxlan_core::{Vni, Vtep, vtep::Member};
///
/// let blue = Vni::new(42).ok_or("a VNI has 24 bits")?;
/// let mut vtep = Vtep::new([Member::EMPTY; 4]);
/// vtep.attach(blue, None, 0)?;
/// assert_eq!(vtep.find(blue, None), Some(0));
/// assert_eq!(vtep.find(Vni::MAX, None), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Vtep<S> {
    members: S,
    len: usize,
    external: bool,
}

/// A place in the list of a [`Vtep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    vni: Vni,
    link: Option<IfIndex>,
    device: usize,
}

impl Member {
    /// A place that nobody has taken.
    pub const EMPTY: Self = Self {
        vni: Vni::MIN,
        link: None,
        device: 0,
    };
}

/// The list of a [`Vtep`] has no place left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Full {
    /// How many places there are.
    pub capacity: usize,
}

impl Full {
    /// None is left of so many.
    pub(crate) const fn of(capacity: usize) -> Self {
        Self { capacity }
    }
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all {} places of the VNI list are taken", self.capacity)
    }
}

impl core::error::Error for Full {}

impl<S: AsRef<[Member]> + AsMut<[Member]>> Vtep<S> {
    /// A list with as many places as `members` has.
    #[must_use]
    pub fn new(members: S) -> Self {
        Self {
            members,
            len: 0,
            external: false,
        }
    }

    /// The same for a socket of devices in external mode without a VNI filter: every packet is for
    /// the device with VNI 0, whatever its own VNI.
    #[must_use]
    pub fn external(mut self) -> Self {
        self.external = true;
        self
    }

    /// Lets `device` receive what comes for `vni` (`vxlan_vs_add_dev()`).
    ///
    /// `link` restricts it to packets that arrived on that interface, as Linux does for devices
    /// with a link-local address. Of several devices that fit, the one attached last receives.
    ///
    /// # Errors
    /// [`Full`] without a free place.
    pub fn attach(&mut self, vni: Vni, link: Option<IfIndex>, device: usize) -> Result<(), Full> {
        let capacity = self.members.as_ref().len();
        let place = self.taken().partition_point(|member| member.vni < vni);
        let room = self
            .members
            .as_mut()
            .get_mut(place..=self.len)
            .ok_or(Full { capacity })?;
        // Sorted by VNI, the newest first within one: the last place of `room` is free.
        room.rotate_right(1);
        if let Some(first) = room.first_mut() {
            *first = Member { vni, link, device };
        }
        self.len += 1;
        Ok(())
    }

    /// Takes `device` off the list, with all its VNIs (`vxlan_vs_del_dev()`).
    pub fn detach(&mut self, device: usize) {
        let members = self.members.as_mut();
        let mut kept = 0;
        for at in 0..self.len {
            let Some(member) = members.get(at).copied() else {
                break;
            };
            if member.device != device
                && let Some(place) = members.get_mut(kept)
            {
                *place = member;
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// No longer lets `device` receive what comes for `vni`: one VNI of several has left its filter
    /// (`vxlan_vs_del_vnigrp()` for one).
    pub fn detach_vni(&mut self, vni: Vni, device: usize) {
        let mut at = self.taken().partition_point(|member| member.vni < vni);
        while let Some(member) = self.taken().get(at).filter(|member| member.vni == vni) {
            if member.device != device {
                at += 1;
            } else if let Some(tail) = self.members.as_mut().get_mut(at..self.len) {
                tail.rotate_left(1);
                self.len -= 1;
            } else {
                break;
            }
        }
    }

    /// Restricts `device` to packets that arrived on `link`, or lifts that, in all its places: what became of [`Valid::arrival`](crate::device::Valid::arrival) by a change of the
    /// configuration. Who receives before whom stays.
    pub fn restrict(&mut self, device: usize, link: Option<IfIndex>) {
        let taken = self.members.as_mut().get_mut(..self.len);
        for member in taken.unwrap_or_default() {
            if member.device == device {
                member.link = link;
            }
        }
    }

    /// How many places are taken.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no device is attached.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether all places are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.len == self.members.as_ref().len()
    }

    /// The device for a VNI, for a packet that arrived on `arrival` (`vxlan_vs_find_vni()`).
    #[must_use]
    #[inline]
    pub fn find(&self, vni: Vni, arrival: Option<IfIndex>) -> Option<usize> {
        let vni = if self.external { Vni::MIN } else { vni };
        let taken = self.taken();
        let place = taken.partition_point(|member| member.vni < vni);
        taken
            .get(place..)?
            .iter()
            .take_while(|member| member.vni == vni)
            .find(|member| member.link.is_none() || member.link == arrival)
            .map(|member| member.device)
    }

    /// The device that a UDP payload is for.
    ///
    /// # Errors
    /// The reason to drop it, in the order of `vxlan_rcv()`: too short for a header, I flag clear,
    /// no device for the VNI.
    #[inline]
    pub fn demultiplex(
        &self,
        payload: &[u8],
        arrival: Option<IfIndex>,
    ) -> Result<usize, DropReason> {
        let (header, _) = parse_header(payload)?;
        self.find(header.vni(), arrival)
            .ok_or(DropReason::VniNotFound)
    }

    /// Where the list lives, to be given more places at its end.
    pub(crate) const fn storage_mut(&mut self) -> &mut S {
        &mut self.members
    }

    fn taken(&self) -> &[Member] {
        self.members.as_ref().get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vni(value: u32) -> Vni {
        Vni::new(value).unwrap()
    }

    /// R-08: by VNI; reasons in the kernel's order.
    #[test]
    fn r08_demultiplex() {
        let mut vtep = Vtep::new([Member::EMPTY; 2]);
        vtep.attach(vni(42), None, 7).unwrap();
        for (name, payload, want) in [
            ("ours", &[8, 0, 0, 0, 0, 0, 42, 0][..], Ok(7)),
            (
                "low byte is no part of it",
                &[8, 0, 0, 0, 0, 0, 42, 9],
                Ok(7),
            ),
            ("short", &[8; 7], Err(DropReason::PacketTooSmall)),
            (
                "no I flag",
                &[0xf7, 0, 0, 0, 0, 0, 42, 0],
                Err(DropReason::InvalidHeader),
            ),
            (
                "other",
                &[8, 0, 0, 0, 0, 42, 0, 0],
                Err(DropReason::VniNotFound),
            ),
        ] {
            assert_eq!(vtep.demultiplex(payload, None), want, "{name}");
        }
    }

    #[test]
    fn the_newest_that_fits_the_interface_receives() {
        let (eth, other) = (IfIndex::new(10), IfIndex::new(12));
        let mut vtep = Vtep::new([Member::EMPTY; 4]);
        vtep.attach(vni(1), None, 0).unwrap();
        vtep.attach(vni(1), eth, 1).unwrap();
        assert_eq!(vtep.find(vni(1), eth), Some(1));
        assert_eq!(vtep.find(vni(1), other), Some(0));
        vtep.attach(vni(1), None, 2).unwrap();
        assert_eq!(vtep.find(vni(1), eth), Some(2));
        vtep.restrict(2, other);
        assert_eq!(vtep.find(vni(1), eth), Some(1));
        vtep.restrict(1, None);
        assert_eq!(vtep.find(vni(1), None), Some(1));
        assert_eq!(vtep.find(vni(1), other), Some(2));
    }

    #[test]
    fn full_is_an_error_and_changes_nothing() {
        let mut vtep = Vtep::new([Member::EMPTY; 1]);
        vtep.attach(vni(5), None, 0).unwrap();
        assert_eq!(vtep.attach(vni(4), None, 1), Err(Full { capacity: 1 }));
        assert_eq!(
            (vtep.find(vni(5), None), vtep.find(vni(4), None)),
            (Some(0), None)
        );
    }

    proptest! {
        /// A plain list of pairs tells the same story.
        #[test]
        fn r08_like_a_map(steps in proptest::collection::vec((0u32..6, 0usize..6, 0u8..3), 0..40)) {
            let mut vtep = Vtep::new([Member::EMPTY; 16]);
            let mut model: Vec<(u32, usize)> = Vec::new();
            for (id, device, act) in steps {
                if act == 2 {
                    vtep.detach_vni(vni(id), device);
                    model.retain(|member| *member != (id, device));
                } else if act == 1 {
                    vtep.detach(device);
                    model.retain(|(_, d)| *d != device);
                } else if vtep.attach(vni(id), None, device).is_ok() {
                    model.push((id, device));
                } else {
                    prop_assert_eq!(model.len(), 16);
                }
                prop_assert_eq!(vtep.len(), model.len());
                for id in 0..6 {
                    let want = model.iter().rev().find(|(v, _)| *v == id).map(|(_, d)| *d);
                    prop_assert_eq!(vtep.find(vni(id), None), want);
                }
            }
        }
    }
    extern crate std;
    use std::vec::Vec;
}
