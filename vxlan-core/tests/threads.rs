//! One device, several threads, each with its own counters.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use common::*;
use vxlan_core::packet::HEADROOM;
use vxlan_core::{Egress, Encapsulated, Instant, Packet, Stats, Underlay, Worker};

const ROUNDS: u64 = 500;
const THREADS: u64 = 4;

/// What one thread does: frames both ways, and some that are dropped.
fn work(device: &Table, thread: u64) -> Stats {
    let mut worker = Worker::new(Instant::ZERO);
    let from = Underlay::new(ip("192.0.2.2"));
    let inner = frame(OWN, mac(9), 0x0800, &ipv4(0, 64));
    let good = datagram(0x0800_0000, 42 << 8, &inner);
    let reserved = datagram(0x0800_0001, 42 << 8, &inner);
    for round in 0..ROUNDS {
        for payload in [&good, &reserved] {
            let mut bytes = payload.clone();
            let len = bytes.len();
            let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
            let (_ingress, _snooped) = device.receive_shared(&mut worker, &from, &mut packet);
        }
        // A route is missing as often as the thread's number says.
        let mut buffer = [&[0; HEADROOM][..], &inner].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, inner.len()).unwrap();
        let Egress::Forward(remotes) = device.transmit(&mut worker, &mut packet) else {
            continue;
        };
        for remote in remotes {
            let route = match round < thread {
                true => Err(vxlan_core::RouteError::Unreachable),
                false => any_route(remote.addr),
            };
            let sent = device.encapsulate(&mut worker, &mut packet, remote, route);
            assert_eq!(matches!(sent, Encapsulated::Send(_)), round >= thread);
        }
    }
    worker.stats
}

/// S-01: whatever runs at the same time on one device, the sum is what each one counted.
#[test]
fn s01_threads() {
    let device = device(config());
    let shares: Vec<Stats> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let device = &device;
                scope.spawn(move || work(device, thread))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut sum = Stats::new();
    for share in &shares {
        sum += share;
    }
    let all = THREADS * ROUNDS;
    let missing = (0..THREADS).sum::<u64>();
    // The inner packet is an IPv4 header and nothing else.
    assert_eq!((sum.rx_packets, sum.rx_bytes), (all, all * 20));
    assert_eq!((sum.rx_errors, sum.rx_frame_errors), (all, all));
    assert_eq!(
        (sum.tx_packets, sum.tx_bytes),
        (all - missing, (all - missing) * 20)
    );
    assert_eq!((sum.tx_errors, sum.tx_carrier_errors), (missing, missing));
    assert_eq!(sum.drops(vxlan_core::DropReason::ReservedBits), all);
}
