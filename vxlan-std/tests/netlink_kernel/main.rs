//! Random netlink requests to the kernel's VXLAN driver and to this library: each must be answered
//! alike, error number and message; what is told of it to others (`RTNLGRP_NEIGH`) and what is dumped
//! afterwards must be the same bytes.
//!
//! ```text
//! cargo test -p vxlan-std --test netlink_kernel
//! VXLAN_SEED=7 VXLAN_REQUESTS=100000 cargo test -p vxlan-std --test netlink_kernel -- link
//! ```
//!
//! They need root, iproute2 and a kernel of the behaviour that the library follows (6.18). Devices
//! live in namespaces of their own, few at a time.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken expectation is a failed test"
)]

mod entries;
mod kernel;
mod links;
mod message;
mod model;
mod ours;
mod random;
#[path = "../runner/mod.rs"]
mod runner;
mod time;

use std::process::ExitCode;

use runner::{Needs, Test};

const TESTS: &[Test] = &[
    ("entries_over_time", time::entries),
    ("links", links::compare),
    ("entries", entries::compare),
];

fn main() -> ExitCode {
    runner::run("netlink_kernel", Needs::Ours, TESTS, || Ok(()))
}
