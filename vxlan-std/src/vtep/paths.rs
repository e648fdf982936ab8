//! Nexthop objects, which entries of all devices may point to.

use super::Vtep;
use crate::nexthops::Nexthops;

impl Vtep {
    /// The nexthop objects. Entries point to groups of them
    /// ([`fdb::Target::Nexthop`](vxlan_core::fdb::Target)); [`Nexthops::usable`] says which may.
    #[must_use]
    pub const fn nexthops(&self) -> &Nexthops {
        &self.nexthops
    }

    /// The same, to be changed. Entries that point to what goes have to be flushed.
    pub const fn nexthops_mut(&mut self) -> &mut Nexthops {
        &mut self.nexthops
    }
}
