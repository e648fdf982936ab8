//! Limits to learning beyond those of Linux: what they refuse, and what is told then.

use core::net::IpAddr;
use core::num::NonZeroU32;

use super::config::Unlearned;
use crate::fdb::{Entry, Key, Storage};
use crate::{Device, DropReason, Event};

/// Why a source is not learned at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are so many entries behind the address already.
    Quota(NonZeroU32),
}

impl Refusal {
    const fn reason(self) -> DropReason {
        match self {
            Self::Quota(_) => DropReason::LearnQuota,
        }
    }

    pub(super) const fn event(self, key: Key, remote: IpAddr) -> Event {
        match self {
            Self::Quota(quota) => Event::QuotaReached { key, remote, quota },
        }
    }
}

impl<S: Storage> Device<S> {
    /// Whether a new source may be learned at this address.
    pub(super) fn may_learn(&self, addr: IpAddr) -> Result<(), Refusal> {
        self.within_quota(addr)
    }

    /// Whether a known source may move to this address.
    pub(super) fn may_move(&self, entry: &Entry<'_>, addr: IpAddr) -> Result<(), Refusal> {
        let elsewhere = entry.first_remote().is_none_or(|first| first.addr != addr);
        if elsewhere && entry.is_learned() {
            self.within_quota(addr)?;
        }
        Ok(())
    }

    /// Whether there may be one more learned entry behind this address.
    fn within_quota(&self, addr: IpAddr) -> Result<(), Refusal> {
        match (self.config.learn_quota(), self.fdb.learned(addr)) {
            (Some(quota), Some(learned)) if learned >= quota.get() => Err(Refusal::Quota(quota)),
            _ => Ok(()),
        }
    }

    /// What becomes of the frame of a source that is not learned.
    pub(super) fn frame_of(&self, learning: Result<(), Refusal>) -> Result<(), DropReason> {
        match (learning, self.config.unlearned()) {
            (Err(refusal), Unlearned::Drop) => Err(refusal.reason()),
            _ => Ok(()),
        }
    }
}
