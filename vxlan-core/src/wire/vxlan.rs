//! The 8-byte VXLAN header (RFC 7348 section 5; `struct vxlanhdr` in Linux).
//!
//! ```text
//!   31          24  23          16  15           8  7            0
//!  |G|R|V V|I|P|R|O|R|D|C|R|A|R R R|  policy id    | or next proto |
//!  |                  VNI, 24 bits                 | reserved, RCO |
//! ```
//!
//! RFC 7348 knows the I flag only. G, D, A and the policy id belong to group based policy (GBP), C
//! and the lowest byte to remote checksum offload (RCO), V, P, O and the next protocol to the
//! generic protocol extension (GPE).

use super::{Error, Layer};
use crate::Vni;
use bitflags::bitflags;
use zerocopy::big_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

bitflags! {
    /// The flags word, the first 32 bits of the header in host order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Flags: u32 {
        /// G: a group policy id is present (GBP; `VXLAN_HF_GBP`).
        const GROUP_POLICY = 0x8000_0000;
        /// The version, two bits (GPE). Must be 0.
        const VERSION = 0x3000_0000;
        /// I: the VNI is valid. Required always (`VXLAN_HF_VNI`).
        const VNI = 0x0800_0000;
        /// P: the next protocol is present (GPE; `VXLAN_HF_GPE`).
        const NEXT_PROTOCOL = 0x0400_0000;
        /// O: operations, administration and maintenance (GPE).
        const OAM = 0x0100_0000;
        /// D: don't learn (GBP; `VXLAN_GBP_DONT_LEARN`).
        const DONT_LEARN = 0x0040_0000;
        /// C: the checksum of the inner packet is still to be filled in (RCO; `VXLAN_HF_RCO`).
        const REMOTE_CHECKSUM = 0x0020_0000;
        /// A: the policy has been applied (GBP; `VXLAN_GBP_POLICY_APPLIED`).
        const POLICY_APPLIED = 0x0008_0000;
    }
}

/// The bits of the metadata word that a GBP header can carry (`VXLAN_GBP_MASK` in Linux): don't
/// learn, policy applied and the policy id, each where it stands in the flags word.
pub const GBP_MASK: u32 = 0x0048_ffff;

/// Which bits of the header must be zero: the eight bytes of a mask in header layout
/// (`IFLA_VXLAN_RESERVED_BITS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReservedBits([u8; 8]);

impl ReservedBits {
    /// Every bit but the I flag and the VNI: a device without extensions.
    pub const PLAIN: Self = Self([0xf7, 0xff, 0xff, 0xff, 0, 0, 0, 0xff]);
    /// No bit: all are ignored, as RFC 7348 section 5 asks.
    pub const NONE: Self = Self([0; 8]);

    /// The mask with these bytes, in the order of the wire.
    #[must_use]
    pub const fn new(octets: [u8; 8]) -> Self {
        Self(octets)
    }

    /// The bytes of the mask in the order of the wire.
    #[must_use]
    pub const fn octets(self) -> [u8; 8] {
        self.0
    }
}

/// A VXLAN header.
///
/// ```
/// use vxlan_core::Vni;
/// use vxlan_core::wire::vxlan::Header;
///
/// let header = Header::new(Vni::truncate(100));
/// assert_eq!(header.to_bytes(), [8, 0, 0, 0, 0, 0, 100, 0]);
/// assert_eq!(Header::parse(&header.to_bytes())?.0.vni().get(), 100);
/// # Ok::<(), vxlan_core::wire::Error>(())
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Header {
    flags: U32,
    vni: U32,
}

impl Header {
    /// The length of the header: 8 bytes.
    pub const LEN: usize = size_of::<Self>();

    /// The plain header: the I flag and the VNI.
    #[must_use]
    #[inline]
    pub const fn new(vni: Vni) -> Self {
        Self {
            flags: U32::new(Flags::VNI.bits()),
            vni: U32::new(vni.get() << 8),
        }
    }

    /// Takes eight bytes off the front of a UDP payload, whatever they say: for decoders.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes.
    #[inline]
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        super::split(Layer::Vxlan, bytes)
    }

    /// Takes the header off the front of a UDP payload. Reserved bits are not judged: see
    /// [`Self::reserved`].
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] below [`Self::LEN`] bytes, [`Error::MissingVniFlag`] without the I flag.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (header, payload) = Self::split(bytes)?;
        if header.flags().contains(Flags::VNI) {
            Ok((header, payload))
        } else {
            Err(Error::MissingVniFlag)
        }
    }

    /// Puts the header in front of `out` and returns what follows it.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::LEN`].
    #[inline]
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o mut [u8], Error> {
        super::write(Layer::Vxlan, self, out)
    }

    /// The header as it lies on the wire.
    #[must_use]
    #[inline]
    pub fn to_bytes(self) -> [u8; 8] {
        zerocopy::transmute!(self)
    }

    /// The flags word, bits without a name included.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        Flags::from_bits_retain(self.flags.get())
    }

    /// The VXLAN network identifier.
    #[must_use]
    pub const fn vni(&self) -> Vni {
        Vni::truncate(self.vni.get() >> 8)
    }

    /// The flags word and the VNI word, in host order.
    #[must_use]
    pub const fn words(&self) -> (u32, u32) {
        (self.flags.get(), self.vni.get())
    }

    /// The byte behind the VNI. RCO: where the inner checksum lies.
    #[must_use]
    pub const fn low_byte(&self) -> u8 {
        self.vni.get() as u8
    }

    /// GBP: the group policy id. Means something with [`Flags::GROUP_POLICY`] only.
    #[must_use]
    pub const fn group_policy_id(&self) -> u16 {
        self.flags.get() as u16
    }

    /// GBP: the metadata word (policy id and the bits D and A, [`GBP_MASK`]), or `None` without
    /// the G flag (`vxlan_parse_gbp_hdr()`).
    #[must_use]
    pub const fn gbp(&self) -> Option<u32> {
        if self.flags().contains(Flags::GROUP_POLICY) {
            Some(self.flags.get() & GBP_MASK)
        } else {
            None
        }
    }

    /// GPE: the number of the next protocol. Means something with [`Flags::NEXT_PROTOCOL`] only.
    #[must_use]
    pub const fn next_protocol(&self) -> u8 {
        self.flags.get() as u8
    }

    /// Whether any bit of `mask` is set in this header.
    #[must_use]
    #[inline]
    pub fn reserved(&self, mask: ReservedBits) -> bool {
        u64::from_ne_bytes(self.to_bytes()) & u64::from_ne_bytes(mask.0) != 0
    }

    /// GBP: the header with this metadata word; bits outside of [`GBP_MASK`] are dropped
    /// (`vxlan_build_gbp_hdr()`). Zero leaves the header as it is, G flag included, but any other
    /// word sets it, also one of which nothing remains.
    #[must_use]
    #[inline]
    pub const fn with_gbp(self, word: u32) -> Self {
        if word == 0 {
            return self;
        }
        let flags = self.flags.get() & !GBP_MASK | Flags::GROUP_POLICY.bits() | word & GBP_MASK;
        Self {
            flags: U32::new(flags),
            ..self
        }
    }

    /// GPE: the header with the P flag and this next protocol (`vxlan_build_gpe_hdr()`).
    #[must_use]
    #[inline]
    pub const fn with_next_protocol(self, number: u8) -> Self {
        let flags = self.flags.get() & !0xff | Flags::NEXT_PROTOCOL.bits() | number as u32;
        Self {
            flags: U32::new(flags),
            ..self
        }
    }

    /// RCO: the header with the C flag and this byte behind the VNI.
    #[must_use]
    #[inline]
    pub const fn with_remote_checksum(self, low_byte: u8) -> Self {
        Self {
            flags: U32::new(self.flags.get() | Flags::REMOTE_CHECKSUM.bits()),
            vni: U32::new(self.vni.get() & !0xff | low_byte as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain() -> Header {
        Header::new(Vni::truncate(100))
    }

    fn header(flags: u32, vni: u32) -> Header {
        Header {
            flags: U32::new(flags),
            vni: U32::new(vni),
        }
    }

    #[test]
    fn fields_lie_where_the_drawing_says() {
        let bytes = [0x88, 0x48, 0x12, 0x34, 0x00, 0x00, 0x64, 0x91, 7];
        let (header, payload) = Header::parse(&bytes).unwrap();
        let set = Flags::GROUP_POLICY | Flags::VNI | Flags::DONT_LEARN | Flags::POLICY_APPLIED;
        assert_eq!(header.flags() & Flags::all(), set);
        assert_eq!(header.words(), (0x8848_1234, 0x0000_6491));
        assert_eq!(header.vni().get(), 100);
        assert_eq!(header.low_byte(), 0x91);
        assert_eq!(header.group_policy_id(), 0x1234);
        assert_eq!(header.next_protocol(), 0x34);
        assert_eq!(payload, [7]);
    }

    #[test]
    fn every_flag_has_its_bit() {
        for (flag, bits) in [
            (Flags::GROUP_POLICY, 1 << 31),
            (Flags::VERSION, 3 << 28),
            (Flags::VNI, 1 << 27),
            (Flags::NEXT_PROTOCOL, 1 << 26),
            (Flags::OAM, 1 << 24),
            (Flags::DONT_LEARN, 1 << 22),
            (Flags::REMOTE_CHECKSUM, 1 << 21),
            (Flags::POLICY_APPLIED, 1 << 19),
        ] {
            assert_eq!(flag.bits(), bits, "{flag:?}");
        }
        assert_eq!(Flags::all().bits().count_ones(), 9);
    }

    #[test]
    fn short_and_without_vni() {
        let bytes = plain().to_bytes();
        for have in 0..Header::LEN {
            let want = Error::Truncated {
                layer: Layer::Vxlan,
                need: 8,
                have,
            };
            assert_eq!(Header::parse(&bytes[..have]), Err(want));
            assert_eq!(Header::split(&bytes[..have]), Err(want));
            assert_eq!(plain().write(&mut [0; 8][..have]), Err(want));
        }
        let bytes = [0xf7, 0xff, 0xff, 0xff, 0, 0, 0x64, 0];
        assert_eq!(Header::parse(&bytes), Err(Error::MissingVniFlag));
        assert_eq!(Header::split(&bytes).unwrap().0.vni().get(), 100);
    }

    #[test]
    fn gbp_as_the_kernel_builds_it() {
        for (word, flags) in [
            (0, 0x0800_0000),
            (0x0048_1234, 0x8848_1234),
            (0x0001_0000, 0x8800_0000),
            (0xffff_ffff, 0x8848_ffff),
            (0x0000_0001, 0x8800_0001),
        ] {
            let header = plain().with_gbp(word);
            assert_eq!(header.words(), (flags, 0x6400), "{word:#x}");
            let want = (word != 0).then_some(word & GBP_MASK);
            assert_eq!(header.gbp(), want, "{word:#x}");
        }
        assert_eq!(header(0x08b7_1234, 0).gbp(), None, "no G flag");
        assert_eq!(header(0x88b7_1234, 0).gbp(), Some(0x1234), "other bits");
    }

    #[test]
    fn extensions_as_the_kernel_builds_them() {
        let rco = plain().with_remote_checksum(0x91);
        assert_eq!(rco.words(), (0x0820_0000, 0x6491));
        let gpe = plain().with_next_protocol(1);
        assert_eq!(gpe.words(), (0x0c00_0001, 0x6400));
    }

    /// Strict masks break fabrics, loose ones hide protocols: every bit is judged by the mask alone.
    #[test]
    fn lesson_reserved_bits_are_judged_bit_by_bit() {
        for bit in 0..64 {
            let word = 1_u64 << bit;
            let header = header((word >> 32) as u32, word as u32);
            let used = (8..32).contains(&bit) || bit == 32 + 27;
            assert_eq!(header.reserved(ReservedBits::PLAIN), !used, "bit {bit}");
            assert!(!header.reserved(ReservedBits::NONE), "bit {bit}");
            let mask = ReservedBits::new(word.to_be_bytes());
            assert!(header.reserved(mask), "bit {bit}");
            let others = ReservedBits::new((!word).to_be_bytes());
            assert!(!header.reserved(others), "bit {bit}");
        }
    }

    /// The VNI on the wire is the VNI asked for, zero and the highest one included.
    #[test]
    fn lesson_the_vni_on_the_wire_is_the_one_asked_for() {
        for vni in [0, 1, 42, 0x0001_0000, 0x00ff_ffff] {
            let [flags, 0, 0, 0, a, b, c, 0] = Header::new(Vni::truncate(vni)).to_bytes() else {
                panic!("reserved bits are set");
            };
            assert_eq!((flags, u32::from_be_bytes([0, a, b, c])), (8, vni));
        }
    }

    proptest! {
        #[test]
        fn round_trip(flags: u32, vni: u32) {
            let header = header(flags, vni);
            let bytes = header.to_bytes();
            prop_assert_eq!(Header::split(&bytes), Ok((header, &[][..])));
            prop_assert_eq!(header.words(), (flags, vni));
            prop_assert_eq!(Header::parse(&bytes).is_ok(), flags & 0x0800_0000 != 0);
            let mut out = [0; 9];
            prop_assert_eq!(header.write(&mut out).map(|rest| rest.len()), Ok(1));
            prop_assert_eq!(&out[..8], &bytes[..]);
        }
    }
}
