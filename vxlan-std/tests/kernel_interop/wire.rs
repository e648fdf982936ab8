//! The wire between the hosts: a hub of TAP devices that remembers what passed.
//!
//! Not a pair of veth devices, since those carry unfinished packets: checksums left to hardware
//! that is not there and segments larger than the MTU, which only a kernel at the other end can
//! read. A TAP device gets the bytes a real wire would get.

use crate::datagram::{self, Datagram};
use crate::lab::Host;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tun_rs::SyncDevice;

/// Connects every port with every other.
pub(crate) struct Wire {
    record: Arc<Mutex<Vec<Frame>>>,
}

/// One frame that a host sent.
#[derive(Clone)]
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

    /// The UDP datagrams that pass during `action` and until there is silence, in order.
    pub(crate) fn during(&self, action: impl FnOnce()) -> Vec<Datagram> {
        let record = self.recorded_during(action);
        let frames = record.iter();
        frames
            .filter_map(|frame| Datagram::parse(frame.sender, &frame.bytes))
            .collect()
    }

    /// The frames that pass during `action` and until there is silence, in order.
    pub(crate) fn frames_during(&self, action: impl FnOnce()) -> Vec<Vec<u8>> {
        let record = self.recorded_during(action).into_iter();
        record.map(|frame| frame.bytes).collect()
    }

    fn recorded_during(&self, action: impl FnOnce()) -> Vec<Frame> {
        let before = self.record.lock().unwrap().len();
        action();
        for _ in 0..20 {
            let so_far = self.record.lock().unwrap().len();
            thread::sleep(Duration::from_millis(50));
            if self.record.lock().unwrap().len() == so_far {
                break;
            }
        }
        self.record.lock().unwrap()[before..].to_vec()
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
