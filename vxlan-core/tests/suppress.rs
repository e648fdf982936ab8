//! Neighbour suppression: who is answered, by what, and which routers are passed by.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

mod suppress {
    pub(crate) mod anything;
    pub(crate) mod arp;
    pub(crate) mod lab;
    pub(crate) mod ndisc;
    pub(crate) mod router;
}
