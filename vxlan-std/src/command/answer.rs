//! What the daemon answers to a request.

use super::fdb;
use super::link;
use super::mdb;
use super::neigh;
use super::nexthop;
use super::options::Options;
use super::refusal::Refusal;
use super::run::{Audience, Devices, Ticket};
use super::vni;
use super::watch::Watch;

/// An answer that is not a refusal.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Done; this is to be printed.
    Text(String),
    /// Done bit by bit.
    Dump(fdb::Dump),
    /// Done when the job is; this is to be printed.
    Job(Ticket, String),
    /// Events are told as they happen.
    Watch(Watch),
}

impl From<Ticket> for Answer {
    fn from(ticket: Ticket) -> Self {
        Self::Job(ticket, String::new())
    }
}

/// Does what the words say.
pub(crate) fn answer(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    words: &[String],
) -> Result<Answer, Refusal> {
    let (options, words) = Options::split(words)?;
    match words.split_first() {
        Some((&"fdb", rest)) => fdb::answer(devices, audience, options, rest),
        Some((&"link", rest)) => link::answer(devices, audience, options, rest),
        Some((&"mdb", rest)) => mdb::answer(devices, options, rest).map(Answer::Text),
        Some((&"monitor", rest)) => Watch::parse(options, rest).map(Answer::Watch),
        Some((&"neigh", rest)) => neigh::answer(devices, options, rest).map(Answer::Text),
        Some((&"vni", rest)) => vni::answer(devices, audience, options, rest).map(Answer::Text),
        Some((&"nexthop", rest)) => nexthop::answer(devices, options, rest),
        _ => Err(Refusal::usage(
            "fdb, link, mdb, monitor, neigh, nexthop or vni expected",
        )),
    }
}
