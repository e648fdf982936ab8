//! Replays test vectors that were recorded from a Linux 6.18 kernel.
//!
//! `tests/vectors/README.md` describes the vectors. `VXLAN_VECTORS` names more directories with
//! such files, separated by colons. With `VXLAN_PENDING=1` the groups that are not expected to
//! pass yet are replayed, too.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test may panic"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod kernel_vectors {
    pub(crate) mod answer;
    pub(crate) mod attributes;
    pub(crate) mod compare;
    pub(crate) mod devices;
    pub(crate) mod fdb_request;
    pub(crate) mod host;
    pub(crate) mod link_ops;
    pub(crate) mod link_request;
    pub(crate) mod links;
    pub(crate) mod mdb_request;
    pub(crate) mod model;
    pub(crate) mod neighbour_message;
    pub(crate) mod neighbours;
    pub(crate) mod offload;
    pub(crate) mod report;
    pub(crate) mod routes;
    pub(crate) mod sockets;
    pub(crate) mod traffic;
    pub(crate) mod underlay;
    pub(crate) mod vni_request;
}

use kernel_vectors::report::{self, Outcome};

/// Groups that are not expected to pass yet, and what they wait for.
const PENDING: &[(&str, &str)] = &[];

fn main() -> ExitCode {
    // Test runners ask for the list first (`cargo nextest`).
    if std::env::args().any(|arg| arg == "--list") {
        if !std::env::args().any(|arg| arg == "--ignored") {
            println!("kernel_vectors: test");
        }
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing failed.
fn run() -> Result<bool, String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let more = std::env::var_os("VXLAN_VECTORS").unwrap_or_default();
    let more: Vec<PathBuf> = std::env::split_paths(&more)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    let directories = core::iter::once(own.as_path()).chain(more.iter().map(PathBuf::as_path));
    let groups = report::groups(directories)?;

    let run_pending = std::env::var("VXLAN_PENDING").is_ok_and(|value| value == "1");
    let (mut passed, mut failed, mut waiting) = (0, 0, 0);
    let mut list_is_right = true;
    for (group, lines) in &groups {
        let pending = PENDING.iter().find(|(name, _)| name == group);
        let Some((_, reason)) = pending else {
            let outcome = Outcome::of(group, lines);
            println!(
                "group {group}: {} passed, {} failed",
                outcome.passed,
                outcome.failed.len()
            );
            outcome.print_failures();
            passed += outcome.passed;
            failed += outcome.failed.len();
            continue;
        };
        waiting += lines.len();
        println!("group {group}: {} pending ({reason})", lines.len());
        if run_pending {
            let outcome = Outcome::of(group, lines);
            println!(
                "pending {group}: {} pass, {} fail",
                outcome.passed,
                outcome.failed.len()
            );
            outcome.print_failures();
            if outcome.failed.is_empty() {
                println!("  {group} passes: take it off the list");
                list_is_right = false;
            }
        }
    }
    println!("vectors: {waiting} pending");
    println!("vectors: {passed} passed, {failed} failed");
    Ok(failed == 0 && list_is_right)
}
