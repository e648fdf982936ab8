//! Multicast databases: what is shown of them, and frames on their way to devices of the kernel.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::runner::namespace::{Namespace, VTEP};
use crate::runner::{PATIENCE, Skip};

fn vtep(namespace: &Namespace, words: &str) -> String {
    let mut all = vec!["30", VTEP];
    all.extend(words.split_whitespace());
    let done = namespace.command("timeout", &all).output().unwrap();
    assert!(done.status.success(), "{words}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// What a refused request says.
fn refused(namespace: &Namespace, words: &str) -> (Option<i32>, String) {
    let mut all = vec!["30", VTEP];
    all.extend(words.split_whitespace());
    let done = namespace.command("timeout", &all).output().unwrap();
    (done.status.code(), String::from_utf8(done.stderr).unwrap())
}

/// The networks at the far end: one for unknown destinations, and those of two remotes.
const NETWORKS: [u32; 3] = [42, 43, 44];

/// How many packets each network of the far end has received.
fn received(far: &Namespace) -> [u64; 3] {
    NETWORKS.map(|vni| {
        let shown = far.ip(&format!("-s -j link show k{vni}"));
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        shown[0]["stats64"]["rx"]["packets"].as_u64().unwrap()
    })
}

/// A frame for a group goes to the remotes of its entry, and nowhere else (T-28).
pub(crate) fn groups_go_to_their_remotes(_: &str) -> Result<(), Skip> {
    let (near, far) = (Namespace::new("mdbnear")?, Namespace::new("mdbfar")?);
    for namespace in [&near, &far] {
        // Nothing is to be sent but what is sent below.
        let silence = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; \
                       echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
        let silent = namespace.command("sh", &["-c", silence]).status().unwrap();
        assert!(silent.success());
    }
    near.ip(&format!(
        "link add eth0 type veth peer name eth0 netns {}",
        far.0
    ));
    for (namespace, address) in [(&near, "10.9.0.1/24"), (&far, "10.9.0.2/24")] {
        namespace.ip(&format!("addr add {address} dev eth0"));
        namespace.ip("link set eth0 up");
    }
    far.ip("addr add 10.9.0.3/24 dev eth0");
    for vni in NETWORKS {
        far.ip(&format!(
            "link add k{vni} type vxlan id {vni} dstport 4789 remote 10.9.0.1"
        ));
        far.ip(&format!("link set k{vni} up"));
    }
    let link = "vx0 type vxlan id 42 dstport 4789 remote 10.9.0.2 nolearning";
    let mut run = near.start(&["--link", link], "vx0");
    near.ip("addr add 192.168.5.1/24 dev vx0");
    near.ip("route add 239.0.0.0/8 dev vx0");

    let assert_sent = |group: &str, want: [u64; 3], why: &str| {
        let before = received(&far);
        let send = format!("echo x > /dev/udp/{group}/9");
        let sent = near
            .command("timeout", &["30", "bash", "-c", &send])
            .status();
        assert!(sent.unwrap().success());
        let got = || {
            let after = received(&far);
            [0, 1, 2].map(|at: usize| after[at] - before[at])
        };
        let end = Instant::now() + PATIENCE;
        while got() != want && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        // One too many would come now.
        std::thread::sleep(Duration::from_millis(if want == [0; 3] {
            1000
        } else {
            100
        }));
        assert_eq!(got(), want, "{group}: {why}");
    };
    // The first one waits for the neighbour below.
    assert_sent("239.1.1.1", [1, 0, 0], "flooded");
    vtep(
        &near,
        "mdb add dev vx0 port vx0 grp 239.1.1.1 dst 10.9.0.3 vni 44 permanent",
    );
    assert_sent("239.1.1.1", [0, 0, 1], "to the remotes of its entry");
    vtep(
        &near,
        "mdb add dev vx0 port vx0 grp 239.1.1.1 dst 10.9.0.2 vni 43 permanent",
    );
    assert_sent("239.1.1.1", [0, 1, 1], "to the remotes of its entry");
    assert_sent("239.1.1.2", [1, 0, 0], "another group");
    vtep(
        &near,
        "mdb add dev vx0 port vx0 grp 0.0.0.0 dst 10.9.0.2 vni 43 permanent",
    );
    assert_sent("239.1.1.2", [0, 1, 0], "all other groups");
    vtep(
        &near,
        "mdb replace dev vx0 port vx0 grp 239.1.1.1 dst 10.9.0.2 vni 43 permanent \
         filter_mode exclude source_list 192.168.5.1",
    );
    assert_sent("239.1.1.1", [0, 0, 0], "blocked for this source");
    vtep(&near, "mdb flush dev vx0 vni 43");
    assert_sent("239.1.1.1", [0, 0, 1], "to the remotes of its entry");
    vtep(&near, "mdb del dev vx0 port vx0 grp 239.1.1.1 dst 10.9.0.3");
    assert_sent("239.1.1.1", [1, 0, 0], "flooded again");
    assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));
    Ok(())
}

/// All that an entry can say, in text and as JSON.
pub(crate) fn entries_are_shown(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("mdbshow")?;
    let links = [
        "--link",
        "vx0 type vxlan id 42 dstport 4789",
        "--link",
        "vx1 type vxlan external dstport 4790",
    ];
    let mut run = namespace.start(&links, "vx1");
    for words in [
        "add dev vx0 port vx0 grp 239.1.1.1 dst 192.0.2.2 permanent",
        "add dev vx0 port vx0 grp 239.1.1.1 dst 192.0.2.3 dst_port 5000 vni 7 via lo permanent",
        "add dev vx0 port vx0 grp 239.2.1.1 dst 192.0.2.2 permanent filter_mode exclude \
         source_list 10.0.0.1,10.0.0.2 proto bgp",
        "add dev vx1 port vx1 grp ff0e::1 src 2001:db8::9 dst 2001:db8::1 src_vni 10 vni 11 \
         permanent",
    ] {
        vtep(&namespace, &format!("mdb {words}"));
    }
    let show = |words: &str| vtep(&namespace, words);
    let first = "\
dev vx0 port vx0 grp 239.2.1.1 src 10.0.0.2 permanent blocked dst 192.0.2.2
dev vx0 port vx0 grp 239.2.1.1 src 10.0.0.1 permanent blocked dst 192.0.2.2
dev vx0 port vx0 grp 239.2.1.1 permanent dst 192.0.2.2
dev vx0 port vx0 grp 239.1.1.1 permanent dst 192.0.2.3 dst_port 5000 vni 7 via lo
dev vx0 port vx0 grp 239.1.1.1 permanent dst 192.0.2.2
";
    assert_eq!(show("mdb show dev vx0"), first);
    let second = "dev vx1 port vx1 grp ff0e::1 src 2001:db8::9 permanent dst 2001:db8::1 vni 11 \
                  src_vni 10\n";
    assert_eq!(show("mdb"), format!("{first}{second}"));
    assert_eq!(
        show("-d -s mdb get dev vx0 grp 239.2.1.1"),
        "dev vx0 port vx0 grp 239.2.1.1 permanent filter_mode exclude source_list \
         10.0.0.2/0.00,10.0.0.1/0.00 proto bgp  dst 192.0.2.2    0.00\n"
    );
    let index = namespace.ip("-j link show vx0");
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let index = &index[0]["ifindex"];
    assert_eq!(
        show("-j -d -s mdb get dev vx0 grp 239.2.1.1"),
        format!(
            "[{{\"mdb\":[{{\"index\":{index},\"dev\":\"vx0\",\"port\":\"vx0\",\
             \"grp\":\"239.2.1.1\",\"state\":\"permanent\",\"filter_mode\":\"exclude\",\
             \"source_list\":[{{\"address\":\"10.0.0.2\",\"timer\":\"0.00\"}},\
             {{\"address\":\"10.0.0.1\",\"timer\":\"0.00\"}}],\"protocol\":\"bgp\",\"flags\":[],\
             \"dst\":\"192.0.2.2\",\"timer\":\"   0.00\"}}],\"router\":{{}}}}]\n"
        )
    );
    for (words, status, want) in [
        (
            "add dev vx0 port vx0 grp 239.1.1.1 dst 192.0.2.2 permanent",
            255,
            "Error: vxlan: Replace not specified and MDB remote entry already exists.\n",
        ),
        (
            "add dev vx0 port vx0 grp 239.1.1.1 dst 192.0.2.2 permanent filter_mode include",
            255,
            "Error: vxlan: Cannot add (*, G) INCLUDE with an empty source list.\n",
        ),
        (
            "del dev vx0 port vx0 grp 239.1.1.9 dst 192.0.2.2",
            255,
            "Error: vxlan: Did not find MDB entry.\n",
        ),
        (
            "del dev vx0 port vx0 grp 239.1.1.1 dst 192.0.2.9",
            255,
            "Error: vxlan: Did not find MDB remote entry.\n",
        ),
        (
            "get dev vx0 grp 239.1.1.9",
            254,
            "Error: vxlan: MDB entry not found.\n",
        ),
        ("flush dev vx9", 255, "Cannot find device \"vx9\"\n"),
    ] {
        let said = refused(&namespace, &format!("mdb {words}"));
        assert_eq!(said, (Some(status), want.to_owned()), "{words}");
    }
    show("mdb flush dev vx0 dst 192.0.2.2");
    assert_eq!(show("mdb show dev vx0").lines().count(), 1);
    show("mdb flush dev vx0");
    assert_eq!(show("mdb show"), second);
    assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));
    Ok(())
}
