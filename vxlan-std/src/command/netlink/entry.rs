//! Entries of the kernel's forwarding databases.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use std::io;

use vxlan_core::Mac;
use vxlan_core::fdb::{Flags, State};

use super::{Attributes, Message, NLM_F_DUMP, Netlink};

const RTM_NEWNEIGH: u16 = 28;
const RTM_GETNEIGH: u16 = 30;
/// `AF_BRIDGE`.
const BRIDGE: u8 = 7;

const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_CACHEINFO: u16 = 3;
const NDA_PORT: u16 = 6;
const NDA_VNI: u16 = 7;
const NDA_IFINDEX: u16 = 8;
const NDA_SRC_VNI: u16 = 11;
const NDA_NH_ID: u16 = 13;
/// Ages are told in clock ticks (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// One remote of an entry. What is missing is the device's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryState {
    /// The interface whose table it stands in.
    index: u32,
    pub(crate) mac: Mac,
    pub(crate) state: State,
    pub(crate) flags: Flags,
    pub(crate) dst: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) vni: Option<u32>,
    pub(crate) src_vni: Option<u32>,
    /// The number of the interface to send through.
    pub(crate) via: Option<u32>,
    /// The number of a nexthop group in place of a remote.
    pub(crate) nexthop: Option<u32>,
    /// How long ago it was used and updated.
    pub(crate) used: Duration,
    pub(crate) updated: Duration,
}

impl EntryState {
    /// The table of the interface number `index`: the oldest entry first, its remotes in their
    /// order.
    ///
    /// # Errors
    /// Those of the kernel.
    pub(crate) fn all(netlink: &mut Netlink, index: u32) -> io::Result<Vec<Self>> {
        let mut question = vec![BRIDGE, 0, 0, 0];
        question.extend(index.to_ne_bytes());
        question.extend([0; 8]);
        let answer = netlink.ask(RTM_GETNEIGH, NLM_F_DUMP, &question)?;
        let entries = answer.iter().filter_map(Self::read);
        let entries: Vec<Self> = entries.filter(|entry| entry.index == index).collect();
        // The kernel tells of the newest first.
        let groups = entries.chunk_by(Self::is_with).rev();
        Ok(groups.flatten().cloned().collect())
    }

    /// Whether both are of one entry.
    fn is_with(&self, other: &Self) -> bool {
        (self.mac, self.src_vni) == (other.mac, other.src_vni)
    }

    /// What a message says about an entry; nothing if it is of another table.
    fn read(message: &Message) -> Option<Self> {
        if message.kind != RTM_NEWNEIGH {
            return None;
        }
        let (header, rest) = message.body.split_first_chunk::<12>()?;
        let [family, _, _, _, i0, i1, i2, i3, s0, s1, flags, _] = *header;
        let flags = Flags::from_bits_retain(flags.into());
        if family != BRIDGE || !flags.contains(Flags::SELF) {
            return None;
        }
        let attributes = Attributes::new(rest);
        let port = attributes
            .find(NDA_PORT)
            .and_then(|port| port.first_chunk());
        let info = attributes.find(NDA_CACHEINFO).unwrap_or_default();
        let age = |at: usize| {
            let ticks = info.get(at..).and_then(|info| info.first_chunk());
            TICK.saturating_mul(ticks.map_or(0, |ticks| u32::from_ne_bytes(*ticks)))
        };
        Some(Self {
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            mac: Mac::new(attributes.find(NDA_LLADDR)?.try_into().ok()?),
            state: State::from_bits_retain(u16::from_ne_bytes([s0, s1])),
            flags,
            dst: match attributes.find(NDA_DST) {
                Some(payload) => Some(address(payload)?),
                None => None,
            },
            port: port.map(|port| u16::from_be_bytes(*port)),
            vni: attributes.number(NDA_VNI),
            src_vni: attributes.number(NDA_SRC_VNI),
            via: attributes.number(NDA_IFINDEX),
            nexthop: attributes.number(NDA_NH_ID),
            used: age(4),
            updated: age(8),
        })
    }
}

/// An address of either family.
pub(super) fn address(payload: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(payload) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(payload).ok()?;
    Some(Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::super::Builder;
    use super::*;
    use proptest::prelude::*;

    fn message(family: u8, flags: u8) -> Message {
        let mut header = vec![family, 0, 0, 0];
        header.extend(20u32.to_ne_bytes());
        header.extend(0xc0u16.to_ne_bytes());
        header.extend([flags, 1]);
        let ages = [0u32, 300, 500, 0].map(u32::to_ne_bytes).concat();
        let body = Builder::new(header)
            .put(NDA_LLADDR, &[2, 0, 0, 0, 0, 1])
            .put(NDA_DST, &[192, 0, 2, 2])
            .put(NDA_CACHEINFO, &ages)
            .put(NDA_PORT, &4790u16.to_be_bytes())
            .put(NDA_VNI, &7u32.to_ne_bytes())
            .put(NDA_IFINDEX, &2u32.to_ne_bytes())
            .put(NDA_SRC_VNI, &9u32.to_ne_bytes())
            .finish();
        Message {
            kind: RTM_NEWNEIGH,
            body,
        }
    }

    #[test]
    fn an_entry_is_read() {
        let want = EntryState {
            index: 20,
            mac: Mac::new([2, 0, 0, 0, 0, 1]),
            state: State::PERMANENT | State::NOARP,
            flags: Flags::SELF | Flags::EXT_LEARNED,
            dst: Some([192, 0, 2, 2].into()),
            port: Some(4790),
            vni: Some(7),
            src_vni: Some(9),
            via: Some(2),
            nexthop: None,
            used: Duration::from_secs(3),
            updated: Duration::from_secs(5),
        };
        assert_eq!(EntryState::read(&message(BRIDGE, 0x12)), Some(want));
        // The bridge's own table, and neighbours.
        assert_eq!(EntryState::read(&message(BRIDGE, 0x10)), None);
        assert_eq!(EntryState::read(&message(2, 0x12)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut message = message(BRIDGE, 2);
            message.body.truncate(12);
            message.body.extend(&bytes);
            let _ = EntryState::read(&message);
            let _ = EntryState::read(&Message { kind: RTM_NEWNEIGH, body: bytes });
        }
    }
}
