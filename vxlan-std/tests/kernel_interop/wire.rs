//! The wire between the hosts: a hub of TAP devices that remembers what passed.
//!
//! Not a pair of veth devices, since those carry unfinished packets: checksums left to hardware
//! that is not there and segments larger than the MTU, which only a kernel at the other end can
//! read. A TAP device gets the bytes a real wire would get.

use crate::datagram::{self, Datagram};
use crate::lab::Host;
use crate::runner::PATIENCE;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tun_rs::SyncDevice;

/// Connects every port with every other.
pub(crate) struct Wire {
    record: Arc<Mutex<Vec<Frame>>>,
}

/// One frame that a host sent.
struct Frame {
    /// Which host, from 0.
    sender: usize,
    bytes: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(ports: Vec<SyncDevice>) -> Self {
        let (ports, record) = (Arc::new(ports), Arc::new(Mutex::new(Vec::new())));
        for sender in 0..ports.len() {
            let (ports, record) = (Arc::clone(&ports), Arc::clone(&record));
            thread::spawn(move || forward(&ports, sender, &record));
        }
        Self { record }
    }

    /// The UDP datagrams that pass during `action`, in order.
    ///
    /// Whatever led to a frame that `action` waits for is among them, since frames are recorded
    /// before they are passed on. What nobody answers takes [`Self::passed`].
    pub(crate) fn during(&self, action: impl FnOnce()) -> Vec<Datagram> {
        let before = self.record.lock().unwrap().len();
        action();
        self.rest_after(before, |_| true)
            .into_iter()
            .map(|(_, datagram)| datagram)
            .collect()
    }

    /// The first `count` UDP datagrams that are `wanted` of those that pass from the start of
    /// `action`, in order, each behind the frame it came in, and those that follow at once. Fewer
    /// if they do not come.
    pub(crate) fn passed(
        &self,
        count: usize,
        wanted: impl Fn(&Datagram) -> bool,
        action: impl FnOnce(),
    ) -> Vec<(Vec<u8>, Datagram)> {
        let before = self.record.lock().unwrap().len();
        action();
        let end = Instant::now() + PATIENCE;
        while self.rest_after(before, &wanted).len() < count && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        // One too many would come now.
        thread::sleep(Duration::from_millis(50));
        self.rest_after(before, wanted)
    }

    /// The `wanted` datagrams on record from the place `before`, and their frames.
    fn rest_after(
        &self,
        before: usize,
        wanted: impl Fn(&Datagram) -> bool,
    ) -> Vec<(Vec<u8>, Datagram)> {
        let record = self.record.lock().unwrap();
        let all = record[before..].iter();
        all.filter_map(|frame| {
            let datagram = Datagram::parse(frame.sender, &frame.bytes)?;
            wanted(&datagram).then(|| (frame.bytes.clone(), datagram))
        })
        .collect()
    }

    /// How many fragments of outer packets `host` has sent so far.
    pub(crate) fn fragments_of(&self, host: &Host) -> usize {
        let record = self.record.lock().unwrap();
        let sent = record.iter().filter(|frame| frame.sender == host.place());
        sent.filter(|frame| datagram::is_fragment(&frame.bytes))
            .count()
    }
}

/// Copies what one port sends to all others, until its device is removed.
fn forward(ports: &[SyncDevice], sender: usize, record: &Mutex<Vec<Frame>>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len) = ports[sender].recv(&mut buffer) {
        let bytes = buffer[..len].to_vec();
        record.lock().unwrap().push(Frame { sender, bytes });
        for (port, device) in ports.iter().enumerate() {
            if port != sender {
                // A host whose interface is down, or just going, hears nothing.
                let _ = device.send(&buffer[..len]);
            }
        }
    }
}
