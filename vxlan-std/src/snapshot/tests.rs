use std::fs;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use proptest::prelude::*;
use vxlan_core::fdb::{Fixed, Full, Growable, Mode, NexthopError, Remote, Update};
use vxlan_core::{Config, Event, IfIndex, Mac};

use super::*;

const NOW: Instant = Instant::from_millis(1_000_000);

fn wall() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

fn device<S: Storage>(config: Config, storage: S) -> Device<S> {
    Device::new(config, mac(0xff), storage, Instant::ZERO).unwrap()
}

fn config() -> Config {
    Config::new(Vni::truncate(42)).remote([192, 0, 2, 1].into())
}

/// An entry of each kind: flooded, permanent, learned long ago, through an interface, to a nexthop.
fn full() -> Device<Growable> {
    let mut device = device(config(), Growable::new());
    let flood = device.remote([192, 0, 2, 9].into());
    device.fdb_append(NOW, Mac::ZERO, flood).unwrap();
    let old = Instant::from_millis(NOW.as_millis() - 250_000);
    let there = device.remote([192, 0, 2, 2].into());
    let lo = Some(IfIndex::LOOPBACK);
    for (last, when, state, destination) in [
        (1, NOW, State::PERMANENT, there.into()),
        (2, old, State::REACHABLE, there.into()),
        (
            3,
            NOW,
            State::REACHABLE,
            Remote {
                ifindex: lo,
                port: 9,
                vni: 7,
                ..there
            }
            .into(),
        ),
        (
            4,
            NOW,
            State::NOARP,
            Destination::Nexthop(NexthopId::new(12).unwrap()).into(),
        ),
    ] {
        let update = Update {
            key: device.key(mac(last)),
            state,
            flags: Flags::SELF | Flags::ADDED_BY_USER,
            mode: Mode::CREATE,
            destination,
            limit: 0,
        };
        device.fdb_mut().update(when, &update).unwrap().unwrap();
    }
    device
}

/// What somebody made of an entry while a snapshot came back stays when the rest cannot be had.
#[test]
fn what_others_changed_stays() {
    let mut before = device(config(), Growable::new());
    for last in 1..=3 {
        let there = before.remote([192, 0, 2, 2].into());
        before.fdb_append(NOW, mac(last), there).unwrap();
    }
    let snapshot = Snapshot::take(&before, NOW, wall());
    // Room for the default entry and two more.
    let limited = config().limit(core::num::NonZeroU32::new(3));
    let mut after = device(limited, Growable::new());
    let mut restoring = Restoring::of(&snapshot);
    let (mut changed, mut told) = (None, Vec::new());
    let outcome = loop {
        let (device, times) = (&mut after, (NOW, wall()));
        let tell = |event| told.push(event);
        let more = restoring.more((&snapshot, 1), device, times, |_| Ok(()), tell);
        if !matches!(more, Ok(true)) {
            break more;
        }
        if let (None, Some(Event::Changed(record))) = (changed, told.first()) {
            let update = Update {
                key: record.key,
                state: record.state,
                flags: record.flags,
                mode: Mode::CREATE | Mode::REPLACE,
                destination: after.remote([203, 0, 113, 7].into()).into(),
                limit: 0,
            };
            after.fdb_update(NOW, &update).unwrap().unwrap();
            changed = Some(record.key);
        }
    };
    assert!(matches!(outcome, Err(RestoreError::Entry { .. })));
    let entry = after.fdb().find(&changed.unwrap()).unwrap();
    let addr: IpAddr = [203, 0, 113, 7].into();
    assert_eq!(entry.first_remote().unwrap().addr, addr);
    assert_eq!(after.fdb().len(), 2, "that and the default entry");
}

/// What was learned is still learned: it counts for a quota, though that may be a lower one now.
#[test]
fn learned_entries_count_again() {
    let quota = |count| config().learn_quota(core::num::NonZeroU32::new(count));
    let mut before = device(quota(9), Growable::new());
    let addr = [192, 0, 2, 2].into();
    for last in 1..=3 {
        let update = Update {
            key: before.key(mac(last)),
            state: State::REACHABLE,
            flags: Flags::SELF,
            mode: Mode::CREATE,
            destination: before.remote(addr).into(),
            limit: 0,
        };
        before.fdb_mut().update(NOW, &update).unwrap();
    }
    let bytes = Snapshot::take(&before, NOW, wall()).encode();
    let mut after = device(quota(1), Growable::new());
    assert_eq!(restored(&bytes, &mut after), 3);
    assert_eq!(
        (before.fdb().learned(addr), after.fdb().learned(addr)),
        (Some(3), Some(3))
    );
}

fn records<S: Storage>(device: &Device<S>) -> Vec<Record> {
    device.fdb().iter().collect()
}

fn restored(bytes: &[u8], into: &mut Device<Growable>) -> usize {
    let snapshot = Snapshot::decode(bytes).unwrap();
    let told = snapshot.restore(into, NOW, wall(), |_| Ok(())).unwrap();
    told.len()
}

#[test]
fn what_was_taken_comes_back() {
    let before = full();
    let bytes = Snapshot::take(&before, NOW, wall()).encode();
    let mut after = device(config(), Growable::new());
    // The default entry was there, but for one of its remotes.
    assert_eq!(restored(&bytes, &mut after), 5);
    // Order, states, flags, ages: all but the age of the entry that was there before.
    let same = |records: Vec<Record>| -> Vec<Record> {
        records
            .into_iter()
            .filter(|record| !record.key.mac.is_zero())
            .collect()
    };
    assert_eq!(same(records(&after)), same(records(&before)));
    let flood = |device: &Device<Growable>| -> Vec<Remote> {
        let entry = device.fdb().find(&device.key(Mac::ZERO)).unwrap();
        entry.remotes().copied().collect()
    };
    assert_eq!(flood(&after), flood(&before));
    // Again: nothing is new.
    assert_eq!(restored(&bytes, &mut after), 0);
    assert_eq!(same(records(&after)), same(records(&before)));
}

/// The default entry of the device is no older for having got a remote from a file.
#[test]
fn entries_that_are_there_keep_their_age() {
    let snapshot = Snapshot::take(&full(), NOW, wall());
    let mut after = device(config(), Growable::new());
    let later = NOW + Duration::from_secs(5);
    snapshot
        .restore(&mut after, later, wall() + Duration::from_secs(5), |_| {
            Ok(())
        })
        .unwrap();
    let updated = |mac| after.fdb().find(&after.key(mac)).unwrap().updated();
    assert_eq!(updated(Mac::ZERO), later);
    assert_eq!(updated(mac(1)), NOW);
}

/// The kernel's trap: an entry for a network that an ordinary device never looks up.
#[test]
fn entries_that_no_look_up_finds_are_left_out() {
    let mut before = device(config(), Growable::new());
    let update = Update {
        key: before.key(mac(1)),
        state: State::PERMANENT,
        flags: Flags::SELF,
        mode: Mode::CREATE,
        destination: before.remote([192, 0, 2, 2].into()).into(),
        limit: 0,
    };
    before.fdb_mut().update_as(NOW, 7, &update).unwrap();
    assert_eq!(
        (
            before.fdb().len(),
            Snapshot::take(&before, NOW, wall()).len()
        ),
        (2, 1)
    );
    // In external mode each network counts.
    let mut external = device(
        Config::new(Vni::truncate(42)).external(true),
        Growable::new(),
    );
    external
        .fdb_mut()
        .update_as(
            NOW,
            7,
            &Update {
                key: Key {
                    mac: mac(1),
                    vni: 7,
                },
                ..update
            },
        )
        .unwrap();
    assert_eq!(Snapshot::take(&external, NOW, wall()).len(), 1);
}

/// The time in the file counts: a learned entry does not live on because nobody looked.
#[test]
fn ages_go_on_while_nothing_runs() {
    let snapshot = Snapshot::take(&full(), NOW, wall());
    for (away, alive) in [(40, true), (60, false)] {
        let mut after = device(config(), Growable::new());
        after.set_up(true);
        let later = wall() + Duration::from_secs(away);
        snapshot
            .restore(&mut after, NOW, later, |_| Ok(()))
            .unwrap();
        after.age(NOW).for_each(drop);
        let found = after.fdb().find(&after.key(mac(2))).is_some();
        assert_eq!(found, alive, "{away} s");
        assert!(after.fdb().find(&after.key(mac(1))).is_some());
    }
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    let bytes = Snapshot::take(&full(), NOW, wall()).encode();
    assert!(Snapshot::decode(&bytes).is_ok());
    for end in 0..bytes.len() {
        assert!(Snapshot::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Snapshot::decode(&damaged).is_err(), "bit {bit}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Snapshot::decode(&longer).is_err());
}

/// Bytes with a right checksum that nobody wrote.
#[test]
fn what_is_wrong_is_said() {
    let bytes = Snapshot::take(&full(), NOW, wall()).encode();
    let sealed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes[..bytes.len() - 4].to_vec();
        change(&mut bytes);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        Snapshot::decode(&bytes).map_err(|error| error.to_string())
    };
    let no = |text: &str| Err(text.to_owned());
    assert!(sealed(&|_| ()).is_ok());
    for (at, value, want) in [
        (0, 0, no("not an FDB snapshot")),
        (9, 2, no("an FDB snapshot of the unknown version 2")),
        (11, 63, no("not an FDB snapshot")),
        (12, 1, no("not an FDB snapshot")),
        (
            31,
            5,
            no("a damaged FDB snapshot: 420 bytes instead of 356"),
        ),
        (
            32 + 10,
            5,
            no("a damaged FDB snapshot: line 0 makes no sense"),
        ),
        (
            32 + 11,
            1,
            no("a damaged FDB snapshot: line 0 makes no sense"),
        ),
        (
            32 + 35,
            1,
            no("a damaged FDB snapshot: line 0 makes no sense"),
        ),
        (
            32 + 64 + 26,
            1,
            no("a damaged FDB snapshot: line 1 makes no sense"),
        ),
        (
            32 + 63,
            1,
            no("a damaged FDB snapshot: line 0 makes no sense"),
        ),
    ] {
        assert_eq!(sealed(&|bytes| bytes[at] = value), want, "{at} {value}");
    }
    assert_eq!(
        Snapshot::decode(&bytes[..100]).unwrap_err().to_string(),
        "a damaged FDB snapshot: 100 bytes instead of 420",
    );
}

#[test]
fn a_device_that_cannot_take_it_stays_as_it_was() {
    let snapshot = Snapshot::take(&full(), NOW, wall());
    let refuse = |device: &mut Device<Growable>, snapshot: &Snapshot, want: &str| {
        let before = records(device);
        let missing = |_| Err(NexthopError::Unknown);
        let error = snapshot.restore(device, NOW, wall(), missing).unwrap_err();
        assert_eq!(error.to_string(), want);
        assert_eq!(records(device), before, "{want}");
    };
    let mut other = device(Config::new(Vni::truncate(43)), Growable::new());
    refuse(
        &mut other,
        &snapshot,
        "the snapshot of a device with VNI 42, not 43",
    );
    let six = config().remote("2001:db8::1".parse().unwrap());
    let want = "entry 00:00:00:00:00:00: a remote of the device's other address family";
    refuse(&mut device(six, Growable::new()), &snapshot, want);
    let mut gone = snapshot.clone();
    for line in &mut gone.lines {
        if let Target::Remote {
            interface: Some(name),
            ..
        } = &mut line.target
        {
            *name = "no-such".to_owned();
        }
    }
    let want = "entry 02:00:00:00:00:03: there is no interface no-such";
    refuse(&mut device(config(), Growable::new()), &gone, want);
    let want = "entry 02:00:00:00:00:04: nexthop 12: no such nexthop group";
    refuse(&mut device(config(), Growable::new()), &snapshot, want);
    let mut foreign = snapshot.clone();
    foreign.lines[0].key.vni = 5;
    let want = "entry 00:00:00:00:00:00: for VNI 5, and the device has one VNI only";
    refuse(&mut device(config(), Growable::new()), &foreign, want);
}

/// After a change of the configuration the rest still comes back.
#[test]
fn what_fits_comes_back() {
    let snapshot = Snapshot::take(&full(), NOW, wall());
    let mut after = device(config(), Growable::new());
    let missing = |_| Err(NexthopError::Unknown);
    let (told, left) = snapshot.restore_fitting(&mut after, NOW, wall(), missing);
    assert_eq!((told.len(), after.fdb().len()), (4, 4));
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(
        left,
        ["entry 02:00:00:00:00:04: nexthop 12: no such nexthop group"]
    );
}

/// A device with another VNI takes nothing, and says so once.
#[test]
fn nothing_of_another_network_fits() {
    let snapshot = Snapshot::take(&full(), NOW, wall());
    let mut other = device(Config::new(Vni::truncate(43)), Growable::new());
    let (told, left) = snapshot.restore_fitting(&mut other, NOW, wall(), |_| Ok(()));
    assert!(told.is_empty() && other.fdb().is_empty());
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(left, ["the snapshot of a device with VNI 42, not 43"]);
}

/// What fails half-way is taken back: the limit, and a table that is full.
#[test]
fn what_does_not_fit_is_taken_back() {
    let snapshot = Snapshot::take(&full(), NOW, wall());
    for limit in 1..5 {
        let limited = config().limit(core::num::NonZeroU32::new(limit));
        let mut after = device(limited, Growable::new());
        let before = records(&after);
        let error = snapshot
            .restore(&mut after, NOW, wall(), |_| Ok(()))
            .unwrap_err();
        assert!(
            matches!(error, RestoreError::Entry { error: fdb_error, .. }
            if fdb_error == vxlan_core::fdb::Error::LimitReached),
            "{error:?}"
        );
        let after: Vec<_> = records(&after)
            .iter()
            .map(|record| record.destination)
            .collect();
        let before: Vec<_> = before.iter().map(|record| record.destination).collect();
        assert_eq!(after, before, "limit {limit}");
    }
    let mut small = device(config(), Fixed::<8, 3, 8>::new());
    let error = snapshot
        .restore(&mut small, NOW, wall(), |_| Ok(()))
        .unwrap_err();
    assert!(
        matches!(error, RestoreError::Entry { error: fdb_error, .. }
        if fdb_error == vxlan_core::fdb::Error::Full(Full::Entries)),
        "{error:?}"
    );
    assert_eq!(small.fdb().iter().count(), 1);
}

/// A directory of this test, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vtep-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_are_whole_or_not_there() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new("snapshot-files");
    let path = directory.0.join("vx0.fdb");
    let missing = Snapshot::load(&path).unwrap_err();
    assert!(matches!(missing, LoadError::Io(_)), "{missing}");
    let first = Snapshot::take(&full(), NOW, wall());
    first.save(&path).unwrap();
    assert_eq!(Snapshot::load(&path).unwrap(), first);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // Whoever was stopped while writing left something beside it; that harms nobody.
    let torn = directory.0.join(format!(".vx0.fdb.{}", std::process::id()));
    fs::write(&torn, b"half of it").unwrap();
    assert_eq!(Snapshot::load(&path).unwrap(), first);
    let second = Snapshot::take(&device(config(), Growable::new()), NOW, wall());
    second.save(&path).unwrap();
    assert_eq!(Snapshot::load(&path).unwrap(), second);
    let names: Vec<_> = fs::read_dir(&directory.0)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["vx0.fdb"]);
    // A place that cannot be written: the old file is what it was.
    let nowhere = directory.0.join("vx0.fdb/beneath.fdb");
    assert!(first.save(&nowhere).is_err());
    assert_eq!(Snapshot::load(&path).unwrap(), second);
    // A file as long as it likes, of which only the head is read.
    fs::write(&path, [&second.encode()[..], &[0; 4096][..]].concat()).unwrap();
    let long = Snapshot::load(&path).unwrap_err().to_string();
    assert!(
        long.ends_with(&format!("bytes instead of {}", second.encode().len())),
        "{long}"
    );
    // What is no regular file is neither read nor replaced, and holds nobody.
    let pipe = directory.0.join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let link = directory.0.join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for special in [&pipe, &link] {
        let refused = first.save(special).unwrap_err().to_string();
        assert_eq!(refused, "not a regular file");
    }
    assert_eq!(
        Snapshot::load(&pipe).unwrap_err().to_string(),
        "not a regular file"
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    fs::write(&path, b"[[link]]").unwrap();
    assert_eq!(
        Snapshot::load(&path).unwrap_err().to_string(),
        "not an FDB snapshot"
    );
}

fn any_line() -> impl Strategy<Value = Line> {
    let addr = prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
    ];
    let remote = (
        addr,
        any::<u16>(),
        any::<u32>(),
        proptest::option::of("[a-z][a-z0-9.]{0,14}"),
    );
    let target = prop_oneof![
        remote.prop_map(|(addr, port, vni, interface)| Target::Remote {
            addr,
            port,
            vni,
            interface
        }),
        (1..=u32::MAX).prop_map(|id| Target::Nexthop(NexthopId::new(id).unwrap())),
    ];
    let key = (any::<[u8; 6]>(), any::<u32>());
    (key, any::<(u16, u16)>(), target, any::<(u32, u32)>()).prop_map(
        |((mac, vni), (state, flags), target, (updated, used))| Line {
            key: Key {
                mac: Mac::new(mac),
                vni,
            },
            state: State::from_bits_retain(state),
            flags: Flags::from_bits_retain(flags),
            target,
            updated: Duration::from_millis(10) * updated,
            used: Duration::from_millis(10) * used,
        },
    )
}

/// A station that goes and comes again meanwhile, in a place that has not been met, is in the file
/// once, as it was the last time.
#[test]
fn met_twice_is_told_once() {
    let plain = Config::new(Vni::truncate(42)).local([192, 0, 2, 1].into());
    let mut device = device(plain.clone(), Fixed::<3, 4, 4>::new());
    let enter = |device: &mut Device<Fixed<3, 4, 4>>, last: u8, host: u8| {
        let remote = device.remote([192, 0, 2, host].into());
        device.fdb_append(NOW, mac(last), remote).unwrap();
    };
    for last in 1..5 {
        enter(&mut device, last, 9);
    }
    let mut taking = Taking::start(&device, NOW, wall());
    assert!(taking.more(&device, 2));
    assert_eq!(taking.len(), 2);
    for last in [4, 1] {
        device.fdb_remove(mac(last), None).unwrap().for_each(drop);
    }
    enter(&mut device, 4, 8);
    assert!(!taking.more(&device, 2));
    assert_eq!(taking.len(), 4);
    let snapshot = taking.finish();
    assert_eq!(snapshot.len(), 3);
    let mut after = self::device(plain, Growable::new());
    let told = snapshot.restore(&mut after, NOW, wall(), |_| Ok(()));
    assert_eq!(told.unwrap().len(), 3);
    let moved = after.fdb().find(&after.key(mac(4))).unwrap();
    assert_eq!(
        moved.first_remote().unwrap().addr,
        IpAddr::from([192, 0, 2, 8])
    );
}

/// Stations that come, move and go while a snapshot is taken or restored, by small numbers.
fn change(device: &mut Device<Growable>, (last, step): (u8, u8)) {
    let station = mac(0x40 | last);
    match step {
        0 => {
            let key = device.key(station);
            let removed = device.fdb_mut().remove(&key, None);
            removed.into_iter().flatten().for_each(drop);
        }
        step => {
            let update = Update {
                key: device.key(station),
                state: State::REACHABLE,
                flags: Flags::SELF,
                mode: Mode::CREATE | Mode::REPLACE,
                destination: device.remote([192, 0, 2, step].into()).into(),
                limit: 0,
            };
            device.fdb_mut().update(NOW, &update).unwrap();
        }
    }
}

proptest! {
    /// A snapshot that is taken in pieces holds every entry that is there from beginning to end, as
    /// it is, each entry once, and nothing that never was.
    #[test]
    fn pieces_of_a_table_in_use(
        stations in proptest::collection::vec((0_u8..40, 1_u8..4), 0..60),
        changes in proptest::collection::vec((0_u8..40, 0_u8..4), 0..60),
        budget in 1_u32..12,
    ) {
        let mut device = full();
        for station in stations {
            change(&mut device, station);
        }
        let mut always = records(&device);
        let mut taking = Taking::start(&device, NOW, wall());
        let mut changes = changes.into_iter();
        while taking.more(&device, budget) {
            if let Some((last, step)) = changes.next() {
                change(&mut device, (last, step));
                always.retain(|record| record.key.mac != mac(0x40 | last));
            }
        }
        let snapshot = taking.finish();
        let mut after = self::device(config(), Growable::new());
        let told = snapshot.restore(&mut after, NOW, wall(), |_| Ok(())).unwrap();
        // The default entry with its first remote was there before.
        prop_assert_eq!(told.len(), snapshot.len() - 1);
        let after = records(&after);
        for record in always.iter().filter(|record| !record.key.mac.is_zero()) {
            let times = after.iter().filter(|line| line == &record).count();
            prop_assert_eq!(times, 1, "{:?}", record);
        }
    }

    /// In pieces the same comes back as at once. If one line cannot be had, all that was told is
    /// taken back.
    #[test]
    fn pieces_of_a_snapshot(
        budget in 1_usize..6,
        known: bool,
    ) {
        let snapshot = Snapshot::take(&full(), NOW, wall());
        let mut alone = device(config(), Growable::new());
        let mut after = device(config(), Growable::new());
        let nexthop = |_| Ok(());
        if !known {
            // As many as there are before the last line, so that it fails late.
            let limited = config().limit(core::num::NonZeroU32::new(4));
            alone = device(limited.clone(), Growable::new());
            after = device(limited, Growable::new());
        }
        let mut restoring = Restoring::of(&snapshot);
        let mut told = 0_i32;
        let outcome = loop {
            let more = restoring.more(
                (&snapshot, budget),
                &mut after,
                (NOW, wall()),
                nexthop,
                |event| told += if matches!(event, Event::Changed(_)) { 1 } else { -1 },
            );
            if !matches!(more, Ok(true)) {
                break more;
            }
        };
        if known {
            prop_assert_eq!(outcome, Ok(false));
            snapshot.restore(&mut alone, NOW, wall(), nexthop).unwrap();
        } else {
            let refused = matches!(outcome, Err(RestoreError::Entry { .. }));
            prop_assert!(refused);
        }
        let places = |device: &Device<Growable>| -> Vec<(Key, Destination)> {
            let records = device.fdb().iter();
            records.map(|record| (record.key, record.destination)).collect()
        };
        prop_assert_eq!(places(&after), places(&alone));
        prop_assert_eq!(told, if known { 5 } else { 0 });
    }
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(
        vni in 0..=Vni::MAX.get(),
        taken in 0u64..1 << 45,
        lines in proptest::collection::vec(any_line(), 0..12),
    ) {
        let taken = UNIX_EPOCH + Duration::from_millis(taken);
        let snapshot = Snapshot { vni: Vni::truncate(vni), taken, lines };
        prop_assert_eq!(Snapshot::decode(&snapshot.encode()), Ok(snapshot));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut led = b"vtepfdb\n\0\x01\0\x40".to_vec();
        led.extend(&bytes);
        let _ = (Snapshot::decode(&bytes), Snapshot::decode(&led));
    }
}
