//! A change that takes several steps of the host.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use super::{Action, DeviceId, Error, Lower};
use crate::device::Group;
use crate::{ConfigChange, IfIndex, Instant};

/// What a task is about.
#[derive(Debug)]
pub(super) enum Goal {
    /// Nothing is left to do.
    Done,
    Start,
    Create {
        device: DeviceId,
    },
    Open {
        device: DeviceId,
        now: Instant,
        interface: Option<IfIndex>,
        without_ipv6: bool,
    },
    Stop {
        device: DeviceId,
    },
    Change {
        device: DeviceId,
        now: Instant,
        change: ConfigChange,
        lower: Option<Lower>,
        /// What there is to do once the change is made.
        groups: Option<Regroup>,
    },
    Vnis {
        device: DeviceId,
        /// When they are added; else they are removed.
        add: Option<Instant>,
        group: Option<IpAddr>,
        /// Those to come.
        range: RangeInclusive<u32>,
        /// What there is to do for the last one.
        groups: Regroup,
    },
    Delete {
        batch: u64,
        /// The services as well.
        exit: bool,
    },
    Ports {
        announce: bool,
        to: IfIndex,
        /// The serial number of the socket to be told next, at least.
        next: u64,
    },
}

/// The groups that a change makes a device leave and join.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Regroup {
    pub(super) leave: Option<Group>,
    pub(super) join: Option<Group>,
}

/// A call about devices on its way, from the checks to the last step of the host.
///
/// [`World::next`](super::World::next) says what the host has to do, [`World::report`] takes the
/// result; [`World::run`] does both. Where a step fails, the next ones undo those before it in
/// reverse order, and then nothing has changed. A task must be run to its end: until then its device
/// answers other requests with [`Error::Unfinished`]. Tasks about different devices may be under way
/// at the same time.
///
/// [`World::report`]: super::World::report
/// [`World::run`]: super::World::run
#[derive(Debug)]
#[must_use = "the device is busy until the task is run to its end"]
pub struct Task {
    pub(super) goal: Goal,
    /// Undoing what was done.
    pub(super) back: bool,
    pub(super) pending: Option<Action>,
    pub(super) outcome: Result<(), Error>,
    device: Option<DeviceId>,
}

impl Task {
    pub(super) const fn new(goal: Goal) -> Self {
        let device = match &goal {
            Goal::Create { device }
            | Goal::Open { device, .. }
            | Goal::Stop { device }
            | Goal::Change { device, .. }
            | Goal::Vnis { device, .. } => Some(*device),
            _ => None,
        };
        Self {
            goal,
            back: false,
            pending: None,
            outcome: Ok(()),
            device,
        }
    }

    /// The device that it is about, if it is about one: that of a new device, too.
    #[must_use]
    pub const fn device(&self) -> Option<DeviceId> {
        self.device
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.goal, Goal::Done) && self.pending.is_none()
    }

    /// What came of it, once [`is_done`](Self::is_done).
    ///
    /// # Errors
    /// The first step that failed. The device is as it was before, but after a change of the
    /// configuration whose last step, joining a group, failed, and after a change of a VNI filter:
    /// as in Linux what was changed stays.
    pub const fn outcome(&self) -> Result<(), Error> {
        self.outcome
    }

    /// Notes a failure and turns back.
    pub(super) const fn fail(&mut self, error: Error) {
        if self.outcome.is_ok() {
            self.outcome = Err(error);
        }
        self.back = true;
    }
}
