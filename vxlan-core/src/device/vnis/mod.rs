//! The VNI filter of a device: which networks it receives, and what each has of its own.

mod count;
#[cfg(test)]
mod tests;

use core::net::IpAddr;
use core::ops::RangeInclusive;

use super::Group;
use super::config::Valid;
use crate::fdb::{Key, Mode, Remote, Storage, Update};
use crate::vni_filter::{Error, Event as VniEvent, Request, Vnis, VnisMut};
use crate::{Device, Event, Instant, Mac};

/// What a change of one VNI asks of the caller, to be done in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VniChanged {
    /// Let the device receive the VNI on its sockets ([`Vtep::attach`](crate::Vtep::attach)).
    pub attach: bool,
    /// No longer let it ([`Vtep::detach_vni`](crate::Vtep::detach_vni)).
    pub detach: bool,
    /// What happened to the default entry of the VNI.
    pub entry: Option<Event>,
    /// Leave this group, unless another running device on the same socket has it as well. That
    /// another VNI of this very device has it does not count, as in Linux.
    pub leave: Option<Group>,
    /// Join this group. A failure is an error of the change, which stays all the same.
    pub join: Option<Group>,
    /// What happened to the list.
    pub event: Option<VniEvent>,
    /// The VNI is new, but its default entry could not be made: the error of the change, which
    /// stays all the same.
    pub failure: Option<Error>,
}

impl<S: Storage> Device<S> {
    /// The VNIs that the device receives, if it has a [filter](crate::Config::vni_filter).
    #[must_use]
    #[inline]
    pub fn vnis(&self) -> Vnis<'_> {
        Vnis::new(self.fdb.storage().vnis(), self.vnis)
    }

    /// The VNIs that a request to add or to delete is about, one by one in this order. The first
    /// error ends the request; what came before it stays (`vxlan_process_vni_filter()`).
    ///
    /// ```
    /// use vxlan_core::vni_filter::{Error, Request};
    /// use vxlan_core::{Config, Device, Instant, Mac, Vni, fdb};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::new(Vni::MIN).external(true).vni_filter(true);
    /// let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    /// let mut device = Device::new(config, mac, fdb::Growable::new(), Instant::ZERO)?;
    /// let request = Request { start: Some(10), end: Some(19), group: None };
    /// for vni in device.vni_range(&request)? {
    ///     device.add_vni(Instant::ZERO, vni, request.group, false)?;
    /// }
    /// assert_eq!(device.vnis().len(), 10);
    /// assert_eq!(device.remove_vni(20), Err(Error::NotFound));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoFilter`], [`Error::NoVni`], [`Error::GroupWithoutLower`].
    pub fn vni_range(&self, request: &Request) -> Result<RangeInclusive<u32>, Error> {
        if !self.config.has_vni_filter() {
            return Err(Error::NoFilter);
        }
        let range = request.range()?;
        let multicast = request.group.is_some_and(|group| group.is_multicast());
        if multicast && self.config.lower().is_none() {
            return Err(Error::GroupWithoutLower);
        }
        Ok(range)
    }

    /// Adds a VNI to the filter, or gives one that is there another group (`vxlan_vni_add()`,
    /// `vxlan_vni_update()`). `in_use` says whether another device
    /// [occupies](Self::occupies) the VNI.
    ///
    /// Frames of the VNI that match no entry go to the group, or without one to the device's
    /// default remote, if it has one. Of an earlier group only the membership ends: its remote
    /// stays in the default entry, unless there is nothing to take its place, as in Linux.
    ///
    /// # Errors
    /// [`Error::NoFilter`], [`Error::InUse`], [`Error::Full`], and [`Error::Fdb`] if the VNI is not
    /// new; see [`VniChanged::failure`] for one that is. Nothing has changed then.
    pub fn add_vni(
        &mut self,
        now: Instant,
        vni: u32,
        group: Option<IpAddr>,
        in_use: bool,
    ) -> Result<VniChanged, Error> {
        if !self.config.has_vni_filter() {
            return Err(Error::NoFilter);
        }
        if in_use {
            return Err(Error::InUse);
        }
        let group = group.filter(|group| !group.is_unspecified());
        let known = self.vnis().find(vni).map(|entry| entry.group());
        if known.is_none() {
            self.insert_vni(vni)?;
        }
        let changed = VniChanged {
            attach: known.is_none() && self.is_up(),
            ..VniChanged::default()
        };
        let old = known.flatten();
        let destination = group.or(self.default_address());
        if destination.is_none() && old.is_none() {
            // Linux tells of no change here.
            return Ok(VniChanged {
                event: known.is_none().then_some(VniEvent::Changed { vni, group }),
                ..changed
            });
        }
        let entry = match (destination, old) {
            (Some(address), _) => match self.add_vni_default(now, vni, address) {
                Ok(entry) => entry,
                Err(error) if known.is_none() => {
                    return Ok(VniChanged {
                        failure: Some(error),
                        ..changed
                    });
                }
                Err(error) => return Err(error),
            },
            (None, Some(old)) => self.remove_vni_default(vni, old),
            (None, None) => None,
        };
        let up = self.is_up();
        self.vnis_mut().set_group(vni, group);
        let joined = |group: Option<IpAddr>| self.group_at(group?).filter(|_| up);
        Ok(VniChanged {
            entry,
            leave: joined(old),
            join: joined(group),
            event: Some(VniEvent::Changed { vni, group }),
            ..changed
        })
    }

    /// Takes a VNI off the filter, and its group or the device's default remote off its default
    /// entry (`vxlan_vni_del()`). What was learned in the VNI stays until it ages, as in Linux.
    ///
    /// # Errors
    /// [`Error::NoFilter`], [`Error::NotFound`].
    pub fn remove_vni(&mut self, vni: u32) -> Result<VniChanged, Error> {
        if !self.config.has_vni_filter() {
            return Err(Error::NoFilter);
        }
        let group = self.vnis().find(vni).ok_or(Error::NotFound)?.group();
        let destination = group.or(self.default_address());
        let entry = destination.and_then(|address| self.remove_vni_default(vni, address));
        let up = self.is_up();
        self.vnis_mut().remove(vni);
        Ok(VniChanged {
            detach: up,
            entry,
            leave: group.and_then(|group| self.group_at(group)).filter(|_| up),
            event: Some(VniEvent::Removed { vni, group }),
            ..VniChanged::default()
        })
    }

    /// Takes all VNIs off, as when the device is gone (`vxlan_vnigroup_uninit()`). The device is down
    /// and its entries are [cleared](Self::clear) by then.
    pub fn clear_vnis(&mut self, mut tell: impl FnMut(VniEvent)) {
        for entry in self.vnis() {
            let (vni, group) = (entry.vni(), entry.group());
            tell(VniEvent::Removed { vni, group });
        }
        *self.vnis_mut().head = Default::default();
        self.prepare_vnis();
    }

    /// The groups to join when the device goes up, and to leave when it goes down: that of its
    /// default remote, then those of its VNIs, one of which may come more than once
    /// (`vxlan_multicast_join()`, `vxlan_multicast_join_vnigrp()`).
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        let own = self.config.group();
        let vnis = self.vnis().into_iter();
        let of_vnis = vnis.filter_map(|entry| self.group_at(entry.group()?));
        own.into_iter()
            .chain(of_vnis.filter(move |group| own != Some(*group)))
    }

    /// The membership that an address means, if it is a group.
    fn group_at(&self, address: IpAddr) -> Option<Group> {
        let ifindex = self.config.lower();
        address.is_multicast().then_some(Group { address, ifindex })
    }

    fn default_address(&self) -> Option<IpAddr> {
        let address = self.config.remote();
        (!address.is_unspecified()).then_some(address)
    }

    fn vnis_mut(&mut self) -> VnisMut<'_> {
        VnisMut {
            slots: self.fdb.storage_mut().vnis_mut(),
            head: &mut self.vnis,
        }
    }

    /// Forgets what an earlier device has left in the memory.
    pub(in crate::device) fn prepare_vnis(&mut self) {
        self.vnis_mut().prepare(0);
    }

    fn insert_vni(&mut self, vni: u32) -> Result<(), Error> {
        let before = self.fdb.storage().vnis().len();
        let count = self.vnis().len().saturating_add(1);
        self.fdb.storage_mut().reserve_vnis(count)?;
        let mut vnis = self.vnis_mut();
        vnis.prepare(before);
        Ok(vnis.insert(vni)?)
    }

    /// The device's own remote of a VNI's default entry.
    fn vni_remote(&self, vni: u32, addr: IpAddr) -> Remote {
        Remote {
            vni,
            ifindex: self.config.lower(),
            ..self.remote(addr)
        }
    }

    fn vni_entry(vni: u32) -> Key {
        Key {
            mac: Mac::ZERO,
            vni,
        }
    }

    fn vni_default(&self, vni: u32, remote: Remote) -> Update {
        Update {
            key: Self::vni_entry(vni),
            ..self.default_entry(Mode::APPEND, remote)
        }
    }

    fn add_vni_default(
        &mut self,
        now: Instant,
        vni: u32,
        address: IpAddr,
    ) -> Result<Option<Event>, Error> {
        let update = self.vni_default(vni, self.vni_remote(vni, address));
        Ok(self.fdb.update(now, &update)?.map(Event::Changed))
    }

    fn remove_vni_default(&mut self, vni: u32, address: IpAddr) -> Option<Event> {
        let remote = self.vni_remote(vni, address);
        let removed = self.fdb.remove(&Self::vni_entry(vni), Some(&remote));
        // The operator may have removed it already. One remote is one record.
        removed.ok()?.map(Event::Removed).last()
    }

    /// Moves the device's own remote within the default entry of each VNI without a group
    /// (`vxlan_vnilist_update_group()`). A VNI for which there is no room goes without, as in Linux.
    pub(in crate::device) fn replace_vni_defaults(
        &mut self,
        now: Instant,
        next: &Valid,
        tell: &mut impl FnMut(Event),
    ) {
        for at in 0..self.vnis().len() {
            let entry = self.vnis().nth(at);
            let Some(entry) = entry.filter(|entry| entry.group().is_none()) else {
                continue;
            };
            let vni = entry.vni();
            if !next.remote().is_unspecified() {
                let new = Remote {
                    ifindex: next.named_lower(),
                    ..self.vni_remote(vni, next.remote())
                };
                let added = self.fdb.update(now, &self.vni_default(vni, new));
                let added = added.ok().flatten();
                added.map(Event::Changed).into_iter().for_each(&mut *tell);
            }
            if let Some(old) = self.default_address() {
                self.remove_vni_default(vni, old)
                    .into_iter()
                    .for_each(&mut *tell);
            }
        }
    }
}
