//! Instruction counts under callgrind, compared with a committed table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cases;

/// Iterations of the shorter run; the longer one has eleven times as many.
const SHORT: u64 = 1_000;
/// How far a count may move, in per cent, before the table has to be renewed.
const TOLERANCE: f64 = 2.0;

fn table_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt")
}

/// Counts every case, prints the table and holds it to the committed one.
pub(crate) fn run(bless: bool) -> Result<(), String> {
    let committed = read_table(&std::fs::read_to_string(table_path()).unwrap_or_default())?;
    let mut table = String::from(
        "# Instructions per call in the steady state (callgrind, release build, x86-64).\n\
         # Renew with: cargo run --release -p vxlan-benches -- instructions --bless\n",
    );
    let mut moved = Vec::new();
    println!("{:<28} {:>12} {:>12}", "case", "instructions", "committed");
    for name in cases::NAMES {
        let count = per_call(name)?;
        let before = committed.get(*name).copied();
        let told = before.map_or_else(|| "-".to_owned(), |before| format!("{before:.1}"));
        println!("{name:<28} {count:>12.1} {told:>12}");
        writeln!(table, "{name} {count:.1}").map_err(|error| error.to_string())?;
        match before {
            Some(before) if (count - before).abs() <= before * TOLERANCE / 100.0 => {}
            _ => moved.push(*name),
        }
    }
    if bless {
        return std::fs::write(table_path(), table)
            .map_err(|error| format!("{}: {error}", table_path().display()));
    }
    if moved.is_empty() {
        println!(
            "instructions: {} cases within {TOLERANCE} % of the table",
            cases::NAMES.len()
        );
        Ok(())
    } else {
        Err(format!(
            "instructions: moved by more than {TOLERANCE} %: {}; renew benches/instructions.txt with --bless",
            moved.join(", ")
        ))
    }
}

fn read_table(text: &str) -> Result<BTreeMap<String, f64>, String> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (name, count) = line.split_once(' ').ok_or(line)?;
            Ok((name.to_owned(), count.parse().map_err(|_| line)?))
        })
        .collect::<Result<_, &str>>()
        .map_err(|line| format!("benches/instructions.txt: cannot read \"{line}\""))
}

/// The steady cost of one call: set-up and start-up cancel out in the difference of two runs.
pub(crate) fn per_call(case: &str) -> Result<f64, String> {
    let short = total(case, SHORT)?;
    let long = total(case, 11 * SHORT)?;
    Ok((long.saturating_sub(short)) as f64 / (10 * SHORT) as f64)
}

/// All instructions of one run of this program.
fn total(case: &str, count: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["case", case, &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error} (install the package valgrind)"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{case}: {log}"));
    }
    log.lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, total)| total.trim().parse().ok())
        .ok_or_else(|| format!("{case}: callgrind printed no total:\n{log}"))
}
