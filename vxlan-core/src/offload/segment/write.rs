//! One segment: what its headers say that those of the whole do not.

use crate::checksum::Sum;
use crate::wire::{Error, Layer, ipv4, ipv6, protocol, tcp, udp};

use super::super::layout::{Layout, Tunnel};
use super::Cut;

/// One segment of a packet whose bytes lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'p> {
    pub(super) cut: Cut<'p>,
    pub(super) payload: &'p [u8],
    pub(super) index: u32,
    pub(super) last: bool,
    pub(super) fragment: Option<u32>,
}

impl<'p> Segment<'p> {
    /// The length in bytes of the packet that [`Self::write`] writes.
    #[expect(clippy::len_without_is_empty, reason = "it has a header always")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.cut.headers.len() + self.payload.len()
    }

    /// The length in bytes of what [`Self::write_headers`] writes.
    #[must_use]
    pub const fn headers_len(&self) -> usize {
        self.cut.headers.len()
    }

    /// The bytes behind the headers, for senders that gather (`writev()`).
    #[must_use]
    pub const fn payload(&self) -> &'p [u8] {
        self.payload
    }

    /// The MTU that the IPv4 packet has to be cut to with
    /// [`wire::ipv4::fragments`](crate::wire::ipv4::fragments), if it is longer and the path was
    /// named ([`Segments::over_path`](super::Segments::over_path)).
    #[must_use]
    pub const fn needs_fragments(&self) -> Option<u32> {
        self.fragment
    }

    /// Puts the packet at the front of `out` and returns its length.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::len`].
    pub fn write(&self, out: &mut [u8]) -> Result<usize, Error> {
        let length = self.len();
        let (headers, behind) = match out.split_at_mut_checked(self.headers_len()) {
            Some((headers, behind)) if behind.len() >= self.payload.len() => (headers, behind),
            _ => return Err(self.short(length, out)),
        };
        self.write_headers(headers)?;
        if let Some(room) = behind.get_mut(..self.payload.len()) {
            room.copy_from_slice(self.payload);
        }
        Ok(length)
    }

    /// Puts all that comes before the payload at the front of `out` and returns its length.
    ///
    /// # Errors
    ///
    /// [`Error::Truncated`] if `out` is shorter than [`Self::headers_len`].
    pub fn write_headers(&self, out: &mut [u8]) -> Result<usize, Error> {
        let length = self.cut.headers.len();
        let Some(headers) = out.get_mut(..length) else {
            return Err(self.short(length, out));
        };
        headers.copy_from_slice(self.cut.headers);
        let Some(inner) = self.cut.inner else {
            return Ok(length);
        };
        // Once, for both checksums. The headers are of even length, so the order is no matter.
        let payload = Sum::ZERO.add_bytes(self.payload);
        let frame = self.cut.tunnel.map_or(0, |tunnel| tunnel.frame());
        self.rewrite_inner(
            headers.get_mut(frame..).unwrap_or_default(),
            &inner,
            payload,
        )?;
        if let Some(tunnel) = &self.cut.tunnel {
            self.rewrite_outer(headers, tunnel, payload)?;
        }
        Ok(length)
    }

    fn rewrite_inner(&self, frame: &mut [u8], inner: &Layout, payload: Sum) -> Result<(), Error> {
        let end = frame.len() + self.payload.len();
        let packet = frame.get_mut(inner.network..).unwrap_or_default();
        let id = if self.cut.fixed.inner { 0 } else { self.index };
        rewrite_ip(packet, inner.is_ipv4(), end - inner.network, id)?;

        let datagram = frame.get_mut(inner.transport..).unwrap_or_default();
        let length = end - inner.transport;
        let pseudo = inner
            .addresses
            .pseudo_header_sum(inner.protocol(), length as u32);
        let remote_checksum = self.cut.tunnel.is_some_and(|tunnel| tunnel.remote_checksum);
        let checksum = |datagram: &[u8]| match remote_checksum {
            true => pseudo.fold(),
            false => pseudo.add_bytes(datagram).add(payload).complement(),
        };
        if inner.protocol() == protocol::TCP {
            let (header, _) = tcp::Header::split_mut(datagram)?;
            let sent = self.index.wrapping_mul(self.cut.size.into());
            header.set_sequence(header.sequence().wrapping_add(sent));
            let mut flags = header.flags();
            flags.set(
                tcp::Flags::CWR,
                flags.contains(tcp::Flags::CWR) && self.index == 0,
            );
            if !self.last {
                flags.remove(tcp::Flags::PSH | tcp::Flags::FIN);
            }
            header.set_flags(flags);
            header.set_checksum(0);
            let checksum = checksum(datagram);
            tcp::Header::split_mut(datagram)?.0.set_checksum(checksum);
        } else {
            let (header, _) = udp::Header::split_mut(datagram)?;
            let absent = header.checksum() == 0;
            header.set_length(length as u16);
            header.set_checksum(0);
            if !absent {
                let checksum = udp::never_zero(checksum(datagram));
                udp::Header::split_mut(datagram)?.0.set_checksum(checksum);
            }
        }
        Ok(())
    }

    fn rewrite_outer(&self, packet: &mut [u8], tunnel: &Tunnel, payload: Sum) -> Result<(), Error> {
        let end = self.len();
        let id = if self.cut.fixed.outer { 0 } else { self.index };
        rewrite_ip(packet, tunnel.is_ipv4(), end, id)?;
        let datagram = packet.get_mut(tunnel.udp..).unwrap_or_default();
        let length = end - tunnel.udp;
        let (header, _) = udp::Header::split_mut(datagram)?;
        header.set_length(length as u16);
        header.set_checksum(0);
        if tunnel.checksum {
            let pseudo = udp::pseudo_header_sum(tunnel.addresses, length);
            let checksum = if self.cut.checksum_offload {
                pseudo.fold()
            } else {
                udp::never_zero(pseudo.add_bytes(datagram).add(payload).complement())
            };
            udp::Header::split_mut(datagram)?.0.set_checksum(checksum);
        }
        Ok(())
    }

    #[cold]
    fn short(&self, need: usize, out: &[u8]) -> Error {
        let layer = match &self.cut.tunnel {
            Some(tunnel) if tunnel.is_ipv4() => Layer::Ipv4,
            Some(_) => Layer::Ipv6,
            None => Layer::Ethernet,
        };
        let have = out.len();
        Error::Truncated { layer, need, have }
    }
}

/// Gives the IP header at the front of `packet` a new length, counted from the header on, and an
/// identification that is `id` further. Lengths were checked before anything was cut.
pub(in super::super) fn rewrite_ip(
    packet: &mut [u8],
    is_ipv4: bool,
    length: usize,
    id: u32,
) -> Result<(), Error> {
    if !is_ipv4 {
        let (header, _) = ipv6::Header::split_mut(packet)?;
        header.set_payload_length(length.saturating_sub(ipv6::Header::LEN) as u16);
        return Ok(());
    }
    let (header, behind) = ipv4::Header::split_mut(packet)?;
    header.set_total_length(length as u16);
    header.set_identification(header.identification().wrapping_add(id as u16));
    let options = header.header_len().saturating_sub(ipv4::Header::LEN);
    header.fill_checksum(behind.get(..options).unwrap_or_default());
    Ok(())
}
