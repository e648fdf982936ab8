//! The life of devices and sockets: a [`World`] beside a host that checks every step.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod world {
    pub(crate) mod change;
    pub(crate) mod failures;
    pub(crate) mod filter;
    pub(crate) mod host;
    pub(crate) mod life;
    pub(crate) mod new;
    pub(crate) mod operations;
    pub(crate) mod random;
    pub(crate) mod sharing;
}
