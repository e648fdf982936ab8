//! What is told about entries (`vxlan_fdb_info()`, `vxlan_fdb_miss()`, `vxlan_ip_miss()`).

use core::net::IpAddr;
use core::time::Duration;

use super::{
    CACHEINFO, DELETE, DST, FAMILY, GET, IFINDEX, LINK_NETNSID, LLADDR, NEW, NH_ID, PORT, SRC_VNI,
    VNI,
};
use crate::device::Valid;
use crate::fdb::{Destination, Record, State};
use crate::netlink::{Header, Writer};
use crate::packet::OutOfRoom;
use crate::{Event, IfIndex, Instant, Mac, Message};

/// The VNI of a miss of the third layer, one that cannot be.
const VNI_OF_MISS: u32 = 1 << 24;
const INET: u8 = 2;
const INET6: u8 = 10;
/// Ticks of messages are hundredths of a second (`USER_HZ`).
const TICK_MILLIS: u128 = 10;

/// Writes messages about the entries of one device.
#[derive(Clone, Copy, Debug)]
pub struct Teller<'a> {
    /// The configuration of the device. What it says by default is left out.
    pub config: &'a Valid,
    /// The device.
    pub ifindex: IfIndex,
    /// The identifier of the namespace of the outer headers, if it is another one.
    pub netns: Option<i32>,
    /// Now.
    pub now: Instant,
}

impl Teller<'_> {
    /// Writes a record as a message with this header, whose kind is [`NEW`] in dumps and answers.
    /// Returns its length in bytes, at most 160.
    ///
    /// # Errors
    /// [`OutOfRoom`] (`EMSGSIZE`); what has been written until then stays.
    pub fn record(
        &self,
        header: &Header,
        record: &Record,
        out: &mut [u8],
    ) -> Result<usize, OutOfRoom> {
        let Record {
            key,
            state,
            flags,
            destination,
            ..
        } = record;
        let [flags, _] = flags.bits().to_le_bytes();
        header.write(out, |writer| {
            self.head(writer, FAMILY, *state, flags)?;
            writer.put(LLADDR, &key.mac.octets())?;
            match destination {
                Destination::Nexthop(id) => writer.put_u32(NH_ID, id.get())?,
                Destination::Remote(remote) => {
                    address(writer, remote.addr)?;
                    if remote.port != 0 && remote.port != self.config.port() {
                        writer.put(PORT, &remote.port.to_be_bytes())?;
                    }
                    self.vni(writer, remote.vni)?;
                    if let Some(ifindex) = remote.ifindex {
                        writer.put_u32(IFINDEX, ifindex.get())?;
                    }
                }
            }
            if self.config.is_external() && key.vni != 0 {
                writer.put_u32(SRC_VNI, key.vni)?;
            }
            let ago = |then| self.now.saturating_duration_since(then);
            times(writer, ago(record.used), ago(record.updated))
        })
    }

    /// Writes the notification of an event, to be multicast to `RTNLGRP_NEIGH`. `None` for an
    /// event that Linux does not tell.
    ///
    /// # Errors
    /// [`OutOfRoom`] (`ENOBUFS` for a notification); what has been written until then stays.
    pub fn event(&self, event: &Event, out: &mut [u8]) -> Result<Option<usize>, OutOfRoom> {
        let Some(message) = event.message() else {
            return Ok(None);
        };
        let header = Header {
            kind: match message {
                Message::New => NEW,
                Message::Delete => DELETE,
                Message::Miss => GET,
            },
            ..Header::default()
        };
        match event {
            Event::Learned(record)
            | Event::Changed(record)
            | Event::Migrated { record, .. }
            | Event::Removed(record) => self.record(&header, record, out),
            Event::L2Miss(mac) => self.l2_miss(*mac, out),
            Event::L3Miss(addr) => self.l3_miss(*addr, out),
            Event::LearnRefused { .. }
            | Event::QuotaReached { .. }
            | Event::LearnRateReached { .. }
            | Event::MoveDamped { .. }
            | Event::Vnis(_) => {
                return Ok(None);
            }
        }
        .map(Some)
    }

    /// Writes the notification that no entry has this address.
    ///
    /// # Errors
    /// See [`event`](Self::event).
    pub fn l2_miss(&self, mac: Mac, out: &mut [u8]) -> Result<usize, OutOfRoom> {
        self.miss(Some(mac), None, out)
    }

    /// Writes the notification that no neighbour has this address.
    ///
    /// # Errors
    /// See [`event`](Self::event).
    pub fn l3_miss(&self, addr: IpAddr, out: &mut [u8]) -> Result<usize, OutOfRoom> {
        self.miss(None, Some(addr), out)
    }

    fn miss(
        &self,
        mac: Option<Mac>,
        addr: Option<IpAddr>,
        out: &mut [u8],
    ) -> Result<usize, OutOfRoom> {
        let header = Header {
            kind: GET,
            ..Header::default()
        };
        let family = match addr {
            Some(IpAddr::V6(addr)) if !addr.is_unspecified() => INET6,
            _ => INET,
        };
        header.write(out, |writer| {
            self.head(writer, family, State::STALE, 0)?;
            if let Some(mac) = mac.filter(|mac| !mac.is_zero()) {
                writer.put(LLADDR, &mac.octets())?;
            }
            if let Some(addr) = addr.filter(|addr| !addr.is_unspecified()) {
                address(writer, addr)?;
            }
            self.vni(writer, if mac.is_some() { 0 } else { VNI_OF_MISS })?;
            let since = self.now.saturating_duration_since(Instant::ZERO);
            times(writer, since, since)
        })
    }

    /// `struct ndmsg` and what comes first in every message.
    fn head(
        &self,
        writer: &mut Writer<'_>,
        family: u8,
        state: State,
        flags: u8,
    ) -> Result<(), OutOfRoom> {
        /// `RTN_UNICAST`.
        const KIND: u8 = 1;
        writer.bytes(&[family, 0, 0, 0])?;
        writer.bytes(&self.ifindex.get().to_ne_bytes())?;
        let [a, b] = state.bits().to_ne_bytes();
        writer.bytes(&[a, b, flags, KIND])?;
        match self.netns {
            Some(netns) => writer.put(LINK_NETNSID, &netns.to_ne_bytes()),
            None => Ok(()),
        }
    }

    fn vni(&self, writer: &mut Writer<'_>, vni: u32) -> Result<(), OutOfRoom> {
        if vni == self.config.vni().get() {
            return Ok(());
        }
        writer.put_u32(VNI, vni)
    }
}

fn address(writer: &mut Writer<'_>, addr: IpAddr) -> Result<(), OutOfRoom> {
    match addr {
        IpAddr::V4(addr) => writer.put(DST, &addr.octets()),
        IpAddr::V6(addr) => writer.put(DST, &addr.octets()),
    }
}

/// `struct nda_cacheinfo`: confirmed, used, updated, references.
fn times(writer: &mut Writer<'_>, used: Duration, updated: Duration) -> Result<(), OutOfRoom> {
    let ticks = |ago: Duration| (ago.as_millis() / TICK_MILLIS) as u32;
    let mut info = [0; 16];
    let fields = [0, ticks(used), ticks(updated), 0].map(u32::to_ne_bytes);
    let bytes = fields.iter().flatten();
    for (place, byte) in info.iter_mut().zip(bytes) {
        *place = *byte;
    }
    writer.put(CACHEINFO, &info)
}
