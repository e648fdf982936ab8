//! Frames to an entry with a nexthop group, on their way to a device of the kernel.

use crate::runner::Skip;
use crate::runner::namespace::{Namespace, VTEP};

fn vtep(namespace: &Namespace, words: &str) {
    let mut all = vec!["30", VTEP];
    all.extend(words.split_whitespace());
    let done = namespace.command("timeout", &all).output().unwrap();
    assert!(done.status.success(), "{words}: {done:?}");
}

/// Whether the far end answers within so many seconds: it refuses a connection.
fn answers(namespace: &Namespace, seconds: u32) -> bool {
    let seconds = seconds.to_string();
    let connect = [&seconds, "bash", "-c", "</dev/tcp/192.168.5.2/9"];
    let done = namespace.command("timeout", &connect).output().unwrap();
    String::from_utf8_lossy(&done.stderr).contains("refused")
}

/// The gateway of a group is where frames go, now and after a change; without a group nowhere.
pub(crate) fn frames_take_the_paths(_: &str) -> Result<(), Skip> {
    let (near, far) = (Namespace::new("nhnear")?, Namespace::new("nhfar")?);
    near.ip(&format!(
        "link add eth0 type veth peer name eth0 netns {}",
        far.0
    ));
    for (namespace, address) in [(&near, "10.9.0.1/24"), (&far, "10.9.0.2/24")] {
        namespace.ip(&format!("addr add {address} dev eth0"));
        namespace.ip("link set eth0 up");
    }
    far.ip("addr add 10.9.0.3/24 dev eth0");
    far.ip("link add kvx address 02:00:00:00:00:02 type vxlan id 42 dstport 4789 remote 10.9.0.1");
    far.ip("addr add 192.168.5.2/24 dev kvx");
    far.ip("link set kvx up");
    let link = "vx0 address 02:00:00:00:00:01 type vxlan id 42 dstport 4789 nolearning";
    let mut run = near.start(&["--link", link], "vx0");
    near.ip("addr add 192.168.5.1/24 dev vx0");
    near.ip("neigh add 192.168.5.2 lladdr 02:00:00:00:00:02 dev vx0");
    far.ip("neigh add 192.168.5.1 lladdr 02:00:00:00:00:01 dev kvx");

    assert!(!answers(&near, 1));
    for words in [
        "nexthop add id 1 via 10.9.0.2 fdb",
        "nexthop add id 2 via 10.9.0.3 fdb",
        "nexthop add id 10 group 1/2 fdb",
        "fdb add 02:00:00:00:00:02 dev vx0 nhid 10",
    ] {
        vtep(&near, words);
    }
    assert!(answers(&near, 20));
    vtep(&near, "nexthop replace id 10 group 2 fdb");
    assert!(answers(&near, 20));
    // An address that nobody has.
    vtep(&near, "nexthop replace id 2 via 10.9.0.99 fdb");
    assert!(!answers(&near, 1));
    vtep(&near, "nexthop replace id 10 group 1 fdb");
    assert!(answers(&near, 20));
    vtep(&near, "nexthop del id 1");
    assert!(!answers(&near, 1));
    run.stop(nix::sys::signal::Signal::SIGTERM);
    Ok(())
}
