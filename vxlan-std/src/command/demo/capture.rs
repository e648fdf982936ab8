//! What passes on the underlay, kept and written to a file.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::pcapng::Writer;

/// Packets kept of each run: handshakes and enough of the transfer to look at.
pub(super) const PACKETS: usize = 2000;

/// How much is to be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Packets of each run; zero for none.
    pub(super) packets: usize,
    /// Bytes of each packet.
    pub(super) snap: usize,
}

/// The first packets that one VTEP sent.
#[derive(Debug)]
pub(super) struct Recorder {
    limits: Limits,
    packets: Vec<Captured>,
}

#[derive(Debug)]
struct Captured {
    time: Duration,
    len: usize,
    bytes: Vec<u8>,
}

impl Recorder {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            packets: Vec::new(),
        }
    }

    /// Whether the next packet is kept.
    pub(super) fn wants(&self) -> bool {
        self.packets.len() < self.limits.packets
    }

    /// Keeps the front of an Ethernet frame.
    pub(super) fn record(&mut self, frame: &[u8]) {
        if !self.wants() {
            return;
        }
        let time = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        self.packets.push(Captured {
            time,
            len: frame.len(),
            bytes: frame.get(..self.limits.snap).unwrap_or(frame).to_vec(),
        });
    }
}

/// The file, open.
pub(super) struct Capture {
    path: PathBuf,
    writer: Writer<BufWriter<File>>,
    snap: usize,
    interfaces: u32,
    kept: usize,
    cut: bool,
}

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    /// Where.
    pub(super) path: PathBuf,
    /// How many packets.
    pub(super) packets: usize,
    /// Bytes kept of each.
    pub(super) snap: usize,
    /// There were more packets.
    pub(super) cut: bool,
    /// Length of the file in bytes.
    pub(super) len: u64,
}

impl Capture {
    /// Makes the file, or empties it.
    pub(super) fn create(path: &Path, snap: usize) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Self {
            path: path.to_owned(),
            writer: Writer::new(file, "vtep demo")?,
            snap,
            interfaces: 0,
            kept: 0,
            cut: false,
        })
    }

    /// Adds the first packets of one run, in the order in which they were sent, as those of an
    /// interface called `name`.
    pub(super) fn add(&mut self, name: &str, recorders: [Recorder; 2]) -> io::Result<()> {
        self.writer.interface(name, self.snap as u32)?;
        let limit = recorders
            .iter()
            .map(|recorder| recorder.limits.packets)
            .max();
        let mut packets: Vec<_> = recorders
            .into_iter()
            .flat_map(|recorder| recorder.packets)
            .collect();
        packets.sort_by_key(|packet| packet.time);
        // A recorder that is full has missed what its VTEP sent afterwards.
        let limit = limit.unwrap_or_default();
        self.cut |= packets.len() >= limit;
        packets.truncate(limit);
        for packet in &packets {
            let len = packet.len as u32;
            self.writer
                .packet(self.interfaces, packet.time, len, &packet.bytes)?;
        }
        self.kept += packets.len();
        self.interfaces += 1;
        Ok(())
    }

    /// Closes the file.
    pub(super) fn finish(self) -> io::Result<Written> {
        Ok(Written {
            len: self.writer.finish()?,
            path: self.path,
            packets: self.kept,
            snap: self.snap,
            cut: self.cut,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_keeps_the_front_of_the_first_packets() {
        let mut recorder = Recorder::new(Limits {
            packets: 2,
            snap: 4,
        });
        for frame in [&b"abcdef"[..], b"ab", b"third"] {
            recorder.record(frame);
        }
        assert!(!recorder.wants());
        let kept: Vec<_> = recorder
            .packets
            .iter()
            .map(|packet| (packet.len, packet.bytes.as_slice()))
            .collect();
        assert_eq!(kept, [(6, &b"abcd"[..]), (2, b"ab")]);
    }

    #[test]
    fn a_directory_is_no_file() {
        assert!(Capture::create(&std::env::temp_dir(), 256).is_err());
    }
}
