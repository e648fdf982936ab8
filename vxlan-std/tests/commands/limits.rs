//! Limits to learning, for which iproute2 has no words: said, shown, and met by frames.

use std::process::Output;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::runner::namespace::{Namespace, VTEP};
use crate::runner::{Skip, wait_for};

const SOON: Duration = Duration::from_secs(5);

fn vtep(namespace: &Namespace, words: &str) -> Output {
    let mut all = vec!["10", VTEP];
    all.extend(words.split_whitespace());
    namespace.command("timeout", &all).output().unwrap()
}

fn shown(namespace: &Namespace, words: &str) -> String {
    let done = vtep(namespace, words);
    assert!(done.status.success(), "{words}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// A broadcast of a station through the VTEP that has this address, which is one of the host's own.
fn talk(namespace: &Namespace, station: u8, through: &str) {
    let (header, payload) = ("\\x08\\0\\0\\0\\0\\0\\x2a\\0", "\\x88\\xb5hello");
    let station = format!("\\x02\\0\\0\\0\\0\\x{station:02x}");
    let to = "\\xff\\xff\\xff\\xff\\xff\\xff";
    let script = format!("printf '{header}{to}{station}{payload}' > /dev/udp/{through}/4789");
    let sent = namespace
        .command("bash", &["-c", &script])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Where the stations are, by the last byte of their addresses; waits until it is so.
fn wait_places(namespace: &Namespace, want: &[(u8, &str)]) {
    wait_for(format!("{want:?}"), SOON, || {
        let entries = shown(namespace, "fdb show dev vx0");
        let line = |(station, remote): &(u8, &str)| {
            entries.contains(&format!("02:00:00:00:00:{station:02x} dst {remote} self"))
        };
        (want.iter().all(line) && entries.lines().count() == want.len()).then_some(())
    });
}

const NEAR: &str = "127.0.0.1";
const FAR: &str = "10.9.0.1";

/// Each limit refuses what is too much, tells it, and counts what it drops.
pub(crate) fn learning_is_limited(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("limits")?;
    namespace.ip(&format!("addr add {FAR}/32 dev lo"));
    let link = "vx0 type vxlan id 42 dstport 4789 learnquota 2 movedamping 1 60 60";
    let _run = namespace.daemon(&["--link", link]);
    let listen = |words: &str| {
        let all = format!("60 {VTEP} {words}");
        let all: Vec<&str> = all.split_whitespace().collect();
        namespace.command("timeout", &all).spawn().unwrap()
    };
    let monitors = [
        listen("monitor fdb"),
        listen("-j monitor fdb"),
        listen("monitor drops"),
    ];
    std::thread::sleep(Duration::from_millis(500));

    for station in [1, 2, 3] {
        talk(&namespace, station, NEAR);
    }
    wait_places(&namespace, &[(1, NEAR), (2, NEAR)]);
    for through in [FAR, NEAR] {
        talk(&namespace, 1, through);
    }
    wait_places(&namespace, &[(1, FAR), (2, NEAR)]);

    let set = "link set vx0 type vxlan";
    assert_eq!(
        shown(&namespace, &format!("{set} learnquota 1 unlearned drop")),
        ""
    );
    talk(&namespace, 4, NEAR);
    wait_for("the drop", SOON, || {
        let all = shown(&namespace, "-j -s link show vx0");
        let json: serde_json::Value = serde_json::from_str(&all).unwrap();
        let dropped = json[0]["stats64"]["rx"]["dropped"].as_u64();
        (dropped == Some(2)).then_some(())
    });
    shown(
        &namespace,
        &format!("{set} learnquota unlimited learnrate 1 1"),
    );
    for station in [5, 6] {
        talk(&namespace, station, NEAR);
    }
    wait_places(&namespace, &[(1, FAR), (2, NEAR), (5, NEAR)]);
    std::thread::sleep(Duration::from_millis(300));

    let heard = monitors.map(|monitor| {
        // `timeout` passes it on.
        kill(Pid::from_raw(monitor.id() as i32), Signal::SIGTERM).unwrap();
        String::from_utf8(monitor.wait_with_output().unwrap().stdout).unwrap()
    });
    let [text, json, drops] = heard;
    for want in [
        "Refused 02:00:00:00:00:03 dev vx0: as many entries as may be learned from 127.0.0.1: 2",
        "Refused 02:00:00:00:00:01 dev vx0: moved too often, now to 127.0.0.1: held at 10.9.0.1",
        "Refused 02:00:00:00:00:04 dev vx0: as many entries as may be learned from 127.0.0.1: 1",
        "Refused 02:00:00:00:00:06 dev vx0: learned too fast, now from 127.0.0.1: 1 a second",
    ] {
        assert_eq!(
            text.lines().filter(|line| *line == want).count(),
            1,
            "{want}: {text}"
        );
    }
    let want = "{\"refused\":true,\"mac\":\"02:00:00:00:00:01\",\"ifname\":\"vx0\",\"reason\":\
                \"moved too often, now to 127.0.0.1: held at 10.9.0.1\"}";
    assert!(json.lines().any(|line| line == want), "{json}");
    for reason in ["learn-quota", "learn-rate", "move-damped"] {
        assert!(
            drops.contains(&format!("dropped 1 dev vx0 reason {reason}\n")),
            "{drops}"
        );
    }
    Ok(())
}

/// What is said is shown, and nothing of it where nothing is said.
pub(crate) fn limits_are_shown(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("limits-shown")?;
    let _run = namespace.daemon(&["--link", "vx0 type vxlan id 42 dstport 4789"]);
    let looks =
        || ["-d link show", "-j -d link show", "link export"].map(|words| shown(&namespace, words));
    let before = looks();
    let words = "learnquota 5 learnrate 100 200 movedamping 5 180 540 unlearned drop";
    shown(&namespace, &format!("link set vx0 type vxlan {words}"));
    let [text, json, export] = looks();
    assert!(
        text.contains(&format!("noudp6zerocsumrx {words} addrgenmode ")),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let data = &json[0]["linkinfo"]["info_data"];
    assert_eq!(data["learn_quota"], 5);
    assert_eq!(
        data["learn_rate"],
        serde_json::json!({"per_second": 100, "burst": 200})
    );
    let damping = serde_json::json!({"moves": 5, "within": 180, "hold": 540});
    assert_eq!(data["move_damping"], damping);
    assert_eq!(data["unlearned"], "drop");
    // The script still is one for the kernel.
    let said = format!("# Linux has no {words}\n");
    assert!(export.contains(&said), "{export}");
    assert_eq!(export.replace(&said, ""), before[2]);

    // A change that is refused as a whole takes them back.
    let refused = vtep(
        &namespace,
        "link set vx0 mtu 9999999 type vxlan learnquota 6",
    );
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(looks()[0], text);
    let off = "learnquota unlimited learnrate unlimited movedamping none unlearned deliver";
    shown(&namespace, &format!("link set vx0 type vxlan {off}"));
    assert_eq!(looks(), before);
    Ok(())
}
