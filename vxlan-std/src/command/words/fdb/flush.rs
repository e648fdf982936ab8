//! Which entries to flush.

use core::net::IpAddr;

use vxlan_core::fdb::{Flags, State};

use super::super::cursor::Cursor;
use super::super::error::Problem;
use super::super::number::{number16, number32};
use super::super::{INTERFACE, WordsError, interface};
use super::{PORT, VNI, vni};

/// What follows `bridge fdb flush`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlushSpec {
    /// The name of the device.
    pub(crate) device: String,
    /// NUD bits: which matter, and what they are to be.
    pub(crate) state_mask: State,
    pub(crate) state: State,
    /// NTF bits: which matter, and what they are to be.
    pub(crate) flags_mask: Flags,
    pub(crate) flags: Flags,
    /// The network that the entry is for.
    pub(crate) src_vni: Option<u32>,
    /// The number of a nexthop group.
    pub(crate) nhid: Option<u32>,
    /// The VNI to send with.
    pub(crate) vni: Option<u32>,
    /// The remote's UDP port.
    pub(crate) port: Option<u16>,
    /// The remote's address.
    pub(crate) dst: Option<IpAddr>,
    /// Something that only a bridge can look for was asked for: a port or a VLAN.
    pub(crate) of_bridge: bool,
}

impl FlushSpec {
    pub(super) fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut spec = Self::default();
        let mut device = None;
        while let Some(word) = words.next() {
            match word {
                "dev" => {
                    words.once("dev", word)?;
                    device = Some(words.value(word, INTERFACE, interface)?);
                }
                "brport" => {
                    words.once("brport", word)?;
                    words.value(word, INTERFACE, interface)?;
                    spec.of_bridge = true;
                }
                "vlan" => {
                    words.once("vlan", word)?;
                    words.value(word, "a VLAN from 0 to 4095", |text| number32(text, 4095))?;
                    spec.of_bridge = true;
                }
                "dst" => {
                    words.once("dst", word)?;
                    spec.dst = Some(words.value(word, "an IP address", |text| text.parse().ok())?);
                }
                "port" => {
                    words.once("port", word)?;
                    spec.port = Some(words.value(word, PORT, number16)?);
                }
                "vni" => {
                    words.once("vni", word)?;
                    spec.vni = Some(words.value(word, VNI, vni)?);
                }
                "src_vni" => {
                    words.once("src_vni", word)?;
                    spec.src_vni = Some(words.value(word, VNI, vni)?);
                }
                "nhid" => {
                    words.once("nhid", word)?;
                    let expected = "the number of a nexthop group";
                    spec.nhid = Some(words.value(word, expected, |text| number32(text, u32::MAX))?);
                }
                "self" => words.once("self", word)?,
                _ => spec.bit(words, word)?,
            }
        }
        let missing = Problem::Missing("\"dev NAME\"");
        spec.device = device.ok_or_else(|| words.error("", missing))?;
        Ok(spec)
    }

    /// A bit to be set, or with `no` before it to be clear. What `bridge` sends for these words.
    fn bit(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        let flag = match word.strip_prefix("no").unwrap_or(word) {
            "permanent" => return self.lives(words, word, State::PERMANENT, State::PERMANENT),
            "static" => {
                let mask = State::PERMANENT | State::NOARP;
                return self.lives(words, word, mask, State::NOARP);
            }
            "dynamic" => {
                let mask = State::PERMANENT | State::NOARP;
                return self.lives(words, word, mask, State::empty());
            }
            "added_by_user" => Flags::USE,
            "extern_learn" => Flags::EXT_LEARNED,
            "sticky" => Flags::STICKY,
            "offloaded" => Flags::OFFLOADED,
            "router" => Flags::ROUTER,
            _ => return Err(words.error(word, Problem::Unknown)),
        };
        if self.flags_mask.intersects(flag) {
            return Err(words.error(word, Problem::Twice));
        }
        self.flags_mask |= flag;
        if !word.starts_with("no") {
            self.flags |= flag;
        }
        Ok(())
    }

    fn lives(
        &mut self,
        words: &mut Cursor<'_>,
        word: &str,
        mask: State,
        state: State,
    ) -> Result<(), WordsError> {
        words.once("state", word)?;
        (self.state_mask, self.state) = match word {
            "nostatic" => (State::NOARP, State::empty()),
            "nodynamic" => (State::NOARP, State::NOARP),
            "nopermanent" => (State::PERMANENT, State::empty()),
            _ => (mask, state),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Masks and bits as `bridge` of iproute2 6.1 sends them.
    #[test]
    fn bits() {
        for (word, state, state_mask, flags, flags_mask) in [
            ("permanent", 0x80, 0x80, 0, 0),
            ("nopermanent", 0, 0x80, 0, 0),
            ("static", 0x40, 0xc0, 0, 0),
            ("nostatic", 0, 0x40, 0, 0),
            ("dynamic", 0, 0xc0, 0, 0),
            ("nodynamic", 0x40, 0x40, 0, 0),
            ("added_by_user", 0, 0, 0x01, 0x01),
            ("noadded_by_user", 0, 0, 0, 0x01),
            ("extern_learn", 0, 0, 0x10, 0x10),
            ("noextern_learn", 0, 0, 0, 0x10),
            ("sticky", 0, 0, 0x40, 0x40),
            ("nosticky", 0, 0, 0, 0x40),
            ("offloaded", 0, 0, 0x20, 0x20),
            ("nooffloaded", 0, 0, 0, 0x20),
            ("router", 0, 0, 0x80, 0x80),
            ("norouter", 0, 0, 0, 0x80),
        ] {
            let text = format!("dev vx0 {word}");
            let want = FlushSpec {
                device: "vx0".to_owned(),
                state: State::from_bits_retain(state),
                state_mask: State::from_bits_retain(state_mask),
                flags: Flags::from_bits_retain(flags),
                flags_mask: Flags::from_bits_retain(flags_mask),
                ..FlushSpec::default()
            };
            assert_eq!(
                FlushSpec::parse(&mut Cursor::new("fdb", &text)),
                Ok(want),
                "{word}"
            );
        }
    }

    #[test]
    fn the_rest() {
        let text = "dst 192.0.2.1 dev vx0 port 8472 vni 7 src_vni 8 nhid 9 self vlan 5 brport eth0";
        let want = FlushSpec {
            device: "vx0".to_owned(),
            dst: Some([192, 0, 2, 1].into()),
            port: Some(8472),
            vni: Some(7),
            src_vni: Some(8),
            nhid: Some(9),
            of_bridge: true,
            ..FlushSpec::default()
        };
        assert_eq!(FlushSpec::parse(&mut Cursor::new("fdb", text)), Ok(want));
        for text in [
            "",
            "dev vx0 static nodynamic",
            "dev vx0 router norouter",
            "dev vx0 walk",
            "dev vx0 no",
            "dev vx0 port 65536",
        ] {
            assert!(
                FlushSpec::parse(&mut Cursor::new("fdb", text)).is_err(),
                "{text}"
            );
        }
    }
}
