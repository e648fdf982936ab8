//! What follows `bridge vni`.

use core::net::IpAddr;

use vxlan_core::vni_filter::Request;

use super::cursor::Cursor;
use super::error::Problem;
use super::number::number32;
use super::{INTERFACE, WordsError, interface};

/// The subcommands of `vni`.
const VERBS: &str = "add, del or show";
const VNIS: &str = "VNIs and ranges of them, with commas between";

/// What `bridge vni` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VniRequest {
    /// Receive VNIs.
    Add(VniSpec),
    /// No longer receive them.
    Delete(VniSpec),
    /// Show those of a device, or of all.
    Show(Option<String>),
}

/// VNIs of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VniSpec {
    /// The name of the device.
    pub(crate) device: String,
    /// The ranges, one after the other.
    pub(crate) requests: Vec<Request>,
}

/// What follows `vni`; nothing is `show`.
pub(crate) fn parse_vni(words: &[&str]) -> Result<VniRequest, WordsError> {
    let (verb, rest) = words.split_first().unwrap_or((&"show", &[]));
    let mut cursor = Cursor::over("vni", rest.iter().copied());
    let words = &mut cursor;
    Ok(match *verb {
        "add" => VniRequest::Add(VniSpec::parse(words)?),
        "del" | "delete" => VniRequest::Delete(VniSpec::parse(words)?),
        "show" | "list" | "lst" => VniRequest::Show(show(words)?),
        other => return Err(words.error(other, Problem::Expected(VERBS))),
    })
}

impl VniSpec {
    fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let (mut device, mut vnis, mut group) = (None, None, None);
        while let Some(word) = words.next() {
            match word {
                "dev" => {
                    words.once("dev", word)?;
                    device = Some(words.value(word, INTERFACE, interface)?);
                }
                "vni" => {
                    words.once("vni", word)?;
                    vnis = Some(words.value(word, VNIS, ranges)?);
                }
                "group" | "remote" => {
                    words.once("remote", word)?;
                    let (multicast, expected) = match word {
                        "group" => (true, "the address of a group"),
                        _ => (false, "the address of one host"),
                    };
                    let said = words.value(word, expected, |text| {
                        let address: IpAddr = text.parse().ok()?;
                        Some(address).filter(|address| address.is_multicast() == multicast)
                    })?;
                    group = Some(said);
                }
                _ => return Err(words.error(word, Problem::Unknown)),
            }
        }
        let missing = |what| words.error("", Problem::Missing(what));
        let vnis = vnis.ok_or_else(|| missing("\"vni N\""))?;
        let request = |(start, end)| Request {
            start: Some(start),
            end,
            group,
        };
        Ok(Self {
            device: device.ok_or_else(|| missing("\"dev NAME\""))?,
            requests: vnis.into_iter().map(request).collect(),
        })
    }
}

fn show(words: &mut Cursor<'_>) -> Result<Option<String>, WordsError> {
    let mut device = None;
    while let Some(word) = words.next() {
        match word {
            "dev" => {
                words.once("dev", word)?;
                device = Some(words.value(word, INTERFACE, interface)?);
            }
            _ => return Err(words.error(word, Problem::Unknown)),
        }
    }
    Ok(device)
}

/// `10`, `10-19`, `10,20-29`. The kernel takes numbers that are no VNIs.
fn ranges(text: &str) -> Option<Vec<(u32, Option<u32>)>> {
    let number = |text: &str| number32(text, u32::MAX);
    let one = |part: &str| match part.split_once('-') {
        None => Some((number(part)?, None)),
        Some((start, end)) => Some((number(start)?, Some(number(end)?))),
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<VniRequest, WordsError> {
        parse_vni(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn lines_that_mean_something() {
        let group = Some(IpAddr::from([239, 1, 1, 1]));
        let request = |start, end| Request {
            start: Some(start),
            end,
            group,
        };
        let want = VniSpec {
            device: "vx0".to_owned(),
            requests: vec![request(10, None), request(20, Some(29))],
        };
        let text = "vni 10,20-29 group 239.1.1.1 dev vx0";
        assert_eq!(
            parse(&format!("add {text}")),
            Ok(VniRequest::Add(want.clone()))
        );
        assert_eq!(
            parse(&format!("delete {text}")),
            Ok(VniRequest::Delete(want))
        );
        assert_eq!(parse(""), Ok(VniRequest::Show(None)));
        assert_eq!(
            parse("show dev vx0"),
            Ok(VniRequest::Show(Some("vx0".to_owned())))
        );
    }

    #[test]
    fn lines_that_do_not() {
        for (text, want) in [
            ("walk", "vni: \"walk\": add, del or show expected"),
            ("add dev vx0", "vni: \"vni N\" expected"),
            ("add vni 5", "vni: \"dev NAME\" expected"),
            (
                "add vni 5- dev vx0",
                "vni: \"vni 5-\": VNIs and ranges of them, with commas between expected",
            ),
            (
                "add vni 5 group 192.0.2.1 dev vx0",
                "vni: \"group 192.0.2.1\": the address of a group expected",
            ),
            ("show vni 5", "vni: \"vni\": unknown word"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), want);
        }
    }
}
