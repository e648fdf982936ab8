//! Which attributes a message may carry, checked before anything looks at them
//! (`__nla_validate_parse()`).

use super::{Attribute, Attributes, Error, Message};
use crate::Errno;

const LEFTOVER: &str = "bytes leftover after parsing attributes";

/// What is asked of the payload of one attribute (`struct nla_policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing. A strict reader refuses it.
    Any,
    /// So many bytes or more.
    AtLeast(usize),
    /// So many bytes or fewer.
    AtMost(usize),
    /// A number of so many bytes; a lenient reader takes more.
    Number(usize),
    /// The same, and its value is at most this.
    Below(usize, u32),
    /// A number of four bytes that has no bits but these.
    Mask(u32),
    /// Between so many and so many bytes.
    Bytes(usize, usize),
    /// None: its presence says it all.
    Flag,
    /// Attributes, or nothing.
    Nested,
}

/// The rules of a kind of message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy<const N: usize> {
    /// By number.
    pub(crate) rules: [Rule; N],
    /// Attributes from this number on are read strictly (`strict_start_type`).
    pub(crate) strict_from: usize,
    /// Unknown attributes and bytes left over are refused.
    pub(crate) closed: bool,
    /// Attributes from this number on are refused if there is no rule for them.
    pub(crate) ruled_from: usize,
}

/// The attributes of a message by number. Of a repeated one the last counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a, const N: usize> {
    payloads: [Option<&'a [u8]>; N],
    leftover: bool,
}

impl<const N: usize> Policy<N> {
    /// Checks attributes in the order of the message and sorts them by number.
    pub(crate) fn parse<'a>(&self, bytes: &'a [u8]) -> Result<Table<'a, N>, Error> {
        let mut payloads = [None; N];
        let mut walk = Attributes::new(bytes);
        for attribute in walk.by_ref() {
            let number = usize::from(attribute.number);
            let known = self.rules.get(number).filter(|_| number != 0);
            let (Some(rule), Some(place)) = (known, payloads.get_mut(number)) else {
                if self.closed {
                    return Err(invalid("Unknown attribute type"));
                }
                continue;
            };
            if number >= self.ruled_from && *rule == Rule::Any {
                return Err(invalid("Unsupported attribute"));
            }
            rule.check(&attribute, number >= self.strict_from)?;
            *place = Some(attribute.payload);
        }
        let leftover = !walk.rest().is_empty();
        if leftover && self.closed {
            return Err(invalid(LEFTOVER));
        }
        Ok(Table { payloads, leftover })
    }
}

impl<'a, const N: usize> Table<'a, N> {
    /// The payload of an attribute.
    pub(crate) fn get(&self, number: u16) -> Option<&'a [u8]> {
        *self.payloads.get(usize::from(number))?
    }

    /// Whether it is there.
    pub(crate) fn has(&self, number: u16) -> bool {
        self.get(number).is_some()
    }

    /// The first byte of it.
    pub(crate) fn byte(&self, number: u16) -> Option<u8> {
        self.get(number)?.first().copied()
    }

    /// The first bytes of it.
    pub(crate) fn chunk<const M: usize>(&self, number: u16) -> Option<[u8; M]> {
        self.get(number)?.first_chunk().copied()
    }

    /// A number in the machine's byte order.
    pub(crate) fn number(&self, number: u16) -> Option<u32> {
        self.chunk(number).map(u32::from_ne_bytes)
    }

    /// What Linux remarks even if it grants the request.
    pub(crate) fn warning(&self) -> Option<Message> {
        self.leftover.then_some(Message::Text(LEFTOVER))
    }
}

impl Rule {
    fn check(self, attribute: &Attribute<'_>, strict: bool) -> Result<(), Error> {
        if strict {
            match (self, attribute.nested) {
                (Self::Nested, false) => return Err(invalid("NLA_F_NESTED is missing")),
                (Self::Nested | Self::Any, _) | (_, false) => {}
                (_, true) => return Err(invalid("NLA_F_NESTED not expected")),
            }
        }
        let len = attribute.payload.len();
        let sound = match self {
            Self::Any => true,
            Self::Nested => len == 0 || len >= 4,
            Self::AtLeast(least) => len >= least,
            Self::AtMost(most) => len <= most,
            Self::Flag => len == 0,
            Self::Bytes(least, most) if (least..=most).contains(&len) => true,
            Self::Bytes(..) => return Err(range("binary attribute size out of range")),
            Self::Number(size) | Self::Below(size, _) if strict && len != size => {
                return Err(invalid("invalid attribute length"));
            }
            Self::Mask(_) if strict && len != 4 => {
                return Err(invalid("invalid attribute length"));
            }
            Self::Mask(_) => len >= 4,
            Self::Number(size) | Self::Below(size, _) => len >= size,
        };
        if !sound {
            return Err(range("Attribute failed policy validation"));
        }
        if let Self::Below(size, most) = self
            && value(attribute.payload, size) > most
        {
            return Err(range("integer out of range"));
        }
        if let Self::Mask(bits) = self
            && value(attribute.payload, 4) & !bits != 0
        {
            return Err(invalid("reserved bit set"));
        }
        Ok(())
    }
}

/// A number of one or four bytes.
fn value(payload: &[u8], size: usize) -> u32 {
    let number = match size {
        1 => payload.first().copied().map(u32::from),
        _ => payload.first_chunk().copied().map(u32::from_ne_bytes),
    };
    number.unwrap_or(0)
}

fn invalid(message: &'static str) -> Error {
    Error::new(Errno::EINVAL, message)
}

fn range(message: &'static str) -> Error {
    Error::new(Errno::ERANGE, message)
}
