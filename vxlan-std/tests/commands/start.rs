//! What a daemon starts with: a file that says what should exist, and tables of the last run.

use std::fs;
use std::path::Path;
use std::process::Output;

use nix::sys::signal::Signal;

use crate::directory::Directory;
use crate::runner::Skip;
use crate::runner::namespace::{Namespace, VTEP};

fn vtep(namespace: &Namespace, words: &[&str]) -> Output {
    let mut all = vec!["30", VTEP];
    all.extend(words);
    namespace.command("timeout", &all).output().unwrap()
}

fn shown(namespace: &Namespace, words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let done = vtep(namespace, &words);
    assert!(done.status.success(), "{words:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

const FILE: &str = r#"
nexthop = ["id 1 via 192.0.2.4 fdb", "id 10 group 1 fdb"]
[[link]]
name = "vx0"
address = "02:00:00:00:00:aa"
mtu = 1400
id = 42
local = "127.0.0.1"
dstport = 4789
learning = false
fdb = [
  "00:00:00:00:00:00 dst 192.0.2.2",
  "02:00:00:00:00:02 dst 192.0.2.3 port 8472 static",
  "02:00:00:00:00:03 nhid 10",
]
mdb = ["grp 239.1.1.1 dst 192.0.2.2 permanent"]
neigh = ["10.0.0.1 lladdr 02:00:00:00:00:02"]

[[link]]
name = "vx1"
id = 43
up = false
dstport = 4789

[[link]]
name = "vx2"
external = true
vnifilter = true
dstport = 4790
vni = ["100-199"]
learnquota = 5
learnrate = [100, 200]
movedamping = [5, 180, 540]
unlearned = "drop"
"#;

/// The devices and entries of a file are those of the same words on the command line.
pub(crate) fn a_file_says_what_exists(_: &str) -> Result<(), Skip> {
    let (namespace, directory) = (Namespace::new("file")?, Directory::new("file"));
    let path = directory.file("vtep.toml");
    fs::write(&path, FILE).unwrap();
    let mut run = namespace.start(&["--config", &path], "vx2");
    assert!(namespace.ip("link show vx0").contains("mtu 1400"));
    assert!(namespace.ip("link show vx0").contains("02:00:00:00:00:aa"));
    assert!(namespace.ip("link show up").contains("vx0"));
    assert!(!namespace.ip("link show up").contains("vx1"));
    assert_eq!(
        shown(&namespace, "fdb show dev vx0"),
        "02:00:00:00:00:03 nhid 10 self permanent\n\
         02:00:00:00:00:02 dst 192.0.2.3 port 8472 self static\n\
         00:00:00:00:00:00 dst 192.0.2.2 self permanent\n",
    );
    for (words, want) in [
        ("nexthop show id 10", "id 10 group 1 fdb\n"),
        (
            "mdb show",
            "dev vx0 port vx0 grp 239.1.1.1 permanent dst 192.0.2.2\n",
        ),
        (
            "neigh show dev vx0",
            "10.0.0.1 lladdr 02:00:00:00:00:02 PERMANENT \n",
        ),
        (
            "vni show dev vx2",
            "dev               vni              group/remote   \n\
             vx2                100-199            \n\n",
        ),
    ] {
        assert_eq!(shown(&namespace, words), want);
    }
    let limits = " learnquota 5 learnrate 100 200 movedamping 5 180 540 unlearned drop ";
    let details = shown(&namespace, "-d link show vx2");
    assert!(details.contains(limits), "{details}");
    assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));
    Ok(())
}

/// One wrong word anywhere, and nothing of the file is done.
pub(crate) fn a_wrong_file_is_refused_as_a_whole(_: &str) -> Result<(), Skip> {
    let (namespace, directory) = (Namespace::new("badfile")?, Directory::new("badfile"));
    let path = directory.file("vtep.toml");
    for (text, line, status) in [
        (
            FILE.replace("id = 43", "id = 430000000"),
            "line 21: link \"vx1 …\": \"id 430000000\": a number from 0 to 16777215 expected",
            2,
        ),
        (
            FILE.replace("id = 42", "group = \"239.1.1.1\"\nid = 42"),
            "line 7: link \"vx0 …\": \"group 239.1.1.1\": a group needs the lower interface",
            2,
        ),
        (
            FILE.replace("id = 43\n", ""),
            "line 19: link \"vx1 …\": \"id VNI\" expected",
            2,
        ),
        (
            FILE.replace("static", "statik"),
            "line 13: fdb \"02:00:00:00:00:02 …\": \"statik\": unknown word",
            2,
        ),
        (FILE.replace("[[link]]", "[[link"), "line 3: ", 2),
        (
            FILE.replace("id 10 group", "id 10 grp"),
            "line 2: nexthop: \"grp\": unknown word",
            2,
        ),
        (
            FILE.replace("2.2 permanent", "2.2 permament"),
            "line 16: mdb: \"permament\": unknown word",
            2,
        ),
        (
            FILE.replace("10.0.0.1 lladdr", "10.0.0.1 lladr"),
            "line 17: neigh: \"lladr\": unknown word",
            2,
        ),
        (
            FILE.replace("100-199", "100-"),
            "line 30: vni: \"vni 100-\": VNIs and ranges of them",
            2,
        ),
        (
            FILE.replace(
                "id = 43",
                "id = 43\nlocal = \"::1\"\nremote = \"192.0.2.1\"",
            ),
            "line 19: link \"vx1 …\": Local and remote address must be from the same family",
            2,
        ),
        // What only the host can tell ends the start, and what was made is taken away.
        (
            FILE.replace("id = 43", "id = 42"),
            "line 19: vx1: A VXLAN device with the specified VNI already exists",
            1,
        ),
    ] {
        fs::write(&path, &text).unwrap();
        let done = vtep(&namespace, &["run", "--config", &path]);
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(status), "{said}");
        assert!(said.starts_with(&format!("vtep: {path}: {line}")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!namespace.has("vx0") && !namespace.has("vx1"));
    }
    let missing = vtep(&namespace, &["run", "--config", "/no/such.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    let said = String::from_utf8(missing.stderr).unwrap();
    assert!(
        said.starts_with("vtep: /no/such.toml: No such file"),
        "{said}"
    );
    Ok(())
}

/// What was in a table is there again after a restart; a damaged file ends the start and stays.
pub(crate) fn tables_outlive_the_daemon(_: &str) -> Result<(), Skip> {
    let (namespace, directory) = (Namespace::new("state")?, Directory::new("state"));
    let state = directory.file("made/for/it");
    let arguments = [
        "--link",
        "vx0 type vxlan id 42 remote 192.0.2.2",
        "--state",
        &state,
    ];
    let mut run = namespace.start(&arguments, "vx0");
    for entry in [
        "00:00:00:00:00:00 dst 192.0.2.3",
        "02:00:00:00:00:01 dst 192.0.2.4",
        "02:00:00:00:00:02 dst 192.0.2.4 via lo dynamic",
    ] {
        shown(&namespace, &format!("fdb append dev vx0 {entry}"));
    }
    // What entries point to outlives it as well.
    shown(&namespace, "nexthop add id 1 via 192.0.2.7 fdb");
    shown(&namespace, "nexthop add id 10 group 1 fdb");
    shown(&namespace, "fdb add 02:00:00:00:00:03 dev vx0 nhid 10");
    let before = shown(&namespace, "fdb show dev vx0");
    assert_eq!(before.lines().count(), 5, "{before}");
    let nexthops = shown(&namespace, "nexthop show");
    assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));

    let file = directory.0.join("made/for/it/vx0.fdb");
    let mut run = namespace.start(&arguments, "vx0");
    assert_eq!(shown(&namespace, "fdb show dev vx0"), before);
    assert_eq!(shown(&namespace, "nexthop show"), nexthops);
    by_request(&namespace, &directory, &before);
    assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));

    // A device that is made otherwise takes what fits, and says what does not.
    let mut changed = arguments;
    changed[1] = "vx0 type vxlan id 42 remote 192.0.2.2 maxaddress 2";
    let mut run = namespace.start(&changed, "vx0");
    assert_eq!(shown(&namespace, "fdb show dev vx0").lines().count(), 3);
    let done = run.stop(Signal::SIGTERM);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(
        said.matches("vtep: vx0: left out: entry 02:").count(),
        2,
        "{said}"
    );

    let mut bytes = fs::read(&file).unwrap();
    bytes[40] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let mut all = vec!["run"];
    all.extend(arguments);
    let done = vtep(&namespace, &all);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let said = String::from_utf8(done.stderr).unwrap();
    let want = format!(
        "vtep: vx0: {}: a damaged FDB snapshot: the checksum is wrong\n",
        file.display()
    );
    assert_eq!(said, want);
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert!(!namespace.has("vx0"));
    // A directory that cannot be had is told before there is something to lose.
    let done = vtep(&namespace, &["run", "--state", "/proc/nowhere"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.starts_with("vtep: /proc/nowhere: "), "{said}");
    assert_eq!(done.status.code(), Some(1));
    Ok(())
}

/// `fdb save` and `fdb load` while it runs.
fn by_request(namespace: &Namespace, directory: &Directory, before: &str) {
    let file = directory.file("by-hand");
    shown(namespace, &format!("fdb save dev vx0 file {file}"));
    shown(namespace, "fdb flush dev vx0");
    assert_eq!(shown(namespace, "fdb show dev vx0"), "");
    shown(namespace, &format!("fdb load dev vx0 file {file}"));
    assert_eq!(shown(namespace, "fdb show dev vx0"), before);
    // Refused: nothing changes, one line, a status.
    let torn = fs::read(&file).unwrap();
    fs::write(&file, &torn[..torn.len() - 1]).unwrap();
    for (words, want) in [
        (
            format!("fdb load dev vx0 file {file}"),
            format!(
                "vtep: {file}: a damaged FDB snapshot: {} bytes",
                torn.len() - 1
            ),
        ),
        (
            "fdb load dev vx0 file /no/such".to_owned(),
            "vtep: /no/such: No such file or directory\n".to_owned(),
        ),
        (
            "fdb save dev vx0 file /no/such".to_owned(),
            "vtep: /no/such: No such file or directory\n".to_owned(),
        ),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let done = vtep(namespace, &words);
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.starts_with(&want), "{said}");
        assert_eq!(shown(namespace, "fdb show dev vx0"), before);
    }
    assert!(!Path::new("/no").exists());
}
