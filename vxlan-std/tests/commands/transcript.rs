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
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use crate::runner::namespace::{Namespace, VTEP};
use crate::runner::{Skip, wait_for};

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
        let limit = ["timeout", "10", program].into_iter();
        limit.chain(words).map(str::to_owned).collect()
    }
}

/// Plays the transcript `name` and compares every byte.
pub(crate) fn compare(test: &str, name: &str, side: Side) -> Result<(), Skip> {
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
    let monitored = monitored.map(|words| monitor(&namespace, side, test, words));
    let played = play(&namespace, side, &recorded);
    let played = match monitored {
        Some(monitored) => played + &monitored.finish(&recorded),
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

/// A process that ends with the value, and the file that it writes to.
struct Monitor(Child, PathBuf);

impl Monitor {
    /// What it heard, which is to be as much as was recorded.
    fn finish(self, recorded: &str) -> String {
        let want = recorded
            .lines()
            .filter(|line| line.starts_with("% "))
            .count();
        let heard = || fs::read_to_string(&self.1).unwrap();
        if std::env::var_os("VTEP_RECORD").is_none() {
            let complete = || (heard().lines().count() >= want).then_some(());
            wait_for("events", Duration::from_secs(5), complete);
        }
        std::thread::sleep(Duration::from_millis(100));
        heard().lines().map(|line| format!("% {line}\n")).collect()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // Its only child is the program in the namespace, which `timeout` passes the signal to.
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.0.id() as i32),
            nix::sys::signal::Signal::SIGTERM,
        );
        let _ = self.0.wait();
    }
}

/// Listens to events, into a file.
fn monitor(namespace: &Namespace, side: Side, test: &str, words: &str) -> Monitor {
    let words = side.command(&format!("monitor {words}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let file = format!("vtep-{test}-{}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let mut command = namespace.command("timeout", &["60"]);
    command
        .args(&words[2..])
        .stdout(File::create(&path).unwrap())
        .stderr(Stdio::null());
    let monitor = Monitor(command.spawn().unwrap(), path);
    // Nobody says when it listens.
    std::thread::sleep(Duration::from_millis(500));
    monitor
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

/// Ages as on a machine that is quick: a few seconds are none.
fn without_ages(line: &str) -> String {
    let mut line = line.to_owned();
    for age in 1..10 {
        for mark in [
            "used ",
            "/",
            "\"used\":",
            "\"updated\":",
            "\"used\": ",
            "\"updated\": ",
        ] {
            let (old, new) = (format!("{mark}{age}"), format!("{mark}0"));
            for end in ["/", " ", ",", "p"] {
                if mark != "/" || line.contains("used ") {
                    line = line.replace(&format!("{old}{end}"), &format!("{new}{end}"));
                }
            }
        }
    }
    line
}
