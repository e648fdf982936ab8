//! The decode step: which VXLAN headers a receiver understands, and what they say.
//!
//! It serves the device and every other receiver alike. A virtual switch that has its own idea of
//! forwarding decodes with it and never makes a [`Device`](crate::Device); in Linux 4.2 it gave
//! `vxlan_sock_add()` a callback of its own.

use crate::compat::HeaderRule;
use crate::wire::ethernet::EtherType;
use crate::wire::rco::RemoteChecksum;
use crate::wire::vxlan::ReservedBits;
use crate::wire::{self, ethernet, gpe, vxlan};
use crate::{ChecksumState, DropReason, Flags, Packet, Vni, checksum};

use super::config::{USED_BY_GBP, USED_BY_RCO, Valid};

/// What a receiver of VXLAN packets understands.
///
/// Each extension that is accepted takes its header bits; whatever is left over makes a packet
/// malformed in Linux, while RFC 7348 section 5 has it ignored. [`HeaderRule`] chooses.
///
/// ```
/// use vxlan_core::device::Accept;
/// use vxlan_core::{Config, Packet, Vni};
///
/// let accept = Accept::new(&Config::new(Vni::MIN).gbp(true).validate()?);
/// let mut payload = [0x88, 0x40, 0, 7, 0, 0, 42, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0xb5];
/// let mut datagram = Packet::new(&mut payload, 0, 22)?;
/// let decoded = accept.decode(&mut datagram).map_err(|refused| format!("{refused:?}"))?;
/// assert_eq!((decoded.vni.get(), decoded.policy), (42, Some(0x40_0007)));
/// assert_eq!(datagram.len(), 14); // the inner frame
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    rule: HeaderRule,
    reserved: ReservedBits,
    flags: Flags,
}

/// What the header in front of a frame said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The network.
    pub vni: Vni,
    /// The group policy word, if there is one and the receiver understands it.
    pub policy: Option<u32>,
    /// What follows, if there is no inner Ethernet header.
    pub protocol: Option<EtherType>,
    /// Whether the inner checksum is still to be filled in.
    pub checksum: ChecksumState,
}

/// Why a datagram is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It ends here.
    Drop(DropReason),
    /// It is no VXLAN packet: unchanged, for whoever else reads the socket. Only with
    /// [`HeaderRule::HandBack`].
    NotVxlan,
}

impl From<DropReason> for Refused {
    fn from(reason: DropReason) -> Self {
        Self::Drop(reason)
    }
}

/// The VXLAN header at the front of a UDP payload, or the reason to drop it.
#[inline]
pub(crate) fn parse_header(payload: &[u8]) -> Result<(vxlan::Header, &[u8]), DropReason> {
    vxlan::Header::parse(payload).map_err(|error| match error {
        wire::Error::MissingVniFlag => DropReason::InvalidHeader,
        _ => DropReason::PacketTooSmall,
    })
}

impl Accept {
    /// What a device with this configuration understands.
    #[must_use]
    pub const fn new(config: &Valid) -> Self {
        Self {
            rule: config.compat().header,
            reserved: config.reserved_bits(),
            flags: config.flags(),
        }
    }

    /// Takes the VXLAN header off a UDP payload: checks it, says what it said, and leaves the inner
    /// frame. Networks are for the caller to know. Kernel: the first half of `vxlan_rcv()`,
    /// `vxlan_udp_encap_recv()`.
    ///
    /// # Errors
    /// [`Refused`] with the reason; the datagram may have lost its header then, unless it is
    /// handed back.
    #[inline]
    pub fn decode(&self, datagram: &mut Packet<'_>) -> Result<Decoded, Refused> {
        let header = self.check(datagram.bytes(), |_| true)?;
        Ok(self.open(&header, datagram)?)
    }

    /// The header checks: length, I flag, VNI and reserved bits, each driver in its order.
    #[inline]
    pub(super) fn check(
        &self,
        payload: &[u8],
        is_ours: impl FnOnce(Vni) -> bool,
    ) -> Result<vxlan::Header, Refused> {
        if self.rule == HeaderRule::HandBack {
            self.check_or_hand_back(payload)?;
        }
        let (header, _) = parse_header(payload)?;
        if !is_ours(header.vni()) {
            return Err(DropReason::VniNotFound.into());
        }
        if self.rule == HeaderRule::Mask && header.reserved(self.reserved) {
            return Err(DropReason::ReservedBits.into());
        }
        Ok(header)
    }

    /// The checks of Linux 4.3, which came before the VNI was looked up.
    #[cold]
    fn check_or_hand_back(&self, payload: &[u8]) -> Result<(), Refused> {
        let (header, frame) = vxlan::Header::parse(payload).map_err(|_| Refused::NotVxlan)?;
        if frame.len() < ethernet::Header::LEN {
            return Err(DropReason::InnerTooShort.into());
        }
        let mut used = 0;
        if self.has_remote_checksum(&header) {
            let remote = RemoteChecksum::from_low_byte(header.low_byte());
            if frame.len() < remote.end() {
                return Err(DropReason::RemoteChecksum.into());
            }
            used |= USED_BY_RCO;
        }
        if self.policy(&header).is_some() {
            used |= USED_BY_GBP;
        }
        let plain = u64::from_be_bytes(ReservedBits::PLAIN.octets());
        if header.reserved(ReservedBits::new((plain & !used).to_be_bytes())) {
            return Err(Refused::NotVxlan);
        }
        Ok(())
    }

    /// Strips a checked header and does what it asks for.
    #[inline]
    pub(super) fn open(
        &self,
        header: &vxlan::Header,
        datagram: &mut Packet<'_>,
    ) -> Result<Decoded, DropReason> {
        let mut decoded = Decoded {
            vni: header.vni(),
            policy: self.policy(header),
            protocol: None,
            // What was put together from segments has no checksum yet.
            checksum: match datagram.gso {
                Some(_) => datagram.checksum,
                None => ChecksumState::None,
            },
        };
        if self.flags.contains(Flags::GPE) {
            decoded.protocol = Some(gpe::protocol(header).ok_or(DropReason::NextProtocol)?);
        }
        datagram
            .pull(vxlan::Header::LEN)
            .map_err(|_| DropReason::PacketTooSmall)?;
        if decoded.protocol.is_none() && datagram.len() < ethernet::Header::LEN {
            return Err(DropReason::InnerTooShort);
        }
        // What was put together from segments knows its checksum already
        // (`NAPI_GRO_CB(skb)->remcsum_start`, `skb->remcsum_offload`).
        if self.has_remote_checksum(header) && datagram.gso.is_none() {
            decoded.checksum = self.remote_checksum(header.low_byte(), datagram)?;
        }
        Ok(decoded)
    }

    #[inline]
    fn policy(&self, header: &vxlan::Header) -> Option<u32> {
        if self.flags.contains(Flags::GBP) {
            header.gbp()
        } else {
            None
        }
    }

    #[inline]
    fn has_remote_checksum(&self, header: &vxlan::Header) -> bool {
        self.flags.contains(Flags::REMCSUM_RX)
            && header.flags().contains(vxlan::Flags::REMOTE_CHECKSUM)
    }

    /// Finds the checksum that the sender left to be filled in; computes it if configured so
    /// (`vxlan_remcsum()`).
    #[cold]
    fn remote_checksum(
        &self,
        low_byte: u8,
        frame: &mut Packet<'_>,
    ) -> Result<ChecksumState, DropReason> {
        let remote = RemoteChecksum::from_low_byte(low_byte);
        let (start, offset) = (remote.start(), remote.offset());
        let covered = frame
            .bytes_mut()
            .get_mut(start.into()..)
            .ok_or(DropReason::RemoteChecksum)?;
        // Unlike a sender, Linux leaves a result of zero as it is here.
        let checksum = !checksum::sum(covered);
        let field: &mut [u8; 2] = covered
            .get_mut(offset.into()..)
            .and_then(<[u8]>::first_chunk_mut)
            .ok_or(DropReason::RemoteChecksum)?;
        if self.flags.contains(Flags::REMCSUM_NOPARTIAL) {
            *field = checksum.to_be_bytes();
        } else if usize::from(start) >= ethernet::Header::LEN {
            return Ok(ChecksumState::Partial { start, offset });
        }
        // A start within the Ethernet header is forgotten when that header is taken off.
        Ok(ChecksumState::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use proptest::prelude::*;

    fn accept(config: Config) -> Accept {
        Accept::new(&config.validate().unwrap())
    }

    fn decode(accept: &Accept, payload: &[u8]) -> (Result<Decoded, Refused>, alloc::vec::Vec<u8>) {
        let mut bytes = payload.to_vec();
        let len = bytes.len();
        let mut datagram = Packet::new(&mut bytes, 0, len).unwrap();
        let decoded = accept.decode(&mut datagram);
        (decoded, datagram.bytes().to_vec())
    }

    fn payload(flags: u32, vni: u32, frame: &[u8]) -> alloc::vec::Vec<u8> {
        [&flags.to_be_bytes()[..], &vni.to_be_bytes(), frame].concat()
    }

    /// R-05: a checksum that is computed on arrival equals the one computed over everything.
    #[test]
    fn r05_partial_and_computed() {
        // Ethernet, IPv4 and UDP 1.1.1.1:1 to 2.2.2.2:2, "hello!", the pseudo-header sum.
        let mut frame = [0u8; 48];
        frame[34..].copy_from_slice(b"\x00\x01\x00\x02\x00\x0e\x06\x25hello!");
        let rco = 0x0820_0000;
        let partial = Config::new(Vni::MIN).remote_checksum_rx(true);
        let computed = partial.clone().remote_checksum_nopartial(true);

        let (decoded, left) = decode(&accept(partial.clone()), &payload(rco, 0x91, &frame));
        let state = decoded.unwrap().checksum;
        assert_eq!(
            state,
            ChecksumState::Partial {
                start: 34,
                offset: 6
            }
        );
        assert_eq!(left, frame, "unchanged");

        let (decoded, left) = decode(&accept(computed), &payload(rco, 0x91, &frame));
        assert_eq!(decoded.unwrap().checksum, ChecksumState::None);
        assert_eq!(left[40..42], [0xb5, 0xd6]);

        // A start within the Ethernet header is forgotten; a field beyond the packet is fatal.
        let (decoded, _) = decode(&accept(partial.clone()), &payload(rco, 0x86, &frame));
        assert_eq!(decoded.unwrap().checksum, ChecksumState::None);
        let (decoded, _) = decode(&accept(partial), &payload(rco, 0x92, &frame[..41]));
        assert_eq!(decoded, Err(DropReason::RemoteChecksum.into()));
    }

    /// R-03 for a packet with and without inner Ethernet header.
    #[test]
    fn r03_what_must_follow() {
        let plain = accept(Config::new(Vni::MIN));
        let raw = accept(
            Config::new(Vni::MIN)
                .learning(false)
                .external(true)
                .gpe(true),
        );
        for (name, accept, flags, frame, want) in [
            (
                "13 bytes",
                &plain,
                0x0800_0000,
                &[0u8; 13][..],
                Err(DropReason::InnerTooShort),
            ),
            ("14 bytes", &plain, 0x0800_0000, &[0; 14], Ok(None)),
            (
                "GPE, nothing",
                &raw,
                0x0c00_0001,
                &[],
                Ok(Some(EtherType::IPV4)),
            ),
            (
                "GPE, no protocol",
                &raw,
                0x0800_0000,
                &[0; 14],
                Err(DropReason::NextProtocol),
            ),
            (
                "GPE, version",
                &raw,
                0x1c00_0001,
                &[0; 14],
                Err(DropReason::NextProtocol),
            ),
        ] {
            let (decoded, _) = decode(accept, &payload(flags, 0, frame));
            let got = decoded.map(|decoded| decoded.protocol);
            assert_eq!(got, want.map_err(Refused::from), "{name}");
        }
    }

    proptest! {
        /// R-05: every start and length; the field then makes the sum from start on whole.
        #[test]
        fn r05_any_place(
            low_byte: u8,
            frame in proptest::collection::vec(any::<u8>(), 14..400),
        ) {
            let config = Config::new(Vni::MIN).remote_checksum_rx(true);
            let computed = accept(config.remote_checksum_nopartial(true));
            let remote = RemoteChecksum::from_low_byte(low_byte);
            let (start, offset) = (usize::from(remote.start()), usize::from(remote.offset()));
            let (decoded, left) =
                decode(&computed, &payload(0x0820_0000, low_byte.into(), &frame));
            if frame.len() < start + offset + 2 {
                prop_assert_eq!(decoded, Err(DropReason::RemoteChecksum.into()));
            } else {
                decoded.unwrap();
                let mut zeroed = frame.clone();
                zeroed[start + offset..start + offset + 2].fill(0);
                let seed = [frame[start + offset], frame[start + offset + 1]];
                let want = !checksum::Sum::ZERO
                    .add_bytes(&zeroed[start..])
                    .add_bytes(&seed)
                    .fold();
                prop_assert_eq!(&left[start + offset..start + offset + 2], &want.to_be_bytes());
            }
        }
    }
}
