//! Changing a device that exists.

use core::net::IpAddr;

use super::accept::Accept;
use super::config::Valid;
use crate::fdb::{Mode, Remote, Storage};
use crate::{ConfigChange, ConfigError, Device, Event, IfIndex, Instant, Mac};

/// A multicast group on an interface of the underlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The group.
    pub address: IpAddr,
    /// The interface; `None` for that of the route, which only the old driver allows.
    pub ifindex: Option<IfIndex>,
}

/// What a change of the configuration asks of the caller, to be done in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changed {
    /// Leave this group, unless another running device on the same socket has it as well.
    pub leave: Option<Group>,
    /// Call [`Device::age`] now instead of when it was due.
    pub age_now: bool,
    /// The device is now above this interface, which it was not before: cut its MTU with
    /// [`Valid::mtu`] if it has become too large.
    pub relink: Option<IfIndex>,
    /// Join this group. A failure is an error of the change, which stays all the same.
    pub join: Option<Group>,
}

impl<S: Storage> Device<S> {
    /// Changes the configuration. Kernel: `vxlan_changelink()`.
    ///
    /// A new default remote is added to the default entry and the old one taken away, each told
    /// to `tell`; the operator's own remotes stay, and so does every other entry. A socket's list
    /// that holds the device is brought up to date with
    /// [`Vtep::restrict`](crate::Vtep::restrict).
    ///
    /// As in Linux the old remote is looked for on the interface that the device has. It stays
    /// where the operator has changed it, and where an earlier change has named another interface
    /// and left the remote: the default entry then has both.
    ///
    /// ```
    /// use vxlan_core::{Config, ConfigChange, Device, Instant, Mac, Vni, fdb};
    ///
    /// let config = Config::new(Vni::MIN).remote("192.0.2.2".parse()?);
    /// let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    /// let storage = fdb::Fixed::<16, 16, 16>::new();
    /// let mut device = Device::new(config, mac, storage, Instant::ZERO)?;
    /// let mut events = 0;
    /// let change = ConfigChange::new().remote("192.0.2.3".parse()?);
    /// device.change(Instant::ZERO, &change, |_event| events += 1)?;
    /// assert_eq!(events, 2, "one came, one went");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Valid::changed`], which can be called before to know the outcome, and
    /// [`ConfigError::Fdb`] if there is no room for the new remote, or to count what is learned. Nothing has changed then.
    pub fn change(
        &mut self,
        now: Instant,
        change: &ConfigChange,
        mut tell: impl FnMut(Event),
    ) -> Result<Changed, ConfigError> {
        let next = self.config.changed(change)?;
        let counted = self.config.learn_quota().is_some();
        let counts = next.learn_quota().is_some();
        self.count_learned(counted || counts)?;
        if next.remote() != self.config.remote()
            && let Err(error) = self.replace_default(now, &next, &mut tell)
        {
            self.count_learned(counted)?;
            return Err(error);
        }
        let (left, joined) = (self.config.group(), next.group());
        let regroup = self.is_up()
            && (next.remote() != self.config.remote() || next.lower() != self.config.lower());
        let changed = Changed {
            leave: left.filter(|_| regroup),
            age_now: next.ageing() != self.config.ageing(),
            relink: next.lower().filter(|_| next.lower() != self.config.lower()),
            join: joined.filter(|_| regroup),
        };
        self.count_learned(counts)?;
        self.limits.change(&self.config, &next, now);
        self.config = next;
        self.accept = Accept::new(&self.config);
        Ok(changed)
    }

    /// Moves the device's own remote within the default entry.
    fn replace_default(
        &mut self,
        now: Instant,
        next: &Valid,
        tell: &mut impl FnMut(Event),
    ) -> Result<(), ConfigError> {
        let old = self.default_remote();
        if !next.remote().is_unspecified() {
            let new = Remote {
                ifindex: next.named_lower(),
                ..self.remote(next.remote())
            };
            let update = self.default_entry(Mode::APPEND, new);
            let added = self.fdb.update(now, &update).map_err(ConfigError::Fdb)?;
            added.map(Event::Changed).into_iter().for_each(&mut *tell);
        }
        // The operator may have removed it already.
        if !old.addr.is_unspecified()
            && let Ok(removed) = self.fdb.remove(&self.key(Mac::ZERO), Some(&old))
        {
            removed.map(Event::Removed).for_each(&mut *tell);
        }
        self.replace_vni_defaults(now, next, tell);
        Ok(())
    }

    /// Whether this device leaves no room for one with configuration `new` that receives `vni`:
    /// they would take each other's packets (`vxlan_vni_in_use()`). Whether either is up does not
    /// matter.
    #[must_use]
    pub fn occupies(&self, vni: impl Into<u32>, new: &Valid) -> bool {
        let vni = vni.into();
        let receives = if self.config.has_vni_filter() {
            self.vnis().contains(vni)
        } else {
            vni == self.config.vni().get()
        };
        receives && new.shares_packets_with(&self.config)
    }
}

impl Valid {
    /// The group to join while the device is up: its default remote, if that is one.
    #[must_use]
    pub fn group(&self) -> Option<Group> {
        let address = self.remote();
        let ifindex = self.lower();
        address.is_multicast().then_some(Group { address, ifindex })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vni;
    use crate::fdb::{Fixed, Record};
    use crate::{Config, Df};
    use alloc::vec::Vec;
    use core::time::Duration;
    use proptest::prelude::*;

    type Small = Device<Fixed<64, 64, 64>>;

    const OWN: u8 = 200;

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn device(config: Config) -> Small {
        let mac = Mac::new([2, 0, 0, 0, 0, 1]);
        Device::new(config, mac, Fixed::new(), Instant::ZERO).unwrap()
    }

    fn plain() -> Config {
        Config::new(Vni::MIN)
            .remote(peer(OWN))
            .lower(IfIndex::new(10))
    }

    fn change(device: &mut Small, change: &ConfigChange) -> Result<Changed, ConfigError> {
        device.change(Instant::ZERO, change, drop)
    }

    fn remotes(device: &Small) -> Vec<(IpAddr, Option<IfIndex>)> {
        let entry = device.fdb().find(&device.key(Mac::ZERO));
        let remotes = entry.into_iter().flat_map(|entry| entry.remotes());
        remotes
            .map(|remote| (remote.addr, remote.ifindex))
            .collect()
    }

    /// What the caller has to do is what differs, and only while the device is up.
    #[test]
    fn requests_follow_from_the_difference() {
        let group = |last, ifindex| {
            let ifindex = IfIndex::new(ifindex);
            let address = IpAddr::from([239, 0, 0, last]);
            Some(Group { address, ifindex })
        };
        let start = || plain().remote(IpAddr::from([239, 0, 0, 1]));
        let none = Changed::default();
        let to = |last| ConfigChange::new().remote(IpAddr::from([239, 0, 0, last]));
        for (name, up, asked, want) in [
            ("nothing", true, ConfigChange::new(), none),
            ("the same", true, to(1).lower(IfIndex::new(10)), none),
            (
                "same age",
                true,
                ConfigChange::new().ageing(Duration::from_secs(300)),
                none,
            ),
            (
                "age",
                false,
                ConfigChange::new().ageing(Duration::from_secs(5)),
                Changed {
                    age_now: true,
                    ..none
                },
            ),
            (
                "group",
                true,
                to(2),
                Changed {
                    leave: group(1, 10),
                    join: group(2, 10),
                    ..none
                },
            ),
            ("group while down", false, to(2), none),
            (
                "no group any more",
                true,
                ConfigChange::new().remote(peer(1)),
                Changed {
                    leave: group(1, 10),
                    ..none
                },
            ),
            (
                "interface",
                true,
                ConfigChange::new().lower(IfIndex::new(12)),
                Changed {
                    leave: group(1, 10),
                    relink: IfIndex::new(12),
                    join: group(1, 12),
                    ..none
                },
            ),
        ] {
            let mut device = device(start());
            device.set_up(up);
            assert_eq!(change(&mut device, &asked), Ok(want), "{name}");
        }
    }

    /// The old remote is looked for on the new interface, so it stays.
    #[test]
    fn a_remote_on_the_interface_before_last_stays() {
        let mut device = device(plain());
        let (ten, twelve) = (IfIndex::new(10), IfIndex::new(12));
        change(&mut device, &ConfigChange::new().lower(twelve)).unwrap();
        assert_eq!(remotes(&device), [(peer(OWN), ten)]);
        change(&mut device, &ConfigChange::new().remote(peer(1))).unwrap();
        assert_eq!(remotes(&device), [(peer(OWN), ten), (peer(1), twelve)]);
        change(
            &mut device,
            &ConfigChange::new().remote(peer(2)).lower(None),
        )
        .unwrap();
        assert_eq!(remotes(&device), [(peer(OWN), ten), (peer(2), None)]);
    }

    /// A failure at any step leaves the device as it was.
    #[test]
    fn lesson_failed_changelink_changes_nothing() {
        let mut full = device(Config::new(Vni::MIN).limit(core::num::NonZeroU32::new(1)));
        let station = full.remote(peer(1));
        let mac = Mac::new([2, 0, 0, 0, 0, 9]);
        full.fdb_add(Instant::ZERO, mac, station).unwrap();
        let before: Vec<Record> = full.fdb().iter().collect();
        let config = full.config().clone();
        for (asked, errno) in [
            (ConfigChange::new().remote(peer(2)).ttl(9), 28),
            (ConfigChange::new().local(peer(2)).flow_label(9), 22),
            (ConfigChange::new().ttl(9).vni(Vni::MAX), 95),
        ] {
            let error = change(&mut full, &asked).unwrap_err();
            assert_eq!(error.errno(), errno, "{error}");
            assert_eq!(full.config(), &config);
            assert!(full.fdb().iter().eq(before.iter().copied()));
        }
    }

    #[derive(Clone, Debug)]
    enum Act {
        Change(ConfigChange),
        Append(u8),
        Entry(u8, u8),
    }

    fn act() -> impl Strategy<Value = Act> {
        let addr = || {
            (0_u8..6).prop_map(|n| {
                if n == 0 {
                    IpAddr::from([0; 4])
                } else {
                    peer(n)
                }
            })
        };
        prop_oneof![
            (
                prop::option::of(addr()),
                prop::option::of(prop::option::of(10_u32..13)),
                prop::option::of(any::<u8>()),
                any::<bool>(),
            )
                .prop_map(|(remote, lower, ttl, learning)| {
                    let mut change = ConfigChange::new().df(Df::Set).learning(learning);
                    if let Some(remote) = remote {
                        change = change.remote(remote);
                    }
                    if let Some(lower) = lower {
                        change = change.lower(lower.and_then(IfIndex::new));
                    }
                    if let Some(ttl) = ttl {
                        change = change.ttl(ttl);
                    }
                    Act::Change(change)
                }),
            (20_u8..30).prop_map(Act::Append),
            (any::<u8>(), 1_u8..30).prop_map(|(mac, peer)| Act::Entry(mac, peer)),
        ]
    }

    proptest! {
        /// Whatever changes, the operator's remotes and all other entries stay as they are, in
        /// their order.
        #[test]
        fn lesson_fdb_changelink_spares_unrelated_remotes(
            acts in prop::collection::vec(act(), 0..24),
        ) {
            let mut device = device(plain());
            for act in acts {
                match act {
                    Act::Append(last) => {
                        // No interface, so never the device's own.
                        let remote = Remote { vni: 7, ..device.remote(peer(last)) };
                        device.fdb_append(Instant::ZERO, Mac::ZERO, remote).unwrap();
                    }
                    Act::Entry(mac, last) => {
                        let remote = device.remote(peer(last));
                        let mac = Mac::new([2, 0, 0, 0, 1, mac]);
                        let _exists = device.fdb_add(Instant::ZERO, mac, remote);
                    }
                    Act::Change(asked) => {
                        let unrelated = |device: &Small| -> Vec<_> {
                            let theirs = |record: &Record| {
                                !record.key.mac.is_zero()
                                    || matches!(
                                        record.destination,
                                        crate::fdb::Destination::Remote(Remote { vni: 7, .. })
                                    )
                            };
                            let records = device.fdb().iter().filter(theirs);
                            let bits = |record: Record| match record.key.mac {
                                // Of the default entry the remotes are the operator's; state
                                // and flags are the device's again, as in Linux.
                                Mac::ZERO => (record.key, None, record.destination),
                                _ => (record.key, Some(record), record.destination),
                            };
                            records.map(bits).collect()
                        };
                        let before = unrelated(&device);
                        change(&mut device, &asked).unwrap();
                        prop_assert_eq!(unrelated(&device), before);
                    }
                }
            }
        }
    }
}
