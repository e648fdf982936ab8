//! Neighbours of the host's interfaces: the tables of ARP and neighbour discovery.

use core::net::IpAddr;
use std::io::{self, ErrorKind};

use vxlan_core::fdb::{Flags, State};
use vxlan_core::{IfIndex, Mac};

use super::{Attributes, Builder, Message, NLM_F_DUMP, Netlink};

const RTM_NEWNEIGH: u16 = 28;
const RTM_DELNEIGH: u16 = 29;
const RTM_GETNEIGH: u16 = 30;
const NLM_F_ACK: u16 = 0x4;

const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_CACHEINFO: u16 = 3;
const NDA_PROBES: u16 = 4;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Ticks a second, of the times in messages.
const HZ: u32 = 100;

/// A neighbour as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NeighbourState {
    pub(crate) index: u32,
    pub(crate) address: IpAddr,
    pub(crate) state: State,
    pub(crate) flags: Flags,
    pub(crate) mac: Option<Mac>,
    /// Whether a message says that it is gone.
    pub(crate) gone: bool,
    pub(crate) times: Option<Times>,
    pub(crate) probes: Option<u32>,
}

/// Seconds since things happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) used: u32,
    pub(crate) confirmed: u32,
    pub(crate) updated: u32,
    pub(crate) users: u32,
}

impl NeighbourState {
    /// Asks for one neighbour.
    ///
    /// # Errors
    /// Those of the kernel: `ENOENT` if there is none.
    pub(crate) fn of(netlink: &mut Netlink, index: IfIndex, address: IpAddr) -> io::Result<Self> {
        let body = header(address, index.get(), State::empty(), Flags::empty());
        let body = put(body, address).finish();
        let answer = netlink.ask(RTM_GETNEIGH, 0, &body)?;
        let found = answer.iter().find_map(Self::read);
        found.ok_or_else(|| ErrorKind::InvalidData.into())
    }

    /// Asks for all of them.
    ///
    /// # Errors
    /// Those of the kernel.
    pub(crate) fn all(netlink: &mut Netlink) -> io::Result<Vec<Self>> {
        let answer = netlink.ask(RTM_GETNEIGH, NLM_F_DUMP, &[0; 12])?;
        Ok(answer.iter().filter_map(Self::read).collect())
    }

    /// Makes or changes it; `mode` are the bits `NLM_F_CREATE` and the like.
    ///
    /// # Errors
    /// Those of the kernel.
    pub(crate) fn update(&self, netlink: &mut Netlink, mode: u16) -> io::Result<()> {
        let body = put(self.header(), self.address);
        let body = match self.mac {
            Some(mac) => body.put(NDA_LLADDR, &mac.octets()),
            None => body,
        };
        netlink.ask(RTM_NEWNEIGH, mode | NLM_F_ACK, &body.finish())?;
        Ok(())
    }

    /// Deletes it.
    ///
    /// # Errors
    /// Those of the kernel.
    pub(crate) fn delete(&self, netlink: &mut Netlink) -> io::Result<()> {
        let body = put(self.header(), self.address).finish();
        netlink.ask(RTM_DELNEIGH, NLM_F_ACK, &body)?;
        Ok(())
    }

    fn header(&self) -> Builder {
        header(self.address, self.index, self.state, self.flags)
    }

    /// What a message says about a neighbour.
    pub(crate) fn read(message: &Message) -> Option<Self> {
        if !matches!(message.kind, RTM_NEWNEIGH | RTM_DELNEIGH) {
            return None;
        }
        let (header, rest) = message.body.split_first_chunk::<12>()?;
        let [family, _, _, _, i0, i1, i2, i3, s0, s1, flags, _] = *header;
        let attributes = Attributes::new(rest);
        let address = attributes.find(NDA_DST)?;
        let address = match family {
            AF_INET => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
            AF_INET6 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
            _ => return None,
        };
        let mac = attributes.find(NDA_LLADDR);
        Some(Self {
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            address,
            state: State::from_bits_retain(u16::from_ne_bytes([s0, s1])),
            flags: Flags::from_bits_retain(flags.into()),
            mac: mac.and_then(|mac| mac.try_into().ok()).map(Mac::new),
            gone: message.kind == RTM_DELNEIGH,
            times: attributes.find(NDA_CACHEINFO).and_then(Times::read),
            probes: attributes.number(NDA_PROBES),
        })
    }
}

impl Times {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<4>();
        let [confirmed, used, updated, users] = *words.first_chunk::<4>()?;
        let seconds = |ticks| u32::from_ne_bytes(ticks) / HZ;
        Some(Self {
            used: seconds(used),
            confirmed: seconds(confirmed),
            updated: seconds(updated),
            users: u32::from_ne_bytes(users),
        })
    }
}

/// `struct ndmsg`.
fn header(address: IpAddr, index: u32, state: State, flags: Flags) -> Builder {
    let family = if address.is_ipv6() { AF_INET6 } else { AF_INET };
    let mut header = vec![family, 0, 0, 0];
    header.extend(index.to_ne_bytes());
    header.extend(state.bits().to_ne_bytes());
    let [low, _] = flags.bits().to_le_bytes();
    header.extend([low, 0]);
    Builder::new(header)
}

fn put(body: Builder, address: IpAddr) -> Builder {
    match address {
        IpAddr::V4(address) => body.put(NDA_DST, &address.octets()),
        IpAddr::V6(address) => body.put(NDA_DST, &address.octets()),
    }
}
