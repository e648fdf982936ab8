//! Limits to learning that Linux does not have. All are off unless asked for.

use core::num::NonZeroU32;

use super::{Config, ConfigChange, Valid};

/// What is asked of learning beyond what Linux asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) quota: Option<NonZeroU32>,
    pub(super) unlearned: Unlearned,
}

/// What a change says about the limits; `Some(None)` takes one away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LimitsChange {
    quota: Option<Option<NonZeroU32>>,
    unlearned: Option<Unlearned>,
}

impl Limits {
    pub(super) const OFF: Self = Self {
        quota: None,
        unlearned: Unlearned::Deliver,
    };

    pub(super) fn changed(self, change: &LimitsChange) -> Self {
        Self {
            quota: change.quota.unwrap_or(self.quota),
            unlearned: change.unlearned.unwrap_or(self.unlearned),
        }
    }
}

/// What becomes of a frame whose source a quota keeps from being learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unlearned {
    /// It is delivered, as in Linux when the device has as many entries as it may.
    #[default]
    Deliver,
    /// It is dropped, so that no station talks that could not be answered but by flooding.
    Drop,
}

impl Config {
    /// How many [learned](crate::fdb::Entry::is_learned) entries there may be behind one remote
    /// address, so that one VTEP cannot fill the table. Not in Linux. Default: unlimited.
    ///
    /// It counts what is learned and what moves there by itself; entries that a user or a control
    /// plane gave neither count nor are stopped. Stations of this host, which are learned at the
    /// loopback address, have a quota together. See [`Event::QuotaReached`](crate::Event) and
    /// [`unlearned`](Self::unlearned).
    ///
    /// ```
    /// use core::num::NonZeroU32;
    /// use vxlan_core::{Config, Vni};
    ///
    /// let config = Config::new(Vni::MIN).learn_quota(NonZeroU32::new(256));
    /// assert_eq!(config.validate()?.learn_quota(), NonZeroU32::new(256));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn learn_quota(mut self, quota: Option<NonZeroU32>) -> Self {
        self.limits.quota = quota;
        self
    }

    /// What becomes of a frame whose source may not be learned for a
    /// [quota](Self::learn_quota). Default: it is delivered.
    #[must_use]
    pub const fn unlearned(mut self, unlearned: Unlearned) -> Self {
        self.limits.unlearned = unlearned;
        self
    }
}

impl ConfigChange {
    /// See [`Config::learn_quota`]. A lower one takes no entry away.
    #[must_use]
    pub const fn learn_quota(mut self, quota: Option<NonZeroU32>) -> Self {
        self.limits.quota = Some(quota);
        self
    }

    /// See [`Config::unlearned`].
    #[must_use]
    pub const fn unlearned(mut self, unlearned: Unlearned) -> Self {
        self.limits.unlearned = Some(unlearned);
        self
    }
}

impl Valid {
    /// How many learned entries there may be behind one remote address.
    #[must_use]
    pub const fn learn_quota(&self) -> Option<NonZeroU32> {
        self.config.limits.quota
    }

    /// What becomes of a frame whose source may not be learned.
    #[must_use]
    pub const fn unlearned(&self) -> Unlearned {
        self.config.limits.unlearned
    }
}
