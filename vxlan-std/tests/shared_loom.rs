//! One device, several threads, in every order that loom finds:
//! `RUSTFLAGS="--cfg loom" cargo test -p vxlan-std --no-default-features --features shared
//! --release --test shared_loom`.

#![cfg(all(feature = "shared", loom))]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use loom::thread;
use vxlan_core::fdb::{Fixed, Key, Record, Storage};
use vxlan_core::vni_filter::{Slot, WithVnis};
use vxlan_core::{
    Config, ConfigError, Device, Event, Ingress, Instant, Mac, Packet, Underlay, Vni, Worker,
};
use vxlan_std::shared::{Reader, Writer, share};

type Memory = Fixed<4, 8, 8>;
type Filtering = WithVnis<Memory, [Slot; 1]>;

const OWN: Mac = Mac::new([2, 0, 0, 0, 0, 1]);
const STATION: Mac = Mac::new([2, 0, 0, 0, 0, 9]);
/// The network of the device with a filter.
const NETWORK: u32 = 42;

fn shared() -> (Reader<Memory>, Writer<Memory>) {
    let make = || {
        let config = Config::new(Vni::MIN).ageing(core::time::Duration::from_secs(10));
        let mut device = Device::new(config, OWN, Memory::new(), Instant::ZERO)?;
        device.set_up(true);
        Ok::<_, ConfigError>(device)
    };
    share(make, 2).unwrap()
}

fn receive<S: Storage>(reader: &Reader<S>, now: Instant, vni: u32, source: Mac) {
    let mut bytes = [0; 30];
    bytes[0] = 0x08;
    bytes[4..8].copy_from_slice(&(vni << 8).to_be_bytes());
    bytes[14..20].copy_from_slice(&source.octets());
    let mut datagram = Packet::new(&mut bytes, 0, 30).unwrap();
    let from = Underlay::new([192, 0, 2, 2].into());
    let mut worker = Worker::new(now);
    match reader.receive(&mut worker, &from, &mut datagram) {
        Ingress::Deliver(_, None) | Ingress::Drop(..) => {}
        other => panic!("{other:?}"),
    }
}

fn table<S: Storage>(device: &Device<S>) -> Vec<Mac> {
    device
        .fdb()
        .iter()
        .map(|record: Record| record.key.mac)
        .collect()
}

fn assert_alike<S: Storage>(writer: &Writer<S>) {
    writer.with_copies(|[one, other]| assert_eq!(table(one), table(other)));
}

/// Room for devices with memory of a fixed size, which are moved about while they are made. More than
/// the thread of a model has.
const STACK: usize = 1 << 18;

fn model(test: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    let test = Arc::new(test);
    builder.check(move || {
        let test = Arc::clone(&test);
        let thread = thread::Builder::new().stack_size(STACK);
        thread.spawn(move || test()).unwrap().join().unwrap();
    });
}

/// F-01: a reader sees both entries of a change or none.
#[test]
fn f01_changes_are_whole() {
    model(|| {
        let (reader, mut writer) = shared();
        let other = reader.clone();
        let look = |reader: Reader<Memory>| {
            move || {
                let entries = reader.device().fdb().len();
                assert!(entries == 0 || entries == 2, "{entries}");
            }
        };
        let readers = [thread::spawn(look(reader)), thread::spawn(look(other))];
        writer.change(|device| {
            for last in [8, 9] {
                let remote = device.remote([192, 0, 2, 2].into());
                let mac = Mac::new([2, 0, 0, 0, 0, last]);
                device.fdb_add(Instant::ZERO, mac, remote).unwrap();
            }
        });
        for reader in readers {
            reader.join().unwrap();
        }
        assert_alike(&writer);
    });
}

/// L-03 (CVE-2025-37921): a device goes down and is emptied while a source is being learned, the
/// table dumped and aged. Afterwards nothing of it is left, whatever the order.
#[test]
fn l03_stop_against_learn_dump_and_age() {
    model(|| {
        let (reader, mut writer) = shared();
        let dumper = reader.clone();
        let learns = thread::spawn(move || receive(&reader, Instant::ZERO, 0, STATION));
        let dumps = thread::spawn(move || {
            let lines = table(&dumper.device());
            assert!(lines.is_empty() || lines == [STATION]);
        });
        let mut entries = 0i32;
        let mut count = |event: Event| match event {
            Event::Learned(_) => entries += 1,
            Event::Removed(_) => entries -= 1,
            other => panic!("{other:?}"),
        };
        writer.learn(&mut count);
        writer.age(Instant::from_millis(20_000), &mut count);
        let gone = writer.change(|device| device.stop().count());
        learns.join().unwrap();
        dumps.join().unwrap();
        // What was heard of before comes too late.
        writer.learn(|event| panic!("{event:?}"));
        assert_eq!(entries, gone as i32, "told as often as it came and went");
        writer.with_copies(|copies| assert!(copies.iter().all(|copy| copy.fdb().is_empty())));
    });
}

/// A device in external mode that receives one network.
fn filtering() -> (Reader<Filtering>, Writer<Filtering>) {
    let make = || {
        let ageing = core::time::Duration::from_secs(10);
        let config = Config::new(Vni::MIN).external(true).vni_filter(true);
        let memory = Filtering::new(Memory::new(), [const { Slot::EMPTY }; 1]);
        let mut device = Device::new(config.ageing(ageing), OWN, memory, Instant::ZERO)?;
        device.set_up(true);
        assert!(device.add_vni(Instant::ZERO, NETWORK, None, false).is_ok());
        Ok::<_, ConfigError>(device)
    };
    share(make, 2).unwrap()
}

/// L-03 (CVE-2025-37921): a network leaves the filter of a device while a source in it is being
/// learned, the table dumped and aged. What was learned before stays until it ages, as in Linux;
/// nothing is learned afterwards, whatever the order, and no packet sees half of it.
#[test]
fn l03_vni_delete_against_learn_dump_and_age() {
    model(|| {
        let (reader, mut writer) = filtering();
        let dumper = reader.clone();
        let learns = thread::spawn(move || receive(&reader, Instant::ZERO, NETWORK, STATION));
        let dumps = thread::spawn(move || {
            let device = dumper.device();
            let lines: Vec<Key> = device.fdb().iter().map(|record| record.key).collect();
            let learned = Key {
                mac: STATION,
                vni: NETWORK,
            };
            assert!(lines.is_empty() || lines == [learned]);
            // Readers see the network go as a whole: from the list and from the count.
            let known = device.vnis().find(NETWORK).is_some();
            assert_eq!(device.vnis().len(), usize::from(known));
        });
        let mut entries = 0;
        writer.learn(|event| match event {
            Event::Learned(_) => entries += 1,
            other => panic!("{other:?}"),
        });
        writer.age(Instant::from_millis(5_000), |event| panic!("{event:?}"));
        writer.change(|device| assert!(device.remove_vni(NETWORK).is_ok()));
        learns.join().unwrap();
        dumps.join().unwrap();
        // What was heard of before comes too late.
        writer.learn(|event| panic!("{event:?}"));
        assert_alike(&writer);
        assert_eq!(writer.device().fdb().len(), entries);
        // And nothing is left behind when its time has come.
        writer.age(Instant::from_millis(20_000), |_| entries -= 1);
        assert_eq!(entries, 0);
        writer.with_copies(|copies| assert!(copies.iter().all(|copy| copy.fdb().is_empty())));
    });
}

/// L-03 (CVE-2025-37921): a device is deleted while packets come and its table is dumped. Whoever
/// holds it sees it whole; what is handed over afterwards is for nobody.
#[test]
fn l03_delete_against_learn_and_dump() {
    model(|| {
        let (reader, mut writer) = filtering();
        let dumper = reader.clone();
        let learns = thread::spawn(move || receive(&reader, Instant::ZERO, NETWORK, STATION));
        let dumps = thread::spawn(move || {
            let device = dumper.device();
            let before = device.fdb().len();
            assert_eq!(device.fdb().iter().count(), before);
            assert_eq!(device.fdb().len(), before, "it changes while it is held");
        });
        let mut entries = 0;
        writer.learn(|_| entries += 1);
        let gone = writer.change(|device| {
            let gone = device.stop().count() + device.clear().count();
            device.clear_vnis(|_| {});
            gone
        });
        assert_eq!(gone, entries);
        writer.with_copies(|copies| {
            assert!(
                copies
                    .iter()
                    .all(|copy| copy.fdb().is_empty() && copy.vnis().is_empty())
            );
        });
        drop(writer);
        learns.join().unwrap();
        dumps.join().unwrap();
    });
}

/// L-06: whichever copy a packet came through, its source does not age.
#[test]
fn l06_used_through_either_copy() {
    model(|| {
        let (reader, mut writer) = shared();
        receive(&reader, Instant::ZERO, 0, STATION);
        assert_eq!(writer.learn(|_| {}), 1);
        let hears =
            thread::spawn(move || receive(&reader, Instant::from_millis(9_000), 0, STATION));
        writer.change(|_| {});
        hears.join().unwrap();
        writer.age(Instant::from_millis(15_000), |event| panic!("{event:?}"));
        assert_alike(&writer);
        assert_eq!(writer.device().fdb().len(), 1);
    });
}

/// L-06: an entry that is used in the moment in which it ages goes from both copies or stays in
/// both.
#[test]
fn l06_used_while_it_ages() {
    model(|| {
        let (reader, mut writer) = shared();
        receive(&reader, Instant::ZERO, 0, STATION);
        writer.learn(|_| {});
        let hears =
            thread::spawn(move || receive(&reader, Instant::from_millis(15_000), 0, STATION));
        let mut gone = 0;
        writer.age(Instant::from_millis(15_000), |_| gone += 1);
        hears.join().unwrap();
        assert_alike(&writer);
        assert_eq!(writer.device().fdb().len(), 1 - gone);
        // Gone or not, the packet's source is known in the end if it was seen after the ageing.
        writer.learn(|_| {});
        assert_alike(&writer);
    });
}
