//! Devices of the kernel made here, and ours made in the kernel.

use std::process::Output;

use crate::runner::Skip;
use crate::runner::namespace::{Namespace, VTEP};

fn run(namespace: &Namespace, words: &str) -> Output {
    let mut all = vec!["30"];
    all.extend(words.split_whitespace());
    namespace.command("timeout", &all).output().unwrap()
}

fn shown(namespace: &Namespace, words: &str) -> String {
    let done = run(namespace, words);
    assert!(done.status.success(), "{words}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

fn vtep(namespace: &Namespace, words: &str) -> String {
    shown(namespace, &format!("{VTEP} {words}"))
}

/// The line of `ip -d link show` that tells the kind of link and its options.
fn options(text: &str) -> &str {
    let line = text.lines().find(|line| line.trim().starts_with("vxlan "));
    // What follows is about queues, and about the lower interface.
    let line = line.unwrap_or_else(|| panic!("{text}"));
    line.split(" addrgenmode").next().unwrap().trim()
}

fn facts(text: &str) -> (bool, bool) {
    (
        text.contains("mtu 1400"),
        text.contains("02:00:00:00:00:77"),
    )
}

/// Devices of every kind, each with the commands that give it entries.
const DEVICES: &[(&str, &[&str])] = &[
    ("id 42 dstport 4789 remote 10.9.0.2 dev eth0", &[]),
    (
        "id 42 dstport 4789 remote 10.9.0.2 local 10.9.0.1 ttl 9 tos 0x10 df set ageing 60 \
         nolearning proxy l2miss l3miss rsc noudpcsum maxaddress 90 srcport 40000 41000",
        &[
            "bridge fdb append 00:00:00:00:00:00 dev kvx dst 10.9.0.3",
            "bridge fdb append 00:00:00:00:00:00 dev kvx dst 10.9.0.4 port 99 vni 7 via eth0",
            "bridge fdb add 02:00:00:00:00:01 dev kvx dst 10.9.0.3 static",
            "bridge fdb add 02:00:00:00:00:02 dev kvx dst 10.9.0.3 dynamic router",
            "bridge fdb add 02:00:00:00:00:03 dev kvx dst 10.9.0.3 extern_learn sticky",
            "bridge fdb add 01:00:5e:00:00:01 dev kvx dst 10.9.0.5",
            "bridge fdb append 01:00:5e:00:00:01 dev kvx dst 10.9.0.6",
        ],
    ),
    (
        "id 43 dstport 4790 ttl inherit tos inherit df inherit gbp remcsumtx remcsumrx",
        &[
            "ip nexthop add id 1 via 10.9.0.3 fdb",
            "ip nexthop add id 2 via 10.9.0.4 fdb",
            "ip nexthop add id 10 group 1,3/2 fdb",
            "bridge fdb add 02:00:00:00:00:09 dev kvx nhid 10",
        ],
    ),
    (
        "id 44 dstport 4791 group 239.1.1.1 dev eth0",
        &["bridge fdb del 00:00:00:00:00:00 dev kvx"],
    ),
    (
        "id 45 dstport 4792 local 2001:db8::1 remote 2001:db8::2 flowlabel 0x123 udp6zerocsumtx \
         udp6zerocsumrx",
        &[
            "bridge fdb append 00:00:00:00:00:00 dev kvx dst 2001:db8::3",
            "bridge fdb del 00:00:00:00:00:00 dev kvx dst 2001:db8::2",
        ],
    ),
];

/// From the kernel to here, and from here to another kernel: options, addresses and entries.
pub(crate) fn devices_come_and_go_unchanged(_: &str) -> Result<(), Skip> {
    for (number, (words, commands)) in DEVICES.iter().enumerate() {
        let near = Namespace::new(&format!("imp{number}"))?;
        let far = Namespace::new(&format!("exp{number}"))?;
        for namespace in [&near, &far] {
            namespace.ip("link add eth0 type veth peer name eth1");
            namespace.ip("link set eth0 up");
        }
        near.ip(&format!(
            "link add kvx address 02:00:00:00:00:77 mtu 1400 type vxlan {words}"
        ));
        for command in *commands {
            shown(&near, command);
        }
        let mut daemon = near.start(&["--link", "other type vxlan id 99 dstport 5000"], "other");
        vtep(&near, "link import kvx name vx1");

        let theirs = shown(&near, "ip -d link show kvx");
        let ours = vtep(&near, "-d link show vx1");
        assert_eq!(options(&ours), options(&theirs));
        assert_eq!(facts(&ours), (true, true), "{ours}");
        let entries = shown(&near, "bridge fdb show dev kvx");
        assert_eq!(vtep(&near, "fdb show dev vx1"), entries);

        let script = vtep(&near, "link export vx1");
        for line in script.lines() {
            shown(&far, line);
        }
        let copied = shown(&far, "ip -d link show vx1");
        assert_eq!(options(&copied), options(&theirs), "{script}");
        assert_eq!(facts(&copied), (true, true), "{copied}");
        assert_eq!(shown(&far, "bridge fdb show dev vx1"), entries, "{script}");
        daemon.stop(nix::sys::signal::Signal::SIGTERM);
    }
    Ok(())
}

/// One line each, and nothing is left behind.
pub(crate) fn what_cannot_be_imported(_: &str) -> Result<(), Skip> {
    let near = Namespace::new("noimp")?;
    near.ip("link add eth0 type veth peer name eth1");
    near.ip("link add ext type vxlan external dstport 4790");
    near.ip("link add kvx type vxlan id 42 dstport 4789");
    near.ip("link set kvx up");
    let _daemon = near.start(&["--link", "other type vxlan id 99 dstport 5000"], "other");
    for (words, want) in [
        ("link import nowhere", "Cannot find device \"nowhere\""),
        ("link import eth0", "\"eth0\" is not a vxlan device"),
        (
            "link import ext name vx1",
            "an external device's metadata does not fit through a TAP interface",
        ),
        // The name is taken by the kernel's device itself.
        ("link import kvx", "RTNETLINK answers: File exists"),
        // And so is its port.
        (
            "link import kvx name vx1 up",
            "RTNETLINK answers: Address already in use",
        ),
        ("link export nowhere", "Device \"nowhere\" does not exist."),
    ] {
        let done = run(&near, &format!("{VTEP} {words}"));
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success(), "{words}");
        assert_eq!(said.trim_end(), want, "{words}");
        assert!(!near.has("vx1"), "{words}");
    }
    Ok(())
}
