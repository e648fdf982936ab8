//! One device, many threads (real ones).

#![cfg(all(feature = "shared", not(loom)))]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use vxlan_core::fdb::{Growable, Record};
use vxlan_core::packet::HEADROOM;
use vxlan_core::{
    Config, ConfigError, Device, Egress, Event, Ingress, Instant, Mac, Packet, Stats, Underlay,
    Vni, Worker,
};
use vxlan_std::shared::{Reader, Totals, Writer, share};

const OWN: Mac = Mac::new([2, 0, 0, 0, 0, 1]);

fn vni() -> Vni {
    Vni::new(42).unwrap()
}

/// A station of a peer.
fn station(peer: u8, number: u16) -> Mac {
    let [high, low] = number.to_be_bytes();
    Mac::new([2, 1, peer, 0, high, low])
}

fn peer(number: u8) -> IpAddr {
    [192, 0, 2, number].into()
}

fn shared(ageing: Duration, queue: usize) -> (Reader<Growable>, Writer<Growable>) {
    let make = || {
        let config = Config::new(vni()).remote(peer(200)).ageing(ageing);
        Device::new(config, OWN, Growable::new(), Instant::ZERO)
    };
    let (reader, mut writer) = share::<_, ConfigError>(make, queue).unwrap();
    writer.change(|device| device.set_up(true));
    (reader, writer)
}

fn packet(source: Mac) -> [u8; 8 + 60] {
    let mut bytes = [0; 68];
    bytes[0] = 0x08;
    bytes[4..7].copy_from_slice(&[0, 0, 42]);
    bytes[8..14].copy_from_slice(&OWN.octets());
    bytes[8..14][5] = 7;
    bytes[14..20].copy_from_slice(&source.octets());
    bytes[20..22].copy_from_slice(&[0x88, 0xb5]);
    bytes
}

fn receive(reader: &Reader<Growable>, worker: &mut Worker, from: IpAddr, source: Mac) {
    let mut bytes = packet(source);
    let len = bytes.len();
    let mut datagram = Packet::new(&mut bytes, 0, len).unwrap();
    match reader.receive(worker, &Underlay::new(from), &mut datagram) {
        Ingress::Deliver(_, None) => {}
        other => panic!("{other:?}"),
    }
}

/// Whom a frame to this station would be sent to.
fn remotes(device: &Device<Growable>, worker: &mut Worker, to: Mac) -> Vec<IpAddr> {
    let mut buffer = [0; HEADROOM + 60];
    buffer[HEADROOM..][..6].copy_from_slice(&to.octets());
    buffer[HEADROOM + 6..][..6].copy_from_slice(&OWN.octets());
    let mut frame = Packet::new(&mut buffer, HEADROOM, 60).unwrap();
    match device.transmit(worker, &mut frame) {
        Egress::Forward(remotes) => remotes.map(|remote| remote.addr).collect(),
        other => panic!("{other:?}"),
    }
}

fn table(device: &Device<Growable>) -> Vec<(Mac, IpAddr)> {
    let line = |record: Record| Some((record.key.mac, record.destination.remote()?.addr));
    device.fdb().iter().filter_map(line).collect()
}

fn assert_alike(writer: &Writer<Growable>) {
    writer.with_copies(|[one, other]| assert_eq!(table(one), table(other)));
}

/// S-01, L-03: whatever several threads receive is learned exactly once, and counted exactly.
#[test]
fn s01_threads_learn_and_count() {
    const THREADS: u8 = 4;
    const STATIONS: u16 = 500;
    const ROUNDS: u64 = 20;
    let (reader, mut writer) = shared(Duration::ZERO, 256);
    let totals = Totals::new();
    let running = AtomicU64::new(THREADS.into());
    let mut events = Vec::new();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let reader = reader.clone();
            let (totals, running) = (&totals, &running);
            scope.spawn(move || {
                let mut worker = Worker::new(Instant::ZERO);
                for round in 0..ROUNDS {
                    worker.now = Instant::from_millis(round * 10);
                    for number in 0..STATIONS {
                        receive(
                            &reader,
                            &mut worker,
                            peer(thread + 1),
                            station(thread, number),
                        );
                    }
                    totals.add(&mut worker);
                    thread::yield_now();
                }
                running.fetch_sub(1, Ordering::Release);
            });
        }
        let deadline = Clock::now() + Duration::from_secs(30);
        while running.load(Ordering::Acquire) > 0 {
            assert!(Clock::now() < deadline, "stuck");
            writer.learn(|event| events.push(event));
        }
        writer.learn(|event| events.push(event));
    });
    // What the queue had no room for is tried again by the next packet.
    let mut worker = Worker::new(Instant::from_millis(1000));
    for thread in 0..THREADS {
        for number in 0..STATIONS {
            receive(
                &reader,
                &mut worker,
                peer(thread + 1),
                station(thread, number),
            );
            writer.learn(|event| events.push(event));
        }
    }
    totals.add(&mut worker);

    let stations = u64::from(THREADS) * u64::from(STATIONS);
    let stats = totals.read();
    assert_eq!(stats.rx_packets, stations * (ROUNDS + 1));
    assert_eq!(stats.rx_bytes, stations * (ROUNDS + 1) * 46);
    assert_eq!(worker.stats, Stats::new(), "handed over");
    let learned: BTreeSet<Mac> = events
        .iter()
        .map(|event| match event {
            Event::Learned(record) => record.key.mac,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((learned.len(), events.len()), (2000, 2000), "each once");
    assert_alike(&writer);
    assert_eq!(writer.device().fdb().len(), 2000 + 1);
}

/// F-01: readers see a change as a whole: two entries that always point to the same peer do so in
/// every single look at the table.
#[test]
fn f01_no_half_changes() {
    let (reader, mut writer) = shared(Duration::ZERO, 1);
    let (one, two) = (station(1, 1), station(1, 2));
    let point = |writer: &mut Writer<Growable>, to: IpAddr| {
        writer.change(|device| {
            let remote = device.remote(to);
            for mac in [one, two] {
                device.fdb_replace(Instant::ZERO, mac, remote).unwrap();
            }
        });
    };
    point(&mut writer, peer(1));
    let done = AtomicBool::new(false);
    let looks = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            let reader = reader.clone();
            let (done, looks) = (&done, &looks);
            scope.spawn(move || {
                let mut worker = Worker::new(Instant::ZERO);
                let mut seen = BTreeMap::new();
                while !done.load(Ordering::Relaxed) {
                    let device = reader.device();
                    let first = remotes(&device, &mut worker, one);
                    assert_eq!(first, remotes(&device, &mut worker, two));
                    *seen.entry(first).or_insert(0) += 1;
                    looks.fetch_add(1, Ordering::Relaxed);
                }
                seen
            });
        }
        let deadline = Clock::now() + Duration::from_secs(30);
        let mut changes = 0u64;
        while changes < 100 || looks.load(Ordering::Relaxed) < 1000 {
            assert!(Clock::now() < deadline, "stuck after {changes}");
            changes += 1;
            point(&mut writer, peer(1 + (changes % 100) as u8));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_alike(&writer);
}

/// L-06: what is used through either copy stays, what is not goes, in both copies.
#[test]
fn l06_ages_by_both_copies() {
    let (reader, mut writer) = shared(Duration::from_secs(10), 64);
    let mut worker = Worker::new(Instant::ZERO);
    for number in 0..4 {
        receive(&reader, &mut worker, peer(1), station(1, number));
    }
    assert_eq!(writer.learn(|_| {}), 4);
    // 0 is heard of at 8 s through one copy, 1 at 9 s through the other, 2 at 9 s through both.
    worker.now = Instant::from_millis(8_000);
    receive(&reader, &mut worker, peer(1), station(1, 0));
    receive(&reader, &mut worker, peer(1), station(1, 2));
    writer.change(|_| {});
    worker.now = Instant::from_millis(9_000);
    receive(&reader, &mut worker, peer(1), station(1, 1));
    receive(&reader, &mut worker, peer(1), station(1, 2));
    let mut gone = Vec::new();
    let mut tell = |event| match event {
        Event::Removed(record) => gone.push(record.key.mac),
        other => panic!("{other:?}"),
    };
    let next = writer.age(Instant::from_millis(11_000), &mut tell);
    assert_eq!(next, Instant::from_millis(18_000));
    assert_alike(&writer);
    writer.age(Instant::from_millis(18_500), &mut tell);
    assert_alike(&writer);
    writer.age(Instant::from_millis(20_000), &mut tell);
    assert_alike(&writer);
    assert_eq!(gone[..2], [station(1, 3), station(1, 0)]);
    let rest: BTreeSet<Mac> = gone[2..].iter().copied().collect();
    assert_eq!(rest, [station(1, 1), station(1, 2)].into());
    assert_eq!(writer.device().fdb().len(), 1, "the default entry stays");
}

/// L-03: a burst from a new source is one thing to learn; a full queue is counted, not waited for.
#[test]
fn l03_bursts_and_full_queues() {
    let (reader, mut writer) = shared(Duration::ZERO, 2);
    let mut worker = Worker::new(Instant::ZERO);
    for _ in 0..100 {
        receive(&reader, &mut worker, peer(1), station(1, 0));
    }
    assert_eq!(writer.missed(), 0);
    for number in 1..4 {
        receive(&reader, &mut worker, peer(1), station(1, number));
    }
    assert_eq!(writer.missed(), 2);
    assert_eq!(writer.learn(|_| {}), 2);
    // The writer may be gone: nobody learns, packets are delivered all the same.
    drop(writer);
    receive(&reader, &mut worker, peer(1), station(1, 9));
    assert_eq!(worker.stats.rx_packets, 104);
}

/// L-03, F-01: everything at once: learning, moving, dumping, ageing, flushing, going down and up.
#[test]
fn f01_everything_at_once() {
    let (reader, mut writer) = shared(Duration::from_secs(1), 128);
    let done = AtomicBool::new(false);
    let time = AtomicU64::new(0);
    let totals = Totals::new();
    let received = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..3u8 {
            let reader = reader.clone();
            let (done, time, totals, received) = (&done, &time, &totals, &received);
            scope.spawn(move || {
                let mut worker = Worker::new(Instant::ZERO);
                let mut step = u64::from(thread);
                while !done.load(Ordering::Relaxed) {
                    worker.now = Instant::from_millis(time.load(Ordering::Relaxed));
                    step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let source = station(9, (step >> 40) as u16 % 50);
                    let mut bytes = packet(source);
                    let len = bytes.len();
                    let mut datagram = Packet::new(&mut bytes, 0, len).unwrap();
                    let from = Underlay::new(peer(1 + (step >> 60) as u8));
                    let _ = reader.receive(&mut worker, &from, &mut datagram);
                    received.fetch_add(1, Ordering::Relaxed);
                    // A dump within one look has every station once.
                    let device = reader.device();
                    let mut seen = BTreeSet::new();
                    for record in device.fdb().iter() {
                        assert!(seen.insert(record.key), "{record:?} twice");
                    }
                }
                totals.add(&mut worker);
            });
        }
        let deadline = Clock::now() + Duration::from_secs(30);
        let mut step = 0u64;
        while step < 100 || received.load(Ordering::Relaxed) < 1000 {
            assert!(Clock::now() < deadline, "stuck after {step}");
            step += 1;
            let now = Instant::from_millis(time.fetch_add(7, Ordering::Relaxed));
            writer.learn(|_| {});
            match step % 7 {
                0 => drop(writer.change(|device| device.stop().count())),
                1 => writer.change(|device| device.set_up(true)),
                2 | 4 => drop(writer.age(now, |_| {})),
                3 => drop(writer.change(|device| device.clear().count())),
                _ => {}
            }
            assert_alike(&writer);
        }
        done.store(true, Ordering::Relaxed);
    });
    writer.change(|device| device.stop().count());
    // Nobody is learned on a device that is down, even if he was heard of before.
    writer.learn(|event| panic!("{event:?}"));
    assert_alike(&writer);
    let stats = totals.read();
    let dropped: u64 = vxlan_core::DropReason::ALL
        .iter()
        .map(|reason| stats.drops(*reason))
        .sum();
    assert_eq!(stats.rx_packets + dropped, received.load(Ordering::Relaxed));
}

/// L-03 (CVE-2025-37921): a network is deleted while a source in it waits to be learned.
#[test]
fn l03_no_entry_in_a_network_that_is_gone() {
    let make = || {
        let config = Config::new(Vni::MIN).external(true).vni_filter(true);
        Device::new(config, OWN, Growable::new(), Instant::ZERO)
    };
    let (reader, mut writer) = share::<_, ConfigError>(make, 8).unwrap();
    writer.change(|device| {
        device.set_up(true);
        assert!(device.add_vni(Instant::ZERO, 42, None, false).is_ok());
    });
    let mut worker = Worker::new(Instant::ZERO);
    receive(&reader, &mut worker, peer(1), station(1, 1));
    assert_eq!(writer.learn(|_| {}), 1);
    assert_eq!(writer.device().fdb().len(), 1);
    receive(&reader, &mut worker, peer(1), station(1, 2));
    writer.change(|device| assert!(device.remove_vni(42).is_ok()));
    writer.learn(|event| panic!("{event:?}"));
    // What was learned before stays until it ages.
    writer.with_copies(|copies| assert!(copies.iter().all(|copy| copy.fdb().len() == 1)));
}
