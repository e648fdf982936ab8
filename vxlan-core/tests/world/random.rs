//! Any calls, in any order, under way at the same time, with failures of the host.

use std::collections::BTreeSet;

use proptest::prelude::*;
use vxlan_core::device::Group;
use vxlan_core::vni_filter::Request;
use vxlan_core::world::{Action, DeviceId, Errno, Error, Lower, LowerEvent, NewDevice, Task};
use vxlan_core::{Config, ConfigChange, Instant, fdb};

use super::host::{Host, Small, eth, mac, vni, world};

/// A device by its number among those that were ever made.
type Nth = u8;

#[derive(Clone, Debug)]
enum Call {
    Create(u8),
    Open(Nth),
    Stop(Nth),
    Change(Nth, u8, u8),
    /// VNIs added or removed: the first, how many, the group.
    Vnis(Nth, bool, u8, u8, u8),
    Delete(Nth),
    Lower(u8),
    /// Some steps of a task that was begun.
    Steps(Nth, u8),
    /// The host fails after so many actions.
    Fail(u8),
}

fn call() -> impl Strategy<Value = Call> {
    let nth = || 0..6_u8;
    prop_oneof![
        4 => (0..64_u8).prop_map(Call::Create),
        6 => nth().prop_map(Call::Open),
        3 => nth().prop_map(Call::Stop),
        3 => (nth(), 0..4_u8, 0..3_u8).prop_map(|(nth, group, lower)| Call::Change(nth, group, lower)),
        3 => (nth(), any::<bool>(), 0..4_u8, 0..3_u8, 0..3_u8).prop_map(
            |(nth, add, first, more, group)| Call::Vnis(nth, add, first, more, group)),
        1 => nth().prop_map(Call::Delete),
        1 => (0..2_u8).prop_map(Call::Lower),
        12 => (0..6_u8, 1..5_u8).prop_map(|(nth, steps)| Call::Steps(nth, steps)),
        1 => (0..6_u8).prop_map(Call::Fail),
    ]
}

/// A configuration out of six bits, so that they often meet.
fn new(bits: u8) -> NewDevice {
    let lower = eth(10 + u32::from(bits >> 4 & 1));
    let mut config = Config::new(vni(u32::from(bits & 3)))
        .port(4789)
        .lower(Some(lower));
    config = match bits >> 2 & 3 {
        0 => config.remote([192, 0, 2, 1].into()),
        1 => config.remote([239, 0, 0, 1].into()),
        2 if bits & 32 == 0 => config.external(true),
        2 => config.external(true).vni_filter(true),
        _ => config.remote("ff05::1".parse().unwrap()),
    };
    let mut new = NewDevice::new(config, mac(1));
    new.lower = Some(Lower::ethernet(lower));
    new
}

struct Run {
    world: Small,
    host: Host,
    devices: Vec<DeviceId>,
    tasks: Vec<Task>,
    /// Groups that could not be joined.
    missed: BTreeSet<Group>,
}

impl Run {
    fn device(&self, nth: Nth) -> Option<DeviceId> {
        let at = usize::from(nth).checked_rem(self.devices.len())?;
        self.devices.get(at).copied()
    }

    fn call(&mut self, call: &Call) {
        let nobody = |_, _| {};
        let now = Instant::ZERO;
        let world = &mut self.world;
        let begun = match *call {
            Call::Create(bits) => world.create(new(bits), fdb::Growable::new(), now).ok(),
            Call::Open(nth) => self.device(nth).and_then(|id| {
                // The world refuses what is under way; it is asked all the same.
                self.world.open(id, None, now).ok()
            }),
            Call::Stop(nth) => self.device(nth).and_then(|id| self.world.stop(id).ok()),
            Call::Change(nth, group, lower) => self.device(nth).and_then(|id| {
                let ipv6 = self.world.device(id)?.device().config().is_ipv6();
                let remote: std::net::IpAddr = if ipv6 {
                    [0xff05, 0, 0, 0, 0, 0, 0, u16::from(group)].into()
                } else {
                    [239, 0, 0, group].into()
                };
                let mut change = ConfigChange::new().remote(remote);
                // As in Linux the groups of VNIs stay joined on the old interface.
                let filter = self.world.device(id)?.device().config().has_vni_filter();
                if lower > 0 && !filter {
                    change = change.lower(Some(eth(9 + u32::from(lower))));
                }
                let next = self
                    .world
                    .device(id)?
                    .device()
                    .config()
                    .changed(&change)
                    .ok()?;
                let lower = next.named_lower().map(Lower::ethernet);
                self.world.change(id, &change, lower, now).ok()
            }),
            Call::Vnis(nth, add, first, more, group) => self.device(nth).and_then(|id| {
                let first = u32::from(first);
                let group = (group > 0).then(|| [239, 0, 0, group].into());
                let request = Request {
                    start: Some(first),
                    end: Some(first + u32::from(more)),
                    group,
                };
                if add {
                    self.world.add_vnis(id, &request, now).ok()
                } else {
                    self.world.remove_vnis(id, &request).ok()
                }
            }),
            Call::Delete(nth) => self
                .device(nth)
                .and_then(|id| self.world.delete(id, nobody).ok()),
            Call::Lower(index) => {
                let index = eth(10 + u32::from(index));
                self.world
                    .lower_event(LowerEvent::Unregister, index, nobody)
                    .ok()
            }
            Call::Steps(nth, steps) => {
                if let Some(at) = usize::from(nth).checked_rem(self.tasks.len()) {
                    for _ in 0..steps {
                        self.step(at);
                    }
                    self.tasks.retain(|task| !task.is_done());
                }
                None
            }
            Call::Fail(after) => {
                self.host.fail = Some((after.into(), Errno::new(5)));
                None
            }
        };
        if let Some(task) = begun {
            if let (Call::Create(_), Some(id)) = (call, task.device()) {
                self.devices.push(id);
            }
            self.tasks.push(task);
        }
    }

    fn step(&mut self, at: usize) {
        let Some(task) = self.tasks.get_mut(at) else {
            return;
        };
        if let Some(action) = self.world.next(task, |_, _| {}) {
            let result = self.host.perform(&action);
            // A group of one VNI is left though another VNI of the same device has it.
            if let (Action::Leave { group, .. }, Some(id)) = (action, task.device())
                && let Some(netdev) = self.world.device(id)
                && netdev.device().config().has_vni_filter()
            {
                self.missed.insert(group);
            }
            if let (Action::Join { group, .. }, Err(errno)) = (action, result)
                && errno != Errno::EADDRINUSE
            {
                self.missed.insert(group);
            }
            self.world.report(task, result);
            // A task that is done says so when it is asked.
            let _next = self.world.next(task, |_, _| {});
        }
        if let Err(Error::SocketBusy) = task.outcome()
            && let Some(netdev) = task.device().and_then(|id| self.world.device(id))
        {
            self.missed.extend(netdev.device().groups());
        }
    }

    /// Runs all tasks to their ends.
    fn settle(&mut self) {
        self.host.fail = None;
        while !self.tasks.is_empty() {
            self.step(0);
            self.tasks.retain(|task| !task.is_done());
        }
    }

    /// What holds whenever nothing is under way.
    fn check(&self) {
        let (mut seats, mut expected) = (0, 0);
        let mut groups = BTreeSet::new();
        for (id, netdev) in self.world.devices() {
            assert!(!netdev.is_busy(), "{id}");
            let config = netdev.device().config();
            assert!(
                self.host.kept.interfaces.contains(&id),
                "{id} has an interface"
            );
            assert_eq!(
                self.host.kept.above.get(&id).copied(),
                config.lower(),
                "{id}"
            );
            if netdev.device().is_up() {
                let sockets = if config.is_external() { 2 } else { 1 };
                seats += sockets;
                expected += match config.has_vni_filter() {
                    true => sockets as usize * netdev.device().vnis().len(),
                    false => sockets as usize,
                };
                groups.extend(netdev.device().groups());
            }
            assert_eq!(
                netdev.next_sweep().is_some(),
                netdev.device().is_up(),
                "{id}"
            );
        }
        assert_eq!(
            self.host.kept.interfaces.len(),
            self.world.devices().count()
        );
        let mut users = 0;
        let mut members = 0;
        for (id, socket) in self.world.sockets() {
            assert!(socket.users() > 0, "{id} has no users");
            assert!(socket.is_ready(), "{id}");
            users += socket.users();
            members += socket.vtep().len();
        }
        assert_eq!(users, seats);
        assert_eq!(members, expected);
        assert_eq!(self.host.sockets(), self.world.sockets().count());
        let joined: BTreeSet<Group> = self
            .host
            .kept
            .groups
            .iter()
            .map(|(_, group)| *group)
            .collect();
        assert!(joined.is_subset(&groups), "{joined:?} {groups:?}");
        // A change stays although its group cannot be joined.
        let mut missing = groups.difference(&joined);
        assert!(missing.all(|group| self.missed.contains(group)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// M-18, M-21, M-22, M-23: whatever was called, every socket has users, as many as it counts;
    /// joined are the groups of the devices that are up; in the end nothing is left.
    #[test]
    fn any_calls_in_any_order(calls in prop::collection::vec(call(), 1..60)) {
        let mut run = Run {
            world: world(),
            host: Host::default(),
            devices: Vec::new(),
            tasks: Vec::new(),
            missed: BTreeSet::new(),
        };
        for (at, call) in calls.iter().enumerate() {
            run.call(call);
            if at % 16 == 15 {
                run.settle();
                run.check();
            }
        }
        run.settle();
        run.check();
        let task = run.world.exit(|_, _| {}).unwrap();
        run.host.run(&mut run.world, task).unwrap();
        prop_assert_eq!(run.world.devices().count() + run.world.sockets().count(), 0);
        prop_assert_eq!(&run.host.kept, &super::host::Kept::default());
    }
}
