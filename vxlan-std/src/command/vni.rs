//! `vtep vni`: what `bridge vni` does, to the devices of this daemon.

use core::fmt::Write;
use core::net::IpAddr;

use vxlan_core::vni_filter::{Entry, Span, Stats};
use vxlan_std::AddError;

use super::json::{Array, Json};
use super::options::Options;
use super::refusal::{BRIDGE, Refusal};
use super::run::{Audience, Devices, Link};
use super::words::{VniRequest, VniSpec, parse_vni};

/// The exit status when a dump is refused.
const NO_DUMP: u8 = 1;
const EINVAL: i32 = 22;

/// Does what the words behind `vni` say.
pub(crate) fn answer(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    options: Options,
    words: &[&str],
) -> Result<String, Refusal> {
    match parse_vni(words)? {
        VniRequest::Add(vnis) => change(devices, audience, &vnis, true)?,
        VniRequest::Delete(vnis) => change(devices, audience, &vnis, false)?,
        VniRequest::Show(device) => return show(devices, options, device.as_deref()),
    }
    Ok(String::new())
}

fn change(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    vnis: &VniSpec,
    add: bool,
) -> Result<(), Refusal> {
    let text = format!("Cannot find vxlan device \"{}\"", vnis.device);
    let missing = || Refusal::said(BRIDGE, text.clone());
    let id = devices.named(&vnis.device).ok_or_else(missing)?;
    let (name, config) = devices.known(id).map_err(|_| missing())?;
    let now = devices.vtep.now();
    for request in &vnis.requests {
        let tell = |_, event| audience.tell(&name, &config, &event, now);
        let done = if add {
            devices.vtep.add_vnis(id, request, tell)
        } else {
            devices.vtep.remove_vnis(id, request, tell)
        };
        done.map_err(|error| refused(&error))?;
    }
    Ok(())
}

fn refused(error: &AddError) -> Refusal {
    match error.message() {
        Some(text) => Refusal::message(BRIDGE, &text),
        None => Refusal::errno(BRIDGE, error.errno()),
    }
}

fn show(devices: &Devices, options: Options, name: Option<&str>) -> Result<String, Refusal> {
    if let Some(name) = name {
        let missing = || Refusal::no_device(BRIDGE, name);
        let id = devices.named(name).ok_or_else(missing)?;
        let device = devices.vtep.device(id).ok_or_else(missing)?;
        if !device.config().has_vni_filter() {
            return Err(Refusal::errno(NO_DUMP, EINVAL));
        }
    }
    let mut out = String::new();
    let mut array = options.json.then(|| Array::start(&mut out, options.pretty));
    if array.is_none() {
        out.push_str("dev               vni              group/remote   \n");
    }
    for link in &devices.taps.links {
        if name.is_some_and(|name| name != link.tap.name()) {
            continue;
        }
        let lines = lines(devices, link, options.stats > 0);
        if lines.is_empty() {
            continue;
        }
        match &mut array {
            Some(array) => {
                let vnis = lines.iter().map(Line::json).collect();
                array.push(
                    &mut out,
                    &Json::Object(vec![
                        ("ifname", link.tap.name().into()),
                        ("vnis", Json::List(vnis)),
                    ]),
                );
            }
            // Writing to a string cannot fail.
            None => drop(text(&mut out, link.tap.name(), &lines)),
        }
    }
    if let Some(array) = array {
        array.end(&mut out);
    }
    Ok(out)
}

/// VNIs in a row with the same remote, or one with its counters.
struct Line {
    start: u32,
    end: u32,
    group: Option<IpAddr>,
    stats: Option<Stats>,
}

fn lines(devices: &Devices, link: &Link, stats: bool) -> Vec<Line> {
    let Some(device) = devices.vtep.device(link.id) else {
        return Vec::new();
    };
    if !stats {
        let spans = device.vnis().spans();
        let line = |span: Span| Line {
            start: span.start,
            end: span.end,
            group: span.group,
            stats: None,
        };
        return spans.map(line).collect();
    }
    let line = |entry: Entry<'_>| Line {
        start: entry.vni(),
        end: entry.vni(),
        group: entry.group(),
        stats: Some(entry.stats()),
    };
    device.vnis().iter().map(line).collect()
}

fn text(out: &mut String, name: &str, lines: &[Line]) -> core::fmt::Result {
    let mut first = name;
    for line in lines {
        write!(out, "{first:<18} ")?;
        first = "";
        if line.start == line.end {
            write!(out, "{:<14}", line.start)?;
        } else {
            write!(out, "{}-{:<14} ", line.start, line.end)?;
        }
        if let Some(group) = line.group {
            write!(out, " {group}")?;
        }
        writeln!(out)?;
        if let Some(stats) = &line.stats {
            writeln!(
                out,
                "{:19}RX: bytes {} pkts {} drops {} errors {} ",
                "", stats.rx_bytes, stats.rx_packets, stats.rx_drops, stats.rx_errors
            )?;
            writeln!(
                out,
                "{:19}TX: bytes {} pkts {} drops {} errors {} ",
                "", stats.tx_bytes, stats.tx_packets, stats.tx_drops, stats.tx_errors
            )?;
        }
    }
    writeln!(out)
}

impl Line {
    fn json(&self) -> Json {
        let mut fields = vec![("vni", self.start.into())];
        if self.start != self.end {
            fields.push(("vniEnd", self.end.into()));
        }
        if let Some(group) = self.group {
            let key = if group.is_multicast() {
                "group"
            } else {
                "remote"
            };
            fields.push((key, group.to_string().into()));
        }
        if let Some(stats) = &self.stats {
            let counters = vec![
                ("rx_bytes", stats.rx_bytes.into()),
                ("rx_pkts", stats.rx_packets.into()),
                ("rx_drops", stats.rx_drops.into()),
                ("rx_errors", stats.rx_errors.into()),
                ("tx_bytes", stats.tx_bytes.into()),
                ("tx_pkts", stats.tx_packets.into()),
                ("tx_drops", stats.tx_drops.into()),
                ("tx_errors", stats.tx_errors.into()),
            ];
            fields.push(("stats", Json::Object(counters)));
        }
        Json::Object(fields)
    }
}
