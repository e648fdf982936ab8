//! What follows `bridge fdb`.

mod entry;
mod file;
mod flush;
mod show;

use vxlan_core::Mac;
use vxlan_core::Vni;

use super::cursor::Cursor;
use super::error::Problem;
use super::number::number32;
use super::{INTERFACE, WordsError, interface};
pub(crate) use entry::{FdbSpec, parse_fdb};
pub(crate) use file::FileSpec;
pub(crate) use flush::FlushSpec;
pub(crate) use show::ShowSpec;

const VNI: &str = "a number from 0 to 16777215";
const PORT: &str = "a port from 0 to 65535";
/// Why VLANs are refused.
const NO_VLAN: &str = "a VXLAN device's entries have no VLAN";

/// What `bridge fdb` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FdbRequest {
    /// Make an entry that does not exist.
    Add(FdbSpec),
    /// Add a remote.
    Append(FdbSpec),
    /// Make an entry or point it elsewhere.
    Replace(FdbSpec),
    /// Delete an entry or a remote.
    Delete(FdbSpec),
    /// Show one entry.
    Get(GetSpec),
    /// Delete whatever meets a filter.
    Flush(FlushSpec),
    /// Show whatever meets a filter.
    Show(ShowSpec),
    /// Write a table to a file.
    Save(FileSpec),
    /// Add what a file holds.
    Load(FileSpec),
}

/// The subcommands of `fdb`.
const VERBS: &str = "add, append, replace, del, get, flush, show, save or load";

/// What follows `fdb`; nothing is `show`.
pub(crate) fn parse_fdb_request(words: &[&str]) -> Result<FdbRequest, WordsError> {
    let (verb, rest) = words.split_first().unwrap_or((&"show", &[]));
    let mut cursor = Cursor::over("fdb", rest.iter().copied());
    let words = &mut cursor;
    Ok(match *verb {
        "add" => FdbRequest::Add(FdbSpec::parse(words)?),
        "append" => FdbRequest::Append(FdbSpec::parse(words)?),
        "replace" => FdbRequest::Replace(FdbSpec::parse(words)?),
        "del" | "delete" => FdbRequest::Delete(FdbSpec::parse(words)?),
        "get" => FdbRequest::Get(GetSpec::parse(words)?),
        "flush" => FdbRequest::Flush(FlushSpec::parse(words)?),
        "show" | "list" | "lst" => FdbRequest::Show(ShowSpec::parse(words)?),
        "save" => FdbRequest::Save(FileSpec::parse(words)?),
        "load" => FdbRequest::Load(FileSpec::parse(words)?),
        other => return Err(words.error(other, Problem::Expected(VERBS))),
    })
}

/// Which entry to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GetSpec {
    /// The inner address.
    pub(crate) mac: Mac,
    /// The name of the device.
    pub(crate) device: String,
    /// The network that the entry is for, if not the device's.
    pub(crate) vni: Option<u32>,
}

impl GetSpec {
    /// What follows `bridge fdb get`. A VXLAN device's own table is the only one here, so `self`
    /// may be left out.
    fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let (mut address, mut device, mut network) = (None, None, None);
        while let Some(word) = words.next() {
            match word {
                "dev" | "brport" => {
                    words.once("dev", word)?;
                    device = Some(words.value(word, INTERFACE, interface)?);
                }
                "vni" => {
                    words.once("vni", word)?;
                    network = Some(words.value(word, VNI, vni)?);
                }
                "self" => words.once("self", word)?,
                // Both are said of entries of a bridge.
                "dynamic" => words.once("dynamic", word)?,
                "vlan" => return Err(words.error(word, Problem::Unsupported(NO_VLAN))),
                "to" => {
                    words.once("to", word)?;
                    address = Some(words.value(word, "a MAC address", |text| text.parse().ok())?);
                }
                _ => {
                    words.once("to", word)?;
                    let problem = Problem::Expected("a MAC address");
                    address = Some(word.parse().map_err(|_| words.error(word, problem))?);
                }
            }
        }
        let missing = |what| words.error("", Problem::Missing(what));
        Ok(Self {
            mac: address.ok_or_else(|| missing("a MAC address"))?,
            device: device.ok_or_else(|| missing("\"dev NAME\""))?,
            vni: network,
        })
    }
}

fn vni(text: &str) -> Option<u32> {
    number32(text, Vni::MAX.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<FdbRequest, WordsError> {
        parse_fdb_request(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn verbs() {
        assert_eq!(parse(""), parse("show"));
        assert_eq!(parse("lst dev vx0"), parse("show dev vx0"));
        let entry = "02:00:00:00:00:01 dev vx0";
        assert_eq!(
            parse(&format!("del {entry}")),
            parse(&format!("delete {entry}"))
        );
        for (text, want) in [
            (
                "walk",
                "fdb: \"walk\": add, append, replace, del, get, flush, show, save or load expected",
            ),
            (
                "a",
                "fdb: \"a\": add, append, replace, del, get, flush, show, save or load expected",
            ),
            ("add", "fdb: a MAC address expected"),
            ("flush", "fdb: \"dev NAME\" expected"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn get() {
        let want = GetSpec {
            mac: Mac::new([2, 0, 0, 0, 0, 1]),
            device: "vx0".to_owned(),
            vni: None,
        };
        for text in [
            "02:00:00:00:00:01 dev vx0 self",
            "to 02:00:00:00:00:01 dev vx0",
            "brport vx0 dynamic 2:0:0:0:0:1",
        ] {
            assert_eq!(
                parse(&format!("get {text}")),
                Ok(FdbRequest::Get(want.clone()))
            );
        }
        let other = GetSpec {
            vni: Some(7),
            ..want
        };
        let text = "get 02:00:00:00:00:01 dev vx0 vni 7 self";
        assert_eq!(parse(text), Ok(FdbRequest::Get(other)));
        for (text, want) in [
            ("dev vx0", "fdb: a MAC address expected"),
            ("02:00:00:00:00:01", "fdb: \"dev NAME\" expected"),
            ("02:00:00:00:00:01 dst", "fdb: \"dst\": said twice"),
            ("x", "fdb: \"x\": a MAC address expected"),
            (
                "vlan 5",
                "fdb: \"vlan\": a VXLAN device's entries have no VLAN",
            ),
        ] {
            assert_eq!(parse(&format!("get {text}")).unwrap_err().to_string(), want);
        }
    }
}
