//! What a request says, and the checks before the table is looked at.

use core::net::IpAddr;

use super::{Error, FilterMode, Key};
use crate::IfIndex;
use crate::fdb::{Mode, Remote};

/// The protocol of what the operator made (`RTPROT_STATIC`).
pub const PROTOCOL_STATIC: u8 = 4;

/// A request to add or delete a remote. What is `None` takes the device's default.
///
/// ```
/// use vxlan_core::fdb::Mode;
/// use vxlan_core::mdb::Request;
///
/// let request = Request::new("239.1.1.1".parse()?)
///     .remote("192.0.2.2".parse()?)
///     .mode(Mode::CREATE | Mode::REPLACE);
/// request.check()?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The group, or the unspecified address for all other groups of its family.
    pub group: IpAddr,
    /// The source (`MDBE_ATTR_SOURCE`).
    pub source: Option<IpAddr>,
    /// The network (`MDBE_ATTR_SRC_VNI`). The device's VNI unless given; only external mode looks
    /// in other ones.
    pub network: Option<u32>,
    /// What the list of sources means (`MDBE_ATTR_GROUP_MODE`).
    pub filter: Option<FilterMode>,
    /// The list of sources (`MDBE_ATTR_SRC_LIST`), in the order of the message.
    pub sources: Option<&'a [IpAddr]>,
    /// The address of the remote (`MDBE_ATTR_DST`). Its family may differ from the device's.
    pub remote: Option<IpAddr>,
    /// The port of the remote (`MDBE_ATTR_DST_PORT`), host order.
    pub port: Option<u16>,
    /// The VNI of the remote (`MDBE_ATTR_VNI`); zero stands for that of the entry.
    pub vni: Option<u32>,
    /// The interface to send through (`MDBE_ATTR_IFINDEX`). Whether it exists is the caller's to
    /// know, after [`check`](Self::check) and with [`Error::Interface`].
    pub ifindex: Option<IfIndex>,
    /// Who makes it (`MDBE_ATTR_RTPROT`).
    pub protocol: u8,
    /// [`Mode::CREATE`] and [`Mode::REPLACE`] count.
    pub mode: Mode,
}

/// The fixed part of an entry in a message (`struct br_mdb_entry`), without the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The port.
    pub port: IfIndex,
    /// The state is `MDB_PERMANENT`.
    pub permanent: bool,
    /// `MDB_FLAGS_*`.
    pub flags: u8,
    /// The VLAN.
    pub vid: u16,
}

impl Header {
    /// Whether the device `device` can add such an entry, or delete it.
    ///
    /// # Errors
    /// The first of [`Error::Port`], [`Error::NotPermanent`] (only if it is to be added),
    /// [`Error::Flags`] and [`Error::Vlan`].
    pub fn check(&self, device: IfIndex, add: bool) -> Result<(), Error> {
        if self.port != device {
            Err(Error::Port)
        } else if add && !self.permanent {
            Err(Error::NotPermanent)
        } else if self.flags != 0 {
            Err(Error::Flags)
        } else if self.vid != 0 {
            Err(Error::Vlan)
        } else {
            Ok(())
        }
    }
}

/// The checks of the group that come before those of [`Header`] (`rtnl_mdb_add()`).
///
/// # Errors
/// [`Error::NotMulticastV4`], [`Error::LocalMulticastV4`] or [`Error::AllNodesV6`].
pub fn check_group(group: IpAddr) -> Result<(), Error> {
    match group {
        IpAddr::V4(v4) if !v4.is_multicast() && !v4.is_unspecified() => Err(Error::NotMulticastV4),
        IpAddr::V4(v4) if is_local(v4.into()) => Err(Error::LocalMulticastV4),
        IpAddr::V6(v6) if v6.segments() == [0xff02, 0, 0, 0, 0, 0, 0, 1] => Err(Error::AllNodesV6),
        _ => Ok(()),
    }
}

/// Whether a group never leaves the link: 224.0.0.0/24, ff02::/16 (whatever its flags).
pub(super) fn is_local(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(group) => group.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(group) => group.is_multicast() && group.octets()[1] & 0xf == 2,
    }
}

impl<'a> Request<'a> {
    /// A request about this group and any source. It neither creates nor replaces.
    #[must_use]
    pub const fn new(group: IpAddr) -> Self {
        Self {
            group,
            source: None,
            network: None,
            filter: None,
            sources: None,
            remote: None,
            port: None,
            vni: None,
            ifindex: None,
            protocol: PROTOCOL_STATIC,
            mode: Mode::empty(),
        }
    }

    /// The same about one source.
    #[must_use]
    pub const fn source(self, source: IpAddr) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    /// The same with this remote.
    #[must_use]
    pub const fn remote(self, remote: IpAddr) -> Self {
        Self {
            remote: Some(remote),
            ..self
        }
    }

    /// The same with a list of sources.
    #[must_use]
    pub const fn sources(self, filter: FilterMode, sources: &'a [IpAddr]) -> Self {
        Self {
            filter: Some(filter),
            sources: Some(sources),
            ..self
        }
    }

    /// The same with this mode.
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// What Linux checks before it looks at the table, in its order.
    ///
    /// One thing is refused here that Linux takes: a list of sources for an entry whose source is
    /// given as the unspecified address. It would ask for an (S,G) entry that is the entry itself.
    ///
    /// # Errors
    /// An [`Error`] that says what contradicts what.
    pub fn check(&self) -> Result<(), Error> {
        check_group(self.group)?;
        if self.remote.is_none() {
            return Err(Error::NoRemote);
        }
        if let Some(source) = self.source {
            self.check_source(source)?;
        }
        if !self.group.is_multicast() && !self.group.is_unspecified() {
            return Err(Error::NotMulticastV6);
        }
        let key = self.key(0);
        if key.is_catch_all() && self.source.is_some() {
            return Err(Error::CatchAllSource);
        }
        if self.filter.is_some() && !key.is_any_source() {
            return Err(Error::FilterMode);
        }
        if let Some(sources) = self.sources {
            if !key.is_any_source() || (self.source.is_some() && !sources.is_empty()) {
                return Err(Error::SourceList);
            }
            if self.filter.is_none() {
                return Err(Error::SourceListWithoutMode);
            }
            for source in sources {
                self.check_source(*source)?;
            }
        }
        if self.filter == Some(FilterMode::Include) && self.sources.is_none_or(<[_]>::is_empty) {
            return Err(Error::IncludeNone);
        }
        Ok(())
    }

    /// The check of [`check`](Self::check) that a request to show an entry has to pass.
    pub(super) fn check_source_alone(&self) -> Result<(), Error> {
        self.source
            .map_or(Ok(()), |source| self.check_source(source))
    }

    fn check_source(&self, source: IpAddr) -> Result<(), Error> {
        match (self.group, source) {
            (IpAddr::V4(_), IpAddr::V6(_)) => Err(Error::SourceNotV4),
            (IpAddr::V6(_), IpAddr::V4(_)) => Err(Error::SourceNotV6),
            (_, IpAddr::V4(source)) if source.is_multicast() => Err(Error::SourceMulticastV4),
            (_, IpAddr::V6(source)) if source.is_multicast() => Err(Error::SourceMulticastV6),
            _ => Ok(()),
        }
    }

    /// The key of the entry it is about; `vni` is the network unless it names one.
    #[must_use]
    pub fn key(&self, vni: u32) -> Key {
        Key {
            group: self.group,
            source: self.source,
            vni: self.network.unwrap_or(vni),
        }
    }

    /// The filter mode of the remote: what it says, else the only one for (S,G), else the default.
    pub(super) fn filter_for(&self, key: &Key) -> FilterMode {
        match self.filter {
            Some(filter) => filter,
            None if key.is_one_source() => FilterMode::Include,
            None => FilterMode::Exclude,
        }
    }

    /// The remote it asks for, with port and VNI of the device if it names none.
    pub(super) fn stated_remote(&self, port: u16, vni: u32) -> Result<Remote, Error> {
        Ok(Remote {
            addr: self.remote.ok_or(Error::NoRemote)?,
            port: self.port.unwrap_or(port),
            vni: self.vni.unwrap_or(vni),
            ifindex: self.ifindex,
        })
    }
}
