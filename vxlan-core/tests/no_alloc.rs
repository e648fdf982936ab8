//! The data path allocates nothing, counted by a global allocator that counts.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use std::net::IpAddr;

use allocation_counter::measure;
use vxlan_core::offload::{Coalesced, Coalescer};
use vxlan_core::packet::{Gso, GsoKind, HEADROOM};
use vxlan_core::vtep::Member;
use vxlan_core::wire::ipv4;
use vxlan_core::{
    ChecksumState, Config, Device, Egress, Encapsulated, Ingress, Instant, Mac, Packet, Route,
    Underlay, Vni, Vtep, Worker, fdb,
};

fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn device(storage: impl fdb::Storage, own: u8) -> Device<impl fdb::Storage> {
    let config = Config::new(Vni::MIN).local(address(own)).port(4789);
    let mut device = Device::new(config, mac(own), storage, Instant::ZERO).unwrap();
    device.set_up(true);
    for peer in 10..14 {
        let remote = device.remote(address(peer));
        device.fdb_append(Instant::ZERO, Mac::ZERO, remote).unwrap();
    }
    device
}

/// Floods a frame, fragments it, learns from it, delivers it, forgets it again.
fn round_trip(west: &Device<impl fdb::Storage>, east: &mut Device<impl fdb::Storage>) {
    let mut vtep = Vtep::new([Member::EMPTY; 4]);
    vtep.attach(Vni::MIN, None, 0).unwrap();
    let mut buffer = [0u8; HEADROOM + 1500];
    let mut arrived = [0u8; 2048];
    let mut piece = [0u8; 2048];
    let mut worker = Worker::new(Instant::from_millis(1_000));
    let mut delivered = 0;
    let total = measure(|| {
        for source in 100..200 {
            let frame = &mut buffer[HEADROOM..];
            frame[..6].copy_from_slice(&Mac::BROADCAST.octets());
            frame[6..12].copy_from_slice(&mac(source).octets());
            let mut frame = Packet::new(&mut buffer, HEADROOM, 1500).unwrap();
            let Egress::Forward(remotes) = west.transmit(&mut worker, &mut frame) else {
                panic!("there is a default entry");
            };
            for remote in remotes {
                let route = Ok(Route::new(address(1), 1400));
                let Encapsulated::Send(outer) =
                    west.encapsulate(&mut worker, &mut frame, remote, route)
                else {
                    panic!("nothing forbids it");
                };
                let mtu = outer.needs_fragments().unwrap();
                for fragment in ipv4::fragments(outer.ip_packet(), mtu as usize).unwrap() {
                    fragment.write(&mut piece).unwrap();
                }
                let payload = outer.udp_payload();
                arrived[..payload.len()].copy_from_slice(payload);
                let mut datagram = Packet::new(&mut arrived, 0, payload.len()).unwrap();
                vtep.demultiplex(datagram.bytes(), None).unwrap();
                let from = Underlay::new(address(1));
                if let Ingress::Deliver(..) = east.receive(&mut worker, &from, &mut datagram) {
                    delivered += 1;
                }
            }
        }
        let aged = east.age(Instant::from_millis(1_000_000)).count();
        assert_eq!(aged, 100);
    });
    assert_eq!(delivered, 400);
    assert_eq!(total.count_total, 0, "allocations");
}

#[test]
fn nothing_is_allocated_over_fixed_storage() {
    let west = device(fdb::Fixed::<64, 64, 64>::new(), 1);
    let mut east = device(fdb::Fixed::<256, 256, 256>::new(), 2);
    round_trip(&west, &mut east);
}

/// A growable table allocates when it grows, until a thousand places of entries that are gone are
/// there to be taken again. Learning and ageing are free of it from then on.
#[test]
fn nothing_is_allocated_by_a_table_that_has_grown() {
    let west = device(fdb::Growable::new(), 1);
    let mut east = device(fdb::Growable::new(), 2);
    for _ in 0..8 {
        for last in 100..=255 {
            let remote = east.remote(address(1));
            east.fdb_append(Instant::ZERO, mac(last), remote).unwrap();
        }
        for last in 100..=255 {
            east.fdb_remove(mac(last), None).unwrap().for_each(drop);
        }
    }
    round_trip(&west, &mut east);
}

/// The counter counts: a test that cannot fail proves nothing.
/// M-18: from creation to deletion, in memory of a fixed size.
#[test]
fn nothing_is_allocated_by_a_world() {
    use vxlan_core::world::{Action, Fixed, NewDevice, World};
    use vxlan_core::{IfIndex, Salt, world::Lower};

    type Small = World<Fixed<fdb::Fixed<16, 16, 16>, 4, 4, 4>>;
    let mut world: Small = World::new(Fixed::new(), Salt::default());
    let lower = IfIndex::new(10).map(Lower::ethernet);
    let (mut actions, mut events) = (0, 0);
    let total = measure(|| {
        let mut perform = |_: &Small, _: &Action| {
            actions += 1;
            Ok(())
        };
        for id in 1..4 {
            let config = Config::new(Vni::truncate(id))
                .remote([239, 0, 0, 1].into())
                .lower(lower.map(|lower| lower.index));
            let mut new = NewDevice::new(config, mac(1));
            new.lower = lower;
            let task = world.create(new, fdb::Fixed::new(), Instant::ZERO).unwrap();
            let device = task.device().unwrap();
            world.run(task, &mut perform, |_, _| events += 1).unwrap();
            let task = world.open(device, lower.as_ref(), Instant::ZERO).unwrap();
            world.run(task, &mut perform, |_, _| events += 1).unwrap();
        }
        let task = world.exit(|_, _| events += 1).unwrap();
        world.run(task, &mut perform, |_, _| events += 1).unwrap();
    });
    // Made and linked; one socket, each joins; unlinked, each leaves, closed, unregistered.
    let expected = 3 * 2 + 3 + 3 + 3 + 3 + 2 + 3;
    assert_eq!((actions, events), (expected, 6));
    assert_eq!(total.count_total, 0);
}

#[test]
fn the_counter_counts() {
    let total = measure(|| drop(std::hint::black_box(Box::new(7))));
    assert_eq!(total.count_total, 1);
}

/// Cutting a frame that stands for several and putting the segments together again.
#[test]
fn nothing_is_allocated_by_offloads() {
    let west = device(fdb::Fixed::<64, 64, 64>::new(), 1);
    let remote = west.remote(address(10));
    let mut buffer = [0u8; HEADROOM + 54 + 3000];
    let frame = &mut buffer[HEADROOM..];
    frame[12..15].copy_from_slice(&[8, 0, 0x45]);
    frame[23] = 6; // TCP
    frame[46] = 0x50; // of five words
    let len = frame.len();
    let mut frame = Packet::new(&mut buffer, HEADROOM, len).unwrap();
    frame.gso = Some(Gso {
        kind: GsoKind::TcpV4,
        size: 1000,
    });
    let mut worker = Worker::new(Instant::ZERO);
    let mut piece = [0u8; 2048];
    let mut whole = [0u8; 4000];
    let mut merged = 0;
    let total = measure(|| {
        let route = Ok(Route::new(address(1), 1500));
        let Encapsulated::Send(outer) = west.encapsulate(&mut worker, &mut frame, &remote, route)
        else {
            panic!("nothing forbids it");
        };
        let mut coalescer = Coalescer::of_packets(&mut whole, 0);
        for segment in outer.segments() {
            let len = segment.write(&mut piece).unwrap();
            if coalescer.push(&piece[..len], ChecksumState::None) == Coalesced::Merged {
                merged += 1;
            }
        }
        assert!(coalescer.take().is_some());
    });
    assert_eq!(merged, 2);
    assert_eq!(total.count_total, 0, "allocations");
}
