//! Where drivers differ: one line for each difference, seen on both sides.
//!
//! Each row shows the same packets to a device of Linux 4.3 and to one of Linux 6.18, and says what
//! each makes of them. Rows where the two agree are here as well: a difference that nobody decided
//! on would show.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;
#[path = "compat/order.rs"]
mod order;
#[path = "compat/receive.rs"]
mod receive;
#[path = "compat/rfc.rs"]
mod rfc;
#[path = "compat/transmit.rs"]
mod transmit;

use std::fmt::Debug;

use vxlan_core::Compat;

/// What a device of each driver shows.
fn differ<T: Debug + PartialEq>(row: &str, see: impl Fn(Compat) -> T, old: T, new: T) {
    assert_ne!(old, new, "{row}: not a difference");
    assert_eq!(see(Compat::LINUX_4_3), old, "{row}, Linux 4.3");
    assert_eq!(see(Compat::LINUX_6), new, "{row}, Linux 6.18");
}

/// What devices of both drivers show.
fn agree<T: Debug + PartialEq>(row: &str, see: impl Fn(Compat) -> T, both: T) {
    assert_eq!(see(Compat::LINUX_4_3), both, "{row}, Linux 4.3");
    assert_eq!(see(Compat::LINUX_6), both, "{row}, Linux 6.18");
}
