//! Packets as text for people and as JSON for programs.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::input::{Record, Time};
use super::layers::{Decoded, Layer};
use super::summary::Summary;
use super::verdict::Verdict;

/// The width of a terminal that lines are made for.
const WIDTH: usize = 100;
/// Where the text of a layer starts.
const TITLE: usize = 11;

/// A packet with everything that is known about it.
pub(super) struct Report<'r> {
    pub(super) file: &'r str,
    /// Counted from 1 in each file.
    pub(super) number: u64,
    pub(super) record: Record,
    pub(super) captured: usize,
    /// When the first packet of the file came.
    pub(super) start: Option<Time>,
    pub(super) decoded: &'r Decoded<'r>,
    /// For VXLAN packets.
    pub(super) verdict: Option<&'r Verdict>,
}

/// A headline and, for VXLAN packets, a line for each layer.
pub(super) fn text(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let Report {
        record, decoded, ..
    } = report;
    let mut items = Vec::new();
    if let (Some(source), Some(destination)) = (&decoded.source, &decoded.destination) {
        items.push(format!("{source} > {destination}"));
    }
    items.push(decoded.what.clone());
    items.push(if report.captured < record.length {
        format!("{} bytes ({} captured)", record.length, report.captured)
    } else {
        format!("{} bytes", record.length)
    });
    items.push(
        report
            .verdict
            .map_or_else(|| "not VXLAN".to_owned(), Verdict::headline),
    );
    let time = match (record.time, report.start) {
        (Some(time), Some(start)) => format!("{:.6}", (time.0 - start.0) as f64 / 1e9),
        _ => "no time".to_owned(),
    };
    wrapped(out, &format!("{:>4}  {time}  ", report.number), &items)?;
    let Some(verdict) = report.verdict else {
        return Ok(());
    };
    for layer in &decoded.layers {
        wrapped(out, &title(layer.depth, layer.title), &layer.items)?;
    }
    let device = verdict.device.as_ref().map(|name| format!("by {name}"));
    let items: Vec<_> = core::iter::once(verdict.headline())
        .chain(device)
        .chain(verdict.items.iter().cloned())
        .collect();
    wrapped(out, &title(0, "verdict"), &items)
}

fn title(depth: usize, title: &str) -> String {
    let indent = 4 + 2 * depth;
    format!("{:indent$}{title:TITLE$}", "")
}

/// The items with commas between, in lines that start behind `head`.
fn wrapped(out: &mut impl Write, head: &str, items: &[String]) -> io::Result<()> {
    let start = head.chars().count();
    let mut column = start;
    write!(out, "{head}")?;
    for (index, item) in items.iter().enumerate() {
        let comma = usize::from(index + 1 < items.len());
        let length = item.chars().count();
        if index > 0 {
            if column + 1 + length + comma > WIDTH {
                write!(out, "\n{:start$}", "")?;
                column = start;
            } else {
                write!(out, " ")?;
                column += 1;
            }
        }
        write!(out, "{item}{}", if comma == 1 { "," } else { "" })?;
        column += length + comma;
    }
    writeln!(out)
}

/// A packet as one line of JSON. Names are never changed, only added to.
pub(super) fn json(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let Report {
        record, decoded, ..
    } = report;
    let value = json!({
        "file": report.file,
        "packet": report.number,
        "offset": record.offset,
        "time": record.time.map(seconds),
        "link_type": record.link_type,
        "length": record.length,
        "captured": report.captured,
        "source": decoded.source,
        "destination": decoded.destination,
        "what": decoded.what,
        "vxlan": decoded.vxlan.is_some(),
        "vni": decoded.vxlan.and_then(|datagram| datagram.vni),
        "port": decoded.vxlan.map(|datagram| datagram.port),
        "layers": decoded.layers.iter().map(layer).collect::<Vec<_>>(),
        "verdict": report.verdict.map(|verdict| json!({
            "action": verdict.action.as_str(),
            "reason": verdict.reason,
            "device": verdict.device,
            "event": verdict.event,
        })),
    });
    line(out, &value)
}

/// Seconds since 1970 with nine decimals: more digits than a JSON number is sure to keep.
fn seconds(time: Time) -> String {
    let (whole, part) = (
        time.0.div_euclid(1_000_000_000),
        time.0.rem_euclid(1_000_000_000),
    );
    format!("{whole}.{part:09}")
}

fn layer(layer: &Layer) -> Value {
    let mut value = Map::new();
    value.insert("layer".to_owned(), layer.kind.into());
    value.insert("depth".to_owned(), layer.depth.into());
    value.extend(layer.fields.clone());
    Value::Object(value)
}

/// The summary as text.
pub(super) fn summary_text(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let plural = if summary.packets == 1 { "" } else { "s" };
    let (packets, vxlan) = (summary.packets, summary.vxlan);
    writeln!(out, "{packets} packet{plural}, VXLAN in {vxlan}")?;
    for (vni, count) in &summary.vnis {
        writeln!(out, "    {:<32}{count:>10}", format!("VNI {vni}"))?;
    }
    for (verdict, count) in &summary.verdicts {
        writeln!(out, "    {verdict:<32}{count:>10}")?;
    }
    Ok(())
}

/// The summary as the last line of JSON.
pub(super) fn summary_json(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let vnis: Map<_, _> = summary
        .vnis
        .iter()
        .map(|(vni, count)| (vni.to_string(), (*count).into()))
        .collect();
    let verdicts: Map<_, _> = summary
        .verdicts
        .iter()
        .map(|(verdict, count)| (verdict.clone(), (*count).into()))
        .collect();
    let value = json!({"summary": {
        "packets": summary.packets,
        "vxlan": summary.vxlan,
        "vnis": Value::Object(vnis),
        "verdicts": Value::Object(verdicts),
    }});
    line(out, &value)
}

fn line(out: &mut impl Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}
