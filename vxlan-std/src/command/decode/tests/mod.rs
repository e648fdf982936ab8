//! Captures made here, and those of others if they are at hand.

mod files;
mod golden;
mod synth;
mod verdicts;

use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// The arguments of `vtep decode` followed by these.
fn arguments(options: &[&str]) -> Args {
    let line = ["decode"].iter().chain(options).copied();
    Line::try_parse_from(line).unwrap().args
}

/// What decoding a file with these bytes prints, and its error.
fn decoded(options: &[&str], file: &[u8]) -> (String, Option<InputError>) {
    let args = arguments(&[options, &["capture"]].concat());
    let mut decoder = decoder(&args).unwrap();
    let mut out = Vec::new();
    let result = decoder.file("capture", file, &mut out).unwrap();
    decoder.summarise(&mut out).unwrap();
    (String::from_utf8(out).unwrap(), result.err())
}

/// The text for a whole file.
fn text(options: &[&str], file: &[u8]) -> String {
    let (text, error) = decoded(options, file);
    assert!(error.is_none(), "{error:?}");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    text
}

/// The JSON lines for a whole file; the last is the summary.
fn json(options: &[&str], file: &[u8]) -> Vec<Value> {
    let (text, error) = decoded(&[options, &["-j"]].concat(), file);
    assert!(error.is_none(), "{error:?}");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The only packet of a capture of one Ethernet frame.
fn packet(options: &[&str], frame: &[u8]) -> Value {
    json(options, &synth::pcap(&[frame.to_vec()])).remove(0)
}

/// Action and reason of a packet.
fn verdict(packet: &Value) -> String {
    let verdict = &packet["verdict"];
    let action = verdict["action"].as_str().unwrap_or("not VXLAN");
    match verdict["reason"].as_str() {
        Some(reason) => format!("{action} {reason}"),
        None => action.to_owned(),
    }
}
