//! The control socket: who may ask, and that nobody can hold the daemon up.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::runner::namespace::{Namespace, VTEP};
use crate::runner::process::wait_until_it_listens;
use crate::runner::{PATIENCE, Skip, wait_for};

const LINK: &str = "vx0 type vxlan id 42 remote 192.0.2.2";

/// `vtep` with these words in the namespace.
fn vtep(namespace: &Namespace, words: &str) -> Output {
    let mut all = vec!["30", VTEP];
    all.extend(words.split_whitespace());
    namespace.command("timeout", &all).output().unwrap()
}

/// What it prints when it succeeds.
fn shown(namespace: &Namespace, words: &str) -> String {
    let done = vtep(namespace, words);
    assert!(done.status.success(), "{words}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// Where the socket of a namespace is.
fn path(namespace: &Namespace) -> String {
    let inode = namespace.command("stat", &["-Lc", "%i", "/proc/self/ns/net"]);
    let inode = { inode }.output().unwrap().stdout;
    let inode = String::from_utf8(inode).unwrap();
    format!("/run/vtep-{}.sock", inode.trim())
}

/// The file is the owner's alone, goes with the daemon, and nobody else gets an answer.
pub(crate) fn only_the_owner_may_ask(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("owner")?;
    let mut run = namespace.start(&["--link", LINK], "vx0");
    let path = path(&namespace);
    let file = fs::symlink_metadata(&path).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!((file.permissions().mode() & 0o777, file.uid()), (0o600, 0));
    // The file's mode keeps everybody else away; without it the daemon does.
    let other = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let asked = |namespace: &Namespace| {
        let mut words = other.to_vec();
        words.push("env");
        let socket = format!("VTEP_SOCKET={path}");
        words.extend([socket.as_str(), "timeout", "30", VTEP, "fdb", "show"]);
        namespace.command("setpriv", &words).output().unwrap()
    };
    let denied = asked(&namespace);
    assert_eq!(denied.status.code(), Some(1), "{denied:?}");
    assert!(denied.stdout.is_empty());
    let said = String::from_utf8(denied.stderr).unwrap();
    assert!(
        said.contains("Permission denied") || said.contains("vtep"),
        "{said}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let denied = asked(&namespace);
    assert_eq!(denied.status.code(), Some(1), "{denied:?}");
    assert!(denied.stdout.is_empty(), "{denied:?}");
    assert!(shown(&namespace, "fdb show").contains("dev vx0"));
    let ended = run.stop(Signal::SIGTERM);
    assert!(ended.status.success(), "{ended:?}");
    assert!(!fs::exists(&path).unwrap());
    let nobody = vtep(&namespace, "fdb show");
    assert_eq!(nobody.status.code(), Some(1));
    let said = String::from_utf8(nobody.stderr).unwrap();
    assert!(
        said.starts_with("vtep: no 'vtep run' listens on /run/vtep-"),
        "{said}"
    );
    Ok(())
}

/// Daemons of different namespaces do not meet; a second one in the same is refused.
pub(crate) fn the_socket_is_one_for_each_namespace(_: &str) -> Result<(), Skip> {
    let here = Namespace::new("here")?;
    let there = Namespace::new("there")?;
    let _one = here.start(&["--link", LINK], "vx0");
    let _other = there.start(&["--link", "vx1 type vxlan id 1 remote 192.0.2.9"], "vx1");
    assert!(shown(&here, "fdb show").starts_with("00:00:00:00:00:00 dev vx0 dst 192.0.2.2 "));
    assert!(shown(&there, "fdb show").starts_with("00:00:00:00:00:00 dev vx1 dst 192.0.2.9 "));
    let second = vtep(&here, "run");
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(
        said,
        format!("vtep: a vtep is running: it listens on {}\n", path(&here))
    );
    // Told to by VTEP_SOCKET, a command reaches the one in another namespace.
    let socket = format!("VTEP_SOCKET={}", path(&here));
    let words = [socket.as_str(), "timeout", "30", VTEP, "fdb", "show"];
    let crossed = there.command("env", &words).output().unwrap();
    assert!(
        crossed.stdout.starts_with(b"00:00:00:00:00:00 dev vx0 "),
        "{crossed:?}"
    );
    Ok(())
}

/// A daemon that was killed leaves its socket; the next one takes its place. Other files stay.
pub(crate) fn a_socket_that_nobody_listens_to_is_replaced(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("stale")?;
    let mut run = namespace.start(&["--link", LINK], "vx0");
    let path = path(&namespace);
    run.stop(Signal::SIGKILL);
    assert!(fs::exists(&path).unwrap());
    wait_for("the interface to go", PATIENCE, || {
        (!namespace.has("vx0")).then_some(())
    });
    let mut run = namespace.start(&["--link", LINK], "vx0");
    assert!(shown(&namespace, "fdb show").contains("dev vx0"));
    run.stop(Signal::SIGTERM);
    fs::write(&path, "mine").unwrap();
    let refused = vtep(&namespace, "run");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    fs::remove_file(&path).unwrap();
    Ok(())
}

/// Clients that ask half a question, nonsense, or do not read, hold up nobody.
pub(crate) fn stuck_clients_hold_nothing(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("stuck")?;
    let mut run = namespace.start(&["--link", LINK], "vx0");
    let path = path(&namespace);
    for last in 0..200 {
        let entry = format!("fdb append 00:00:00:00:00:00 dev vx0 dst 198.51.100.{last}");
        if last % 50 == 0 {
            shown(&namespace, &entry);
        }
    }
    let request = |words: &[&str]| {
        let mut bytes = Vec::new();
        for word in words {
            bytes.extend((word.len() as u32).to_le_bytes());
            bytes.extend(word.as_bytes());
        }
        [&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat()
    };
    let connect = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    // More than the daemon keeps at once.
    let mut stuck = Vec::new();
    for at in 0..100 {
        let show = request(&["fdb", "show"]);
        stuck.push(connect(match at % 4 {
            0 => &[],
            1 => &show[..show.len() - 1],
            2 => &show,
            _ => &[7],
        }));
        let began = Instant::now();
        if at % 20 == 0 {
            assert!(shown(&namespace, "fdb show").contains("198.51.100.150"));
            assert!(
                began.elapsed() < Duration::from_secs(4),
                "{at}: {:?}",
                began.elapsed()
            );
        }
    }
    // What is no request ends the connection at once; half a request does after five seconds.
    for (bytes, seconds) in [(&[0xff; 8][..], 4), (&[8, 0, 0], 20)] {
        let began = Instant::now();
        let mut stream = connect(bytes);
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{rest:?}");
        assert!(began.elapsed() < Duration::from_secs(seconds), "{bytes:?}");
    }
    drop(stuck);
    let ended = run.stop(Signal::SIGTERM);
    assert!(ended.status.success(), "{ended:?}");
    Ok(())
}

/// Words that mean nothing: one line, status 2, nothing changed.
pub(crate) fn wrong_words_are_one_line(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("wrong")?;
    let _run = namespace.start(&["--link", LINK], "vx0");
    let before = shown(&namespace, "fdb show");
    for (words, want) in [
        (
            "fdb walk",
            "\"walk\": add, append, replace, del, get, flush, show",
        ),
        (
            "fdb add 02:00:00:00:00:zz dev vx0 dst 192.0.2.3",
            "a MAC address expected",
        ),
        (
            "fdb add 02:00:00:00:00:01 dst 192.0.2.3",
            "\"dev NAME\" expected",
        ),
        (
            "fdb add 02:00:00:00:00:01 dev vx0 dst host",
            "\"dst host\": an IP address expected",
        ),
        (
            "fdb add 02:00:00:00:00:01 dev vx0 dst 192.0.2.3 port 65536",
            "\"port 65536\"",
        ),
        (
            "fdb add 02:00:00:00:00:01 dev vx0 dst 192.0.2.3 walk",
            "\"walk\": unknown word",
        ),
        (
            "fdb add 02:00:00:00:00:01 dev",
            "\"dev\": an interface name",
        ),
        ("fdb show walk", "\"walk\": unknown word"),
        ("fdb flush dev vx0 walk", "\"walk\": unknown word"),
        ("fdb -x", "unexpected option '-x'"),
        ("monitor route", "\"route\": all, fdb, neigh, link or drops"),
    ] {
        let done = vtep(&namespace, words);
        assert_eq!(done.status.code(), Some(2), "{words}: {done:?}");
        assert!(done.stdout.is_empty(), "{words}: {done:?}");
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(
            said.starts_with("vtep: ") && said.contains(want),
            "{words}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{words}: {said}");
    }
    assert_eq!(shown(&namespace, "fdb show"), before);
    Ok(())
}

/// A monitor that is not read loses the oldest events, is told how many, and the daemon goes on.
pub(crate) fn a_slow_monitor_loses_the_oldest(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("slow")?;
    // Nobody reads what this one prints either.
    let mut run = namespace.start(&["--link", LINK], "vx0");
    let words = ["110", VTEP, "monitor", "fdb"];
    let mut monitor = namespace.command("timeout", &words).spawn().unwrap();
    wait_until_it_listens(&monitor, "vtep");
    // 500 remotes for each of 60 flushes, at some 60 bytes an event and two events a remote, are
    // more than what the daemon and both pipes hold.
    let script = "for round in $(seq 60); do
        for n in $(seq 500); do
            echo \"fdb append 00:00:00:00:00:00 dev vx0 dst 198.51.$((n / 250)).$((n % 250))\"
        done
        echo fdb flush dev vx0
    done";
    let path = path(&namespace);
    let lines = Command::new("bash")
        .args(["-c", script])
        .output()
        .unwrap()
        .stdout;
    for line in std::str::from_utf8(&lines).unwrap().lines() {
        let mut bytes = Vec::new();
        for word in line.split(' ') {
            bytes.extend((word.len() as u32).to_le_bytes());
            bytes.extend(word.as_bytes());
        }
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(&(bytes.len() as u32).to_le_bytes())
            .unwrap();
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, [0, 1, 0, 0, 0, 0], "{line}");
    }
    // Now it is read: the newest event is not lost.
    shown(
        &namespace,
        "fdb append 00:00:00:00:00:00 dev vx0 dst 203.0.113.9",
    );
    let newest = "00:00:00:00:00:00 dev vx0 dst 203.0.113.9 self permanent";
    let lines = BufReader::new(monitor.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if line == newest {
                tell.send(()).unwrap();
            }
        }
    });
    told.recv_timeout(PATIENCE).expect("the newest event");
    let ended = run.stop(Signal::SIGTERM);
    assert!(ended.status.success(), "{:?}", ended.status);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("lines lost"), "{said}");
    // It ends with the daemon.
    let said = monitor.wait_with_output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("events lost"), "{said}");
    Ok(())
}

/// F-40: a long dump is told in parts, while entries come and go; those that stay are told once,
/// and others are answered in between.
pub(crate) fn a_long_dump_holds_nothing(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("long")?;
    let _run = namespace.start(&["--link", LINK], "vx0");
    let path = path(&namespace);
    let ask = |line: &str| {
        let mut bytes = Vec::new();
        for word in line.split(' ') {
            bytes.extend((word.len() as u32).to_le_bytes());
            bytes.extend(word.as_bytes());
        }
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(&(bytes.len() as u32).to_le_bytes())
            .unwrap();
        stream.write_all(&bytes).unwrap();
        stream
    };
    let done = |line: &str| {
        let mut answer = Vec::new();
        ask(line).read_to_end(&mut answer).unwrap();
        assert_eq!(answer, [0, 1, 0, 0, 0, 0], "{line}");
    };
    let mac = |n: u32| {
        let [_, _, high, low] = n.to_be_bytes();
        format!("02:00:00:00:{high:02x}:{low:02x}")
    };
    const ENTRIES: u32 = 9000;
    for n in 0..ENTRIES {
        done(&format!("fdb add {} dev vx0 dst 192.0.2.3", mac(n)));
    }
    // More than the socket holds, so that it stops half-way.
    let mut dump = ask("fdb show dev vx0");
    sleep(Duration::from_millis(300));
    for n in (0..ENTRIES).step_by(2) {
        done(&format!("fdb del {} dev vx0", mac(n)));
    }
    let mut answer = Vec::new();
    dump.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    for n in (1..ENTRIES).step_by(2) {
        let line = format!("{} dst 192.0.2.3 self permanent\n", mac(n));
        assert_eq!(text.matches(&line).count(), 1, "{line}");
    }
    let told = text.matches("dst 192.0.2.3").count();
    assert!(told < ENTRIES as usize, "it did not stop: {told}");
    Ok(())
}
