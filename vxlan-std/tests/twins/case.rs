//! Cases: drawn, run on both sides, compared.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::draw;
use crate::lab::Lab;
use crate::random::Random;
use crate::replay::answer::Failure;
use crate::replay::compare::Comparison;
use crate::replay::host::{Host, Observed};
use crate::replay::model::Vector;
use crate::runner::Skip;

/// A device and frames each.
const CASES: usize = 150;
/// How long the kernel may take for a frame.
const PATIENCE: Duration = Duration::from_millis(300);
/// How many cases that differ are shown.
const SHOWN: usize = 5;

/// What the run came to.
#[derive(Debug, Default)]
struct Tally {
    devices: usize,
    refused: usize,
    frames: usize,
    sent: usize,
    delivered: usize,
}

/// The test.
pub(crate) fn compare(name: &str) -> Result<(), Skip> {
    let name = name.to_owned();
    // A thread of its own: it moves into a namespace.
    let run = thread::spawn(move || run(&name));
    run.join()
        .unwrap_or_else(|why| std::panic::resume_unwind(why))
}

fn number(name: &str, usual: usize) -> usize {
    let given = env::var(name).ok();
    given.and_then(|count| count.parse().ok()).unwrap_or(usual)
}

fn run(name: &str) -> Result<(), Skip> {
    let (seed, cases) = (number("VXLAN_SEED", 1), number("VXLAN_CASES", CASES));
    let mut random = Random::new();
    let any = draw::vector(&mut random.clone(), 0);
    let mut lab = Lab::new(name, &serde_json::from_value(any).expect("a vector"))?;
    let mut tally = Tally::default();
    let mut failed = 0;
    for case in 0..cases {
        let mut drawn = draw::vector(&mut random, case);
        let outcome = one(&mut lab, &mut drawn, &mut tally);
        lab.clear();
        if let Err(difference) = outcome {
            failed += 1;
            if failed <= SHOWN {
                println!("seed {seed}, case {case}: {difference}\n{drawn}");
            }
        }
    }
    println!("twins: seed {seed}: {tally:?}, {failed} cases differ");
    assert_eq!(failed, 0, "cases differ");
    // A run that compares nothing says nothing.
    assert!(
        cases < 20 || (tally.sent > cases && tally.delivered > cases),
        "{tally:?}"
    );
    Ok(())
}

/// Runs one case; what the kernel did is noted in `drawn`, up to the difference.
fn one(lab: &mut Lab, drawn: &mut Value, tally: &mut Tally) -> Result<(), String> {
    let vector: Vector = serde_json::from_value(drawn.clone()).expect("a vector");
    let theirs = lab.set_up(&vector);
    let ours = Host::new(&vector);
    let mut host = match (theirs, ours) {
        (Ok(()), Ok(host)) => host,
        (Err((what, theirs)), Err(Failure::Refused(ours, _))) if theirs == ours => {
            tally.refused += 1;
            if env::var_os("VXLAN_REFUSED").is_some() {
                println!("refused: {what}: {theirs}: {}", drawn["config"]);
            }
            return Ok(());
        }
        (theirs, Err(ours)) => return Err(format!("set-up: kernel {theirs:?}, library {ours:?}")),
        (theirs, Ok(_)) => return Err(format!("set-up: kernel {theirs:?}, library takes it")),
    };
    tally.devices += 1;
    let mut comparison = Comparison::new(vector.sport.as_ref());
    for (at, step) in vector.steps.iter().enumerate() {
        lab.give(&step.input);
        let ours = catch_unwind(AssertUnwindSafe(|| host.step(&step.input)));
        let ours = ours.map_err(|_| format!("step {at}: the library panics"))?;
        let mut ours = ours.map_err(|why| format!("step {at}: {why:?}"))?;
        let mut above = reduce(&mut ours);
        if vector.config.as_ref().is_some_and(|all| all.gpe.is_some()) {
            // Packets without a link layer are only counted.
            ours.fields.insert("inner".into(), json!([]));
            ours.fields.remove("inner_meta");
            forget_above(&mut ours.fields);
            above = true;
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let mut theirs = lab.observe();
            if above {
                forget_above(&mut theirs);
            }
            let differences = comparison.step(at, &theirs, &ours);
            if differences.is_empty() {
                tally.sent += ours.underlay.len();
                tally.delivered += theirs["inner"].as_array().map_or(0, Vec::len);
                break;
            }
            if Instant::now() > end {
                drawn["steps"][at]["expect"] = theirs.into();
                drawn["steps"]
                    .as_array_mut()
                    .expect("steps")
                    .truncate(at + 1);
                return Err(format!("step {at}: {}", differences.join("\n  ")));
            }
            sleep(Duration::from_millis(1));
        }
        tally.frames += 1;
        lab.settle();
    }
    Ok(())
}

/// Takes out what a packet socket does not show: marks, checksum states, tags that the stack has
/// taken off; and the notifications, which `netlink_kernel` is about. Whether there was a tag.
fn reduce(observed: &mut Observed) -> bool {
    let mut tagged = false;
    let fields = &mut observed.fields;
    fields.remove("notifications");
    if let Some(Value::Array(all)) = fields.get_mut("inner_meta") {
        for meta in all {
            *meta = json!({ "device": meta["device"], "pkt_type": meta["pkt_type"] });
        }
    }
    if let Some(Value::Array(all)) = fields.get_mut("inner") {
        for frame in all {
            let text = frame.as_str().expect("hex");
            if matches!(text.get(24..28), Some("8100" | "88a8")) {
                *frame = format!("{}{}", &text[..24], &text[32..]).into();
                tagged = true;
            }
        }
    }
    if tagged {
        forget_above(fields);
    }
    tagged
}

/// Whether the stack above drops what it finds behind a tag, which counts on the device, depends on
/// what else is loaded into the kernel (LLC, for one).
fn forget_above(fields: &mut Map<String, Value>) {
    let counters = fields
        .get_mut("stats_delta")
        .and_then(|devices| devices.get_mut("vx0")?.as_object_mut());
    if let Some(counters) = counters {
        counters.remove("rx_dropped");
    }
}
