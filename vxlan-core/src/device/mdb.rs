//! The device's door to its multicast database, and the frames that ask it.

use core::net::IpAddr;

use crate::mdb::{Defaults, Entry, Error, Filter, Message, Record, Request, Table};
use crate::wire::ethernet::{self, EtherType};
use crate::wire::{ipv4, ipv6};
use crate::{Device, DropReason, Egress, Packet, Worker, fdb};

impl<S: fdb::Storage> Device<S> {
    /// The multicast database; empty for ever in a storage without memory for one.
    #[must_use]
    #[inline]
    pub fn mdb(&self) -> Table<'_> {
        Table::new(&self.mdb, self.fdb.storage().mdb())
    }

    /// What a request to the multicast database need not say: the device's VNI and port.
    #[must_use]
    pub fn mdb_defaults(&self) -> Defaults {
        Defaults {
            vni: self.config().vni().get(),
            port: self.config().port(),
        }
    }

    /// Adds a remote to an entry of the multicast database, or changes it:
    /// `bridge mdb add|replace dev .. port .. grp .. dst ..`. See [`Mdb::add`](crate::mdb::Mdb::add).
    ///
    /// # Errors
    /// [`Error::NotSupported`] for a device that carries no Ethernet frames or has no memory for it;
    /// see [`Mdb::add`](crate::mdb::Mdb::add).
    pub fn mdb_add(
        &mut self,
        request: &Request<'_>,
        tell: &mut dyn FnMut(Message, &Record<'_>),
    ) -> Result<(), Error> {
        self.takes_groups()?;
        let defaults = self.mdb_defaults();
        let memory = self.fdb.storage_mut().mdb_mut();
        let memory = memory.ok_or(Error::NotSupported)?;
        self.mdb.add(memory, request, defaults, tell)
    }

    /// Deletes a remote of an entry: `bridge mdb del dev .. port .. grp .. dst ..`. See
    /// [`Mdb::remove`](crate::mdb::Mdb::remove).
    ///
    /// # Errors
    /// [`Error::NotSupported`] for a device that carries no Ethernet frames or has no memory for it;
    /// see [`Mdb::remove`](crate::mdb::Mdb::remove).
    pub fn mdb_remove(
        &mut self,
        request: &Request<'_>,
        tell: &mut dyn FnMut(Message, &Record<'_>),
    ) -> Result<(), Error> {
        self.takes_groups()?;
        let defaults = self.mdb_defaults();
        let memory = self.fdb.storage_mut().mdb_mut();
        let memory = memory.ok_or(Error::NotSupported)?;
        self.mdb.remove(memory, request, defaults, tell)
    }

    /// The entry that a request to show one names: `bridge mdb get dev .. grp ..`.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for a device that carries no Ethernet frames or has no memory for it;
    /// see [`Table::get`](crate::mdb::Table::get).
    pub fn mdb_get(&self, request: &Request<'_>) -> Result<Entry<'_>, Error> {
        self.takes_groups()?;
        self.mdb().get(request, self.mdb_defaults())
    }

    /// Deletes all remotes that meet `filter`: `bridge mdb flush dev ..`. With the default filter
    /// also what happens when the device is deleted (`vxlan_mdb_fini()`). A device that goes down
    /// keeps them.
    pub fn mdb_flush(&mut self, filter: &Filter, tell: &mut dyn FnMut(Message, &Record<'_>)) {
        if let Some(memory) = self.fdb.storage_mut().mdb_mut() {
            self.mdb.flush(memory, filter, tell);
        }
    }

    /// What an earlier device left in the memory.
    pub(super) fn forget_groups(&mut self) {
        if let Some(memory) = self.fdb.storage_mut().mdb_mut() {
            memory.view_mut().clear();
        }
    }

    fn takes_groups(&self) -> Result<(), Error> {
        if self.config().is_raw() || !self.config().compat().multicast_database {
            return Err(Error::NotSupported);
        }
        Ok(())
    }

    /// Where a frame for a group goes, if the multicast database says so. Kernel:
    /// `vxlan_mdb_entry_skb_get()`, `vxlan_mdb_xmit()`.
    ///
    /// Never inlined: most frames are none of its business.
    #[inline(never)]
    pub(super) fn transmit_to_group(
        &self,
        worker: &mut Worker,
        frame: &Packet<'_>,
        vni: u32,
    ) -> Option<Egress<'_>> {
        if self.mdb().is_empty() {
            return None;
        }
        let (source, group) = addresses(frame.bytes())?;
        let entry = self.mdb().lookup(source, group, vni)?;
        Some(match entry.copies() {
            Some(copies) => Egress::Multicast(copies),
            None => {
                let reason = DropReason::NoGroupRemote;
                worker.stats.count_drop(reason);
                Egress::Drop(reason, None)
            }
        })
    }
}

/// Source and destination of an IP packet right behind the Ethernet header. None for a broadcast,
/// behind a VLAN tag and of a packet that is cut off.
fn addresses(frame: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let (header, packet) = ethernet::Header::parse(frame).ok()?;
    if header.destination().is_broadcast() {
        return None;
    }
    match header.ethertype() {
        EtherType::IPV4 => {
            let (ip, _) = ipv4::Header::split(packet).ok()?;
            Some((ip.source().into(), ip.destination().into()))
        }
        EtherType::IPV6 => {
            let (ip, _) = ipv6::Header::split(packet).ok()?;
            Some((ip.source().into(), ip.destination().into()))
        }
        _ => None,
    }
}
