//! Random devices and frames, given to the kernel's VXLAN driver and to this library: what leaves by
//! the underlay, what is delivered, the counters and the forwarding database must be the same.
//!
//! ```text
//! cargo test -p vxlan-std --test twins
//! VXLAN_SEED=7 VXLAN_CASES=1000 cargo test -p vxlan-std --test twins
//! ```
//!
//! A case is one device and some frames, both ways. One that differs is printed as a test vector
//! (`vxlan-core/tests/vectors/README.md`) with what the kernel did. They need root, iproute2 and a
//! kernel of the behaviour that the library follows (6.18).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken expectation is a failed test"
)]

mod capture;
mod case;
mod draw;
mod frames;
#[path = "../netlink_kernel/kernel.rs"]
#[allow(dead_code, reason = "links and entries need more of it")]
mod kernel;
mod lab;
#[path = "../netlink_kernel/message.rs"]
#[allow(dead_code, reason = "links and entries need more of it")]
mod message;
#[path = "../netlink_kernel/random.rs"]
#[allow(dead_code, reason = "links and entries need more of it")]
mod random;
mod replay;
#[path = "../runner/mod.rs"]
mod runner;

use std::process::ExitCode;

use runner::{Needs, Test};

const TESTS: &[Test] = &[("twins", case::compare)];

fn main() -> ExitCode {
    runner::run("twins", Needs::Ours, TESTS, || Ok(()))
}
