//! Deleting: one remote by request, many by a filter.

use core::net::IpAddr;

use super::slot::{Index, RemoteSlot};
use super::storage::Storage;
use super::table::{Head, TableMut};
use super::update::Tell;
use super::{Defaults, Error, Key, Message, Request};
use crate::IfIndex;
use crate::fdb::Remote;

/// Which remotes to flush. The default is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The network of the entry.
    pub network: Option<u32>,
    /// Who made the remote.
    pub protocol: Option<u8>,
    /// The address of the remote.
    pub addr: Option<IpAddr>,
    /// The port of the remote.
    pub port: Option<u16>,
    /// The VNI of the remote.
    pub vni: Option<u32>,
}

/// Whether a device flushes what a request asks for beside its [`Filter`], in Linux's order of checks
/// (`vxlan_mdb_flush_desc_init()`). `own` is the device itself; `permanent` is whether entries have
/// to be.
///
/// # Errors
/// [`Error::FlushPort`], [`Error::Vlan`], [`Error::FlushNotPermanent`].
pub fn check_flush(
    own: IfIndex,
    port: Option<IfIndex>,
    vid: u16,
    permanent: Option<bool>,
) -> Result<(), Error> {
    if port.is_some_and(|port| port != own) {
        Err(Error::FlushPort)
    } else if vid != 0 {
        Err(Error::Vlan)
    } else if permanent == Some(false) {
        Err(Error::FlushNotPermanent)
    } else {
        Ok(())
    }
}

impl Filter {
    fn meets(&self, key: &Key, slot: &RemoteSlot) -> bool {
        let Remote {
            addr, port, vni, ..
        } = slot.stated();
        self.network.is_none_or(|network| key.vni == network)
            && self
                .protocol
                .is_none_or(|protocol| slot.protocol == protocol)
            && self.addr.is_none_or(|wanted| addr == wanted)
            && self.port.is_none_or(|wanted| port == wanted)
            && self.vni.is_none_or(|wanted| vni == wanted)
    }
}

impl Head {
    /// See [`Mdb::remove`](super::Mdb::remove).
    pub(crate) fn remove<M: Storage + ?Sized>(
        &mut self,
        memory: &mut M,
        request: &Request<'_>,
        defaults: Defaults,
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        request.check()?;
        let key = request.key(defaults.vni);
        let addr = request.remote.ok_or(Error::NoRemote)?;
        let mut table = TableMut::new(self, memory);
        let group = table.find(&key).ok_or(Error::NotFound)?;
        let remote = table.view.read().find_remote(group, addr);
        let remote = remote.ok_or(Error::RemoteNotFound)?;
        table.remove(&key, group, remote, tell);
        Ok(())
    }

    /// See [`Mdb::flush`](super::Mdb::flush).
    pub(crate) fn flush<M: Storage + ?Sized>(
        &mut self,
        memory: &mut M,
        filter: &Filter,
        tell: Tell<'_>,
    ) {
        let mut table = TableMut::new(self, memory);
        table.head.walk = table.head.newest;
        while let Some(group) = table.head.walk.take() {
            // The entries that go along with a remote may well be the next ones.
            let Some(slot) = table.view.read().group(group) else {
                return;
            };
            let (key, mut link) = (slot.key, slot.newest);
            table.head.walk = slot.older;
            while let Some(remote) = link {
                let Some(slot) = table.view.read().remote(remote) else {
                    return;
                };
                link = slot.older;
                if filter.meets(&key, slot) {
                    table.remove(&key, group, remote, tell);
                }
            }
        }
    }
}

impl TableMut<'_> {
    /// Takes a remote out, then what its sources asked for (`vxlan_mdb_remote_del()`).
    fn remove(&mut self, key: &Key, group: Index, remote: Index, tell: Tell<'_>) {
        self.tell(Message::Delete, key, remote, tell);
        self.unlink_remote(group, remote);
        while let Some(index) = self.view.read().remote(remote).and_then(|r| r.sources) {
            let Some(slot) = self.view.read().source(index) else {
                break;
            };
            let source = slot.source;
            self.remove_forward(key, remote, source, tell);
            self.remove_source(remote, index);
        }
        self.bury(remote);
        self.remove_if_empty(group);
    }

    /// Takes the (S,G) remote of a source out, if it is there still.
    pub(super) fn remove_forward(
        &mut self,
        key: &Key,
        remote: Index,
        source: IpAddr,
        tell: Tell<'_>,
    ) {
        let Some(addr) = self.view.read().remote(remote).map(|r| r.remote.addr) else {
            return;
        };
        let key = Key {
            source: Some(source),
            ..*key
        };
        let Some(group) = self.find(&key) else {
            return;
        };
        let Some(forward) = self.view.read().find_remote(group, addr) else {
            return;
        };
        // It has no sources itself: `Request::check` sees to that.
        self.tell(Message::Delete, &key, forward, tell);
        self.unlink_remote(group, forward);
        self.bury(forward);
        self.remove_if_empty(group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a live Linux 6.18 answers bulk deletions, each fault by itself and together.
    #[test]
    fn what_a_flush_may_ask_for() {
        let (own, other) = (IfIndex::new(7).unwrap(), IfIndex::new(1));
        for (port, vid, permanent, want) in [
            (None, 0, None, Ok(())),
            (Some(own), 0, Some(true), Ok(())),
            (other, 5, Some(false), Err("vxlan: Invalid port net device")),
            (other, 0, Some(false), Err("vxlan: Invalid port net device")),
            (
                None,
                5,
                Some(false),
                Err("vxlan: VID must not be specified"),
            ),
            (
                None,
                0,
                Some(false),
                Err("vxlan: Only permanent MDB entries are supported"),
            ),
        ] {
            let got = check_flush(own, port, vid, permanent);
            assert_eq!(got.map_err(|error| error.message().unwrap()), want);
            assert!(got.is_ok() || got.is_err_and(|error| error.errno() == 22));
        }
    }
}
