//! Interfaces of the host.

use std::io::{self, ErrorKind};

use vxlan_core::{IfIndex, Mac};

use super::{Attributes, Builder, Message, NLM_F_ACK, Netlink};

pub(crate) const RTM_NEWLINK: u16 = 16;
pub(crate) const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_TXQLEN: u16 = 13;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKMODE: u16 = 17;
const IFLA_LINKINFO: u16 = 18;
const IFLA_PROMISCUITY: u16 = 30;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_TSO_MAX_SIZE: u16 = 59;
const IFLA_TSO_MAX_SEGS: u16 = 60;
const IFLA_ALLMULTI: u16 = 61;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
/// The family of messages about interfaces themselves (`AF_UNSPEC`).
const UNSPEC: u8 = 0;
/// `RTEXT_FILTER_SKIP_STATS`.
const SKIP_STATS: u32 = 8;

/// The flags of an interface (`IFF_*`).
pub(crate) mod flags {
    pub(crate) const UP: u32 = 0x1;
    pub(crate) const RUNNING: u32 = 0x40;
    pub(crate) const LOWER_UP: u32 = 0x1_0000;
}

/// An interface as the kernel describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkState {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) flags: u32,
    pub(crate) mtu: u32,
    pub(crate) mac: Mac,
    pub(crate) master: Option<IfIndex>,
    pub(crate) queue_len: u32,
    pub(crate) operstate: u8,
    pub(crate) linkmode: u8,
    pub(crate) promiscuity: u32,
    pub(crate) allmulti: u32,
    pub(crate) tso_max_size: u32,
    pub(crate) tso_max_segs: u32,
    /// The kind of a virtual interface and what is special about it.
    pub(crate) kind: String,
    pub(crate) data: Vec<u8>,
    /// The kind of its master.
    pub(crate) slave_kind: String,
}

impl LinkState {
    /// Asks for the state of an interface.
    ///
    /// # Errors
    /// Those of the kernel, `ENODEV` among them.
    pub(crate) fn of(netlink: &mut Netlink, index: IfIndex) -> io::Result<Self> {
        Self::ask(netlink, Builder::new(header(index.get())))
    }

    /// Asks for the state of the interface of this name.
    ///
    /// # Errors
    /// Those of the kernel, `ENODEV` among them.
    pub(crate) fn named(netlink: &mut Netlink, name: &str) -> io::Result<Self> {
        let text = [name.as_bytes(), b"\0"].concat();
        Self::ask(netlink, Builder::new(header(0)).put(IFLA_IFNAME, &text))
    }

    fn ask(netlink: &mut Netlink, question: Builder) -> io::Result<Self> {
        let question = question.put(IFLA_EXT_MASK, &SKIP_STATS.to_ne_bytes());
        let answer = netlink.ask(RTM_GETLINK, 0, &question.finish())?;
        let link = answer.iter().find_map(Self::read);
        link.ok_or_else(|| ErrorKind::InvalidData.into())
    }

    /// What a message says about an interface.
    pub(crate) fn read(message: &Message) -> Option<Self> {
        if !matches!(message.kind, RTM_NEWLINK | RTM_DELLINK) {
            return None;
        }
        let (header, rest) = message.body.split_first_chunk::<16>()?;
        let [family, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
        // A bridge tells of its ports in the same words: one that leaves it is "deleted".
        if family != UNSPEC {
            return None;
        }
        let attributes = Attributes::new(rest);
        let byte = |number| {
            attributes
                .find(number)
                .and_then(|bytes| bytes.first().copied())
        };
        let mac = attributes
            .find(IFLA_ADDRESS)
            .and_then(|bytes| bytes.try_into().ok());
        let info = Attributes::new(attributes.find(IFLA_LINKINFO).unwrap_or_default());
        Some(Self {
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            name: attributes.text(IFLA_IFNAME)?,
            flags: u32::from_ne_bytes([f0, f1, f2, f3]),
            mtu: attributes.number(IFLA_MTU).unwrap_or_default(),
            mac: Mac::new(mac.unwrap_or_default()),
            master: attributes.number(IFLA_MASTER).and_then(IfIndex::new),
            queue_len: attributes.number(IFLA_TXQLEN).unwrap_or_default(),
            operstate: byte(IFLA_OPERSTATE).unwrap_or_default(),
            linkmode: byte(IFLA_LINKMODE).unwrap_or_default(),
            promiscuity: attributes.number(IFLA_PROMISCUITY).unwrap_or_default(),
            tso_max_size: attributes.number(IFLA_TSO_MAX_SIZE).unwrap_or_default(),
            tso_max_segs: attributes.number(IFLA_TSO_MAX_SEGS).unwrap_or_default(),
            allmulti: attributes.number(IFLA_ALLMULTI).unwrap_or_default(),
            kind: info.text(IFLA_INFO_KIND).unwrap_or_default(),
            data: info.find(IFLA_INFO_DATA).unwrap_or_default().to_vec(),
            slave_kind: info.text(IFLA_INFO_SLAVE_KIND).unwrap_or_default(),
        })
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.flags & flags::UP != 0
    }

    /// Whether it is a port of a bridge (`netif_is_any_bridge_port()`).
    pub(crate) fn is_bridge_port(&self) -> bool {
        matches!(self.slave_kind.as_str(), "bridge" | "openvswitch")
    }
}

impl Netlink {
    /// Gives an interface another name.
    ///
    /// # Errors
    /// Those of the kernel: `EEXIST` if there is one of this name, `EBUSY` before Linux 6.2 if it
    /// is up.
    pub(crate) fn rename(&mut self, index: IfIndex, name: &str) -> io::Result<()> {
        let text = [name.as_bytes(), b"\0"].concat();
        let request = Builder::new(header(index.get())).put(IFLA_IFNAME, &text);
        self.ask(RTM_NEWLINK, NLM_F_ACK, &request.finish())
            .map(drop)
    }
}

/// `struct ifinfomsg`.
fn header(index: u32) -> Vec<u8> {
    let mut header = vec![0; 4];
    header.extend(index.to_ne_bytes());
    header.extend([0; 8]);
    header
}
