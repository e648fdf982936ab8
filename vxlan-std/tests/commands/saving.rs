//! Large tables: to files and back, flushed, gone with their devices, while the daemon goes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;
use vxlan_core::fdb::{Flags, Growable, Mode, State, Update};
use vxlan_core::{Config, Device, Instant, Mac, Vni};
use vxlan_std::Snapshot;

use crate::directory::Directory;
use crate::runner::namespace::{Namespace, VTEP};
use crate::runner::{Skip, wait_for};

const ENTRIES: u32 = 200_000;
const SOON: Duration = Duration::from_secs(20);

/// A file system with room for so many KiB, gone with the test.
struct Small(Directory);

impl Small {
    fn mount(kib: u32) -> Result<Self, Skip> {
        let small = Self(Directory::new("small"));
        let size = format!("size={kib}k");
        let path = small.0.0.to_str().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "vtep-test", path])
            .output();
        match mounted {
            Ok(done) if done.status.success() => Ok(small),
            other => Err(Skip(format!("mount: {other:?}"))),
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0.0).status();
    }
}

fn vtep(namespace: &Namespace, words: &str) -> Output {
    let mut all = vec!["60", VTEP];
    all.extend(words.split_whitespace());
    namespace.command("timeout", &all).output().unwrap()
}

fn shown(namespace: &Namespace, words: &str) -> String {
    let done = vtep(namespace, words);
    assert!(done.status.success(), "{words}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

fn mac(number: u32) -> Mac {
    let [_, a, b, c] = number.to_be_bytes();
    Mac::new([2, 0, 1, a, b, c])
}

/// The file of a device that has learned many stations.
fn write(path: &str, entries: u32) {
    let config = Config::new(Vni::new(42).unwrap()).local([192, 0, 2, 1].into());
    let mut device = Device::new(config, mac(0xff_ffff), Growable::new(), Instant::ZERO).unwrap();
    for number in 0..entries {
        let update = Update {
            key: device.key(mac(number)),
            state: State::REACHABLE,
            flags: Flags::SELF,
            mode: Mode::CREATE,
            destination: device.remote([192, 0, 2, 9].into()).into(),
            limit: 0,
        };
        device.fdb_mut().update(Instant::ZERO, &update).unwrap();
    }
    let snapshot = Snapshot::take(&device, Instant::ZERO, SystemTime::now());
    snapshot.save(Path::new(path)).unwrap();
}

fn lines(path: impl AsRef<Path>) -> usize {
    Snapshot::load(path.as_ref()).unwrap().len()
}

/// A large table comes from a file and goes to another one; a disk that is full leaves the old file;
/// the table is flushed, and goes with its device while it is being saved.
pub(crate) fn large_tables_come_and_go(_: &str) -> Result<(), Skip> {
    let (namespace, directory) = (Namespace::new("large")?, Directory::new("large"));
    let small = Small::mount(1024)?;
    let link = "vx0 type vxlan id 42 local 192.0.2.1 dstport 4789 ageing 0";
    let mut run = namespace.daemon(&["--link", link]);
    let file = directory.file("before");
    write(&file, ENTRIES);
    assert_eq!(
        shown(&namespace, &format!("fdb load dev vx0 file {file}")),
        ""
    );
    let copy = directory.file("after");
    assert_eq!(
        shown(&namespace, &format!("fdb save dev vx0 file {copy}")),
        ""
    );
    assert_eq!(lines(&copy), ENTRIES as usize);
    let entries = shown(&namespace, "fdb show dev vx0");
    let different: BTreeSet<&str> = entries.lines().collect();
    assert_eq!(different.len(), ENTRIES as usize);

    // The commands for another kernel, made by the thread.
    let script = shown(&namespace, "link export vx0");
    let added = script.matches("\nbridge fdb append 02:00:01:").count();
    assert_eq!(added, ENTRIES as usize);
    assert!(script.starts_with("ip link add vx0 ") && script.ends_with("ip link set vx0 up\n"));

    // 64 bytes for each of 200,000 entries do not fit into 1 MiB.
    let full = small.0.file("table");
    shown(
        &namespace,
        "link add vx1 type vxlan id 43 dstport 4790 remote 192.0.2.2",
    );
    shown(&namespace, &format!("fdb save dev vx1 file {full}"));
    let old = fs::read(&full).unwrap();
    let refused = vtep(&namespace, &format!("fdb save dev vx0 file {full}"));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert_eq!(said, format!("vtep: {full}: No space left on device\n"));
    assert_eq!(fs::read(&full).unwrap(), old);
    assert_eq!(fs::read_dir(&small.0.0).unwrap().count(), 1);

    assert_eq!(shown(&namespace, "fdb flush dev vx0"), "");
    assert_eq!(shown(&namespace, "fdb show dev vx0"), "");

    // Down: all of it goes, as it was learned. Up again at once.
    shown(&namespace, &format!("fdb load dev vx0 file {file}"));
    assert_eq!(shown(&namespace, "link set vx0 down"), "");
    assert_eq!(shown(&namespace, "fdb show dev vx0"), "");
    assert_eq!(shown(&namespace, "link set vx0 up"), "");
    shown(&namespace, &format!("fdb load dev vx0 file {file}"));
    namespace.ip("link set vx0 down");
    namespace.ip("link set vx0 up");
    wait_for("up again", SOON, || {
        shown(&namespace, "link show vx0")
            .contains("UP,LOWER_UP")
            .then_some(())
    });

    // The device is deleted by one while others save it: either there is a whole file or none.
    shown(&namespace, &format!("fdb load dev vx0 file {file}"));
    let late = directory.file("late");
    let words = ["60", VTEP, "fdb", "save", "dev", "vx0", "file", &late];
    let save = || {
        namespace
            .command("timeout", &words)
            .stdin(Stdio::null())
            .spawn()
    };
    let saves: Vec<_> = (0..3).map(|_| save().unwrap()).collect();
    assert_eq!(shown(&namespace, "link del vx0"), "");
    for save in saves {
        let done = save.wait_with_output().unwrap();
        if !done.status.success() {
            let said = String::from_utf8(done.stderr).unwrap();
            assert_eq!(said, "Cannot find device \"vx0\"\n");
        }
    }
    assert!(!fs::exists(&late).unwrap() || lines(&late) == ENTRIES as usize);
    assert!(!namespace.has("vx0"));
    assert_eq!(vtep(&namespace, "link show vx0").status.code(), Some(1));
    let left = fs::read_dir(&directory.0).unwrap();
    let left = left.filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_str().unwrap().starts_with('.')
    });
    assert_eq!(left.count(), 0, "nothing is left beside the files");
    assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));
    Ok(())
}

/// A signal: frames go on until the table is on the disk.
pub(crate) fn the_end_waits_for_the_disk(_: &str) -> Result<(), Skip> {
    let (namespace, directory) = (Namespace::new("ending")?, Directory::new("ending"));
    let link = "vx0 type vxlan id 42 local 192.0.2.1 dstport 4789 ageing 0";
    let file = directory.0.join("vx0.fdb");
    // It is read before the daemon answers.
    let entries = ENTRIES / 8;
    write(file.to_str().unwrap(), entries);
    let arguments = ["--link", link, "--state", directory.0.to_str().unwrap()];
    for _ in 0..2 {
        let mut run = namespace.daemon(&arguments);
        fs::remove_file(&file).unwrap();
        assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));
        assert_eq!(lines(&file), entries as usize);
    }
    // What cannot be written is told, and the end comes all the same.
    let mut run = namespace.daemon(&arguments);
    fs::remove_dir_all(&directory.0).unwrap();
    let ended = run.stop(Signal::SIGINT);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("No such file or directory"), "{said}");
    assert!(!namespace.has("vx0"));
    Ok(())
}
