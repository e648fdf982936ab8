//! Jobs on large tables, with frames in between. Work is counted in entries, not in time.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use vxlan_core::fdb::{
    Destination, Fdb, Fixed, Flags, Growable, Key, Mode, Record, Remote, State, Update,
};
use vxlan_core::world::NewDevice;
use vxlan_core::{Config, Device, Mac, Salt, Vni};
use vxlan_std::{Buffer, DeviceId, Received, Snapshot};

use super::super::super::words::FileSpec;
use super::super::sink::Sink;
use super::*;

const ENTRIES: u32 = 200_000;
/// The device, as the file knows it.
const VNI: u32 = 42;
const NAME: &str = "vx0";
/// More frames than the loop may wait for a thread.
const PATIENCE: u32 = 60_000;

/// A station's address.
fn mac(kind: u8, number: u32) -> Mac {
    let [_, a, b, c] = number.to_be_bytes();
    Mac::new([2, 0, kind, a, b, c])
}

fn config() -> Config {
    Config::new(Vni::new(VNI).unwrap()).local([127, 0, 0, 1].into())
}

/// A device with a large table, and a socket that plays the VTEP at the other end.
struct Lab {
    devices: Devices,
    id: DeviceId,
    sink: Sink,
    peer: UdpSocket,
    buffer: Buffer,
    /// How many frames came through, each way.
    carried: u32,
    directory: PathBuf,
}

impl Lab {
    fn new(name: &str, entries: u32) -> Self {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let port = UdpSocket::bind("0.0.0.0:0").unwrap().local_addr().unwrap();
        let mut devices = Devices::new().unwrap();
        let new = NewDevice::new(
            config().port(port.port()).local_bypass(false),
            mac(0, 0xff_ffff),
        );
        let id = devices.vtep.create(new, &mut (), |_, _| {}).unwrap();
        devices.vtep.open(id).unwrap();
        let directory =
            std::env::temp_dir().join(format!("vtep-jobs-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let mut lab = Self {
            devices,
            id,
            sink: Sink::start().unwrap(),
            peer,
            buffer: Buffer::new(),
            carried: 0,
            directory,
        };
        for number in 0..entries {
            lab.enter(mac(1, number));
        }
        // Where the frames of the overlay go.
        lab.enter(mac(2, 0));
        lab
    }

    fn enter(&mut self, mac: Mac) {
        let port = self.peer.local_addr().unwrap().port();
        let now = self.devices.vtep.now();
        let device = self.devices.vtep.device_mut(self.id).unwrap();
        let mut remote = device.remote([127, 0, 0, 1].into());
        remote.port = port;
        let update = Update {
            key: device.key(mac),
            state: State::REACHABLE,
            flags: Flags::SELF,
            mode: Mode::CREATE,
            destination: remote.into(),
            limit: 0,
        };
        device.fdb_update(now, &update).unwrap();
    }

    fn device(&self) -> &Device<vxlan_std::Memory> {
        self.devices.vtep.device(self.id).unwrap()
    }

    fn device_mut(&mut self) -> &mut Device<vxlan_std::Memory> {
        self.devices.vtep.device_mut(self.id).unwrap()
    }

    fn records(&self) -> Vec<Record> {
        self.device().fdb().iter().collect()
    }

    /// One frame comes from a station that is new, one goes to another station.
    fn carry(&mut self) {
        self.carried += 1;
        let frame = |from: Mac, to: Mac| {
            let mut frame = to.octets().to_vec();
            frame.extend(from.octets());
            frame.extend([0x12, 0x34]);
            frame.extend([7; 46]);
            frame
        };
        let here = Mac::BROADCAST;
        let inner = frame(mac(3, self.carried), here);
        let datagram = [&[8, 0, 0, 0, 0, 0, VNI as u8, 0], &inner[..]].concat();
        let port = self.device().config().port();
        self.peer.send_to(&datagram, ("127.0.0.1", port)).unwrap();
        let received = self.devices.vtep.recv(&mut self.buffer).unwrap();
        let Some(Received::Frame { frame: got, .. }) = received else {
            panic!("{received:?}");
        };
        assert_eq!(got, inner);

        let inner = frame(mac(4, 0), mac(2, 0));
        self.buffer.frame_area()[..inner.len()].copy_from_slice(&inner);
        let sent = self
            .devices
            .vtep
            .send(self.id, &mut self.buffer, inner.len());
        assert_eq!(sent.dropped, None);
        let mut datagram = [0; 2048];
        let len = self.peer.recv(&mut datagram).unwrap();
        assert_eq!(datagram[8..len], inner);
    }

    fn step(&mut self) {
        let mut audience = Audience::nobody(&self.sink);
        self.devices.jobs.collect();
        step(&mut self.devices, &mut audience);
    }

    /// Takes turns between frames and a job until it is done, and tells how many pieces there were.
    /// `left` is how much there is to do.
    fn run(&mut self, work: Work, left: impl Fn(&Self) -> usize) -> (u32, Outcome) {
        let ticket = self.devices.jobs.push(work);
        let (mut pieces, mut before) = (0, left(self));
        for _ in 0..PATIENCE {
            self.carry();
            let learned = left(self).saturating_sub(before);
            assert!(learned <= 1, "a frame is one entry at most: {learned}");
            before = left(self);
            if self.devices.jobs.is_ready() {
                self.step();
                pieces += 1;
            } else {
                self.devices.jobs.collect();
            }
            let after = left(self);
            assert!(before.abs_diff(after) <= PIECE as usize, "{before} {after}");
            before = after;
            if let Some((done, outcome)) = self.devices.jobs.finished().pop() {
                assert_eq!(done, ticket);
                return (pieces, outcome);
            }
        }
        panic!("not done after {PATIENCE} frames");
    }

    fn file(&self, name: &str) -> FileSpec {
        FileSpec {
            device: NAME.to_owned(),
            path: self.directory.join(name),
        }
    }

    fn saving(&self, which: FileSpec) -> Work {
        Work::Save(Saving::of(self.id, which))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The end of a job that prints nothing.
fn done() -> Outcome {
    Ok(VecDeque::new())
}

/// How many entries the job at work has met.
fn met(lab: &Lab) -> usize {
    match lab.devices.jobs.queue.front() {
        Some((_, Work::Save(saving))) => saving.met(),
        _ => 0,
    }
}

/// A frame goes each way for each piece of a large table that is saved, and stations are learned:
/// the file holds every entry that was there from beginning to end.
#[test]
fn frames_pass_while_a_table_is_saved() {
    let mut lab = Lab::new("save", ENTRIES);
    let before = lab.records();
    let file = lab.file("table");
    let work = lab.saving(file.clone());
    // The end of the walk hands all of it to the thread.
    let ticket = lab.devices.jobs.push(work);
    let (mut pieces, mut longest) = (0, 0);
    while lab.devices.jobs.is_ready() {
        lab.carry();
        let so_far = met(&lab);
        lab.step();
        longest = longest.max(met(&lab).saturating_sub(so_far));
        pieces += 1;
    }
    assert_eq!(longest, PIECE as usize);
    assert!(pieces >= ENTRIES / PIECE, "{pieces}");
    assert!(
        lab.devices.jobs.finished().is_empty(),
        "before it is on the disk"
    );
    let mut outcome = None;
    while outcome.is_none() && lab.carried < PATIENCE {
        lab.carry();
        lab.devices.jobs.collect();
        outcome = lab.devices.jobs.finished().pop();
    }
    assert_eq!(outcome, Some((ticket, done())));

    let snapshot = Snapshot::load(&file.path).unwrap();
    let own = mac(0, 0xff_ffff);
    let mut after = Device::new(config(), own, Growable::new(), Instant::ZERO).unwrap();
    let (now, wall) = (lab.devices.vtep.now(), SystemTime::now());
    let told = snapshot.restore(&mut after, now, wall, |_| Ok(())).unwrap();
    assert_eq!(told.len(), snapshot.len(), "no entry is in it twice");
    for record in before {
        let entry = after.fdb().find(&record.key).unwrap();
        let destination = entry.first_remote().copied().map(Destination::Remote);
        assert_eq!(destination, Some(record.destination));
    }
}

/// What goes wrong on the way to the disk is told, and the old file stays.
#[test]
fn a_table_that_cannot_be_saved() {
    let mut lab = Lab::new("refused", 10);
    let file = lab.file("table");
    let work = lab.saving(file.clone());
    assert_eq!(lab.run(work, |_| 0).1, done());
    let old = fs::read(&file.path).unwrap();

    let nowhere = lab.file("no/such");
    let work = lab.saving(nowhere.clone());
    let said = lab.run(work, |_| 0).1.unwrap_err();
    let want = format!(
        "vtep: {}: No such file or directory",
        nowhere.path.display()
    );
    assert_eq!((said.status, said.to_string()), (1, want));

    // The device goes when half of it has been met.
    for number in 0..ENTRIES / 50 {
        lab.enter(mac(1, number));
    }
    let work = lab.saving(file.clone());
    let ticket = lab.devices.jobs.push(work);
    lab.step();
    assert!(met(&lab) > 0);
    lab.devices.vtep.delete(lab.id, &mut (), |_, _| {}).unwrap();
    lab.step();
    let gone = Err(Refusal::no_device(255, NAME));
    assert_eq!(lab.devices.jobs.finished(), [(ticket, gone)]);
    lab.devices.jobs.close();
    assert_eq!(fs::read(&file.path).unwrap(), old);
    let files = fs::read_dir(&lab.directory).unwrap();
    assert_eq!(files.count(), 1, "nothing is left beside it");
}

/// What was saved comes back between frames; one line that cannot be had takes all of it back.
#[test]
fn frames_pass_while_a_table_is_loaded() {
    let entries = ENTRIES / 10;
    let mut lab = Lab::new("load", entries);
    let file = lab.file("table");
    let work = lab.saving(file.clone());
    assert_eq!(lab.run(work, |_| 0).1, done());
    lab.device_mut().clear().for_each(drop);
    lab.enter(mac(2, 0));
    let loading = Work::Load(Loading::of(lab.id, file.clone()));
    let (pieces, outcome) = lab.run(loading, |lab| lab.device().fdb().len());
    assert_eq!(outcome, done());
    // All lines are looked at twice.
    assert!(pieces >= 2 * entries / PIECE, "{pieces}");
    for number in 0..entries {
        let key = lab.device().key(mac(1, number));
        assert!(lab.device().fdb().find(&key).is_some());
    }

    let config = config().limit(core::num::NonZeroU32::new(entries / 2));
    let port = lab.device().config().port();
    lab.devices.vtep.delete(lab.id, &mut (), |_, _| {}).unwrap();
    let new = NewDevice::new(config.port(port).local_bypass(false), mac(0, 0xff_ffff));
    lab.id = lab.devices.vtep.create(new, &mut (), |_, _| {}).unwrap();
    lab.devices.vtep.open(lab.id).unwrap();
    lab.enter(mac(2, 0));
    let carried = lab.carried;
    let loading = Work::Load(Loading::of(lab.id, file));
    let (_, outcome) = lab.run(loading, |lab| lab.device().fdb().len());
    let said = outcome.unwrap_err().to_string();
    assert!(said.contains("table: entry 02:00:0"), "{said}");
    // What is left is what traffic made.
    let left = lab.device().fdb().len() as u32;
    assert!(left <= 1 + lab.carried - carried, "{left}");
}

/// A large table is flushed between frames.
#[test]
fn frames_pass_while_a_table_is_flushed() {
    let mut lab = Lab::new("flush", ENTRIES);
    let group = vxlan_core::fdb::NexthopId::new(7).unwrap();
    // It walks all of it and finds nothing.
    let nothing = Work::Flush(Flush::nexthop(lab.id, group));
    let (pieces, outcome) = lab.run(nothing, |lab| lab.device().fdb().len());
    assert_eq!(outcome, done());
    assert!(pieces >= ENTRIES / PIECE, "{pieces}");
    let all = Work::Flush(Flush::all(lab.id));
    let ticket = lab.devices.jobs.push(all);
    let mut longest = 0;
    while lab.devices.jobs.is_ready() {
        // The station that frames go to is flushed as well.
        lab.enter(mac(2, 0));
        lab.carry();
        let before = lab.device().fdb().len();
        lab.step();
        longest = longest.max(before - lab.device().fdb().len());
    }
    assert_eq!(lab.devices.jobs.finished(), [(ticket, done())]);
    assert_eq!(longest, PIECE as usize);
    let left = lab.device().fdb().len() as u32;
    assert!(left <= 1 + lab.carried, "{left}");
}

/// A device with a large table goes away between the frames of another one.
#[test]
fn frames_pass_while_a_device_goes() {
    for away in [false, true] {
        let mut lab = Lab::new("depart", 1);
        let own = mac(0, 0xff_fffe);
        let other = Config::new(Vni::new(VNI + 1).unwrap()).port(lab.device().config().port());
        let other = NewDevice::new(other, own);
        let going = lab.devices.vtep.create(other, &mut (), |_, _| {}).unwrap();
        lab.devices.vtep.open(going).unwrap();
        let stays = core::mem::replace(&mut lab.id, going);
        for number in 0..ENTRIES {
            lab.enter(mac(1, number));
        }
        let config = lab.device().config().clone();
        lab.id = stays;
        let entries = |lab: &Lab| {
            let device = lab.devices.vtep.device(going);
            device.map_or(0, |device| device.fdb().len())
        };
        assert_eq!(entries(&lab), ENTRIES as usize);
        let departing = Departing::new(going, NAME.to_owned(), config, away);
        let (pieces, outcome) = lab.run(Work::Depart(Box::new(departing)), entries);
        assert_eq!(outcome, done());
        assert!(pieces >= ENTRIES / PIECE, "{pieces}");
        assert_eq!(entries(&lab), 0);
        assert_eq!(lab.devices.vtep.device(going).is_none(), away);
    }
}

/// What waits for the disk holds nobody else; what comes behind it is done first.
#[test]
fn an_errand_holds_no_other_job() {
    let mut lab = Lab::new("errand", 10);
    let (release, held) = std::sync::mpsc::channel::<()>();
    let errand = Errand::new(move || {
        held.recv()
            .map_err(|_| Refusal::usage("nobody released it"))?;
        Ok(After::Nothing)
    });
    let slow = lab.devices.jobs.push(Work::Errand(errand));
    let quick = lab.devices.jobs.push(Work::Flush(Flush::all(lab.id)));
    lab.step();
    lab.step();
    assert_eq!(lab.devices.jobs.finished(), [(quick, done())]);
    assert!(!lab.devices.jobs.is_ready(), "the loop may sleep");
    release.send(()).unwrap();
    let mut ready = [nix::poll::PollFd::new(
        lab.devices.jobs.news(),
        nix::poll::PollFlags::POLLIN,
    )];
    assert_eq!(
        nix::poll::poll(&mut ready, 5_000_u16),
        Ok(1),
        "and is woken"
    );
    while lab.devices.jobs.done.is_empty() {
        lab.devices.jobs.collect();
        sleep(Duration::from_millis(1));
    }
    assert_eq!(lab.devices.jobs.finished(), [(slow, done())]);
}

/// Addresses whose entries lie in one of 64 buckets by this salt: what somebody who knows it sends.
fn hostile(salt: Salt, count: usize) -> Vec<Mac> {
    let mut fdb = Fdb::new(Fixed::<64, 448, 1>::new(), salt);
    let key = |number| Key {
        mac: mac(5, number),
        vni: VNI,
    };
    let add = |fdb: &mut Fdb<_>, number| {
        let remote = Remote {
            addr: [192, 0, 2, 1].into(),
            port: 1,
            vni: VNI,
            ifindex: None,
        };
        let update = Update {
            key: key(number),
            state: State::REACHABLE,
            flags: Flags::SELF,
            mode: Mode::CREATE,
            destination: remote.into(),
            limit: 0,
        };
        fdb.update(Instant::ZERO, &update).unwrap();
        fdb.overflow().entries > 0
    };
    let remove = |fdb: &mut Fdb<_>, number| fdb.remove(&key(number), None).unwrap().for_each(drop);
    // The first that finds its bucket full.
    let first = (0..).find(|number| add(&mut fdb, *number)).unwrap();
    remove(&mut fdb, first);
    for number in 0..first {
        remove(&mut fdb, number);
        let still_full = add(&mut fdb, first);
        remove(&mut fdb, first);
        if !still_full {
            add(&mut fdb, number);
        }
    }
    let same = (first..).filter(|number| {
        let full = add(&mut fdb, *number);
        remove(&mut fdb, *number);
        full
    });
    same.take(count).map(|number| mac(5, number)).collect()
}

/// Somebody knows the salt and fills a few buckets: another one is drawn, once, and frames pass while
/// the entries are placed by it.
#[test]
fn a_table_under_attack_gets_another_salt() {
    const HOSTILE: usize = 1_500;
    let mut lab = Lab::new("salt", 2_000);
    let known = Salt::new([9; 16]);
    lab.device_mut().fdb_mut().rehash(u32::MAX);
    assert!(lab.device_mut().fdb_mut().reseed(known));
    lab.device_mut().fdb_mut().rehash(u32::MAX);
    let guarded = |lab: &mut Lab| {
        let mut audience = Audience::nobody(&lab.sink);
        guard(&mut lab.devices, &mut audience);
        lab.devices.jobs.is_ready()
    };
    assert!(!guarded(&mut lab), "nothing is wrong yet");
    let chosen = hostile(known, HOSTILE);
    for mac in &chosen {
        lab.enter(*mac);
    }
    // If the index is growing, that has to end first.
    while lab.device_mut().fdb_mut().rehash(64) {}
    let attacked = lab.device().fdb().overflow();
    assert!(attacked.deepest > 64, "{attacked:?}");
    let before = lab.records();
    assert!(guarded(&mut lab));
    let mut pieces = 0;
    while lab.devices.jobs.is_ready() {
        lab.carry();
        assert!(!lab.device().fdb().wants_salt());
        lab.step();
        pieces += 1;
    }
    assert!(pieces > 1, "{pieces}");
    let cured = lab.device().fdb().overflow();
    assert!(cured.deepest < 32 && cured.entries < 400, "{cured:?}");
    for record in before {
        assert!(lab.device().fdb().find(&record.key).is_some());
    }
    assert!(!lab.device().fdb().wants_salt(), "all is well again");
}
