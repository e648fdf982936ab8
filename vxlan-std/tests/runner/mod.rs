//! Runs the tests of a suite side by side and counts honestly: what did not run did not pass.
//!
//! A test that lacks root or a tool says `SKIPPED: why`; with `VXLAN_REQUIRE_ALL=1` in the
//! environment that counts as a failure.
#![allow(dead_code, reason = "each suite uses its own part")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

pub(crate) mod namespace;
pub(crate) mod process;

use std::collections::VecDeque;
use std::env;
use std::fmt::Display;
use std::panic;
use std::process::ExitCode;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// A name, which is also that of the namespaces, and what to do. A failure panics.
pub(crate) type Test = (&'static str, fn(&str) -> Result<(), Skip>);

/// Why a test cannot run on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Skip(pub(crate) String);

/// How many tests run at once. They wait for packets and clocks more than they compute.
const WORKERS: usize = 4;

enum Verdict {
    Passed,
    Failed,
    Skipped(Skip),
}

/// What a suite needs may be missing even where everything is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Root and tools, which can be had.
    Ours,
    /// Files that are not the project's to ship.
    Others,
}

/// Runs those of `tests` that the command line names; `ready` says why none can run, or returns
/// what has to be held meanwhile. `suite` is one word.
pub(crate) fn run<T: Sync>(
    suite: &str,
    needs: Needs,
    tests: &[Test],
    ready: fn() -> Result<T, Skip>,
) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let chosen = |name: &str| match flag("--exact") {
        true => filters.iter().any(|filter| *filter == name),
        false => filters.is_empty() || filters.iter().any(|filter| name.contains(*filter)),
    };
    let queue: VecDeque<Test> = match flag("--ignored") {
        true => VecDeque::new(),
        false => tests
            .iter()
            .filter(|test| chosen(test.0))
            .copied()
            .collect(),
    };
    if flag("--list") {
        queue.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }

    let ready = ready();
    let queue = Mutex::new(queue);
    let (report, reports) = mpsc::channel();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            let (report, queue, ready) = (report.clone(), &queue, ready.as_ref());
            scope.spawn(move || {
                loop {
                    let Some((name, story)) = queue.lock().unwrap().pop_front() else {
                        return;
                    };
                    let began = Instant::now();
                    let verdict = match ready {
                        Err(skip) => Verdict::Skipped(skip.clone()),
                        Ok(_) => tell(name, story),
                    };
                    report.send((name, verdict, began.elapsed())).unwrap();
                }
            });
        }
        drop(report);
        for (name, verdict, time) in reports {
            let word = match verdict {
                Verdict::Passed => {
                    passed += 1;
                    String::from("ok")
                }
                Verdict::Failed => {
                    failed += 1;
                    String::from("FAILED")
                }
                Verdict::Skipped(Skip(why)) => {
                    skipped += 1;
                    format!("SKIPPED: {why}")
                }
            };
            println!("test {name} ... {word} ({:.1} s)", time.as_secs_f32());
        }
    });
    println!("{suite}: {passed} passed, {failed} failed, {skipped} skipped");

    let all_required =
        needs == Needs::Ours && env::var_os("VXLAN_REQUIRE_ALL").is_some_and(|value| value == "1");
    if failed > 0 || (all_required && skipped > 0) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// How long to wait for what has to come, on however busy a machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Asks every 20 ms until `question` has an answer; fails with `what` when `patience` is over.
pub(crate) fn wait_for<T>(
    what: impl Display,
    patience: Duration,
    mut question: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {patience:?} for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How long a test may take before it counts as failed and is left alone.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs one test in a thread of its name, so that a failure's message says whose it is.
fn tell(name: &'static str, story: fn(&str) -> Result<(), Skip>) -> Verdict {
    let (end, ended) = mpsc::channel();
    thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            // Nobody listens any more if it took too long.
            let _ = end.send(panic::catch_unwind(|| story(name)));
        })
        .expect("a thread for the test");
    match ended.recv_timeout(LIMIT) {
        Ok(Ok(Ok(()))) => Verdict::Passed,
        Ok(Ok(Err(skip))) => Verdict::Skipped(skip),
        Ok(Err(_)) => Verdict::Failed,
        Err(_) => {
            eprintln!("test {name} is not done after {LIMIT:?}");
            Verdict::Failed
        }
    }
}
