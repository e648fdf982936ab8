//! What follows `ip nexthop`, as far as forwarding databases have use for it.

use core::net::{IpAddr, Ipv4Addr};

use vxlan_core::fdb::NexthopId;
use vxlan_std::nexthops::{Leg, Nexthop, WEIGHT_MAX};

use super::WordsError;
use super::cursor::Cursor;
use super::error::Problem;
use super::number::{number, number32};

const ID: &str = "a number from 0 to 4294967295";
const GATEWAY: &str = "an IP address";
const GROUP: &str = "numbers, each with \",WEIGHT\" up to 256 if it is not 1, and \"/\" between";
/// The subcommands of `nexthop`.
const VERBS: &str = "add, replace, del, get, flush or show";
const NOT_HERE: Problem = Problem::Unsupported("not for forwarding databases");

/// What `ip nexthop` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NexthopRequest {
    /// Make an object.
    Add(NexthopSpec),
    /// Make it or put it in the place of another.
    Replace(NexthopSpec),
    /// Remove it.
    Delete(Option<NexthopId>),
    /// Show one.
    Get(Option<NexthopId>),
    /// Remove those that meet a filter.
    Flush(NexthopFilter),
    /// Show those that meet a filter.
    Show(NexthopFilter),
}

/// An object to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NexthopSpec {
    /// Its number.
    pub(crate) id: Option<NexthopId>,
    /// Where it leads.
    pub(crate) nexthop: Option<Nexthop>,
    /// Both a gateway and a group are named.
    pub(crate) both: bool,
    /// It is for forwarding databases.
    pub(crate) fdb: bool,
}

/// Which objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NexthopFilter {
    /// This one.
    pub(crate) id: Option<NexthopId>,
    /// Groups only.
    pub(crate) groups: bool,
}

/// What follows `nexthop`; nothing is `show`.
pub(crate) fn parse_nexthop(words: &[&str]) -> Result<NexthopRequest, WordsError> {
    let (verb, rest) = words.split_first().unwrap_or((&"show", &[]));
    let mut cursor = Cursor::over("nexthop", rest.iter().copied());
    let words = &mut cursor;
    Ok(match *verb {
        "add" => NexthopRequest::Add(NexthopSpec::parse(words)?),
        "replace" => NexthopRequest::Replace(NexthopSpec::parse(words)?),
        "del" | "delete" => NexthopRequest::Delete(one(words)?),
        "get" => NexthopRequest::Get(one(words)?),
        "flush" => NexthopRequest::Flush(NexthopFilter::parse(words)?),
        "show" | "list" | "lst" => NexthopRequest::Show(NexthopFilter::parse(words)?),
        other => return Err(words.error(other, Problem::Expected(VERBS))),
    })
}

impl NexthopSpec {
    fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let (mut id, mut fdb, mut gateway, mut group) = (None, false, None, None);
        while let Some(word) = words.next() {
            match word {
                "id" => id = number_of(words, word)?,
                "via" => {
                    words.once("via", word)?;
                    let address = words.value(word, GATEWAY, |text| text.parse().ok())?;
                    gateway = Some(Nexthop::Gateway(address));
                }
                "group" => {
                    words.once("group", word)?;
                    group = Some(Nexthop::Group(words.value(word, GROUP, legs)?));
                }
                "fdb" => {
                    words.once("fdb", word)?;
                    fdb = true;
                }
                "dev" | "blackhole" | "onlink" | "encap" | "type" | "buckets" | "idle_timer"
                | "unbalanced_timer" | "protocol" | "vrf" => {
                    return Err(words.error(word, NOT_HERE));
                }
                _ => return Err(words.error(word, Problem::Unknown)),
            }
        }
        Ok(Self {
            id,
            both: gateway.is_some() && group.is_some(),
            nexthop: gateway.or(group),
            fdb,
        })
    }
}

impl NexthopFilter {
    fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut filter = Self::default();
        while let Some(word) = words.next() {
            match word {
                "id" => filter.id = number_of(words, word)?,
                "groups" => {
                    words.once("groups", word)?;
                    filter.groups = true;
                }
                // All are.
                "fdb" => words.once("fdb", word)?,
                "dev" | "vrf" | "master" | "protocol" => return Err(words.error(word, NOT_HERE)),
                _ => return Err(words.error(word, Problem::Unknown)),
            }
        }
        Ok(filter)
    }
}

/// `id N` and nothing else.
fn one(words: &mut Cursor<'_>) -> Result<Option<NexthopId>, WordsError> {
    let mut id = None;
    while let Some(word) = words.next() {
        match word {
            "id" => id = number_of(words, word)?,
            _ => return Err(words.error(word, Problem::Expected("\"id N\""))),
        }
    }
    Ok(id)
}

/// The number behind `id`; zero is none.
fn number_of(words: &mut Cursor<'_>, word: &str) -> Result<Option<NexthopId>, WordsError> {
    words.once("id", word)?;
    let id = words.value(word, ID, |text| number32(text, u32::MAX))?;
    Ok(NexthopId::new(id))
}

/// `1,3/2,2`: numbers with their weights.
fn legs(text: &str) -> Option<Vec<Leg>> {
    let leg = |text: &str| {
        let (id, weight) = match text.split_once(',') {
            Some((id, weight)) => (id, number(weight, WEIGHT_MAX.into())?),
            None => (text, 1),
        };
        let weight = u16::try_from(weight).ok().filter(|weight| *weight > 0)?;
        let id = NexthopId::new(number32(id, u32::MAX)?)?;
        Some(Leg { id, weight })
    };
    text.split('/').map(leg).collect()
}

/// Whether `ip` prints a gateway: not if it says nothing.
pub(crate) fn gateway_is_shown(gateway: &IpAddr) -> bool {
    *gateway != IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NexthopRequest, WordsError> {
        parse_nexthop(&text.split_whitespace().collect::<Vec<_>>())
    }

    fn id(number: u32) -> Option<NexthopId> {
        NexthopId::new(number)
    }

    #[test]
    fn lines_that_mean_something() {
        let gateway = NexthopSpec {
            id: id(1),
            nexthop: Some(Nexthop::Gateway([192, 0, 2, 3].into())),
            both: false,
            fdb: true,
        };
        let leg = |number, weight| Leg {
            id: id(number).unwrap(),
            weight,
        };
        let group = |legs: Vec<Leg>| NexthopSpec {
            id: None,
            nexthop: Some(Nexthop::Group(legs)),
            ..gateway.clone()
        };
        let all = NexthopFilter::default();
        for (text, want) in [
            (
                "add id 1 via 192.0.2.3 fdb",
                NexthopRequest::Add(gateway.clone()),
            ),
            (
                "replace fdb via 192.0.2.3 id 0x1",
                NexthopRequest::Replace(gateway.clone()),
            ),
            (
                "add group 1/2,256 fdb",
                NexthopRequest::Add(group(vec![leg(1, 1), leg(2, 256)])),
            ),
            (
                "add id 0 group 7 fdb",
                NexthopRequest::Add(group(vec![leg(7, 1)])),
            ),
            ("del id 5", NexthopRequest::Delete(id(5))),
            ("get", NexthopRequest::Get(None)),
            ("", NexthopRequest::Show(all)),
            ("list fdb", NexthopRequest::Show(all)),
            (
                "show groups",
                NexthopRequest::Show(NexthopFilter {
                    groups: true,
                    ..all
                }),
            ),
            (
                "flush id 2",
                NexthopRequest::Flush(NexthopFilter { id: id(2), ..all }),
            ),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        let Ok(NexthopRequest::Add(both)) = parse("add via 192.0.2.3 group 1") else {
            panic!("not taken");
        };
        assert!(both.both && !both.fdb);
    }

    #[test]
    fn lines_that_do_not() {
        for (text, want) in [
            (
                "walk",
                "\"walk\": add, replace, del, get, flush or show expected",
            ),
            (
                "add id x",
                "\"id x\": a number from 0 to 4294967295 expected",
            ),
            ("add id 1 id 2", "\"id\": said twice"),
            ("add via any", "\"via any\": an IP address expected"),
            ("add dev lo", "\"dev\": not for forwarding databases"),
            (
                "add group 1,257",
                "\"group 1,257\": numbers, each with \",WEIGHT\" up to 256 if it \
              is not 1, and \"/\" between expected",
            ),
            ("del 5", "\"5\": \"id N\" expected"),
            ("show vrf x", "\"vrf\": not for forwarding databases"),
            ("show x", "\"x\": unknown word"),
        ] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                format!("nexthop: {want}")
            );
        }
        for group in ["", "1/", "/1", "1,0", "1,", "0", "1//2", "x", "1,2,3"] {
            assert!(legs(group).is_none(), "{group:?}");
        }
    }
}
