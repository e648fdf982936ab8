//! A device comes (`vxlan_newlink()`).

use super::netdev::Phase;
use super::task::Goal;
use super::{Action, DeviceId, Error, Lower, Memory, Netdev, Task, World};
use crate::device::{MTU_MAX, MTU_MIN, Valid};
use crate::{Config, Device, Event, IfIndex, Instant, Mac};

/// A device that is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewDevice {
    /// Its configuration.
    pub config: Config,
    /// Its MAC address: one that was asked for, or [`Mac::local`] of a random number.
    pub mac: Mac,
    /// The MTU that was asked for, in bytes of an inner IP packet.
    pub mtu: Option<u32>,
    /// The interface that the configuration names; `None` if there is no such interface.
    pub lower: Option<Lower>,
    /// Its sockets are its own (`no_share`). Cannot be asked for through netlink.
    pub no_share: bool,
}

impl NewDevice {
    /// A device without lower interface, MTU as it comes.
    #[must_use]
    pub const fn new(config: Config, mac: Mac) -> Self {
        Self {
            config,
            mac,
            mtu: None,
            lower: None,
            no_share: false,
        }
    }
}

impl<M: Memory> World<M> {
    /// Makes a device, down, with its forwarding database in `storage`.
    ///
    /// The host is asked to make the interface and to note what it is above. The default entry is
    /// told once both are done.
    ///
    /// # Errors
    /// In the kernel's order: MAC address, MTU, configuration, lower interface, VNI in use; then
    /// [`Error::Full`].
    pub fn create(&mut self, new: NewDevice, storage: M::Fdb, now: Instant) -> Result<Task, Error> {
        let NewDevice {
            config,
            mac,
            mtu,
            lower,
            no_share,
        } = new;
        if !mac.is_unicast() {
            return Err(Error::Config(crate::ConfigError::InvalidMac));
        }
        let config = config.salt(self.salt);
        let valid = config.clone().validate();
        let checked = config.checks_mtu();
        if checked && mtu.is_some_and(|mtu| !(MTU_MIN..=MTU_MAX).contains(&mtu)) {
            return Err(Error::NewMtu);
        }
        let valid = valid?;
        if valid.is_ipv6() && !self.ipv6 {
            return Err(Error::NoIpv6);
        }
        let lower = known(&valid, valid.lower(), lower)?;
        self.check_vni(&valid, None)?;
        let place = self.vacant_device()?;
        let device = Device::new(config, mac, storage, now)?;
        let mut netdev = Netdev {
            serial: self.serial(),
            device,
            phase: Phase::Creating,
            no_share,
            mtu: 0,
            headroom: 0,
            tailroom: 0,
            registered: false,
            above: None,
            seats: [None; 2],
            groups: 0,
            joining: false,
            leaving: None,
            sweep: None,
            rest: None,
        };
        netdev.apply(lower.as_ref(), mtu);
        let device = netdev.id(place);
        let vacant = self.memory.devices_mut().get_mut(place);
        *vacant.ok_or(Error::Full)? = Some(netdev);
        Ok(Task::new(Goal::Create { device }))
    }

    pub(super) fn advance_create(
        &mut self,
        task: &Task,
        id: DeviceId,
        tell: &mut impl FnMut(DeviceId, Event),
    ) -> Option<Action> {
        let netdev = self.device_mut(id)?;
        let lower = netdev.device.config().lower();
        if task.back {
            let action = netdev.farewell(id);
            if action.is_none() {
                self.drop_device(id);
            }
            return action;
        }
        if !netdev.registered {
            return Some(Action::Register(id));
        }
        if netdev.above != lower {
            return Some(Action::Relink {
                device: id,
                from: None,
                to: lower,
            });
        }
        netdev.phase = Phase::Idle;
        let made = netdev.device.fdb().iter();
        made.for_each(|record| tell(id, Event::Changed(record)));
        None
    }

    /// Whether another device takes the packets of one with this configuration
    /// (`vxlan_vni_in_use()`). `itself` is the device that changes.
    pub(super) fn check_vni(&self, config: &Valid, itself: Option<DeviceId>) -> Result<(), Error> {
        let counts_down = config.compat().down_devices_own_vni;
        let taken = self.devices().any(|(id, other)| {
            Some(id) != itself
                && (counts_down || other.is_attached())
                && other.device.occupies(config.vni(), config)
        });
        if taken { Err(Error::VniInUse) } else { Ok(()) }
    }

    fn vacant_device(&mut self) -> Result<usize, Error> {
        let vacant = |memory: &M| memory.devices().iter().position(Option::is_none);
        if let Some(place) = vacant(&self.memory) {
            return Ok(place);
        }
        self.memory.add_device_place().map_err(|_| Error::Full)?;
        vacant(&self.memory).ok_or(Error::Full)
    }

    pub(super) fn drop_device(&mut self, id: DeviceId) {
        if self.device(id).is_some()
            && let Some(place) = self.memory.devices_mut().get_mut(id.place)
        {
            *place = None;
        }
    }
}

/// The facts about the interface `named`, if one is named.
pub(super) fn known(
    config: &Valid,
    named: Option<IfIndex>,
    lower: Option<Lower>,
) -> Result<Option<Lower>, Error> {
    let Some(named) = named else {
        return Ok(None);
    };
    match lower.filter(|lower| lower.index == named) {
        None => Err(Error::NoLower),
        Some(lower) if config.is_ipv6() && !lower.ipv6 => Err(Error::LowerWithoutIpv6),
        known => Ok(known),
    }
}
