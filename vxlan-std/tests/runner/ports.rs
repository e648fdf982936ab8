//! UDP ports for tests on the loopback interface of a machine that others use too.

#![allow(clippy::panic, reason = "a test may fail loudly")]

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that nobody has, nor any of the seven behind it.
///
/// Below the range from which Linux picks ports by itself (32768 and up), so that no socket bound
/// to port 0 takes one of them meanwhile, and another block at each call. Processes start at places
/// of their own.
pub(crate) fn free() -> u16 {
    const FIRST: u32 = 10_000;
    const BLOCKS: u32 = 2800;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..BLOCKS {
        let place = std::process::id() * 97 + u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + place % BLOCKS * 8).unwrap();
        let all = (port..port + 8).map(|port| UdpSocket::bind(("0.0.0.0", port)));
        if all.collect::<Result<Vec<_>, _>>().is_ok() {
            return port;
        }
    }
    panic!("no free ports");
}
