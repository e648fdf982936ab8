//! A host that does what it is asked, checks that it makes sense, and fails on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use vxlan_core::device::Group;
use vxlan_core::world::{
    Action, DeviceId, Errno, Error, Growable, Lower, NewDevice, Service, SocketId, SocketKey, Task,
    TunnelPort,
};
use vxlan_core::{Config, IfIndex, Instant, Mac, Salt, Vni, World, fdb};

pub(crate) type Small = World<Growable<fdb::Growable>>;

/// How far a socket of the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    Bound,
    Announced,
    Withdrawn,
}

/// What the host has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) services: Vec<Service>,
    pub(crate) interfaces: BTreeSet<DeviceId>,
    pub(crate) above: BTreeMap<DeviceId, IfIndex>,
    sockets: BTreeMap<SocketId, (SocketKey, Stage)>,
    pub(crate) groups: BTreeSet<(SocketId, Group)>,
    ports: BTreeSet<(SocketId, bool, u16, bool)>,
}

#[derive(Debug, Default)]
pub(crate) struct Host {
    pub(crate) kept: Kept,
    pub(crate) log: Vec<Action>,
    /// Fail when this many actions have been done, with that error.
    pub(crate) fail: Option<(usize, Errno)>,
    /// What a device was above before.
    before: BTreeMap<DeviceId, IfIndex>,
    /// No IPv6 sockets.
    pub(crate) without_ipv6: bool,
}

impl Host {
    /// Does one action, or fails. What takes something away is done even if it fails.
    pub(crate) fn perform(&mut self, action: &Action) -> Result<(), Errno> {
        self.log.push(*action);
        let fails = match &mut self.fail {
            Some((0, errno)) => Some(*errno),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        let Some(errno) = fails else {
            return self.carry_out(action);
        };
        self.fail = None;
        match action {
            Action::End(_)
            | Action::Unregister(_)
            | Action::Withdraw { .. }
            | Action::Close(_)
            | Action::Leave { .. }
            | Action::Relink { to: None, .. } => {
                let _done = self.carry_out(action);
            }
            Action::Relink { device, to, .. } if self.before.get(device) == to.as_ref() => {
                // Perhaps it is to be undone: that succeeds.
                return self.carry_out(action);
            }
            _ => {}
        }
        Err(errno)
    }

    fn carry_out(&mut self, action: &Action) -> Result<(), Errno> {
        let Kept {
            services,
            interfaces,
            above,
            sockets,
            groups,
            ports,
        } = &mut self.kept;
        let noted =
            |socket: &SocketId, port: &TunnelPort| (*socket, port.ipv6, port.port, port.gpe);
        match action {
            Action::Start(service) => services.push(*service),
            Action::End(service) => assert_eq!(services.pop(), Some(*service), "reverse order"),
            Action::Register(device) => assert!(interfaces.insert(*device)),
            Action::Unregister(device) => {
                assert!(!above.contains_key(device), "still above something");
                assert!(interfaces.remove(device), "no such interface");
            }
            Action::Relink { device, from, to } => {
                assert!(interfaces.contains(device), "no such interface");
                assert_eq!(above.remove(device), *from, "above something else");
                above.extend(to.map(|to| (*device, to)));
                self.before.extend(from.map(|from| (*device, from)));
            }
            Action::Open { key, .. } if key.ipv6 && self.without_ipv6 => {
                return Err(Errno::EAFNOSUPPORT);
            }
            Action::Open { socket, key } => {
                let old = sockets.insert(*socket, (*key, Stage::Open));
                assert_eq!(old, None, "opened twice");
            }
            Action::Bind { socket, key } => {
                let clash = |(other, stage): &(SocketKey, Stage)| {
                    *stage != Stage::Open
                        && (other.ipv6, other.port) == (key.ipv6, key.port)
                        && (other.interface.is_none()
                            || key.interface.is_none()
                            || other.interface == key.interface)
                };
                assert!(!sockets.values().any(clash), "the world should have known");
                step(sockets, socket, Stage::Open, Stage::Bound);
            }
            Action::Announce {
                socket,
                port,
                to: None,
            } => {
                step(sockets, socket, Stage::Bound, Stage::Announced);
                assert!(ports.insert(noted(socket, port)));
            }
            Action::Withdraw {
                socket,
                port,
                to: None,
            } => {
                step(sockets, socket, Stage::Announced, Stage::Withdrawn);
                assert!(ports.remove(&noted(socket, port)));
            }
            Action::Announce { socket, port, .. } | Action::Withdraw { socket, port, .. } => {
                assert!(ports.contains(&noted(socket, port)));
            }
            Action::Close(socket) => {
                let (_, stage) = sockets.remove(socket).expect("closed what is not open");
                assert_ne!(stage, Stage::Announced, "not withdrawn");
                groups.retain(|(on, _)| on != socket);
            }
            Action::Join { socket, group } => {
                assert_eq!(sockets[socket].1, Stage::Announced);
                assert_eq!(sockets[socket].0.ipv6, group.address.is_ipv6());
                if !groups.insert((*socket, *group)) {
                    return Err(Errno::EADDRINUSE);
                }
            }
            Action::Leave { socket, group } => {
                assert!(sockets.contains_key(socket));
                if !groups.remove(&(*socket, *group)) {
                    return Err(Errno::EADDRNOTAVAIL);
                }
            }
            Action::Pause(device) => assert!(interfaces.contains(device), "no such interface"),
            other => panic!("unknown action {other:?}"),
        }
        Ok(())
    }

    /// How many sockets are open.
    pub(crate) fn sockets(&self) -> usize {
        self.kept.sockets.len()
    }

    /// Runs a task to its end.
    pub(crate) fn run(&mut self, world: &mut Small, task: Task) -> Result<(), Error> {
        world.run(task, |_world, action| self.perform(action), |_, _| {})
    }

    /// Makes a device.
    pub(crate) fn create(&mut self, world: &mut Small, new: NewDevice) -> Result<DeviceId, Error> {
        let task = world.create(new, fdb::Growable::new(), Instant::ZERO)?;
        let device = task.device().expect("a task about a device");
        self.run(world, task)?;
        Ok(device)
    }

    pub(crate) fn open(&mut self, world: &mut Small, device: DeviceId) -> Result<(), Error> {
        let task = world.open(device, None, Instant::ZERO)?;
        self.run(world, task)
    }

    pub(crate) fn stop(&mut self, world: &mut Small, device: DeviceId) -> Result<(), Error> {
        let task = world.stop(device)?;
        self.run(world, task)
    }

    pub(crate) fn delete(&mut self, world: &mut Small, device: DeviceId) -> Result<(), Error> {
        let task = world.delete(device, |_, _| {})?;
        self.run(world, task)
    }

    /// Makes a device and takes it up.
    pub(crate) fn up(&mut self, world: &mut Small, new: NewDevice) -> Result<DeviceId, Error> {
        let device = self.create(world, new)?;
        self.open(world, device)?;
        Ok(device)
    }

    /// The names of what was done since the last call.
    pub(crate) fn done(&mut self) -> Vec<&'static str> {
        let name = |action: &Action| match action {
            Action::Start(_) => "start",
            Action::End(_) => "end",
            Action::Register(_) => "register",
            Action::Unregister(_) => "unregister",
            Action::Relink { to: Some(_), .. } => "link",
            Action::Relink { .. } => "unlink",
            Action::Open { key, .. } if key.ipv6 => "open6",
            Action::Open { .. } => "open",
            Action::Bind { .. } => "bind",
            Action::Announce { .. } => "announce",
            Action::Withdraw { .. } => "withdraw",
            Action::Close(_) => "close",
            Action::Join { .. } => "join",
            Action::Leave { .. } => "leave",
            Action::Pause(_) => "pause",
            _ => "unknown",
        };
        core::mem::take(&mut self.log).iter().map(name).collect()
    }
}

fn step(
    sockets: &mut BTreeMap<SocketId, (SocketKey, Stage)>,
    socket: &SocketId,
    from: Stage,
    to: Stage,
) {
    let (_, stage) = sockets.get_mut(socket).expect("no such socket");
    assert_eq!(*stage, from);
    *stage = to;
}

pub(crate) fn world() -> Small {
    World::new(Growable::new(), Salt::new([7; 16]))
}

pub(crate) fn vni(id: u32) -> Vni {
    Vni::new(id).unwrap()
}

pub(crate) fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn eth(index: u32) -> IfIndex {
    IfIndex::new(index).unwrap()
}

/// A device for a VNI over IPv4.
pub(crate) fn plain(id: u32) -> NewDevice {
    NewDevice::new(config(id), mac(1))
}

pub(crate) fn config(id: u32) -> Config {
    Config::new(vni(id)).local(ip("192.0.2.1")).port(4789)
}

/// A device with a configuration, above interface 10 if it says so.
pub(crate) fn with(config: Config) -> NewDevice {
    let mut new = NewDevice::new(config, mac(1));
    new.lower = Some(Lower::ethernet(eth(10)));
    new
}

/// A device whose default remote is a group, above interface 10.
pub(crate) fn grouped(id: u32, group: &str) -> NewDevice {
    let config = Config::new(vni(id)).remote(ip(group)).port(4789);
    with(config.lower(Some(eth(10))))
}

/// Everything that can be seen of a world.
pub(crate) fn picture(world: &Small) -> String {
    let mut text = String::new();
    let mut devices: Vec<_> = world.devices().collect();
    devices.sort_by_key(|(id, _)| *id);
    for (id, netdev) in devices {
        let device = netdev.device();
        writeln!(
            text,
            "{id} busy={} up={} mac={} mtu={} room={}+{} sweep={:?} {:?}",
            netdev.is_busy(),
            device.is_up(),
            device.mac(),
            netdev.mtu(),
            netdev.headroom(),
            netdev.tailroom(),
            netdev.next_sweep(),
            device.config(),
        )
        .unwrap();
        writeln!(text, "  {:?}", device.vnis().spans().collect::<Vec<_>>()).unwrap();
        for record in device.fdb().iter() {
            writeln!(text, "  {record:?}").unwrap();
        }
    }
    let mut sockets: Vec<_> = world.sockets().collect();
    sockets.sort_by_key(|(id, _)| *id);
    for (id, socket) in sockets {
        writeln!(
            text,
            "{id} {:?} ready={} users={} members={}",
            socket.key(),
            socket.is_ready(),
            socket.users(),
            socket.vtep().len(),
        )
        .unwrap();
        for vni in (0..64).map(vni) {
            if let Some(device) = socket.vtep().find(vni, None) {
                writeln!(text, "  {vni:?} -> {device}").unwrap();
            }
        }
    }
    text
}
