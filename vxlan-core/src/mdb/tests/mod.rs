//! Tests of the table as a whole.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::*;
use crate::Salt;
use crate::fdb::{Mode, Remote};

mod dump;
mod model;
mod requests;
mod rules;

const DEFAULTS: Defaults = Defaults {
    vni: 42,
    port: 4789,
};
const CREATE: Mode = Mode::CREATE;
const REPLACE: Mode = Mode::REPLACE;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A record that outlives the table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    key: Key,
    remote: Remote,
    filter: FilterMode,
    blocked: bool,
    protocol: u8,
    sources: Vec<IpAddr>,
}

impl From<&Record<'_>> for Line {
    fn from(record: &Record<'_>) -> Self {
        Self {
            key: record.key,
            remote: record.remote,
            filter: record.filter,
            blocked: record.blocked,
            protocol: record.protocol,
            sources: record.sources().collect(),
        }
    }
}

type Notices = Vec<(Message, Line)>;

fn lines<M: Storage>(mdb: &Mdb<M>) -> Vec<Line> {
    mdb.table()
        .iter()
        .map(|record| Line::from(&record))
        .collect()
}

/// A table and what it has told since it was last asked.
struct Told<M> {
    mdb: Mdb<M>,
    notices: Notices,
}

impl<M: Storage> Told<M> {
    fn new(memory: M) -> Self {
        Self {
            mdb: Mdb::new(memory, Salt::new([7; 16])),
            notices: Vec::new(),
        }
    }

    fn add(&mut self, request: &Request<'_>) -> Result<(), Error> {
        let notices = &mut self.notices;
        self.mdb.add(request, DEFAULTS, &mut |message, record| {
            notices.push((message, record.into()));
        })
    }

    fn remove(&mut self, request: &Request<'_>) -> Result<(), Error> {
        let notices = &mut self.notices;
        self.mdb.remove(request, DEFAULTS, &mut |message, record| {
            notices.push((message, record.into()));
        })
    }

    fn flush(&mut self, filter: &Filter) {
        let notices = &mut self.notices;
        self.mdb.flush(filter, &mut |message, record| {
            notices.push((message, record.into()));
        });
    }

    /// What was told, in short: `+s1 blocked`, `-*` and so on; forgotten by this.
    fn story(&mut self) -> Vec<alloc::string::String> {
        let short = |(message, line): (Message, Line)| {
            let sign = match message {
                Message::New => '+',
                Message::Delete => '-',
            };
            let last = |addr: IpAddr| match addr {
                IpAddr::V4(addr) => addr.octets()[3],
                IpAddr::V6(addr) => addr.octets()[15],
            };
            let source = line
                .key
                .source
                .map_or("*".into(), |s| alloc::format!("s{}", last(s)));
            let blocked = if line.blocked { " blocked" } else { "" };
            let mode = match line.filter {
                FilterMode::Include => "in",
                FilterMode::Exclude => "ex",
            };
            let list: Vec<u8> = line.sources.iter().map(|s| last(*s)).collect();
            alloc::format!(
                "{sign}{source} r{} {mode}{blocked} {list:?}",
                last(line.remote.addr)
            )
        };
        core::mem::take(&mut self.notices)
            .into_iter()
            .map(short)
            .collect()
    }
}
