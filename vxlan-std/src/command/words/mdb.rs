//! What follows `bridge mdb`.

use core::net::IpAddr;

use vxlan_core::IfIndex;
use vxlan_core::fdb::Mode;
use vxlan_core::mdb::{Filter, FilterMode, Header, PROTOCOL_STATIC, Request};

use super::cursor::Cursor;
use super::error::Problem;
use super::number::{number16, number32};
use super::protocol::{PROTOCOL, protocol};
use super::{INTERFACE, WordsError, interface};

/// The subcommands of `mdb`.
const VERBS: &str = "add, replace, del, get, flush or show";
const ADDRESS: &str = "an IP address";
const VNI: &str = "a number from 0 to 16777215";
const VNI_MAX: u32 = 0xff_ffff;
const VLAN: &str = "a number from 0 to 4095";

/// What `bridge mdb` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupRequest {
    /// Add a remote.
    Add(GroupSpec),
    /// Add a remote, or change it.
    Replace(GroupSpec),
    /// Delete a remote.
    Delete(GroupSpec),
    /// Show an entry.
    Get(GroupName),
    /// Delete many remotes.
    Flush(GroupFlush),
    /// Show the entries of a device, or of all.
    Show(Option<String>),
}

/// An entry of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupName {
    /// The name of the device.
    pub(crate) device: String,
    /// The group, or the unspecified address for all others.
    pub(crate) group: IpAddr,
    /// The source.
    pub(crate) source: Option<IpAddr>,
    /// The network.
    pub(crate) network: Option<u32>,
}

/// A remote of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupSpec {
    /// Whose it is.
    pub(crate) name: GroupName,
    /// The name of the port.
    pub(crate) port: String,
    /// The interface to send through.
    pub(crate) via: Option<String>,
    permanent: bool,
    vid: u16,
    filter: Option<FilterMode>,
    sources: Option<Vec<IpAddr>>,
    remote: Remote,
}

/// What to flush.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupFlush {
    /// The name of the device.
    pub(crate) device: String,
    /// The name of the port.
    pub(crate) port: Option<String>,
    /// The VLAN.
    pub(crate) vid: u16,
    /// Whether entries have to be permanent.
    pub(crate) permanent: Option<bool>,
    /// Which remotes.
    pub(crate) filter: Filter,
}

/// What a remote and the filter of a flush have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Remote {
    addr: Option<IpAddr>,
    port: Option<u16>,
    vni: Option<u32>,
    protocol: Option<u8>,
}

/// What follows `mdb`; nothing is `show`.
pub(crate) fn parse_mdb(words: &[&str]) -> Result<GroupRequest, WordsError> {
    let (verb, rest) = words.split_first().unwrap_or((&"show", &[]));
    let mut cursor = Cursor::over("mdb", rest.iter().copied());
    let words = &mut cursor;
    Ok(match *verb {
        "add" => GroupRequest::Add(GroupSpec::parse(words)?),
        "replace" => GroupRequest::Replace(GroupSpec::parse(words)?),
        "del" | "delete" => GroupRequest::Delete(GroupSpec::parse(words)?),
        "get" => GroupRequest::Get(get(words)?),
        "flush" => GroupRequest::Flush(flush(words)?),
        "show" | "list" | "lst" => GroupRequest::Show(show(words)?),
        other => return Err(words.error(other, Problem::Expected(VERBS))),
    })
}

/// The words that name an entry, as far as they are said.
#[derive(Default)]
struct Named {
    device: Option<String>,
    group: Option<IpAddr>,
    source: Option<IpAddr>,
    network: Option<u32>,
}

impl Named {
    /// Takes the word if it is one of these.
    fn take(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<bool, WordsError> {
        match word {
            "dev" => {
                words.once("dev", word)?;
                self.device = Some(words.value(word, INTERFACE, interface)?);
            }
            "grp" => {
                words.once("grp", word)?;
                self.group = Some(words.value(word, ADDRESS, address)?);
            }
            "src" => {
                words.once("src", word)?;
                self.source = Some(words.value(word, ADDRESS, address)?);
            }
            "src_vni" => {
                words.once("src_vni", word)?;
                self.network = Some(words.value(word, VNI, vni)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn complete(self, words: &Cursor<'_>) -> Result<GroupName, WordsError> {
        let missing = |what| words.error("", Problem::Missing(what));
        Ok(GroupName {
            device: self.device.ok_or_else(|| missing("\"dev NAME\""))?,
            group: self.group.ok_or_else(|| missing("\"grp GROUP\""))?,
            source: self.source,
            network: self.network,
        })
    }
}

impl Remote {
    /// Takes the word if it is one of these.
    fn take(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<bool, WordsError> {
        match word {
            "dst" => {
                words.once("dst", word)?;
                self.addr = Some(words.value(word, ADDRESS, address)?);
            }
            "dst_port" => {
                words.once("dst_port", word)?;
                let expected = "a number from 0 to 65535";
                self.port = Some(words.value(word, expected, number16)?);
            }
            "vni" => {
                words.once("vni", word)?;
                self.vni = Some(words.value(word, VNI, vni)?);
            }
            "proto" => {
                words.once("proto", word)?;
                self.protocol = Some(words.value(word, PROTOCOL, protocol)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl GroupName {
    /// The request to show it.
    pub(crate) fn request(&self) -> Request<'static> {
        let mut request = Request::new(self.group);
        request.source = self.source;
        request.network = self.network;
        request
    }
}

impl GroupSpec {
    fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let (mut name, mut remote) = (Named::default(), Remote::default());
        let (mut port, mut via, mut permanent, mut vid) = (None, None, false, 0);
        let (mut filter, mut sources) = (None, None);
        while let Some(word) = words.next() {
            match word {
                "port" => {
                    words.once("port", word)?;
                    port = Some(words.value(word, INTERFACE, interface)?);
                }
                "via" => {
                    words.once("via", word)?;
                    via = Some(words.value(word, INTERFACE, interface)?);
                }
                "permanent" | "temp" => {
                    words.once("permanent", word)?;
                    permanent = word == "permanent";
                }
                "vid" => {
                    words.once("vid", word)?;
                    vid = words.value(word, VLAN, vlan)?;
                }
                "filter_mode" => {
                    words.once("filter_mode", word)?;
                    let said = words.value(word, "include or exclude", |text| match text {
                        "include" => Some(FilterMode::Include),
                        "exclude" => Some(FilterMode::Exclude),
                        _ => None,
                    });
                    filter = Some(said?);
                }
                "source_list" => {
                    words.once("source_list", word)?;
                    let expected = "IP addresses with commas between";
                    let said = words.value(word, expected, |text| {
                        text.split(',').map(address).collect::<Option<Vec<_>>>()
                    });
                    sources = Some(said?);
                }
                _ if name.take(words, word)? || remote.take(words, word)? => {}
                _ => return Err(words.error(word, Problem::Unknown)),
            }
        }
        let name = name.complete(words)?;
        let missing = || words.error("", Problem::Missing("\"port NAME\""));
        Ok(Self {
            name,
            port: port.ok_or_else(missing)?,
            via,
            permanent,
            vid,
            filter,
            sources,
            remote,
        })
    }

    /// The fixed part of the message.
    pub(crate) fn header(&self, port: IfIndex) -> Header {
        Header {
            port,
            permanent: self.permanent,
            flags: 0,
            vid: self.vid,
        }
    }

    /// Whether `bridge` would send attributes beside the fixed part.
    pub(crate) fn has_attributes(&self) -> bool {
        self.name.source.is_some()
            || self.name.network.is_some()
            || self.via.is_some()
            || self.filter.is_some()
            || self.sources.is_some()
            || self.remote != Remote::default()
    }

    /// The request. `via` is the interface to send through.
    pub(crate) fn request(&self, via: Option<IfIndex>, mode: Mode) -> Request<'_> {
        let mut request: Request<'_> = self.name.request();
        request.filter = self.filter;
        request.sources = self.sources.as_deref();
        request.remote = self.remote.addr;
        request.port = self.remote.port;
        request.vni = self.remote.vni;
        request.ifindex = via;
        request.protocol = self.remote.protocol.unwrap_or(PROTOCOL_STATIC);
        request.mode = mode;
        request
    }
}

fn get(words: &mut Cursor<'_>) -> Result<GroupName, WordsError> {
    let mut name = Named::default();
    while let Some(word) = words.next() {
        if !name.take(words, word)? {
            return Err(words.error(word, Problem::Unknown));
        }
    }
    name.complete(words)
}

fn vlan(text: &str) -> Option<u16> {
    number16(text).filter(|vid| *vid < 4096)
}

fn flush(words: &mut Cursor<'_>) -> Result<GroupFlush, WordsError> {
    let (mut device, mut network, mut remote) = (None, None, Remote::default());
    let (mut port, mut vid, mut permanent) = (None, 0, None);
    while let Some(word) = words.next() {
        match word {
            "dev" => {
                words.once("dev", word)?;
                device = Some(words.value(word, INTERFACE, interface)?);
            }
            "port" => {
                words.once("port", word)?;
                port = Some(words.value(word, INTERFACE, interface)?);
            }
            "vid" => {
                words.once("vid", word)?;
                vid = words.value(word, VLAN, vlan)?;
            }
            "permanent" | "nopermanent" => {
                words.once("permanent", word)?;
                permanent = Some(word == "permanent");
            }
            "src_vni" => {
                words.once("src_vni", word)?;
                network = Some(words.value(word, VNI, vni)?);
            }
            _ if remote.take(words, word)? => {}
            _ => return Err(words.error(word, Problem::Unknown)),
        }
    }
    let missing = || words.error("", Problem::Missing("\"dev NAME\""));
    Ok(GroupFlush {
        device: device.ok_or_else(missing)?,
        port,
        vid,
        permanent,
        filter: Filter {
            network,
            protocol: remote.protocol,
            addr: remote.addr,
            port: remote.port,
            vni: remote.vni,
        },
    })
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

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

fn vni(text: &str) -> Option<u32> {
    number32(text, VNI_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GroupRequest, WordsError> {
        parse_mdb(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn lines_that_mean_something() {
        let text = "grp 239.1.1.1 dst 192.0.2.2 dst_port 4790 vni 7 src_vni 8 via eth0 permanent \
                    filter_mode include source_list 10.0.0.1,10.0.0.2 proto bgp vid 5";
        let Ok(GroupRequest::Replace(spec)) = parse(&format!("replace dev vx0 port vx1 {text}"))
        else {
            panic!("not taken");
        };
        assert_eq!((&*spec.name.device, &*spec.port), ("vx0", "vx1"));
        assert_eq!(spec.via.as_deref(), Some("eth0"));
        let via = IfIndex::new(9).unwrap();
        let header = spec.header(via);
        assert_eq!((header.port, header.permanent), (via, true));
        assert_eq!((header.flags, header.vid), (0, 5));
        let sources: Vec<IpAddr> = vec![[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
        let mut want = Request::new([239, 1, 1, 1].into())
            .remote([192, 0, 2, 2].into())
            .sources(FilterMode::Include, &sources)
            .mode(Mode::CREATE);
        want.port = Some(4790);
        want.vni = Some(7);
        want.network = Some(8);
        want.ifindex = Some(via);
        want.protocol = 186;
        assert_eq!(spec.request(Some(via), Mode::CREATE), want);
        assert!(spec.has_attributes());

        let Ok(GroupRequest::Add(spec)) = parse("add dev vx0 port vx0 grp :: temp") else {
            panic!("not taken");
        };
        assert!(!spec.header(via).permanent && !spec.has_attributes());
        let group: IpAddr = "::".parse().unwrap();
        assert_eq!(spec.request(None, Mode::empty()), Request::new(group));

        assert_eq!(parse(""), Ok(GroupRequest::Show(None)));
        assert_eq!(
            parse("show dev vx0"),
            Ok(GroupRequest::Show(Some("vx0".to_owned())))
        );
        let filter = Filter {
            network: Some(8),
            protocol: Some(4),
            addr: Some([192, 0, 2, 2].into()),
            port: Some(4790),
            vni: Some(7),
        };
        let text = "flush dev vx0 src_vni 8 proto static dst 192.0.2.2 dst_port 4790 vni 7";
        let device = "vx0".to_owned();
        assert_eq!(
            parse(text),
            Ok(GroupRequest::Flush(GroupFlush {
                device: device.clone(),
                port: None,
                vid: 0,
                permanent: None,
                filter
            }))
        );
        let more = parse("flush dev vx0 port vx1 vid 5 nopermanent");
        assert_eq!(
            more,
            Ok(GroupRequest::Flush(GroupFlush {
                device,
                port: Some("vx1".to_owned()),
                vid: 5,
                permanent: Some(false),
                filter: Filter::default(),
            }))
        );
        let Ok(GroupRequest::Get(name)) = parse("get dev vx0 grp 239.1.1.1 src 10.0.0.1") else {
            panic!("not taken");
        };
        assert_eq!(
            name.request(),
            Request::new([239, 1, 1, 1].into()).source([10, 0, 0, 1].into())
        );
    }

    #[test]
    fn lines_that_do_not() {
        for (text, want) in [
            (
                "walk",
                "\"walk\": add, replace, del, get, flush or show expected",
            ),
            ("add port vx0 grp 239.1.1.1", "\"dev NAME\" expected"),
            ("add dev vx0 grp 239.1.1.1", "\"port NAME\" expected"),
            ("add dev vx0 port vx0", "\"grp GROUP\" expected"),
            ("add grp x", "\"grp x\": an IP address expected"),
            (
                "add vni 16777216",
                "\"vni 16777216\": a number from 0 to 16777215 expected",
            ),
            (
                "add vid 4096",
                "\"vid 4096\": a number from 0 to 4095 expected",
            ),
            (
                "add source_list 10.0.0.1,",
                "\"source_list 10.0.0.1,\": IP addresses with commas between expected",
            ),
            (
                "add proto boot",
                "\"proto boot\": the name of a protocol or a number from 4 to 255 expected",
            ),
            ("add permanent temp", "\"temp\": said twice"),
            ("get dst 192.0.2.2", "\"dst\": unknown word"),
            ("flush grp 239.1.1.1", "\"grp\": unknown word"),
            ("flush vni 5", "\"dev NAME\" expected"),
            ("show grp 239.1.1.1", "\"grp\": unknown word"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), format!("mdb: {want}"));
        }
    }
}
