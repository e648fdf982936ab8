//! Stories of whole networks: devices on a simulated underlay that loses and reorders packets, and
//! a clock that is pushed by hand.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use core::net::IpAddr;
use core::num::NonZeroU32;
use core::time::Duration;

use proptest::prelude::*;
use vxlan_core::fdb::{Growable, State};
use vxlan_core::packet::HEADROOM;
use vxlan_core::vtep::Member;
use vxlan_core::{
    Config, Device, DropReason, Egress, Encapsulated, Event, Ingress, Instant, Mac, Packet, Route,
    Underlay, Vni, Vtep, Worker,
};

const VNI: u32 = 42;
const MINUTE: Duration = Duration::from_secs(60);

/// One host with one device, and what it has seen.
struct Node {
    address: IpAddr,
    device: Device<Growable>,
    vtep: Vtep<[Member; 1]>,
    worker: Worker,
    sweep: Instant,
    /// Frames that came out of the device since they were last asked for.
    delivered: Vec<Vec<u8>>,
    events: Vec<Event>,
    drops: Vec<DropReason>,
}

/// A UDP payload on its way.
struct Parcel {
    arrival: Instant,
    from: IpAddr,
    to: IpAddr,
    tos: u8,
    payload: Vec<u8>,
}

/// The underlay and everybody on it.
struct Fabric {
    now: Instant,
    nodes: Vec<Node>,
    /// What is under way.
    wire: Vec<Parcel>,
    /// How many of a hundred packets are lost.
    loss: u64,
    latency: Duration,
    /// By how much a packet may be late.
    jitter: Duration,
    dice: u64,
}

fn address(node: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, 1 + node as u8])
}

fn station(number: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, number])
}

/// A frame between stations of no known protocol.
fn frame(to: Mac, from: Mac, text: &str) -> Vec<u8> {
    [
        &to.octets()[..],
        &from.octets(),
        &[0x88, 0xb5],
        text.as_bytes(),
    ]
    .concat()
}

fn config(node: usize) -> Config {
    Config::new(Vni::truncate(VNI))
        .local(address(node))
        .port(4789)
}

impl Fabric {
    /// `count` hosts that flood to all the others.
    fn new(count: usize) -> Self {
        Self::with((0..count).map(config))
    }

    fn with(configs: impl Iterator<Item = Config>) -> Self {
        let now = Instant::from_millis(1_000_000);
        let mut fabric = Self {
            now,
            nodes: Vec::new(),
            wire: Vec::new(),
            loss: 0,
            latency: Duration::from_millis(1),
            jitter: Duration::ZERO,
            dice: 1,
        };
        for (number, config) in configs.enumerate() {
            let mac = Mac::new([2, 0xff, 0, 0, 0, number as u8]);
            let mut device = Device::new(config, mac, Growable::new(), now).unwrap();
            device.set_up(true);
            let mut vtep = Vtep::new([Member::EMPTY; 1]);
            vtep.attach(device.config().vni(), None, number).unwrap();
            fabric.nodes.push(Node {
                address: device.config().local(),
                device,
                vtep,
                worker: Worker::new(now),
                sweep: now,
                delivered: Vec::new(),
                events: Vec::new(),
                drops: Vec::new(),
            });
        }
        let addresses: Vec<IpAddr> = fabric.nodes.iter().map(|node| node.address).collect();
        for node in &mut fabric.nodes {
            for peer in addresses.iter().filter(|peer| **peer != node.address) {
                let remote = node.device.remote(*peer);
                node.device.fdb_append(now, Mac::ZERO, remote).unwrap();
            }
        }
        fabric
    }

    /// A station behind `node` sends a frame; it reaches whom it reaches, and time passes.
    fn send(&mut self, node: usize, bytes: &[u8]) {
        self.post(node, bytes);
        self.pass(self.latency + self.jitter);
    }

    /// The same without waiting. Says how many packets went out.
    fn post(&mut self, node: usize, bytes: &[u8]) -> usize {
        let Node {
            address,
            device,
            worker,
            drops,
            events,
            ..
        } = &mut self.nodes[node];
        let mut buffer = vec![0; HEADROOM + bytes.len()];
        buffer[HEADROOM..].copy_from_slice(bytes);
        let mut frame = Packet::new(&mut buffer, HEADROOM, bytes.len()).unwrap();
        let mut sent = Vec::new();
        worker.now = self.now;
        match device.transmit(worker, &mut frame) {
            Egress::Forward(remotes) => {
                for remote in remotes {
                    let route = Ok(Route::new(*address, 1500));
                    match device.encapsulate(worker, &mut frame, remote, route) {
                        Encapsulated::Send(outer) => {
                            let payload = outer.udp_payload().to_vec();
                            sent.push((outer.destination(), outer.tos(), payload));
                        }
                        Encapsulated::Drop(reason) => drops.push(reason),
                        other => unexpected(&other),
                    }
                }
            }
            Egress::Drop(reason, event) => {
                drops.push(reason);
                events.extend(event);
            }
            other => unexpected(&other),
        }
        let (from, count) = (*address, sent.len());
        for (to, tos, payload) in sent {
            if self.roll(100) >= self.loss {
                let late = Duration::from_millis(self.roll(1 + self.jitter.as_millis() as u64));
                let arrival = self.now + self.latency + late;
                self.wire.push(Parcel {
                    arrival,
                    from,
                    to,
                    tos,
                    payload,
                });
            }
        }
        count
    }

    /// Pushes the clock; packets arrive and entries age when it is time.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let next = (0..self.wire.len()).min_by_key(|at| self.wire[*at].arrival);
            let parcel = next
                .map(|at| self.wire[at].arrival)
                .filter(|due| *due <= end);
            let sweep = self.nodes.iter().map(|node| node.sweep).min().unwrap();
            match (parcel, next) {
                (Some(due), Some(at)) if due <= sweep => {
                    self.now = due;
                    let parcel = self.wire.remove(at);
                    self.arrive(parcel);
                }
                _ if sweep <= end => {
                    self.now = sweep.max(self.now);
                    self.age();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn arrive(&mut self, mut parcel: Parcel) {
        let Some(node) = self.nodes.iter_mut().find(|node| node.address == parcel.to) else {
            return;
        };
        if let Err(reason) = node.vtep.demultiplex(&parcel.payload, None) {
            node.drops.push(reason);
            return;
        }
        let len = parcel.payload.len();
        let mut datagram = Packet::new(&mut parcel.payload, 0, len).unwrap();
        let from = Underlay::new(parcel.from).tos(parcel.tos);
        node.worker.now = self.now;
        match node.device.receive(&mut node.worker, &from, &mut datagram) {
            Ingress::Deliver(_, event) => {
                node.delivered.push(datagram.bytes().to_vec());
                node.events.extend(event);
            }
            Ingress::Drop(reason, event) => {
                node.drops.push(reason);
                node.events.extend(event);
            }
            other => unexpected(&other),
        }
    }

    fn age(&mut self) {
        for node in &mut self.nodes {
            if node.sweep <= self.now {
                let mut aged = node.device.age(self.now);
                node.events.extend(aged.by_ref());
                node.sweep = aged.next_sweep();
            }
        }
    }

    /// A throw of dice with `sides` sides (xorshift).
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides
    }

    /// Who has got a frame since the last question.
    fn reached(&mut self) -> Vec<usize> {
        let nodes = self.nodes.iter_mut().enumerate();
        nodes
            .filter_map(|(number, node)| {
                let frames = core::mem::take(&mut node.delivered);
                (!frames.is_empty()).then_some(number)
            })
            .collect()
    }

    /// Behind which host `node` takes a station to be.
    fn place(&self, node: usize, mac: Mac) -> Option<IpAddr> {
        let device = &self.nodes[node].device;
        let entry = device.fdb().find(&device.key(mac))?;
        entry.first_remote().map(|remote| remote.addr)
    }
}

#[expect(clippy::panic, reason = "a test may panic")]
fn unexpected(what: &dyn core::fmt::Debug) {
    panic!("unexpected {what:?}");
}

const ANNE: u8 = 1;
const BERT: u8 = 2;

/// L-04: a broadcast goes everywhere, and the answer to it to one host only.
#[test]
fn l04_flood_then_learn() {
    let mut fabric = Fabric::new(4);
    fabric.send(0, &frame(Mac::BROADCAST, station(ANNE), "who is Bert?"));
    assert_eq!(fabric.reached(), [1, 2, 3]);
    assert!((1..4).all(|node| fabric.place(node, station(ANNE)) == Some(address(0))));

    fabric.send(2, &frame(station(ANNE), station(BERT), "I am"));
    assert_eq!(fabric.reached(), [0]);
    fabric.send(0, &frame(station(BERT), station(ANNE), "hello"));
    assert_eq!(fabric.reached(), [2]);
    assert_eq!(
        fabric.place(1, station(BERT)),
        None,
        "nobody told the others"
    );
    let learned = |node: &Node| {
        node.events
            .iter()
            .filter(|event| matches!(event, Event::Learned(_)))
            .count()
    };
    assert_eq!(
        fabric.nodes.iter().map(learned).collect::<Vec<_>>(),
        [1, 1, 1, 1]
    );
}

/// L-03: a station that moves to another host is followed with its first frame from there.
#[test]
fn l03_migrate() {
    let mut fabric = Fabric::new(3);
    fabric.send(1, &frame(Mac::BROADCAST, station(ANNE), "here"));
    fabric.send(2, &frame(Mac::BROADCAST, station(ANNE), "now here"));
    fabric.reached();
    fabric.send(0, &frame(station(ANNE), station(BERT), "found you"));
    assert_eq!(fabric.reached(), [2]);
    let migrated = |event: &Event| match event {
        Event::Migrated { record, from } => Some((record.key.mac, *from)),
        _ => None,
    };
    let seen: Vec<_> = fabric.nodes[0].events.iter().filter_map(migrated).collect();
    assert_eq!(seen, [(station(ANNE), address(1))]);
}

/// L-06: a silent station is forgotten after five minutes, a talking one is not.
#[test]
fn l06_age() {
    let mut fabric = Fabric::new(2);
    fabric.send(
        1,
        &frame(Mac::BROADCAST, station(ANNE), "first and last word"),
    );
    for _ in 0..5 {
        assert_eq!(fabric.place(0, station(ANNE)), Some(address(1)));
        fabric.send(1, &frame(Mac::BROADCAST, station(BERT), "still here"));
        // Frames to a station do not keep its entry alive.
        fabric.send(0, &frame(station(ANNE), station(7), "and you?"));
        fabric.pass(MINUTE);
    }
    assert_eq!(fabric.place(0, station(ANNE)), None);
    assert_eq!(fabric.place(0, station(BERT)), Some(address(1)));
    let gone = |event: &Event| match event {
        Event::Removed(record) => Some((record.key.mac, record.state)),
        _ => None,
    };
    let seen: Vec<_> = fabric.nodes[0].events.iter().filter_map(gone).collect();
    assert_eq!(seen, [(station(ANNE), State::STALE)]);
}

/// L-02: what the operator has pinned no traffic moves, and an impostor is not heard.
#[test]
fn l02_pinned_stations_stay() {
    let mut fabric = Fabric::new(3);
    let now = fabric.now;
    let device = &mut fabric.nodes[0].device;
    let remote = device.remote(address(1));
    device.fdb_add(now, station(ANNE), remote).unwrap();

    fabric.send(2, &frame(Mac::BROADCAST, station(ANNE), "I am Anne"));
    assert_eq!(fabric.reached(), [1], "not the host that knows better");
    assert_eq!(fabric.nodes[0].drops, [DropReason::EntryExists]);
    fabric.send(1, &frame(Mac::BROADCAST, station(ANNE), "no, I am"));
    assert_eq!(fabric.reached(), [0, 2]);
    fabric.pass(60 * MINUTE);
    assert_eq!(fabric.place(0, station(ANNE)), Some(address(1)));
}

/// L-04: a full table stops the learning, not the traffic.
#[test]
fn l04_limit() {
    let limited = config(0).limit(NonZeroU32::new(3)); // the default entry and two more
    let mut fabric = Fabric::with([limited, config(1)].into_iter());
    for number in 1..=5 {
        fabric.send(1, &frame(Mac::BROADCAST, station(number), "crowd"));
        assert_eq!(fabric.reached(), [0], "{number}");
    }
    let known = |number: &u8| fabric.place(0, station(*number)).is_some();
    assert_eq!((1..=5).filter(known).collect::<Vec<_>>(), [1, 2]);
    let refused = |event: &&Event| matches!(event, Event::LearnRefused { .. });
    assert_eq!(fabric.nodes[0].events.iter().filter(refused).count(), 3);
}

/// a flood that comes back to its device ends there.
#[test]
fn r10_own_flood_comes_back() {
    let mut fabric = Fabric::new(2);
    let own = fabric.nodes[0].device.mac();
    fabric.send(1, &frame(Mac::BROADCAST, own, "echo"));
    assert_eq!(fabric.reached(), [0; 0]);
    assert_eq!(fabric.nodes[0].drops, [DropReason::LocalMac]);
}

/// L-03: late packets may pull a station back to where it was; its next frame sets that right.
#[test]
fn l03_reordering_heals() {
    let mut fabric = Fabric::new(3);
    fabric.jitter = Duration::from_millis(50);
    for round in 0..50 {
        let (old, new) = (1 + round % 2, 2 - round % 2);
        fabric.post(old, &frame(Mac::BROADCAST, station(ANNE), "leaving"));
        fabric.send(new, &frame(Mac::BROADCAST, station(ANNE), "arriving"));
        fabric.send(new, &frame(Mac::BROADCAST, station(ANNE), "arrived"));
        assert_eq!(
            fabric.place(0, station(ANNE)),
            Some(address(new)),
            "round {round}"
        );
    }
    let events = fabric.nodes[0].events.iter();
    let moves = events
        .filter(|event| matches!(event, Event::Migrated { .. }))
        .count();
    assert!(moves > 50, "{moves}: some packets were late");
}

/// of what the underlay carries every packet is delivered or dropped for a reason, once.
#[test]
fn r15_nothing_is_lost_twice() {
    let mut fabric = Fabric::new(4);
    fabric.loss = 30;
    fabric.jitter = Duration::from_millis(20);
    let mut sent = 0;
    for round in 0..200u8 {
        let from = usize::from(round % 4);
        let to = if round % 3 == 0 {
            Mac::BROADCAST
        } else {
            station(round / 7)
        };
        sent += fabric.post(from, &frame(to, station(round % 16), "load"));
        fabric.pass(Duration::from_millis(3));
    }
    fabric.pass(MINUTE);
    let stats = |node: &Node| {
        assert_eq!(node.worker.stats.rx_packets, node.delivered.len() as u64);
        (
            node.delivered.len() + node.drops.len(),
            node.worker.stats.tx_packets as usize,
        )
    };
    let counts: Vec<_> = fabric.nodes.iter().map(stats).collect();
    let arrived: usize = counts.iter().map(|(arrived, _)| arrived).sum();
    assert_eq!(counts.iter().map(|(_, out)| out).sum::<usize>(), sent);
    assert!(arrived < sent && arrived > sent / 2, "{arrived} of {sent}");
    assert!(fabric.wire.is_empty());
}

proptest! {
    /// two devices make a wire: the frame comes out as it went in, over IPv4 and IPv6.
    #[test]
    fn r16_two_vteps_are_a_wire(
        payload in proptest::collection::vec(any::<u8>(), 0..1400),
        source in 1u8..250,
        ipv6: bool,
        checksum: bool,
        gbp: bool,
    ) {
        let address = |node: u16| match ipv6 {
            true => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, node]),
            false => IpAddr::from([192, 0, 2, node as u8]),
        };
        let config = |node| {
            Config::new(Vni::truncate(VNI))
                .local(address(node))
                .udp_checksum(checksum)
                .udp_zero_checksum6_tx(!checksum)
                .gbp(gbp)
        };
        let mut fabric = Fabric::with([config(1), config(2)].into_iter());
        // Not IP: its congestion bits are the one thing that may change on the way.
        let head = frame(Mac::BROADCAST, station(source), "");
        let sent = [head, payload].concat();
        fabric.send(0, &sent);
        prop_assert_eq!(&fabric.nodes[1].delivered, &[sent]);
        prop_assert_eq!(fabric.place(1, station(source)), Some(address(1)));
    }
}
