//! Every way a packet can end, with the counters of the device and of the VNI.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;
#[path = "drop_reasons/received.rs"]
mod received;
#[path = "drop_reasons/transmitted.rs"]
mod transmitted;

use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::BTreeSet;

use common::*;
use received::received;
use transmitted::transmitted;
use vxlan_core::device::{LearnRate, MoveDamping};
use vxlan_core::fdb::{Flags, Growable, Key, Mode, NexthopId, State, Update};
use vxlan_core::packet::{Gso, GsoKind, HEADROOM};
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::{
    Config, Device, DropReason, Egress, Instant, Mac, Packet, Route, RouteError, TunnelInfo,
    Underlay, Unlearned, Vni, Worker, mdb,
};

const I: u32 = 0x0800_0000;
const NETWORK: u32 = 5;

/// A device with everything that it counts.
struct Run {
    device: Device<Growable>,
    worker: Worker,
}

/// How a frame is to be transmitted.
struct Asked {
    frame: Vec<u8>,
    info: Option<TunnelInfo>,
    headroom: usize,
    gso: Option<Gso>,
    protocol: EtherType,
    route: Result<Route, RouteError>,
}

impl Asked {
    /// By metadata to `192.0.2.2`, over a route that leads there.
    fn new() -> Self {
        Self {
            frame: frame(mac(8), mac(9), 0x0800, &ipv4(0, 64)),
            info: Some(TunnelInfo::new(NETWORK, ip("192.0.2.2"))),
            headroom: HEADROOM,
            gso: None,
            protocol: EtherType::new(0),
            route: any_route(ip("192.0.2.2")),
        }
    }

    /// The same by the entries of the network.
    fn bridged() -> Self {
        let mut asked = Self::new();
        asked.info.iter_mut().for_each(|info| info.bridge = true);
        asked
    }
}

impl Run {
    fn new(config: Config) -> Self {
        let mut device = device(config);
        if device.config().has_vni_filter() {
            for vni in 0..=NETWORK {
                device.add_vni(Instant::ZERO, vni, None, false).unwrap();
            }
        }
        Self {
            device,
            worker: Worker::new(Instant::ZERO),
        }
    }

    /// An entry of the network.
    fn with_entry(mut self, mac: Mac, remote: &str) -> Self {
        let remote = self.device.remote(ip(remote));
        let update = Update {
            key: Key { mac, vni: NETWORK },
            state: State::PERMANENT,
            flags: Flags::SELF,
            mode: Mode::CREATE,
            destination: remote.into(),
            limit: 0,
        };
        self.device.fdb_update(Instant::ZERO, &update).unwrap();
        self
    }

    /// An entry of the network as if it had been learned.
    fn with_learned(mut self, mac: Mac, remote: &str) -> Self {
        let update = Update {
            key: Key { mac, vni: NETWORK },
            state: State::REACHABLE,
            flags: Flags::SELF,
            mode: Mode::CREATE,
            destination: self.device.remote(ip(remote)).into(),
            limit: 0,
        };
        let fdb = self.device.fdb_mut();
        fdb.update(Instant::ZERO, &update).unwrap();
        self
    }

    /// Hears a station of the network through these remotes, and starts to count again: the network
    /// goes and comes.
    fn has_heard(mut self, mac: Mac, remotes: &[&str]) -> Self {
        let payload = datagram(I, NETWORK << 8, &frame(mac, mac, 0x0800, &ipv4(0, 64)));
        for remote in remotes {
            let mut bytes = payload.clone();
            let mut packet = Packet::new(&mut bytes, 0, payload.len()).unwrap();
            let from = Underlay::new(ip(remote));
            self.device.receive(&mut self.worker, &from, &mut packet);
        }
        self.device.remove_vni(NETWORK).unwrap();
        let device = &mut self.device;
        device.add_vni(Instant::ZERO, NETWORK, None, false).unwrap();
        self.worker = Worker::new(Instant::ZERO);
        self
    }

    fn receive(mut self, flags: u32, vni: u32, tos: u8, inner: &[u8]) -> Self {
        self.receive_payload(tos, &datagram(flags, vni << 8, inner));
        self
    }

    fn receive_payload(&mut self, tos: u8, payload: &[u8]) {
        let mut bytes = payload.to_vec();
        let mut packet = Packet::new(&mut bytes, 0, payload.len()).unwrap();
        let from = Underlay::new(ip("192.0.2.2")).tos(tos);
        self.device.receive(&mut self.worker, &from, &mut packet);
    }

    fn transmit(mut self, asked: &Asked) -> Self {
        let (device, worker) = (&self.device, &mut self.worker);
        let mut buffer = [&vec![0; asked.headroom][..], &asked.frame].concat();
        let mut packet = Packet::new(&mut buffer, asked.headroom, asked.frame.len()).unwrap();
        packet.tunnel = asked.info;
        packet.gso = asked.gso;
        packet.protocol = asked.protocol;
        match device.transmit(worker, &mut packet) {
            Egress::Forward(remotes) => {
                for remote in remotes {
                    device.encapsulate(worker, &mut packet, remote, asked.route);
                }
            }
            Egress::Tunnel => {
                device.encapsulate_by_info(worker, &mut packet, asked.route);
            }
            Egress::Nexthop(_) => {
                device.drop_without_path(worker, &packet);
            }
            _ => {}
        }
        self
    }
}

fn filter() -> Config {
    Config::new(Vni::MIN)
        .external(true)
        .vni_filter(true)
        .local(ip("192.0.2.1"))
        .port(4789)
}

fn raw() -> Config {
    filter().gpe(true).learning(false)
}

/// What is not zero.
fn counted<const N: usize>(named: [(&'static str, u64); N]) -> Vec<(&'static str, u64)> {
    named.into_iter().filter(|(_, count)| *count != 0).collect()
}

/// One way to end: the reason, the counters of the device, those of a VNI if one is concerned, and
/// how to get there.
struct Case {
    reason: DropReason,
    device: &'static [&'static str],
    vni: Option<(u32, &'static [&'static str])>,
    run: Run,
}

impl Case {
    fn check(self) {
        let Self {
            reason,
            device,
            vni,
            run,
        } = self;
        let stats = &run.worker.stats;
        assert_eq!(stats.drops(reason), 1, "{reason}");
        let all: u64 = DropReason::ALL.iter().map(|r| stats.drops(*r)).sum();
        assert_eq!(all, 1, "{reason}: one end a packet");
        let once = |names: &[&'static str]| names.iter().map(|name| (*name, 1)).collect::<Vec<_>>();
        assert_eq!(counted(stats.named()), once(device), "{reason}: device");
        for entry in run.device.vnis() {
            let (number, mut stats) = (entry.vni(), entry.stats());
            let concerned = vni.filter(|(vni, _)| *vni == number);
            assert_eq!(
                stats.drops(reason),
                u64::from(concerned.is_some()),
                "{reason}: VNI {number}"
            );
            if stats.tx_packets > 0 {
                // Refused below: it counts as sent, with its Ethernet header.
                assert!(stats.tx_bytes > 14, "{reason}");
                stats.tx_bytes = 0;
            }
            let names = concerned.map_or(&[][..], |(_, names)| names);
            assert_eq!(
                counted(stats.named()),
                once(names),
                "{reason}: VNI {number}"
            );
        }
    }
}

fn case(
    reason: DropReason,
    device: &'static [&'static str],
    vni: Option<(u32, &'static [&'static str])>,
    run: Run,
) -> Case {
    Case {
        reason,
        device,
        vni,
        run,
    }
}

/// A group that nobody wants a frame of: it ends without a counter, as in Linux.
fn to_a_blocked_group() -> DropReason {
    let storage = mdb::With::<Growable, mdb::Growable>::default();
    let mut device = Device::new(config(), OWN, storage, Instant::ZERO).unwrap();
    device.set_up(true);
    let sources = [ip("10.0.0.1")];
    let request = mdb::Request::new(ip("239.1.1.1"))
        .remote(ip("192.0.2.3"))
        .sources(mdb::FilterMode::Exclude, &sources)
        .mode(Mode::CREATE);
    device.mdb_add(&request, &mut |_, _| {}).unwrap();
    let mut packet = ipv4(0, 33);
    packet[12..20].copy_from_slice(&[10, 0, 0, 1, 239, 1, 1, 1]);
    let group = Mac::new([1, 0, 0x5e, 1, 1, 1]);
    let mut bytes = frame(group, mac(8), 0x0800, &packet);
    let len = bytes.len();
    let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
    let mut worker = Worker::new(Instant::ZERO);
    let Egress::Drop(reason, None) = device.transmit(&mut worker, &mut packet) else {
        panic!("somebody wants it");
    };
    assert_eq!(worker.stats.drops(reason), 1);
    assert!(counted(worker.stats.named()).is_empty(), "{reason}");
    reason
}

/// each reason is reached, counts once, and moves the counters that Linux moves, for the device
/// and for the VNI.
#[test]
fn r15_every_reason_and_its_counters() {
    let mut reached = BTreeSet::from([to_a_blocked_group()]);
    for case in received().into_iter().chain(transmitted()) {
        reached.insert(case.reason);
        case.check();
    }
    let unreached: Vec<_> = DropReason::ALL
        .iter()
        .filter(|reason| !reached.contains(reason))
        .collect();
    assert!(unreached.is_empty(), "never provoked: {unreached:?}");
}

/// what arrives and what leaves, for the VNI: bytes without the Ethernet header on the
/// way in, with it on the way out.
#[test]
fn r15_bytes_of_a_vni() {
    let good = frame(OWN, mac(9), 0x0800, &ipv4(0, 64));
    let mut run = Run::new(filter())
        .receive(I, NETWORK, 0, &good)
        .transmit(&Asked::new());
    run.worker = Worker::new(Instant::ZERO);
    let stats = run.device.vnis().find(NETWORK).unwrap().stats();
    let want = [
        ("rx_bytes", 20),
        ("rx_packets", 1),
        ("tx_bytes", 34),
        ("tx_packets", 1),
    ];
    assert_eq!(counted(stats.named()), want);
}

/// S-01: threads that share a device lose no count.
#[test]
fn s01_threads_share_the_counters_of_a_vni() {
    const EACH: u64 = 2_000;
    let run = Run::new(filter().learning(false));
    let payload = datagram(I, NETWORK << 8, &frame(OWN, mac(9), 0x88b5, &[7; 6]));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut worker = Worker::new(Instant::ZERO);
                for _ in 0..EACH {
                    let mut bytes = payload.clone();
                    let mut packet = Packet::new(&mut bytes, 0, payload.len()).unwrap();
                    let from = Underlay::new(ip("192.0.2.2"));
                    let (_, snooped) = run.device.receive_shared(&mut worker, &from, &mut packet);
                    assert!(snooped.is_nothing());
                }
            });
        }
    });
    let stats = run.device.vnis().find(NETWORK).unwrap().stats();
    assert_eq!((stats.rx_packets, stats.rx_bytes), (4 * EACH, 24 * EACH));
}
