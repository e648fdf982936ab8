//! An entry of the forwarding database: what follows `bridge fdb append`.

use core::net::IpAddr;

use vxlan_core::Mac;
use vxlan_core::fdb::{Flags, State};

use super::super::cursor::Cursor;
use super::super::error::Problem;
use super::super::number::{number16, number32};
use super::super::{INTERFACE, WordsError, interface};
use super::{PORT, VNI, vni};

/// An entry with one remote or a nexthop group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FdbSpec {
    /// The inner address.
    pub(crate) mac: Mac,
    /// The name of the device.
    pub(crate) device: String,
    /// The remote's address.
    pub(crate) dst: Option<IpAddr>,
    /// The number of a nexthop group.
    pub(crate) nhid: Option<u32>,
    /// The remote's UDP port, if not the device's.
    pub(crate) port: Option<u16>,
    /// The VNI to send with, if not the device's.
    pub(crate) vni: Option<u32>,
    /// The name of the interface to send through.
    pub(crate) via: Option<String>,
    /// The VNI that the entry is for.
    pub(crate) src_vni: Option<u32>,
    /// NUD bits.
    pub(crate) state: State,
    /// NTF bits.
    pub(crate) flags: Flags,
}

/// An entry as `bridge fdb append` takes it: `02:00:00:00:00:01 dev vx0 dst 192.0.2.2`.
///
/// The state bits are those that `bridge` sends: `permanent` (the default, also `local`) is
/// NOARP and PERMANENT, `static` (also `temp`) NOARP and REACHABLE, `dynamic` REACHABLE alone.
pub(crate) fn parse_fdb(text: &str) -> Result<FdbSpec, WordsError> {
    let mut words = Cursor::new("fdb", text);
    let entry = FdbSpec::parse(&mut words)?;
    if entry.dst.is_none() && entry.nhid.is_none() {
        return Err(words.error("", Problem::Missing("\"dst ADDRESS\"")));
    }
    Ok(entry)
}

impl FdbSpec {
    /// The same, and what follows `bridge fdb del`: the destination may be missing.
    pub(super) fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut entry = Entry::default();
        while let Some(word) = words.next() {
            entry.word(words, word)?;
        }
        let missing = |what| words.error("", Problem::Missing(what));
        let flags = match entry.flags.intersects(Flags::SELF | Flags::MASTER) {
            true => entry.flags,
            false => entry.flags | Flags::SELF,
        };
        Ok(Self {
            mac: entry.mac.ok_or_else(|| missing("a MAC address"))?,
            device: entry.device.ok_or_else(|| missing("\"dev NAME\""))?,
            dst: entry.dst,
            nhid: entry.nhid,
            port: entry.port,
            vni: entry.vni,
            via: entry.via,
            src_vni: entry.src_vni,
            state: entry.state.unwrap_or(State::NOARP.union(State::PERMANENT)),
            flags,
        })
    }
}

#[derive(Default)]
struct Entry {
    mac: Option<Mac>,
    device: Option<String>,
    dst: Option<IpAddr>,
    nhid: Option<u32>,
    port: Option<u16>,
    vni: Option<u32>,
    via: Option<String>,
    src_vni: Option<u32>,
    state: Option<State>,
    flags: Flags,
}

impl Entry {
    fn word<'w>(&mut self, words: &mut Cursor<'w>, word: &'w str) -> Result<(), WordsError> {
        match word {
            "to" => {
                let Some(mac) = words.next() else {
                    return Err(words.error(word, Problem::Missing("a MAC address")));
                };
                self.mac(words, mac)?;
            }
            "dev" => {
                words.once("dev", word)?;
                self.device = Some(words.value(word, INTERFACE, interface)?);
            }
            "dst" => {
                words.once("dst", word)?;
                self.dst = Some(words.value(word, "an IP address", |text| text.parse().ok())?);
            }
            "port" => {
                words.once("port", word)?;
                let port = words.value(word, PORT, number16)?;
                self.port = (port != 0).then_some(port);
            }
            "vni" => {
                words.once("vni", word)?;
                self.vni = Some(words.value(word, VNI, vni)?);
            }
            "src_vni" => {
                words.once("src_vni", word)?;
                self.src_vni = Some(words.value(word, VNI, vni)?);
            }
            "via" => {
                words.once("via", word)?;
                self.via = Some(words.value(word, INTERFACE, interface)?);
            }
            "permanent" | "local" => self.lives(words, word, State::NOARP | State::PERMANENT)?,
            "static" | "temp" => self.lives(words, word, State::NOARP | State::REACHABLE)?,
            "dynamic" => self.lives(words, word, State::REACHABLE)?,
            "self" => self.flag(words, "self", Flags::SELF)?,
            "router" => self.flag(words, "router", Flags::ROUTER)?,
            "extern_learn" => self.flag(words, "extern_learn", Flags::EXT_LEARNED)?,
            "sticky" => self.flag(words, "sticky", Flags::STICKY)?,
            "use" => self.flag(words, "use", Flags::USE)?,
            "nhid" => {
                words.once("nhid", word)?;
                let expected = "the number of a nexthop group";
                self.nhid = Some(words.value(word, expected, |text| number32(text, u32::MAX))?);
            }
            "master" => self.flag(words, "master", Flags::MASTER)?,
            "vlan" => {
                let why = "a VXLAN device's entries have no VLAN";
                return Err(words.error(word, Problem::Unsupported(why)));
            }
            _ => self.mac(words, word)?,
        }
        Ok(())
    }

    fn mac<'w>(&mut self, words: &mut Cursor<'w>, word: &'w str) -> Result<(), WordsError> {
        let Ok(mac) = word.parse() else {
            let problem = match self.mac {
                None => Problem::Expected("a MAC address"),
                Some(_) => Problem::Unknown,
            };
            return Err(words.error(word, problem));
        };
        words.once("to", word)?;
        words.about(word);
        self.mac = Some(mac);
        Ok(())
    }

    fn lives(
        &mut self,
        words: &mut Cursor<'_>,
        word: &str,
        state: State,
    ) -> Result<(), WordsError> {
        if self.state.is_some_and(|said| said != state) {
            let why = "only one of \"permanent\", \"static\" and \"dynamic\" can hold";
            return Err(words.error(word, Problem::Unsupported(why)));
        }
        words.once("state", word)?;
        self.state = Some(state);
        Ok(())
    }

    fn flag(
        &mut self,
        words: &mut Cursor<'_>,
        word: &'static str,
        flag: Flags,
    ) -> Result<(), WordsError> {
        words.once(word, word)?;
        self.flags |= flag;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> FdbSpec {
        FdbSpec {
            mac: Mac::new([2, 0, 0, 0, 0, 1]),
            device: "vx0".to_owned(),
            dst: Some([192, 0, 2, 2].into()),
            nhid: None,
            port: None,
            vni: None,
            via: None,
            src_vni: None,
            state: State::NOARP | State::PERMANENT,
            flags: Flags::SELF,
        }
    }

    /// The state and flag bits are those that `bridge` of iproute2 6.1 sends for the same words.
    #[test]
    fn lines_that_mean_something() {
        let entry = "02:00:00:00:00:01 dev vx0 dst 192.0.2.2";
        let pinned = State::NOARP | State::REACHABLE;
        for (tail, want) in [
            ("", plain()),
            ("self permanent", plain()),
            ("local", plain()),
            (
                "static",
                FdbSpec {
                    state: pinned,
                    ..plain()
                },
            ),
            (
                "temp",
                FdbSpec {
                    state: pinned,
                    ..plain()
                },
            ),
            (
                "dynamic",
                FdbSpec {
                    state: State::REACHABLE,
                    ..plain()
                },
            ),
            (
                "port 8472",
                FdbSpec {
                    port: Some(8472),
                    ..plain()
                },
            ),
            ("port 0", plain()),
            (
                "vni 0x10",
                FdbSpec {
                    vni: Some(16),
                    ..plain()
                },
            ),
            (
                "src_vni 0",
                FdbSpec {
                    src_vni: Some(0),
                    ..plain()
                },
            ),
            (
                "via eth0",
                FdbSpec {
                    via: Some("eth0".to_owned()),
                    ..plain()
                },
            ),
            (
                "use router extern_learn sticky",
                FdbSpec {
                    flags: Flags::from_bits_retain(0xd3),
                    ..plain()
                },
            ),
            (
                "nhid 5",
                FdbSpec {
                    nhid: Some(5),
                    ..plain()
                },
            ),
            (
                "self master",
                FdbSpec {
                    flags: Flags::SELF | Flags::MASTER,
                    ..plain()
                },
            ),
            (
                "master",
                FdbSpec {
                    flags: Flags::MASTER,
                    ..plain()
                },
            ),
        ] {
            assert_eq!(parse_fdb(&format!("{entry} {tail}")), Ok(want), "{tail}");
        }
        for text in [
            "dev vx0 dst 192.0.2.2 2:0:0:0:0:1",
            "dst 192.0.2.2 dev vx0 to 02:00:00:00:00:01",
        ] {
            assert_eq!(parse_fdb(text), Ok(plain()), "{text}");
        }
        let default = parse_fdb("00:00:00:00:00:00 dev vx0 dst 2001:db8::2").unwrap();
        assert!(default.mac.is_zero() && default.dst.unwrap().is_ipv6());
    }

    #[test]
    fn lines_that_do_not() {
        for (text, want) in [
            ("", "fdb: a MAC address expected"),
            ("add", "fdb: \"add\": a MAC address expected"),
            ("to", "fdb: \"to\": a MAC address expected behind it"),
            (
                "02:00:00:00:00",
                "fdb: \"02:00:00:00:00\": a MAC address expected",
            ),
            (
                "dev",
                "fdb: \"dev\": an interface name of 1 to 15 bytes without slash, colon, percent sign or white space expected behind it",
            ),
        ] {
            assert_eq!(parse_fdb(text).unwrap_err().to_string(), want);
        }
        let entry = "02:00:00:00:00:01 dev vx0 dst 192.0.2.2";
        for (text, want) in [
            ("02:00:00:00:00:01", "\"dev NAME\" expected".to_owned()),
            (
                "02:00:00:00:00:01 dev vx0",
                "\"dst ADDRESS\" expected".to_owned(),
            ),
            (
                "02:00:00:00:00:01 dst any",
                "\"dst any\": an IP address expected".to_owned(),
            ),
            (
                &format!("{entry} 02:00:00:00:00:02"),
                "\"02:00:00:00:00:02\": said twice".to_owned(),
            ),
            (
                &format!("{entry} 192.0.2.3"),
                "\"192.0.2.3\": unknown word".to_owned(),
            ),
            (
                &format!("{entry} dst 192.0.2.3"),
                "\"dst\": said twice".to_owned(),
            ),
            (
                &format!("{entry} port vxlan"),
                "\"port vxlan\": a port from 0 to 65535 expected".to_owned(),
            ),
            (
                &format!("{entry} vni 16777216"),
                "\"vni 16777216\": a number from 0 to 16777215 expected".to_owned(),
            ),
            (
                &format!("{entry} self self"),
                "\"self\": said twice".to_owned(),
            ),
            (
                &format!("{entry} static temp"),
                "\"temp\": said twice".to_owned(),
            ),
            (
                &format!("{entry} static dynamic"),
                "\"dynamic\": only one of \"permanent\", \"static\" and \"dynamic\" can hold"
                    .to_owned(),
            ),
            (
                &format!("{entry} vlan 5"),
                "\"vlan\": a VXLAN device's entries have no VLAN".to_owned(),
            ),
        ] {
            let error = parse_fdb(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("fdb \"02:00:00:00:00:01 …\": {want}"),
                "{text}"
            );
        }
    }
}
