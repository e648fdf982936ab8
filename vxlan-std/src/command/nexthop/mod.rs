//! `vtep nexthop`: what `ip nexthop` does, for the forwarding databases of this daemon.

mod show;

use vxlan_core::fdb::NexthopId;
use vxlan_std::nexthops::{Nexthop, Nexthops, NexthopsError};

use super::answer::Answer;
use super::fdb::Flush;
use super::options::Options;
use super::refusal::Refusal;
use super::run::{Devices, Ticket, Work};
use super::words::{NexthopFilter, NexthopRequest, NexthopSpec, parse_nexthop};

/// The exit status of `ip` when the kernel refuses.
const IP: u8 = 2;
/// That of `ip nexthop flush id N` without such an object.
const NOT_FLUSHED: u8 = 1;

/// Does what the words behind `nexthop` say.
pub(crate) fn answer(
    devices: &mut Devices,
    options: Options,
    words: &[&str],
) -> Result<Answer, Refusal> {
    match parse_nexthop(words)? {
        NexthopRequest::Add(spec) => {
            let (id, nexthop) = asked(spec)?;
            let added = devices.vtep.nexthops_mut().add(id, nexthop);
            added.map_err(refused)?;
        }
        NexthopRequest::Replace(spec) => {
            let (id, nexthop) = asked(spec)?;
            let nexthops = devices.vtep.nexthops_mut();
            match id {
                Some(id) => nexthops.replace(id, nexthop),
                None => nexthops.add(None, nexthop).map(drop),
            }
            .map_err(refused)?;
        }
        NexthopRequest::Delete(None) => return Err(Refusal::message(IP, "Nexthop id is missing")),
        NexthopRequest::Delete(Some(id)) => {
            let flushed = remove(devices, id).map_err(refused)?;
            return Ok(done(flushed, String::new()));
        }
        NexthopRequest::Flush(filter) => return flush(devices, filter),
        NexthopRequest::Get(id) => {
            let missing = Refusal::message(IP, "Nexthop id is missing");
            let shown = show::one(devices.vtep.nexthops(), id.ok_or(missing)?, options);
            return shown.map(Answer::Text).map_err(refused);
        }
        NexthopRequest::Show(filter) => {
            let nexthops = devices.vtep.nexthops();
            let shown = match filter.id {
                Some(id) => show::one(nexthops, id, options).map_err(refused)?,
                None => show::all(chosen(nexthops, filter), options),
            };
            return Ok(Answer::Text(shown));
        }
    }
    Ok(Answer::Text(String::new()))
}

/// What is answered once the entries of a group are gone.
fn done(flushed: Option<Ticket>, text: String) -> Answer {
    match flushed {
        Some(ticket) => Answer::Job(ticket, text),
        None => Answer::Text(text),
    }
}

/// The wanted objects, each in the words that make it, gateways first.
pub(crate) fn script(nexthops: &Nexthops, wanted: impl Fn(NexthopId) -> bool) -> String {
    let is_group = |nexthop: &Nexthop| matches!(nexthop, Nexthop::Group(_));
    let objects = nexthops.iter().filter(|(id, _)| wanted(*id));
    let mut objects: Vec<_> = objects.collect();
    objects.sort_by_key(|(id, nexthop)| (is_group(nexthop), *id));
    let line = |(id, nexthop): (NexthopId, &Nexthop)| match nexthop {
        Nexthop::Gateway(gateway) => format!("id {id} via {gateway} fdb\n"),
        Nexthop::Group(legs) => {
            let legs = legs.iter().map(|leg| format!("{},{}", leg.id, leg.weight));
            format!("id {id} group {} fdb\n", legs.collect::<Vec<_>>().join("/"))
        }
    };
    objects.into_iter().map(line).collect()
}

/// Makes the objects of a [`script`] that are not there yet; a line for each that cannot be had.
pub(crate) fn load(devices: &mut Devices, script: &str) -> Vec<String> {
    let mut left = Vec::new();
    for line in script.lines() {
        let words: Vec<&str> = ["add"].into_iter().chain(line.split_whitespace()).collect();
        let spec = match parse_nexthop(&words) {
            Ok(NexthopRequest::Add(spec)) => spec,
            Ok(_) => continue,
            Err(error) => {
                left.push(error.to_string());
                continue;
            }
        };
        let there = |id| devices.vtep.nexthops().get(id).is_some();
        if spec.id.is_some_and(there) {
            continue;
        }
        let done = asked(spec).and_then(|(id, nexthop)| {
            let added = devices.vtep.nexthops_mut().add(id, nexthop);
            added.map(drop).map_err(refused)
        });
        if let Err(refusal) = done {
            left.push(format!(
                "nexthop {}: {}",
                line.escape_debug(),
                refusal.bare()
            ));
        }
    }
    left
}

/// What is asked for, as far as a forwarding database can use it.
fn asked(spec: NexthopSpec) -> Result<(Option<NexthopId>, Nexthop), Refusal> {
    let text = match (spec.nexthop, spec.both, spec.fdb) {
        (_, true, _) => "Invalid family for group",
        (None, ..) => "Invalid address family",
        (Some(Nexthop::Gateway(_)), _, false) => {
            "Device attribute required for non-blackhole and non-fdb nexthops"
        }
        (Some(Nexthop::Group(_)), _, false) => "Non FDB nexthop group cannot have fdb nexthops",
        (Some(nexthop), false, true) => return Ok((spec.id, nexthop)),
    };
    Err(Refusal::message(IP, text))
}

/// Removes an object, and entries that would point nowhere: what there is to wait for.
fn remove(devices: &mut Devices, id: NexthopId) -> Result<Option<Ticket>, NexthopsError> {
    let gone = devices.vtep.nexthops_mut().remove(id)?;
    let ids: Vec<_> = devices.vtep.devices().map(|(id, _)| id).collect();
    let mut last = None;
    for device in ids {
        for group in &gone {
            let flush = Flush::nexthop(device, *group);
            last = Some(devices.jobs.push(Work::Flush(flush)));
        }
    }
    // They are done in this order.
    Ok(last)
}

fn flush(devices: &mut Devices, filter: NexthopFilter) -> Result<Answer, Refusal> {
    if let Some(id) = filter.id {
        let flushed = remove(devices, id);
        let flushed = flushed.map_err(|error| Refusal::errno(NOT_FLUSHED, error.errno()))?;
        return Ok(done(flushed, String::new()));
    }
    let ids: Vec<_> = chosen(devices.vtep.nexthops(), filter)
        .map(|(id, _)| id)
        .collect();
    let mut last = None;
    for id in &ids {
        // It may have gone with one before.
        if let Ok(flushed) = remove(devices, *id) {
            last = flushed.or(last);
        }
    }
    let text = match ids.len() {
        0 => "Nothing to flush\n".to_owned(),
        count => format!("Flushed {count} nexthops\n"),
    };
    Ok(done(last, text))
}

fn chosen(
    nexthops: &Nexthops,
    filter: NexthopFilter,
) -> impl Iterator<Item = (NexthopId, &Nexthop)> {
    nexthops
        .iter()
        .filter(move |(_, nexthop)| matches!(nexthop, Nexthop::Group(_)) || !filter.groups)
}

fn refused(error: NexthopsError) -> Refusal {
    match error.message() {
        Some(text) => Refusal::message(IP, text),
        None => Refusal::errno(IP, error.errno()),
    }
}
