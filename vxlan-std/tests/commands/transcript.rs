//! Transcripts: what iproute2 answered to each line, and whether `vtep` answers the same.
//!
//! ```text
//! & WORDS     what is monitored, if anything
//! @ WORDS     a device, in the words of `ip link add`; all of them come first
//! $ LINE      a command: `fdb` or `link`, with options before it
//! | TEXT      a line on its standard output
//! ! TEXT      a line on its standard error stream
//! ? N         its exit status, if that is not 0
//! % TEXT      at the end: a line of the monitor that ran all the time
//! ```
//! `VTEP_RECORD=1` writes the files anew from what the kernel's devices and iproute2 say.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::runner::Skip;
use crate::runner::namespace::{Namespace, VTEP};
use crate::runner::process::Monitor;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// `vtep`.
    Ours,
    /// `ip` and `bridge`, about devices of the kernel.
    Kernel,
}

impl Side {
    /// The command for a line, with its options before the object.
    fn command(self, line: &str) -> Vec<String> {
        let words = line.split_whitespace();
        let object = words.clone().find(|word| !word.starts_with('-')).unwrap();
        let program = match (self, object) {
            (Self::Ours, _) => VTEP,
            (Self::Kernel, "monitor") if line.contains("monitor fdb") => "bridge",
            (Self::Kernel, "fdb" | "mdb" | "vni") => "bridge",
            (Self::Kernel, _) => "ip",
        };
        let limit = ["timeout", "30", program].into_iter();
        limit.chain(words).map(str::to_owned).collect()
    }
}

/// Plays the transcript `name` and compares every byte.
pub(crate) fn compare(name: &str, side: Side) -> Result<(), Skip> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path: PathBuf = path.join(format!("tests/commands/transcripts/{name}.txt"));
    let recorded = fs::read_to_string(&path).unwrap();
    let namespace = Namespace::new(&format!("{name}-{side:?}"))?;
    // Nothing is to be sent but what a line asks for.
    let silence = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; \
                   echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
    let silent = namespace.command("sh", &["-c", silence]).status().unwrap();
    assert!(silent.success());

    let devices: Vec<&str> = recorded
        .lines()
        .filter_map(|l| l.strip_prefix("@ "))
        .collect();
    let mut arguments = Vec::new();
    for device in &devices {
        match side {
            Side::Ours => arguments.extend(["--link", device]),
            Side::Kernel => {
                namespace.ip(&format!("link add {device}"));
                let name = device.split(' ').next().unwrap();
                namespace.ip(&format!("link set {name} up"));
            }
        }
    }
    let _daemon = (side == Side::Ours).then(|| namespace.daemon(&arguments));

    let monitored = recorded.lines().find_map(|line| line.strip_prefix("& "));
    let monitored = monitored.map(|words| monitor(&namespace, side, words));
    let played = play(&namespace, side, &recorded);
    let played = match monitored {
        Some(monitored) => played + &finish(monitored, &recorded),
        None => played,
    };
    if side == Side::Kernel && std::env::var_os("VTEP_RECORD").is_some() {
        fs::write(&path, &played).unwrap();
        return Ok(());
    }
    for (at, (played, recorded)) in played.lines().zip(recorded.lines()).enumerate() {
        assert_eq!(played, recorded, "{}:{}", path.display(), at + 1);
    }
    assert_eq!(played.lines().count(), recorded.lines().count());
    Ok(())
}

/// Listens to events.
fn monitor(namespace: &Namespace, side: Side, words: &str) -> Monitor {
    let words = side.command(&format!("monitor {words}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let program = Path::new(words[2]).file_name().unwrap();
    let mut command = namespace.command("timeout", &["110"]);
    command.args(&words[2..]);
    Monitor::start(command, program.to_str().unwrap())
}

/// What it heard, which is to be as much as was recorded.
fn finish(monitor: Monitor, recorded: &str) -> String {
    let told = recorded.lines().filter(|line| line.starts_with("% "));
    let want = told.count();
    if std::env::var_os("VTEP_RECORD").is_none() {
        monitor.wait_until("events", |heard| heard.lines().count() >= want);
    }
    // One too many would come now.
    std::thread::sleep(Duration::from_millis(100));
    let heard = monitor.stop();
    heard.lines().map(|line| format!("% {line}\n")).collect()
}

/// The transcript as `side` writes it, the monitor's lines left out.
fn play(namespace: &Namespace, side: Side, recorded: &str) -> String {
    let mut played = String::new();
    for line in recorded.lines() {
        if line.starts_with(['|', '!', '?', '%']) {
            continue;
        }
        writeln!(played, "{line}").unwrap();
        if let Some(line) = line.strip_prefix("$ ") {
            let words = side.command(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let done = namespace.command(words[0], &words[1..]).output().unwrap();
            write_answer(&mut played, &done);
        }
    }
    played
}

fn write_answer(played: &mut String, done: &Output) {
    for (mark, bytes) in [('|', &done.stdout), ('!', &done.stderr)] {
        let mut text = String::new();
        bytes.as_slice().read_to_string(&mut text).unwrap();
        for line in text.lines() {
            writeln!(played, "{mark} {}", without_ages(line)).unwrap();
        }
    }
    let status = done.status.code().unwrap();
    if status != 0 {
        writeln!(played, "? {status}").unwrap();
    }
}

/// Ages as on a machine that is quick: none. What is `used 3/14` and `"updated":3` is 0.
fn without_ages(line: &str) -> String {
    let mut line = line.to_owned();
    let names = ["used", "updated", "confirmed"];
    let json = names.iter().flat_map(|name| {
        let name = format!("\"{name}\":");
        [format!("{name} "), name]
    });
    for mark in json.chain([String::from("used ")]) {
        let Some(at) = line.find(&mark).map(|at| at + mark.len()) else {
            continue;
        };
        let rest = line.split_off(at);
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '/');
        let (ages, behind) = rest.split_at(rest.len() - behind.len());
        let none = ages
            .split('/')
            .map(|age| if age.is_empty() { "" } else { "0" });
        line.push_str(&none.collect::<Vec<_>>().join("/"));
        line.push_str(behind);
    }
    line
}
