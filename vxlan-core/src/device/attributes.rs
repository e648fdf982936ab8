//! A configuration as netlink attributes, as a link message carries it.

use core::net::IpAddr;

use byteorder::{BigEndian, ByteOrder, NativeEndian};

use super::{Df, Flags, FlowLabel, Valid};
use crate::IfIndex;
use crate::packet::OutOfRoom;

/// Attributes start at multiples of this (`NLA_ALIGNTO`).
const ALIGNMENT: usize = 4;
/// Length and number (`struct nlattr`).
const HEADER_LEN: usize = 4;

pub(crate) const ID: u16 = 1;
pub(crate) const GROUP: u16 = 2;
pub(crate) const LINK: u16 = 3;
pub(crate) const LOCAL: u16 = 4;
pub(crate) const TTL: u16 = 5;
pub(crate) const TOS: u16 = 6;
pub(crate) const LEARNING: u16 = 7;
pub(crate) const AGEING: u16 = 8;
pub(crate) const LIMIT: u16 = 9;
pub(crate) const PORT_RANGE: u16 = 10;
pub(crate) const PROXY: u16 = 11;
pub(crate) const RSC: u16 = 12;
pub(crate) const L2MISS: u16 = 13;
pub(crate) const L3MISS: u16 = 14;
pub(crate) const PORT: u16 = 15;
pub(crate) const GROUP6: u16 = 16;
pub(crate) const LOCAL6: u16 = 17;
pub(crate) const UDP_CSUM: u16 = 18;
pub(crate) const UDP_ZERO_CSUM6_TX: u16 = 19;
pub(crate) const UDP_ZERO_CSUM6_RX: u16 = 20;
pub(crate) const REMCSUM_TX: u16 = 21;
pub(crate) const REMCSUM_RX: u16 = 22;
pub(crate) const GBP: u16 = 23;
pub(crate) const REMCSUM_NOPARTIAL: u16 = 24;
pub(crate) const COLLECT_METADATA: u16 = 25;
pub(crate) const LABEL: u16 = 26;
pub(crate) const GPE: u16 = 27;
pub(crate) const TTL_INHERIT: u16 = 28;
pub(crate) const DF: u16 = 29;
pub(crate) const VNIFILTER: u16 = 30;
pub(crate) const LOCALBYPASS: u16 = 31;
pub(crate) const LABEL_POLICY: u16 = 32;
pub(crate) const RESERVED_BITS: u16 = 33;
/// Taken and never dumped.
pub(crate) const MC_ROUTE: u16 = 34;

/// One attribute of a link message (`IFLA_VXLAN_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    number: u16,
    len: usize,
    bytes: [u8; 16],
}

impl Attribute {
    /// The attribute's number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// What it carries, at most 16 bytes; nothing if its presence says it all.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn new(number: u16, payload: &[u8]) -> Self {
        let mut bytes = [0; 16];
        for (byte, value) in bytes.iter_mut().zip(payload) {
            *byte = *value;
        }
        Self {
            number,
            len: payload.len().min(bytes.len()),
            bytes,
        }
    }

    fn byte(number: u16, value: u8) -> Option<Self> {
        Some(Self::new(number, &[value]))
    }

    fn host(number: u16, value: u32) -> Option<Self> {
        let mut payload = [0; 4];
        NativeEndian::write_u32(&mut payload, value);
        Some(Self::new(number, &payload))
    }

    fn address(numbers: (u16, u16), addr: IpAddr) -> Option<Self> {
        if addr.is_unspecified() {
            return None;
        }
        Some(match addr {
            IpAddr::V4(addr) => Self::new(numbers.0, &addr.octets()),
            IpAddr::V6(addr) => Self::new(numbers.1, &addr.octets()),
        })
    }
}

impl Valid {
    /// The attributes of a link message, in the order in which Linux dumps them
    /// (`vxlan_fill_info()`).
    ///
    /// Numbers are in the machine's byte order; addresses, ports and labels in that of the
    /// network.
    ///
    /// ```
    /// use vxlan_core::{Config, Vni};
    ///
    /// let config = Config::new(Vni::MIN).validate()?;
    /// let port = config.attributes().find(|attribute| attribute.number() == 15);
    /// assert_eq!(port.ok_or("always there")?.payload(), 8472u16.to_be_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> + use<> {
        let flags = self.flags();
        let flag = |number, flag| Attribute::byte(number, u8::from(flags.contains(flag)));
        let present = |number, flag| flags.contains(flag).then(|| Attribute::new(number, &[]));
        let (label, policy) = match self.flow_label() {
            FlowLabel::Fixed(label) => (label, 0),
            FlowLabel::Inherit(label) => (label, 1),
        };
        let df = match self.df() {
            Df::Unset => 0,
            Df::Set => 1,
            Df::Inherit => 2,
        };
        let mut label_bytes = [0; 4];
        BigEndian::write_u32(&mut label_bytes, label);
        let mut port = [0; 2];
        BigEndian::write_u16(&mut port, self.port());
        let range = self.port_range();
        let mut range_bytes = [0; 4];
        BigEndian::write_u16_into(&[range.low(), range.high()], &mut range_bytes);
        let limit = self.limit().map_or(0, core::num::NonZero::get);
        let ageing = u32::try_from(self.ageing().as_secs()).unwrap_or(u32::MAX);
        let zero_checksum = flags.contains(Flags::UDP_ZERO_CSUM_TX);
        [
            Attribute::host(ID, self.vni().get()),
            Attribute::address((GROUP, GROUP6), self.remote()),
            self.lower()
                .map(IfIndex::get)
                .and_then(|link| Attribute::host(LINK, link)),
            Attribute::address((LOCAL, LOCAL6), self.local()),
            Attribute::byte(TTL, self.ttl()),
            flag(TTL_INHERIT, Flags::TTL_INHERIT),
            Attribute::byte(TOS, self.tos()),
            Attribute::byte(DF, df),
            Some(Attribute::new(LABEL, &label_bytes)),
            Attribute::host(LABEL_POLICY, policy),
            flag(LEARNING, Flags::LEARN),
            flag(PROXY, Flags::PROXY),
            flag(RSC, Flags::RSC),
            flag(L2MISS, Flags::L2MISS),
            flag(L3MISS, Flags::L3MISS),
            flag(COLLECT_METADATA, Flags::COLLECT_METADATA),
            Attribute::host(AGEING, ageing),
            Attribute::host(LIMIT, limit),
            Some(Attribute::new(PORT, &port)),
            Attribute::byte(UDP_CSUM, u8::from(!zero_checksum)),
            flag(UDP_ZERO_CSUM6_TX, Flags::UDP_ZERO_CSUM6_TX),
            flag(UDP_ZERO_CSUM6_RX, Flags::UDP_ZERO_CSUM6_RX),
            flag(REMCSUM_TX, Flags::REMCSUM_TX),
            flag(REMCSUM_RX, Flags::REMCSUM_RX),
            flag(LOCALBYPASS, Flags::LOCALBYPASS),
            Some(Attribute::new(PORT_RANGE, &range_bytes)),
            present(GBP, Flags::GBP),
            present(GPE, Flags::GPE),
            present(REMCSUM_NOPARTIAL, Flags::REMCSUM_NOPARTIAL),
            Attribute::byte(VNIFILTER, 1).filter(|_| self.has_vni_filter()),
            Some(Attribute::new(
                RESERVED_BITS,
                &self.reserved_bits().octets(),
            )),
        ]
        .into_iter()
        .flatten()
    }

    /// Writes the attributes to the front of `out` as they stand in a link message
    /// (`IFLA_INFO_DATA`), and returns their length in bytes, which is at most 264.
    ///
    /// # Errors
    /// [`OutOfRoom`] if `out` is too short; what has been written until then stays.
    pub fn write_attributes(&self, out: &mut [u8]) -> Result<usize, OutOfRoom> {
        let have = out.len();
        let mut at = 0;
        for attribute in self.attributes() {
            let len = HEADER_LEN + attribute.payload().len();
            let end = at + len.next_multiple_of(ALIGNMENT);
            let short = OutOfRoom { need: end, have };
            let (head, body) = out
                .get_mut(at..end)
                .and_then(|place| place.split_at_mut_checked(HEADER_LEN))
                .ok_or(short)?;
            let fields = [u16::try_from(len).unwrap_or(u16::MAX), attribute.number()];
            NativeEndian::write_u16_into(&fields, head);
            let payload = attribute.payload().iter().chain(core::iter::repeat(&0));
            for (byte, value) in body.iter_mut().zip(payload) {
                *byte = *value;
            }
            at = end;
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Vni};

    fn everything() -> Valid {
        Config::new(Vni::MAX)
            .remote("2001:db8::2".parse().unwrap())
            .local("2001:db8::1".parse().unwrap())
            .lower(IfIndex::new(7))
            .gbp(true)
            .validate()
            .unwrap()
    }

    /// Order and sizes of a dump: each number once, lengths unpadded.
    #[test]
    fn order_of_the_dump() {
        let numbers: [u16; 28] = [
            1, 16, 3, 17, 5, 28, 6, 29, 26, 32, 7, 11, 12, 13, 14, 25, 8, 9, 15, 18, 19, 20, 21,
            22, 31, 10, 23, 33,
        ];
        assert!(everything().attributes().map(|a| a.number()).eq(numbers));
        let plain = Config::new(Vni::MIN).validate().unwrap();
        let absent = |number: &u16| ![16, 3, 17, 23].contains(number);
        assert!(
            plain
                .attributes()
                .map(|a| a.number())
                .eq(numbers.into_iter().filter(absent))
        );
    }

    #[test]
    fn short_buffers_are_refused() {
        let mut out = [0xff; 256];
        let len = everything().write_attributes(&mut out).unwrap();
        assert_eq!(len % ALIGNMENT, 0);
        for short in 0..len {
            let error = everything()
                .write_attributes(out.get_mut(..short).unwrap())
                .unwrap_err();
            assert!(
                error.need > short && error.have == short,
                "{short}: {error}"
            );
        }
        // Padding is zero whatever the buffer held.
        let ttl = [5, 0, 5, 0, 0, 0, 0, 0];
        if cfg!(target_endian = "little") {
            assert!(out.windows(8).any(|window| window == ttl));
        }
    }
}
