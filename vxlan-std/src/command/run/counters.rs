//! The counters that `vtep run` ends with.

use serde_json::{Map, Value, json};
use vxlan_core::{DropReason, Stats};
use vxlan_std::socket::{SendError, SendErrors};

use super::super::options::Options;
use super::devices::Devices;
use super::sink::Sink;

/// Prints the counters of each device, and what was for none of them.
pub(super) fn print(devices: &Devices, options: Options, sink: &Sink) {
    for link in &devices.taps.links {
        let stats = devices.vtep.stats(link.id);
        if let (Some(stats), Some(refused)) = (stats, devices.vtep.send_errors(link.id)) {
            let drops = reasons(stats, Some(refused));
            let line = match options.json {
                true => json(link.tap.name(), stats, &drops),
                false => text(link.tap.name(), stats, &drops),
            };
            sink.push(line + "\n");
        }
    }
    let mut drops = reasons(devices.vtep.stray(), None);
    let truncated = devices.vtep.truncated();
    if truncated > 0 {
        drops.push(("datagram-truncated", truncated));
    }
    if !drops.is_empty() {
        sink.push(match options.json {
            true => json!({ "drops": object(&drops) }).to_string() + "\n",
            false => format!("for no device: {}\n", list(&drops)),
        });
    }
}

fn text(name: &str, stats: &Stats, drops: &[(&str, u64)]) -> String {
    let mut line = format!(
        "{name}: rx packets {} bytes {} dropped {} errors {} tx packets {} bytes {} dropped {} \
         errors {}",
        stats.rx_packets,
        stats.rx_bytes,
        stats.rx_dropped,
        stats.rx_errors,
        stats.tx_packets,
        stats.tx_bytes,
        stats.tx_dropped,
        stats.tx_errors,
    );
    if !drops.is_empty() {
        line.push_str("; ");
        line.push_str(&list(drops));
    }
    line
}

fn json(name: &str, stats: &Stats, drops: &[(&str, u64)]) -> String {
    let counters = object(&stats.named());
    json!({ "ifname": name, "stats": counters, "drops": object(drops) }).to_string()
}

/// The reasons that occurred.
fn reasons(stats: &Stats, refused: Option<&SendErrors>) -> Vec<(&'static str, u64)> {
    let lost = DropReason::ALL.map(|reason| (reason.as_str(), stats.drops(reason)));
    let refused = refused
        .into_iter()
        .flat_map(|refused| SendError::ALL.map(|reason| (reason.as_str(), refused.count(reason))));
    let all = lost.into_iter().chain(refused);
    all.filter(|(_, count)| *count > 0).collect()
}

fn list(counts: &[(&str, u64)]) -> String {
    let parts: Vec<_> = counts
        .iter()
        .map(|(name, n)| format!("{name} {n}"))
        .collect();
    parts.join(", ")
}

fn object(counts: &[(&str, u64)]) -> Value {
    let pairs = counts
        .iter()
        .map(|(name, n)| ((*name).to_owned(), (*n).into()));
    pairs.collect::<Map<_, _>>().into()
}
