//! Limits to learning beyond those of Linux: what they refuse, and what is told then.

mod bucket;
mod moves;

use core::net::IpAddr;
use core::num::NonZeroU32;

use super::config::{LearnRate, Unlearned, Valid};
use crate::fdb::{Entry, Key, Storage};
use crate::{Device, DropReason, Event, Instant};

use bucket::Bucket;
pub(super) use moves::SHORTEST;
use moves::{Moves, Verdict};

/// What the limits of a device remember.
#[derive(Debug)]
pub(super) struct Memory {
    learned: Bucket,
    moves: Moves,
}

/// Why a source is not learned at an address, or does not move there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are so many entries behind the address already.
    Quota(NonZeroU32),
    /// So many were learned of late.
    Rate(LearnRate),
    /// It has moved too often, and is held from now on.
    Moves,
    /// It is held.
    Held,
}

impl Memory {
    pub(super) fn new(config: &Valid, now: Instant) -> Self {
        let learned = match config.learn_rate() {
            Some(rate) => Bucket::full(rate, now),
            None => Bucket::default(),
        };
        Self {
            learned,
            moves: Moves::new(),
        }
    }

    /// What was remembered for a limit that is another one now is forgotten.
    pub(super) fn change(&mut self, old: &Valid, new: &Valid, now: Instant) {
        let Self { learned, moves } = Self::new(new, now);
        if old.learn_rate() != new.learn_rate() {
            self.learned = learned;
        }
        if old.move_damping() != new.move_damping() {
            self.moves = moves;
        }
    }
}

impl<S: Storage> Device<S> {
    /// Whether a new source may be learned at this address.
    pub(super) fn may_learn(&self, now: Instant, addr: IpAddr) -> Result<(), Refusal> {
        self.within_quota(addr)?;
        match self.config.learn_rate() {
            Some(rate) if !self.limits.learned.has_token(rate, now) => Err(Refusal::Rate(rate)),
            _ => Ok(()),
        }
    }

    /// A new source was learned.
    pub(super) fn has_learned(&mut self, now: Instant) {
        if let Some(rate) = self.config.learn_rate() {
            self.limits.learned.take(rate, now);
        }
    }

    /// Whether a known source may move to this address. One that is there, and seen on another
    /// interface alone, does not move.
    pub(super) fn may_move(
        &self,
        now: Instant,
        entry: &Entry<'_>,
        addr: IpAddr,
    ) -> Result<(), Refusal> {
        if entry.first_remote().is_some_and(|first| first.addr == addr) {
            return Ok(());
        }
        let verdict = match self.config.move_damping() {
            Some(damping) => self.limits.moves.verdict(damping, now, &entry.key()),
            None => Verdict::Free,
        };
        if verdict == Verdict::Held {
            return Err(Refusal::Held);
        }
        // What does not move for want of a place has not moved too often.
        if entry.is_learned() {
            self.within_quota(addr)?;
        }
        match verdict {
            Verdict::TooOften => Err(Refusal::Moves),
            Verdict::Free | Verdict::Held => Ok(()),
        }
    }

    /// A known source has moved.
    pub(super) fn has_moved(&mut self, now: Instant, key: &Key) {
        if let Some(damping) = self.config.move_damping() {
            self.limits.moves.count(damping, now, key);
        }
    }

    /// A source was refused at `addr`: does what follows and says what there is to tell. `stays`
    /// is where it is, if it is known.
    pub(super) fn refuse(
        &mut self,
        now: Instant,
        refusal: Refusal,
        key: Key,
        addr: IpAddr,
        stays: Option<IpAddr>,
    ) -> Option<Event> {
        match refusal {
            Refusal::Quota(quota) => Some(Event::QuotaReached {
                key,
                remote: addr,
                quota,
            }),
            Refusal::Rate(rate) => Some(Event::LearnRateReached {
                key,
                remote: addr,
                rate,
            }),
            Refusal::Moves => {
                let damping = self.config.move_damping()?;
                self.limits.moves.hold(damping, now, &key);
                Some(Event::MoveDamped {
                    key,
                    remote: stays?,
                    seen: addr,
                })
            }
            Refusal::Held => None,
        }
    }

    /// Whether there may be one more learned entry behind this address.
    fn within_quota(&self, addr: IpAddr) -> Result<(), Refusal> {
        match (self.config.learn_quota(), self.fdb.learned(addr)) {
            (Some(quota), Some(learned)) if learned >= quota.get() => Err(Refusal::Quota(quota)),
            _ => Ok(()),
        }
    }

    /// What becomes of the frame of a source that is refused.
    pub(super) fn frame_of(&self, refusal: Refusal) -> Result<(), DropReason> {
        let reason = match refusal {
            // As with what is pinned elsewhere.
            Refusal::Moves | Refusal::Held => return Err(DropReason::MoveDamped),
            Refusal::Quota(_) => DropReason::LearnQuota,
            Refusal::Rate(_) => DropReason::LearnRate,
        };
        match self.config.unlearned() {
            Unlearned::Deliver => Ok(()),
            Unlearned::Drop => Err(reason),
        }
    }
}
