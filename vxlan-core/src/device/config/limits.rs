//! Limits to learning that Linux does not have. All are off unless asked for.

use core::num::NonZeroU32;
use core::time::Duration;

use super::{Config, ConfigChange, ConfigError, Valid};
use crate::device::limits::SHORTEST;

/// What is asked of learning beyond what Linux asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    quota: Option<NonZeroU32>,
    rate: Option<LearnRate>,
    damping: Option<MoveDamping>,
    unlearned: Unlearned,
}

/// What a change says about the limits; `Some(None)` takes one away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LimitsChange {
    quota: Option<Option<NonZeroU32>>,
    rate: Option<Option<LearnRate>>,
    damping: Option<Option<MoveDamping>>,
    unlearned: Option<Unlearned>,
}

impl Limits {
    pub(super) const OFF: Self = Self {
        quota: None,
        rate: None,
        damping: None,
        unlearned: Unlearned::Deliver,
    };

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.damping {
            Some(MoveDamping { within, hold, .. }) if within.min(hold) < SHORTEST => {
                Err(ConfigError::MoveDamping)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn changed(self, change: &LimitsChange) -> Self {
        Self {
            quota: change.quota.unwrap_or(self.quota),
            rate: change.rate.unwrap_or(self.rate),
            damping: change.damping.unwrap_or(self.damping),
            unlearned: change.unlearned.unwrap_or(self.unlearned),
        }
    }
}

/// How fast new sources are learned: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LearnRate {
    /// So many in a second in the long run.
    pub per_second: NonZeroU32,
    /// So many at once after a pause.
    pub burst: NonZeroU32,
}

/// How often a station may move: the rule for duplicate addresses in RFC 7432, section 15.1, which
/// proposes 5 moves in 180 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MoveDamping {
    /// So many moves before the time ends that the first of them starts. The next one is refused,
    /// and the station held where it is.
    pub moves: NonZeroU32,
    /// The time for the moves, in whole milliseconds.
    pub within: Duration,
    /// How long a station is held, in whole milliseconds. It may then move as often again.
    pub hold: Duration,
}

/// What becomes of a frame whose source a quota or the rate keeps from being learned.
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

    /// How fast new sources may be learned on the device, so that nobody makes entries come and go
    /// faster than others can follow. Not in Linux. Default: no limit.
    ///
    /// Moves do not count, nor do attempts. See
    /// [`Event::LearnRateReached`](crate::Event::LearnRateReached) and
    /// [`unlearned`](Self::unlearned).
    #[must_use]
    pub const fn learn_rate(mut self, rate: Option<LearnRate>) -> Self {
        self.limits.rate = rate;
        self
    }

    /// How often a station may move before it is held where it is, so that nobody draws its traffic
    /// back and forth. Not in Linux. Default: no limit.
    ///
    /// Frames from a station that is held are dropped unless they come from where it is, like those
    /// from an entry that is pinned. The memory is of a fixed size: 64 stations that have moved of
    /// late are told apart, and all others may together move as often as one. The operator's own
    /// requests are free; an entry that he deletes is learned anew, and then held there for the rest
    /// of the time.
    ///
    /// ```
    /// use core::{num::NonZeroU32, time::Duration};
    /// use vxlan_core::{Config, Vni, device::MoveDamping};
    ///
    /// let config = Config::new(Vni::MIN).move_damping(Some(MoveDamping {
    ///     moves: NonZeroU32::new(5).ok_or("none at all is what a static entry is for")?,
    ///     within: Duration::from_secs(180),
    ///     hold: Duration::from_secs(540),
    /// }));
    /// assert!(config.validate()?.move_damping().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn move_damping(mut self, damping: Option<MoveDamping>) -> Self {
        self.limits.damping = damping;
        self
    }

    /// What becomes of a frame whose source may not be learned for a
    /// [quota](Self::learn_quota) or the [rate](Self::learn_rate). Default: it is delivered.
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

    /// See [`Config::learn_rate`]. Another rate starts with a full bucket.
    #[must_use]
    pub const fn learn_rate(mut self, rate: Option<LearnRate>) -> Self {
        self.limits.rate = Some(rate);
        self
    }

    /// See [`Config::move_damping`]. Another one starts with no moves, and nobody held.
    #[must_use]
    pub const fn move_damping(mut self, damping: Option<MoveDamping>) -> Self {
        self.limits.damping = Some(damping);
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

    /// How fast new sources may be learned.
    #[must_use]
    pub const fn learn_rate(&self) -> Option<LearnRate> {
        self.config.limits.rate
    }

    /// How often a station may move.
    #[must_use]
    pub const fn move_damping(&self) -> Option<&MoveDamping> {
        self.config.limits.damping.as_ref()
    }

    /// What becomes of a frame whose source may not be learned.
    #[must_use]
    pub const fn unlearned(&self) -> Unlearned {
        self.config.limits.unlearned
    }
}
