//! Devices and what happens around them: to their interfaces, to those below, while frames flow.

use std::process::Output;

use nix::sys::signal::Signal;

use crate::runner::namespace::{Namespace, VTEP};
use crate::runner::process::Monitor;
use crate::runner::{PATIENCE, Skip, wait_for};

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

/// Waits until what `words` show holds `want`.
fn wait_shown(namespace: &Namespace, words: &str, want: &str) {
    wait_for(format!("{words}: {want}"), PATIENCE, || {
        shown(namespace, words).contains(want).then_some(())
    });
}

fn sockets(namespace: &Namespace) -> usize {
    let listed = namespace
        .command("cat", &["/proc/net/udp"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // Port 4789.
    listed
        .lines()
        .filter(|line| line.contains(":12B5 "))
        .count()
}

/// M-20, M-22, M-30: what `ip` does to the interface is done to the device; it goes with the
/// interface below. SIGTERM takes away the rest.
pub(crate) fn devices_follow_their_interfaces(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("follow")?;
    namespace.ip("link add eth0 type veth peer name far0");
    namespace.ip("link set eth0 up");
    let mut run = namespace.daemon(&[]);
    for words in [
        "link add vx0 type vxlan id 42 remote 192.0.2.2 dstport 4789",
        "link add vx1 type vxlan id 43 group 239.1.1.1 dev eth0 dstport 4790",
        "fdb add 02:00:00:00:00:01 dev vx0 dst 192.0.2.3 dynamic",
        "fdb add 02:00:00:00:00:02 dev vx0 dst 192.0.2.3",
    ] {
        assert_eq!(shown(&namespace, words), "");
    }
    assert_eq!(
        sockets(&namespace),
        0,
        "a device that is down has no socket"
    );
    namespace.ip("link set vx0 up");
    wait_shown(&namespace, "link show vx0", "UP,LOWER_UP");
    wait_for("the socket", PATIENCE, || {
        (sockets(&namespace) == 1).then_some(())
    });

    // Down: learned and dynamic entries go, the others stay.
    namespace.ip("link set vx0 down");
    wait_for("no socket", PATIENCE, || {
        (sockets(&namespace) == 0).then_some(())
    });
    let entries = shown(&namespace, "fdb show dev vx0");
    assert!(
        !entries.contains("00:01 ") && entries.contains("00:02 "),
        "{entries}"
    );

    namespace.ip("link set vx0 mtu 1300 address 02:00:00:00:00:aa");
    namespace.ip("link set vx0 name vx9");
    wait_shown(&namespace, "link show vx9", "mtu 1300 ");
    wait_shown(&namespace, "link show vx9", "02:00:00:00:00:aa");
    assert_eq!(vtep(&namespace, "link show vx0").status.code(), Some(1));
    // The daemon renames as well; a name that is taken leaves all as it was.
    assert_eq!(shown(&namespace, "link set vx9 name vx8 mtu 1280"), "");
    assert!(shown(&namespace, "link show vx8").contains("mtu 1280 "));
    assert!(namespace.has("vx8") && !namespace.has("vx9"));
    let taken = vtep(&namespace, "link set dev vx8 name vx1 mtu 1300");
    assert_eq!(taken.status.code(), Some(2), "{taken:?}");
    assert_eq!(taken.stderr, b"RTNETLINK answers: File exists\n");
    assert!(shown(&namespace, "link show vx8").contains("mtu 1280 "));
    let wish = "link set vx8 name vx1 type vxlan mcroute ageing 77";
    assert_eq!(vtep(&namespace, wish).status.code(), Some(2));
    let options = shown(&namespace, "link export vx8");
    assert!(
        !options.contains("mcroute") && !options.contains("ageing 77"),
        "{options}"
    );
    assert_eq!(shown(&namespace, "link set vx8 mtu 1300 name vx9"), "");

    // An MTU that the interface below cannot carry is taken back.
    let too_much = vtep(&namespace, "link set vx1 mtu 1451");
    assert_eq!(too_much.status.code(), Some(2), "{too_much:?}");
    assert_eq!(too_much.stderr, b"RTNETLINK answers: Invalid argument\n");
    namespace.ip("link set vx1 mtu 1451");
    wait_for("the MTU", PATIENCE, || {
        namespace
            .ip("link show vx1")
            .contains("mtu 1450 ")
            .then_some(())
    });

    // The group is in the system's list while the device is up.
    let member = || namespace.ip("maddress show dev eth0").contains("239.1.1.1");
    assert!(!member());
    assert_eq!(shown(&namespace, "link set vx1 up"), "");
    wait_for("the group", PATIENCE, || member().then_some(()));
    namespace.ip("link set vx1 down");
    wait_for("no group", PATIENCE, || (!member()).then_some(()));

    // A bridge takes it as a port.
    namespace.ip("link add br0 type bridge");
    namespace.ip("link set vx9 master br0");
    wait_shown(&namespace, "link show master br0", "vx9: ");
    assert!(shown(&namespace, "link show vx9").contains(" master br0 state "));
    assert!(shown(&namespace, "fdb show br br0").contains("00:02 dev vx9 "));

    namespace.ip("link del eth0");
    wait_for("no vx1", PATIENCE, || (!namespace.has("vx1")).then_some(()));
    assert_eq!(vtep(&namespace, "link show vx1").status.code(), Some(1));
    let ended = run.stop(Signal::SIGTERM);
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.stderr, b"vtep: vx1: the interface below is gone\n");
    assert!(!namespace.has("vx9"));
    Ok(())
}

/// Two namespaces with a device each, and a ping that goes on whatever is changed elsewhere.
pub(crate) fn changes_apply_while_frames_flow(_: &str) -> Result<(), Skip> {
    let here = Namespace::new("flow-a")?;
    let there = Namespace::new("flow-b")?;
    let far = &there.0;
    here.ip(&format!(
        "link add eth0 type veth peer name eth0 netns {far}"
    ));
    for (namespace, last) in [(&here, 1), (&there, 2)] {
        namespace.ip(&format!("addr add 192.0.2.{last}/24 dev eth0"));
        namespace.ip("link set eth0 up");
    }
    let _one = here.daemon(&[]);
    // The other end is the kernel's.
    there.ip("link add vx0 type vxlan id 42 local 192.0.2.2 remote 192.0.2.1 dstport 4789");
    assert_eq!(
        shown(
            &here,
            "link add vx0 up type vxlan id 42 local 192.0.2.1 remote 192.0.2.2 dstport 4789"
        ),
        ""
    );
    for (namespace, last) in [(&here, 1), (&there, 2)] {
        namespace.ip(&format!("addr add 10.0.0.{last}/24 dev vx0"));
        namespace.ip("link set vx0 up");
    }
    // No ping on this machine may be sure to be there; bash sends and counters tell.
    let send = |count: u32| {
        let script =
            format!("for i in $(seq {count}); do echo x > /dev/udp/10.0.0.2/9; sleep 0.002; done");
        here.command("bash", &["-c", &script]).spawn().unwrap()
    };
    send(3).wait().unwrap();
    let received = || -> u64 {
        let text = there.ip("-j -s link show vx0");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json[0]["stats64"]["rx"]["packets"].as_u64().unwrap()
    };
    wait_for("the way", PATIENCE, || (received() >= 3).then_some(()));
    let before = received();
    let (mut sent, mut changes) = (0, 0);
    while changes < 16 {
        let mut sending = send(500);
        sent += 500;
        while sending.try_wait().unwrap().is_none() {
            for words in [
                "link add vx1 up type vxlan id 43 dstport 4789",
                "link set vx1 type vxlan ttl 9 ageing 20",
                "fdb append 00:00:00:00:00:00 dev vx1 dst 192.0.2.2",
                "link set vx0 type vxlan ttl 7 tos inherit df set",
                "link set vx0 type vxlan ttl auto tos 0 df unset",
                "fdb show",
                "-d -s -s link show",
                "link del vx1",
            ] {
                shown(&here, words);
                changes += 1;
            }
        }
    }
    wait_for("all frames", PATIENCE, || {
        (received() >= before + sent).then_some(())
    });
    let counted = shown(&here, "-s link show vx0");
    assert!(counted.lines().count() == 6, "{counted}");
    Ok(())
}

/// `monitor drops` tells reasons and numbers of what is lost from then on.
pub(crate) fn lost_packets_are_told(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("drops")?;
    let _run = namespace.daemon(&["--link", "vx0 type vxlan id 42 dstport 4789"]);
    let words = ["110", VTEP, "-j", "monitor", "drops"];
    let monitor = Monitor::start(namespace.command("timeout", &words), "vtep");
    let script =
        "printf '\\x08\\0\\0\\0\\0\\0\\x07\\0abcdefghijklmnopqrstuvwxyz' > /dev/udp/127.0.0.1/4789
                  printf 'short' > /dev/udp/127.0.0.1/4789";
    let sent = namespace.command("bash", &["-c", script]).status().unwrap();
    assert!(sent.success());
    monitor.wait_until("two reasons", |heard| heard.lines().count() >= 2);
    let heard = monitor.stop();
    let want = r#"{"dropped":1,"reason":"vni-not-found"}"#;
    assert!(heard.lines().any(|line| line == want), "{heard}");
    Ok(())
}

/// A-01: a device with `proxy` answers for what was entered, and tells whom nobody knows.
pub(crate) fn a_proxy_answers_for_neighbours(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("proxy")?;
    let link = "vx0 type vxlan id 42 dstport 4789 remote 192.0.2.2 proxy l3miss";
    let _run = namespace.daemon(&["--link", link]);
    // A guest behind a bridge, so that the host's own table is not what it asks with.
    for words in [
        "link add br0 type bridge",
        "link set br0 up",
        "link set vx0 master br0",
        "link add guest type veth peer name port0",
        "link set port0 master br0 up",
    ] {
        namespace.ip(words);
    }
    let guest = Namespace::new("proxy-guest")?;
    namespace.ip(&format!("link set guest netns {}", guest.0));
    guest.ip("addr add 10.0.0.100/24 dev guest");
    guest.ip("link set guest up");
    shown(
        &namespace,
        "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev vx0",
    );
    shown(
        &namespace,
        "fdb add 02:00:00:00:00:01 dev vx0 dst 192.0.2.3",
    );
    let words = ["110", VTEP, "monitor", "neigh"];
    let monitor = Monitor::start(namespace.command("timeout", &words), "vtep");
    let probe = "echo > /dev/udp/10.0.0.1/9; echo > /dev/udp/10.0.0.2/9";
    guest.command("bash", &["-c", probe]).status().unwrap();
    wait_for("the answer", PATIENCE, || {
        let known = guest.ip("neigh show 10.0.0.1");
        known.contains("lladdr 02:00:00:00:00:01 ").then_some(())
    });
    assert!(!guest.ip("neigh show 10.0.0.2").contains("lladdr"));
    let miss = "miss 10.0.0.2 dev vx0 STALE \n";
    monitor.wait_until(miss, |heard| heard.contains(miss));
    let heard = monitor.stop();
    assert!(!heard.contains("miss 10.0.0.1 "), "{heard}");
    Ok(())
}
