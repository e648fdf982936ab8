//! Benchmarks of the data path.
//!
//! `cargo run --release -p vxlan-benches -- instructions` counts instructions under callgrind and
//! compares them with the committed table; `--bless` renews it.
//! `cargo run --release -p vxlan-benches -- fdb` measures the forwarding database and holds it to
//! its goals.

mod cases;
mod fdb;
mod instructions;

use std::process::ExitCode;

const USAGE: &str = "usage: vxlan-benches instructions [--bless] | fdb";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["fdb"] => fdb::run(),
        ["instructions"] => instructions::run(false),
        ["instructions", "--bless"] => instructions::run(true),
        // What callgrind runs: one case, so many times.
        ["case", name, count] => cases::run(name, count),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
