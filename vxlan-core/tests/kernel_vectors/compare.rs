//! Expected against observed, with the freedoms that the vectors' README grants.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::host::Observed;
use super::model::{SourcePorts, bytes, to_hex};
use super::underlay::{sum, udp_checksum_is_valid, word};

const ETHERNET: usize = 14;
/// How much of a difference is shown.
const SHOWN: usize = 160;

/// The comparison of one vector: what its steps have in common is kept here.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    ports: Option<SourcePorts>,
    /// The source port of each step's frames.
    port_of: BTreeMap<usize, u16>,
}

/// The parts of an outer frame that may vary.
#[derive(Clone, Copy, Debug)]
struct Layout {
    ipv4: bool,
    /// Where the UDP header is; behind the first fragment there is none.
    udp: Option<usize>,
    /// This is a fragment of a packet.
    fragment: bool,
}

impl Comparison {
    pub(crate) fn new(ports: Option<&SourcePorts>) -> Self {
        Self {
            ports: ports.cloned(),
            port_of: BTreeMap::new(),
        }
    }

    /// Every difference of one step, one line each.
    pub(crate) fn step(
        &mut self,
        number: usize,
        expect: &Map<String, Value>,
        observed: &Observed,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        let mut expect = expect.clone();
        let frames = match expect.remove("underlay") {
            Some(Value::Array(frames)) => frames,
            other => vec![Value::String(format!("no list of frames: {other:?}"))],
        };
        if let Err(difference) = self.underlay(number, &frames, &observed.underlay) {
            differences.push(format!("underlay: {difference}"));
        }
        let mut actual = observed.fields.clone();
        for side in [&mut expect, &mut actual] {
            normalize(side);
        }
        for (name, wanted) in &expect {
            match actual.remove(name) {
                None => differences.push(format!("{name}: expected {}, absent", short(wanted))),
                Some(found) => differences.extend(first_difference(name, wanted, &found)),
            }
        }
        for (name, found) in actual {
            differences.push(format!("{name}: unexpected {}", short(&found)));
        }
        differences
    }

    /// What can only be said when all steps are done: flows keep their source port.
    pub(crate) fn finish(&self) -> Vec<String> {
        let flows = self.ports.iter().flat_map(|ports| &ports.same_flow);
        flows
            .filter_map(|steps| {
                let ports: Vec<Option<&u16>> =
                    steps.iter().map(|step| self.port_of.get(step)).collect();
                let same = ports.windows(2).all(|pair| pair[0] == pair[1]);
                (!same || ports.contains(&None))
                    .then(|| format!("same_flow {steps:?}: source ports {ports:?}"))
            })
            .collect()
    }

    fn underlay(
        &mut self,
        step: usize,
        expected: &[Value],
        actual: &[(u32, Vec<u8>)],
    ) -> Result<(), String> {
        let texts = expected
            .iter()
            .map(|frame| frame.as_str().unwrap_or_default());
        let expected: Vec<Vec<u8>> = texts.map(bytes).collect::<Result<_, _>>()?;
        if expected.len() != actual.len() {
            let first = actual.get(expected.len()).map(|(_, frame)| to_hex(frame));
            let first = first.map_or(String::new(), |frame| format!(", first one more {frame}"));
            return Err(clip(format!(
                "expected {} frames, found {}{first}",
                expected.len(),
                actual.len(),
            )));
        }
        // Recorded identifications of fragments, and ours.
        let mut identities: BTreeMap<u16, u16> = BTreeMap::new();
        // Those of the frame before, and its destination address.
        let mut before: Option<(u16, u16, &[u8])> = None;
        for (at, (expected, (_, actual))) in expected.iter().zip(actual).enumerate() {
            self.frame(step, expected, actual)
                .map_err(|difference| format!("frame {at}: {difference}"))?;
            let layout = Layout::of(expected).ok_or("malformed recorded frame")?;
            if !layout.ipv4 {
                continue;
            }
            let (theirs, ours) = (word(expected, 18), word(actual, 18));
            let (theirs, ours) = theirs.zip(ours).ok_or("short frame")?;
            let to = &actual[30..34];
            // Segments of one packet count up.
            if before.is_some_and(|(theirs_before, ours_before, to_before)| {
                let counted = theirs_before.wrapping_add(1) == theirs && to_before == to;
                counted && ours_before.wrapping_add(1) != ours
            }) {
                return Err(format!("frame {at}: the id does not count up"));
            }
            before = Some((theirs, ours, to));
            if layout.fragment && *identities.entry(theirs).or_insert(ours) != ours {
                return Err(format!(
                    "frame {at}: fragments of one packet differ in their id"
                ));
            }
        }
        let of_one = actual
            .iter()
            .map(|(_, frame)| &frame[..])
            .collect::<Vec<_>>();
        fragments_verify(&of_one)
    }

    fn frame(&mut self, step: usize, expected: &[u8], actual: &[u8]) -> Result<(), String> {
        let layout = Layout::of(expected).ok_or("malformed recorded frame")?;
        let mut masked = [expected.to_vec(), actual.to_vec()];
        for frame in &mut masked {
            if layout.ipv4 {
                blank(frame, 18);
                blank(frame, 24);
            }
            if let Some(udp) = layout.udp {
                blank(frame, udp);
                if word(expected, udp + 6) != Some(0) {
                    blank(frame, udp + 6);
                }
            }
        }
        if masked[0] != masked[1] {
            let at = masked[0]
                .iter()
                .zip(&masked[1])
                .position(|(one, other)| one != other)
                .unwrap_or(masked[0].len().min(masked[1].len()));
            let around = |frame: &[u8]| {
                let from = at.saturating_sub(4);
                to_hex(&frame[from.min(frame.len())..(at + 12).min(frame.len())])
            };
            return Err(format!(
                "differs at byte {at} (of {} and {}): expected ..{}.., found ..{}..",
                expected.len(),
                actual.len(),
                around(expected),
                around(actual),
            ));
        }
        if layout.ipv4 && actual.get(ETHERNET..ETHERNET + 20).map(sum) != Some(0xffff) {
            return Err("wrong IPv4 header checksum".into());
        }
        let Some(udp) = layout.udp else {
            return Ok(());
        };
        let port = word(actual, udp).ok_or("no source port")?;
        let ports = self
            .ports
            .as_ref()
            .ok_or("the vector says nothing of source ports")?;
        if !(ports.min..ports.max).contains(&port) {
            return Err(format!(
                "source port {port}, not {}..{}",
                ports.min, ports.max
            ));
        }
        if *self.port_of.entry(step).or_insert(port) != port {
            return Err(format!(
                "source port {port} differs from that of the step's first frame"
            ));
        }
        if word(actual, udp + 6) == Some(0) && word(expected, udp + 6) != Some(0) {
            return Err("no UDP checksum".into());
        }
        let same_port = word(expected, udp) == Some(port);
        if same_port && word(expected, udp + 6) != word(actual, udp + 6) {
            return Err("UDP checksum differs for the recorded port".into());
        }
        match layout.fragment || word(actual, udp + 6) == Some(0) {
            true => Ok(()),
            false => verify(&actual[ETHERNET..], &actual[udp..]),
        }
    }
}

impl Layout {
    fn of(frame: &[u8]) -> Option<Self> {
        match word(frame, 12)? {
            0x0800 => {
                let offset = word(frame, 20)?;
                let header_len = usize::from(frame.get(ETHERNET)? & 15) * 4;
                Some(Self {
                    ipv4: true,
                    udp: (offset & 0x1fff == 0).then_some(ETHERNET + header_len),
                    fragment: offset & 0x3fff != 0,
                })
            }
            0x86dd => Some(Self {
                ipv4: false,
                udp: Some(ETHERNET + 40),
                fragment: false,
            }),
            _ => None,
        }
    }
}

/// Whether the UDP checksum of a datagram is right.
fn verify(packet: &[u8], datagram: &[u8]) -> Result<(), String> {
    let addresses = match packet.first().map(|byte| byte >> 4) {
        Some(4) => packet.get(12..20).and_then(|pair| {
            let (source, destination) = pair.split_at(4);
            Some((
                Ipv4Addr::from_octets(source.try_into().ok()?).into(),
                Ipv4Addr::from_octets(destination.try_into().ok()?).into(),
            ))
        }),
        _ => packet.get(8..40).and_then(|pair| {
            let (source, destination) = pair.split_at(16);
            Some((
                Ipv6Addr::from_octets(source.try_into().ok()?).into(),
                Ipv6Addr::from_octets(destination.try_into().ok()?).into(),
            ))
        }),
    };
    let (source, destination) = addresses.ok_or("no addresses")?;
    if !udp_checksum_is_valid(source, destination, datagram) {
        return Err("wrong UDP checksum".into());
    }
    Ok(())
}

/// Puts the fragments among these frames together and verifies the datagrams.
fn fragments_verify(frames: &[&[u8]]) -> Result<(), String> {
    let mut whole: Vec<u8> = Vec::new();
    for frame in frames {
        if !Layout::of(frame).is_some_and(|layout| layout.fragment && layout.ipv4) {
            continue;
        }
        let packet = &frame[ETHERNET..];
        let offset = word(packet, 6).unwrap_or(0);
        if offset & 0x1fff == 0 {
            whole.clear();
        }
        whole.extend(&packet[20..]);
        if offset & 0x2000 == 0 && word(&whole, 6) != Some(0) {
            verify(packet, &whole).map_err(|error| format!("reassembled: {error}"))?;
        }
    }
    Ok(())
}

fn blank(frame: &mut [u8], at: usize) {
    if let Some(word) = frame.get_mut(at..at + 2) {
        word.fill(0);
    }
}

/// Takes out what says nothing: counters of devices where none changed, messages that are not the
/// driver's, and the tool's name for flags beyond the first eight.
fn normalize(fields: &mut Map<String, Value>) {
    if let Some(Value::Object(devices)) = fields.get_mut("stats_delta") {
        devices.retain(|_, changed| {
            changed
                .as_object()
                .is_none_or(|changed| !changed.is_empty())
        });
    }
    if let Some(Value::Array(messages)) = fields.get_mut("notifications") {
        messages
            .retain(|message| message.get("master").is_none() && message.get("probes").is_none());
    }
}

/// The first place where two values differ.
fn first_difference(path: &str, expected: &Value, actual: &Value) -> Option<String> {
    if expected == actual {
        return None;
    }
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let names = expected.keys().chain(actual.keys());
            names.into_iter().find_map(|name| {
                let path = format!("{path}.{name}");
                match (expected.get(name), actual.get(name)) {
                    (Some(expected), Some(actual)) => first_difference(&path, expected, actual),
                    (Some(expected), None) => {
                        Some(format!("{path}: expected {}, absent", short(expected)))
                    }
                    (None, Some(actual)) => Some(format!("{path}: unexpected {}", short(actual))),
                    (None, None) => None,
                }
            })
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let pairs = expected.iter().zip(actual).enumerate();
            pairs.into_iter().find_map(|(at, (expected, actual))| {
                first_difference(&format!("{path}[{at}]"), expected, actual)
            })
        }
        _ => Some(format!(
            "{path}: expected {}, found {}",
            short(expected),
            short(actual)
        )),
    }
}

fn short(value: &Value) -> String {
    clip(value.to_string())
}

fn clip(mut text: String) -> String {
    if text.len() > SHOWN {
        text.truncate(SHOWN);
        text.push_str("..");
    }
    text
}
