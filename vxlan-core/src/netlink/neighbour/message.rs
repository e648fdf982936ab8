//! The part of a request that needs no device (`rtnl_fdb_add()`, `rtnl_fdb_del()`,
//! `rtnl_fdb_get()`).

use super::{COUNT, DELETE, GET, LLADDR, MASTER, NEW, VLAN, VNI};
use crate::fdb::Mode;
use crate::netlink::policy::{Policy, Rule, Table};
use crate::netlink::{self, Error, Header};
use crate::{Errno, IfIndex, Mac};

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// An entry is to be made or changed.
    Update(Mode),
    /// An entry or one remote of it is to go.
    Remove,
    /// All entries that match are to go.
    Flush,
    /// An entry is asked for.
    Get,
}

/// A request before its device is known.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub(super) operation: Operation,
    pub(super) ifindex: IfIndex,
    pub(super) state: u16,
    pub(super) flags: u8,
    /// All attributes, for the reader of a flush.
    pub(super) attributes: &'a [u8],
    pub(super) table: Table<'a, COUNT>,
}

/// Nothing is asked of the attributes of an update: the driver looks at each.
const OPEN: Policy<COUNT> = Policy {
    rules: [Rule::Any; COUNT],
    strict_from: COUNT,
    closed: false,
    ruled_from: COUNT,
};

/// Those of a question (`nda_policy`).
const QUESTION: Policy<COUNT> = Policy {
    rules: [
        Rule::Any,
        Rule::AtMost(32),  // DST
        Rule::AtMost(32),  // LLADDR
        Rule::AtLeast(16), // CACHEINFO
        Rule::Number(4),   // PROBES
        Rule::Number(2),   // VLAN
        Rule::Number(2),   // PORT
        Rule::Number(4),   // VNI
        Rule::Number(4),   // IFINDEX
        Rule::Number(4),   // MASTER
        Rule::Any,         // LINK_NETNSID
        Rule::Any,         // SRC_VNI
        Rule::Number(1),   // PROTOCOL
        Rule::Number(4),   // NH_ID
        Rule::Nested,      // FDB_EXT_ATTRS
        Rule::Mask(0x05),  // FLAGS_EXT
        Rule::Any,         // NDM_STATE_MASK
        Rule::Any,         // NDM_FLAGS_MASK
    ],
    strict_from: 13,
    closed: true,
    ruled_from: 13,
};

impl Operation {
    /// What a message with this header wants; `None` for other kinds.
    #[must_use]
    pub const fn of(header: &Header) -> Option<Self> {
        match header.kind {
            NEW => Some(Self::Update(Mode::from_bits_truncate(header.flags))),
            DELETE if header.flags & Header::BULK != 0 => Some(Self::Flush),
            DELETE => Some(Self::Remove),
            GET => Some(Self::Get),
            _ => None,
        }
    }
}

impl<'a> Message<'a> {
    /// Reads a request: `struct ndmsg` and what follows it. Whether it is of the family
    /// [`FAMILY`](super::FAMILY) is for the caller to look at; others are about other tables.
    ///
    /// # Errors
    /// A short header; no interface. Of a question also the form of its attributes, their number,
    /// and that an address is missing.
    pub fn parse(operation: Operation, content: &'a [u8]) -> Result<Self, Error> {
        let Some((header, attributes)) = content.split_first_chunk::<12>() else {
            return Err(invalid(match operation {
                Operation::Get => "Invalid header for fdb get request",
                _ => "Invalid header length",
            }));
        };
        let [_, pad1, pad2, pad3, a, b, c, d, e, f, flags, kind] = *header;
        let (state, pads) = (u16::from_ne_bytes([e, f]), [pad1, pad2, pad3, kind]);
        let table = match operation {
            Operation::Get => {
                if state != 0 || pads != [0; 4] {
                    return Err(invalid("Invalid values in header for fdb get request"));
                }
                question(flags, attributes)?
            }
            // What else a flush has to be is the driver's to say.
            Operation::Flush => Policy {
                closed: true,
                ..OPEN
            }
            .parse(attributes)?,
            _ => OPEN.parse(attributes)?,
        };
        let Some(ifindex) = IfIndex::new(u32::from_ne_bytes([a, b, c, d])) else {
            return Err(match operation {
                Operation::Get => Error::new(Errno::ENODEV, "No device specified"),
                _ => invalid("invalid ifindex"),
            });
        };
        if operation == Operation::Get && table.has(MASTER) {
            return Err(invalid("Master and device are mutually exclusive"));
        }
        Ok(Self {
            operation,
            ifindex,
            state,
            flags,
            attributes,
            table,
        })
    }

    /// The interface that it is about.
    #[must_use]
    pub const fn interface(&self) -> IfIndex {
        self.ifindex
    }

    /// What is answered if there is no such interface.
    #[must_use]
    pub const fn no_interface(&self) -> Error {
        Error::new(
            Errno::ENODEV,
            match self.operation {
                Operation::Get => "Unknown device ifindex",
                _ => "unknown ifindex",
            },
        )
    }

    /// What Linux remarks about the request, unless a refusal has a message of its own.
    #[must_use]
    pub fn warning(&self) -> Option<netlink::Message> {
        self.table.warning()
    }

    /// The address of an entry.
    pub(super) fn mac(&self) -> Option<Mac> {
        let address = <[u8; 6]>::try_from(self.table.get(LLADDR)?).ok()?;
        Some(Mac::new(address))
    }
}

/// The attributes of a question, each allowed and of the right size.
fn question(flags: u8, attributes: &[u8]) -> Result<Table<'_, COUNT>, Error> {
    const SELF_OR_MASTER: u8 = 0x06;
    if flags & !SELF_OR_MASTER != 0 {
        return Err(invalid("Invalid flags in header for fdb get request"));
    }
    let table = QUESTION.parse(attributes)?;
    for number in 1..COUNT as u16 {
        let Some(payload) = table.get(number) else {
            continue;
        };
        match number {
            LLADDR if payload.len() != 6 => {
                return Err(invalid("Invalid address in fdb get request"));
            }
            VLAN => vlan(payload)?,
            LLADDR | VNI | MASTER => {}
            _ => return Err(invalid("Unsupported attribute in fdb get request")),
        }
    }
    if !table.has(LLADDR) {
        return Err(invalid("Missing lookup address for fdb get request"));
    }
    Ok(table)
}

/// A VLAN identifier; the driver ignores it, but it has to be one.
pub(super) fn vlan(payload: &[u8]) -> Result<(), Error> {
    let vlan = <[u8; 2]>::try_from(payload).map_err(|_| invalid("invalid vlan attribute size"))?;
    match u16::from_ne_bytes(vlan) {
        1..=4094 => Ok(()),
        _ => Err(invalid("invalid vlan id")),
    }
}

pub(super) const fn invalid(message: &'static str) -> Error {
    Error::new(Errno::EINVAL, message)
}
