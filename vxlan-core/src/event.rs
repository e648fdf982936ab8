//! What happened to the tables, for whoever wants to be told.

use core::net::IpAddr;
use core::num::NonZeroU32;

use crate::device::LearnRate;
use crate::fdb::{self, Key, Record};
use crate::{Mac, vni_filter};

/// Something worth telling. Returned by the call that caused it, never stored.
///
/// All but [`Vnis`](Self::Vnis) and what is refused have a twin among the kernel's neighbour
/// messages, which [`message`](Self::message) names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A source address was seen for the first time.
    Learned(Record),
    /// A source address is now behind another remote.
    Migrated {
        /// The entry as it is now.
        record: Record,
        /// Where it was before.
        from: IpAddr,
    },
    /// An entry was made or changed by request.
    Changed(Record),
    /// An entry, or one remote of it, is gone.
    Removed(Record),
    /// A source address could not be learned; its frame was delivered all the same.
    LearnRefused {
        /// The address and its VNI.
        key: Key,
        /// Why.
        error: fdb::Error,
    },
    /// A source address was not learned, or did not move, since so many are learned behind the
    /// remote already: see [`Config::learn_quota`](crate::Config::learn_quota). What became of its
    /// frame [`Config::unlearned`](crate::Config::unlearned) says. Told for each such frame; not in
    /// Linux.
    QuotaReached {
        /// The address and its VNI.
        key: Key,
        /// Where it was seen.
        remote: IpAddr,
        /// The quota.
        quota: NonZeroU32,
    },
    /// A source address was not learned, since so many were learned of late: see
    /// [`Config::learn_rate`](crate::Config::learn_rate). What became of its frame
    /// [`Config::unlearned`](crate::Config::unlearned) says. Told for each such frame; not in Linux.
    LearnRateReached {
        /// The address and its VNI.
        key: Key,
        /// Where it was seen.
        remote: IpAddr,
        /// The rate.
        rate: LearnRate,
    },
    /// A source address has moved too often and is held where it is from now on: see
    /// [`Config::move_damping`](crate::Config::move_damping). Told once for each hold; not in Linux.
    MoveDamped {
        /// The address and its VNI.
        key: Key,
        /// Where it stays.
        remote: IpAddr,
        /// Where it was seen last; the frame was dropped.
        seen: IpAddr,
    },
    /// The VNI filter of a device changed.
    Vnis(vni_filter::Event),
    /// No entry for the destination of a frame (`vxlan_fdb_miss()`).
    L2Miss(Mac),
    /// No neighbour has the IP address that a frame is for or asks for (`vxlan_ip_miss()`). The
    /// kernel's message names VNI 0x1000000, which no device can have; that of an unspecified
    /// address leaves the address out and is of family IPv4.
    L3Miss(IpAddr),
}

/// The kind of neighbour message that Linux sends for an [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Message {
    /// `RTM_NEWNEIGH`.
    New,
    /// `RTM_DELNEIGH`.
    Delete,
    /// `RTM_GETNEIGH`, a miss.
    Miss,
}

impl Event {
    /// The neighbour message that Linux multicasts for this event, if it does.
    #[must_use]
    pub const fn message(&self) -> Option<Message> {
        match self {
            Self::Learned(_) | Self::Migrated { .. } | Self::Changed(_) => Some(Message::New),
            Self::Removed(_) => Some(Message::Delete),
            Self::L2Miss(_) | Self::L3Miss(_) => Some(Message::Miss),
            Self::LearnRefused { .. }
            | Self::QuotaReached { .. }
            | Self::LearnRateReached { .. }
            | Self::MoveDamped { .. }
            | Self::Vnis(_) => None,
        }
    }
}
