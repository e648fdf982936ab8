//! The kernel's side: a device in a namespace of its own, the network at the end of a cable.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns};
use serde_json::{Map, Value, json};
use vxlan_core::fdb::State;

use crate::capture::Capture;
use crate::frames::sum;
use crate::kernel::{CREATE_EXCL, DELETE_LINK, GET_LINK, Kernel, NEW_LINK};
use crate::message::{Answer, attribute, find, link};
use crate::replay::fdb_request;
use crate::replay::link_request;
use crate::replay::model::{Input, Neighbour, Vector, to_hex};
use crate::replay::neighbour_message;
use crate::runner::Skip;
use crate::runner::namespace::Namespace;

const NEW_NEIGHBOUR: u16 = 28;
const GET_NEIGHBOUR: u16 = 30;
const CREATE_APPEND: u16 = 0xc00;
const CREATE_REPLACE: u16 = 0x500;
const IFLA_IFNAME: u16 = 3;
const IFLA_STATS64: u16 = 23;
const DEVICE: u32 = 20;
const IFF_UP: u32 = 1;

/// `struct rtnl_link_stats64`; two that others than the driver count are left out.
const COUNTERS: [&str; 23] = [
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
];

/// Two namespaces and the cable between them.
pub(crate) struct Lab {
    kernel: Kernel,
    wire: Capture,
    inner: Option<Capture>,
    before: Vec<u64>,
    seen: Seen,
    _peer: Namespace,
}

/// What a step has brought so far.
#[derive(Default)]
struct Seen {
    underlay: Vec<Value>,
    inner: Vec<Value>,
    meta: Vec<Value>,
    result: Option<i32>,
}

fn enter(namespace: &Namespace) {
    let path = Path::new("/run/netns").join(&namespace.0);
    setns(File::open(path).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
}

impl Lab {
    /// The host of `vector`; this thread moves into its namespace.
    pub(crate) fn new(name: &str, vector: &Vector) -> Result<Self, Skip> {
        let host = Namespace::new(&format!("{name}-host"))?;
        let peer = Namespace::new(&format!("{name}-peer"))?;
        let lower = &vector.lower;
        host.ip(&format!(
            "link add ul0 index {} address {} mtu {} type veth peer name ul1 netns {}",
            lower.ifindex, lower.mac, lower.mtu, peer.0
        ));
        enter(&peer);
        std::fs::write("/proc/sys/net/ipv6/conf/ul1/disable_ipv6", "1").unwrap();
        peer.ip(&format!("link set ul1 mtu {} up", lower.mtu));
        let wire = Capture::on("ul1").expect("a cable");
        enter(&host);
        host.ip("link set ul0 addrgenmode none");
        host.ip("link set ul0 up");
        let mut words = String::new();
        for addr in &lower.addrs {
            let nodad = if addr.addr.is_ipv6() { " nodad" } else { "" };
            words += &format!("address add {}/{} dev ul0{nodad}\n", addr.addr, addr.len);
        }
        for hop in &lower.neighbours {
            words += &format!(
                "neighbour replace {} lladdr {} dev ul0 nud permanent\n",
                hop.ip, hop.mac
            );
        }
        batch(&words);
        Ok(Self {
            kernel: Kernel::of(host),
            wire,
            inner: None,
            before: Vec::new(),
            seen: Seen::default(),
            _peer: peer,
        })
    }

    /// Sets a device up; the error number of the first request that is refused.
    pub(crate) fn set_up(&mut self, vector: &Vector) -> Result<(), (String, i32)> {
        let mtu = vector.device_mtu;
        let config = vector.config.as_ref();
        let made = link_request::link(Some(&vector.device_mac), mtu, config, &[]).expect("a link");
        let mut all = attribute(IFLA_IFNAME, b"vx0\0");
        all.extend(made);
        self.ask(NEW_LINK, CREATE_EXCL, &link(DEVICE, &all), "the device")?;
        for request in &vector.fdb {
            let state = request
                .state
                .map_or(State::PERMANENT, State::from_bits_retain);
            let content = fdb_request::content(request, DEVICE, state).expect("an entry");
            self.ask(NEW_NEIGHBOUR, CREATE_APPEND, &content, "an entry")?;
        }
        for entry in &vector.neighbours {
            self.ask(
                NEW_NEIGHBOUR,
                CREATE_REPLACE,
                &neighbour(entry),
                "a neighbour",
            )?;
        }
        let mut up = link(DEVICE, &[]);
        up[8..12].copy_from_slice(&IFF_UP.to_ne_bytes());
        up[12..16].copy_from_slice(&IFF_UP.to_ne_bytes());
        self.ask(NEW_LINK, 0, &up, "going up")?;
        self.inner = Capture::on("vx0");
        self.wire.drain();
        self.before = self.counters();
        Ok(())
    }

    fn ask(
        &mut self,
        kind: u16,
        flags: u16,
        content: &[u8],
        what: &str,
    ) -> Result<(), (String, i32)> {
        match self.kernel.ask(kind, flags, content).0 {
            Answer(0, _) => Ok(()),
            Answer(errno, _) => Err((what.into(), errno)),
        }
    }

    /// Takes the device away, if there is one.
    pub(crate) fn clear(&mut self) {
        self.inner = None;
        let _ = self.kernel.ask(DELETE_LINK, 0, &link(DEVICE, &[]));
    }

    /// Gives one frame to the device.
    pub(crate) fn give(&mut self, input: &Input) {
        self.seen = Seen::default();
        match input {
            Input::Tx(sent) => {
                let inner = self.inner.as_ref().expect("the device is up");
                self.seen.result = inner.send(&sent.frame, sent.mark).err();
            }
            Input::Rx(received) => self.wire.send(&received.frame, 0).expect("to be sent"),
            other => panic!("not a frame: {other:?}"),
        }
    }

    /// What came of it so far: the fields of an expectation.
    pub(crate) fn observe(&mut self) -> Map<String, Value> {
        for (_, mut frame) in self.wire.drain() {
            if is_udp(&frame) {
                complete(&mut frame);
                renumber(&mut frame);
                self.seen.underlay.push(to_hex(&frame).into());
            }
        }
        let delivered = self.inner.as_ref().map(Capture::drain);
        for (kind, frame) in delivered.unwrap_or_default() {
            let kind = ["host", "broadcast", "multicast", "otherhost"][usize::from(kind)];
            self.seen.inner.push(to_hex(&frame).into());
            self.seen
                .meta
                .push(json!({ "device": "vx0", "pkt_type": kind }));
        }
        let mut fields = Map::new();
        fields.insert("underlay".into(), self.seen.underlay.clone().into());
        fields.insert("inner".into(), self.seen.inner.clone().into());
        if !self.seen.meta.is_empty() {
            fields.insert("inner_meta".into(), self.seen.meta.clone().into());
        }
        if let Some(errno) = self.seen.result {
            fields.insert("result".into(), crate::replay::answer::result(errno, None));
        }
        let after = self.counters();
        let changed: Map<String, Value> = COUNTERS
            .iter()
            .zip(self.before.iter().zip(&after))
            .filter(|(_, (before, after))| before != after)
            .map(|(name, (before, after))| ((*name).into(), (after - before).into()))
            .collect();
        fields.insert("stats_delta".into(), json!({ "vx0": changed }));
        fields.insert("fdb_after".into(), self.entries().into());
        fields
    }

    /// From here on the counters count.
    pub(crate) fn settle(&mut self) {
        self.before = self.counters();
    }

    fn counters(&mut self) -> Vec<u64> {
        let (answer, found) = self.kernel.ask(GET_LINK, 0, &link(DEVICE, &[]));
        assert_eq!(answer, Answer(0, None));
        let stats = find(&found[0][16..], IFLA_STATS64).expect("counters");
        stats
            .as_chunks()
            .0
            .iter()
            .map(|count| u64::from_ne_bytes(*count))
            .collect()
    }

    /// The dump, in the order of MAC address and VNI.
    fn entries(&mut self) -> Vec<Value> {
        let mut asked = vec![7, 0, 0, 0];
        asked.extend(DEVICE.to_ne_bytes());
        asked.extend([0; 4]);
        let mut lines: BTreeMap<(String, u64), Vec<Value>> = BTreeMap::new();
        for content in self.kernel.dump(GET_NEIGHBOUR, &asked) {
            if content[4..8] != DEVICE.to_ne_bytes() {
                continue;
            }
            let len = u32::try_from(16 + content.len()).unwrap();
            let mut message = len.to_ne_bytes().to_vec();
            message.extend(NEW_NEIGHBOUR.to_ne_bytes());
            message.extend([0; 10]);
            message.extend(content);
            let Ok(mut line) = neighbour_message::named(&message) else {
                panic!("not understood: {}", to_hex(&message));
            };
            if let Value::Object(line) = &mut line {
                line.retain(|name, _| name != "type" && name != "family");
            }
            let mac = line["lladdr"].as_str().unwrap_or_default().to_owned();
            let vni = line["src_vni"].as_u64().unwrap_or_default();
            lines.entry((mac, vni)).or_default().push(line);
        }
        lines.into_values().flatten().collect()
    }
}

/// Runs lines of `ip` in the namespace of this thread.
fn batch(lines: &str) {
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(ip.stdin.as_mut().unwrap(), lines.as_bytes()).unwrap();
    assert!(ip.wait().unwrap().success(), "ip -batch: {lines}");
}

/// An entry of the device's neighbour table.
fn neighbour(entry: &Neighbour) -> Vec<u8> {
    let mut all = vec![if entry.ip.is_ipv4() { 2 } else { 10 }, 0, 0, 0];
    all.extend(DEVICE.to_ne_bytes());
    all.extend(entry.state.to_ne_bytes());
    all.extend([entry.flags, 0]);
    all.extend(attribute(1, &link_request::octets(entry.ip)));
    if let Some(mac) = entry.mac {
        all.extend(attribute(2, &mac.octets()));
    }
    all
}

/// Whether this is a UDP packet or a fragment of one.
fn is_udp(frame: &[u8]) -> bool {
    match frame.get(12..14) {
        Some([0x08, 0x00]) => frame.get(23) == Some(&17),
        Some([0x86, 0xdd]) => frame.get(20) == Some(&17),
        _ => false,
    }
}

/// Fills a UDP checksum in that was left to the hardware, which a cable in memory has not: the field
/// then holds the sum of the pseudo header.
fn complete(frame: &mut [u8]) {
    let (addresses, udp) = match frame[12..14] {
        [0x08, 0x00] if frame[20..22] == [0, 0] || frame[20..22] == [0x40, 0] => {
            (26..34, 14 + usize::from(frame[14] & 15) * 4)
        }
        [0x86, 0xdd] => (22..54, 54),
        _ => return,
    };
    let len = u32::from(frame[udp + 4]) << 8 | u32::from(frame[udp + 5]);
    let pseudo = sum(&frame[addresses], 17 + len);
    if frame[udp + 6..udp + 8] == pseudo.to_be_bytes() {
        let whole = match !sum(&frame[udp..], 0) {
            0 => 0xffff,
            whole => whole,
        };
        frame[udp + 6..udp + 8].copy_from_slice(&whole.to_be_bytes());
    }
}

/// Spreads the identifications of IPv4 packets. The kernel counts them up where two remotes have the
/// same address, too; in a vector that tells the segments of one packet, of which there are none here.
fn renumber(frame: &mut [u8]) {
    if frame[12..14] == [0x08, 0x00] {
        let number = u16::from_be_bytes([frame[18], frame[19]]).wrapping_mul(3);
        frame[18..20].copy_from_slice(&number.to_be_bytes());
    }
}
