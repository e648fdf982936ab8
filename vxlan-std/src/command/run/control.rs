//! The control socket in the loop: takes requests, has them done, carries answers away.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::PollFlags;
use vxlan_core::Event;
use vxlan_core::device::Valid;
use vxlan_core::fdb::Overflow;

use super::super::answer::{Answer, answer};
use super::super::control::{self, Backlog, Listener};
use super::super::fdb::Dump;
use super::super::link;
use super::super::netlink::NeighbourState;
use super::super::watch::Watch;
use super::Devices;
use super::jobs::{Outcome, Ticket};
use super::sink::Sink;

/// How many connections there may be; another one takes the place of the one that has made its
/// end wait longest.
const PEERS: usize = 64;
/// How long to let nobody new in when there are no descriptors.
const PAUSE: Duration = Duration::from_secs(1);
/// How many bytes of events may wait for one reader.
const ROOM: usize = 1 << 20;

type Peer = control::Peer<Making, Wait, Watch>;

/// An answer that is given piece by piece.
#[derive(Debug)]
enum Making {
    Dump(Dump),
    Text(VecDeque<String>),
}

impl Making {
    /// Appends the next piece. False once there is no more.
    fn more(&mut self, devices: &Devices, out: &mut String) -> bool {
        match self {
            Self::Dump(dump) => dump.more(devices, out),
            Self::Text(pieces) => {
                out.push_str(&pieces.pop_front().unwrap_or_default());
                !pieces.is_empty()
            }
        }
    }
}

/// A job whose end is an answer.
#[derive(Debug)]
struct Wait {
    ticket: Ticket,
    /// The other end knows that it takes a while.
    held: bool,
}

/// The control socket and its connections.
#[derive(Debug)]
pub(super) struct Control {
    listener: Listener,
    peers: Vec<Peer>,
    /// Who is looked at first when the next piece of a dump is made.
    turn: usize,
    /// What the standard output is told.
    watch: Watch,
    /// Until when nobody new is let in, for want of descriptors.
    paused: Option<Instant>,
}

impl Control {
    pub(super) const fn new(listener: Listener, watch: Watch) -> Self {
        Self {
            listener,
            peers: Vec::new(),
            turn: 0,
            watch,
            paused: None,
        }
    }

    /// Whoever is told about events.
    pub(super) const fn audience<'a>(&'a mut self, sink: &'a Sink) -> Audience<'a> {
        Audience {
            sink,
            watch: Some(&self.watch),
            peers: self.peers.as_mut_slice(),
        }
    }

    /// What to wait for: the connections in their order, and behind them new ones.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let peers = self.peers.iter().map(|peer| {
            let mut events = PollFlags::empty();
            events.set(PollFlags::POLLIN, peer.reads());
            events.set(PollFlags::POLLOUT, peer.writes());
            (peer.as_fd(), events)
        });
        let mut newcomers = PollFlags::empty();
        newcomers.set(PollFlags::POLLIN, self.paused.is_none());
        peers.chain([(self.listener.as_fd(), newcomers)])
    }

    /// Says good-bye, as far as somebody reads.
    pub(super) fn close(mut self) {
        for peer in &mut self.peers {
            if peer.watch().is_some() {
                // What is left is of no use to anybody.
                let _ = peer.write();
                peer.exit(0);
                let _ = peer.write();
            }
        }
    }

    /// How long to wait at most.
    pub(super) fn timeout(&self) -> Option<Duration> {
        let deadlines = self.peers.iter().filter_map(Peer::deadline);
        let first = deadlines.chain(self.paused).min()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    /// Does what became possible. `happened` is about the [descriptors](Self::descriptors).
    pub(super) fn serve(
        &mut self,
        devices: &mut Devices,
        sink: &Sink,
        happened: impl Iterator<Item = PollFlags>,
    ) {
        self.dump(devices);
        let known = self.peers.len();
        let (mut ends, mut newcomers) = (Vec::new(), Vec::new());
        for (place, events) in happened.enumerate() {
            if place == known {
                if !events.is_empty() {
                    match self.listener.accept() {
                        Ok(stream) => newcomers.extend(stream.map(Peer::new)),
                        Err(_) => self.paused = Some(Instant::now() + PAUSE),
                    }
                }
            } else if self.serve_one(place, events, devices, sink).is_none() {
                ends.push(place);
            }
        }
        for place in ends.into_iter().rev() {
            self.peers.remove(place);
        }
        let now = Instant::now();
        self.paused = self.paused.filter(|until| now < *until);
        self.peers
            .retain(|peer| peer.deadline().is_none_or(|deadline| now < deadline));
        if self.peers.len() + newcomers.len() > PEERS {
            let deadlines = self.peers.iter().enumerate();
            let worst =
                deadlines.min_by_key(|(_, peer)| (peer.deadline().is_none(), peer.deadline()));
            if let Some(place) = worst.map(|(place, _)| place) {
                self.peers.remove(place);
            }
        }
        self.peers.append(&mut newcomers);
    }

    /// Makes one more piece of one answer: they take turns.
    fn dump(&mut self, devices: &Devices) {
        let places = self.peers.len();
        for place in (0..places).map(|at| (self.turn + at) % places) {
            let Some(peer) = self.peers.get_mut(place) else {
                continue;
            };
            if let Some(making) = peer.job() {
                let mut text = String::new();
                let more = making.more(devices, &mut text);
                peer.output(&text);
                if !more {
                    peer.exit(0);
                }
                self.turn = place + 1;
                return;
            }
        }
    }

    /// Answers those whose jobs are done, and lets the others know that theirs take a while.
    pub(super) fn settle(&mut self, finished: Vec<(Ticket, Outcome)>) {
        for (ticket, outcome) in finished {
            let waits = |peer: &&mut Peer| peer.waits_for().is_some_and(|job| job.ticket == ticket);
            // Whoever asked may have gone.
            if let Some(peer) = self.peers.iter_mut().find(waits) {
                match outcome {
                    Ok(text) if text.is_empty() => peer.exit(0),
                    Ok(text) => peer.answer(Making::Text(text)),
                    Err(refusal) => {
                        peer.error(&refusal.to_string());
                        peer.exit(refusal.status);
                    }
                }
            }
        }
        for peer in &mut self.peers {
            if let Some(&Wait {
                ticket,
                held: false,
            }) = peer.waits_for()
            {
                peer.hold();
                let held = true;
                peer.wait_for(Wait { ticket, held });
            }
        }
    }

    /// `None` when the connection ends.
    fn serve_one(
        &mut self,
        place: usize,
        events: PollFlags,
        devices: &mut Devices,
        sink: &Sink,
    ) -> Option<()> {
        let broken = PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL;
        let peer = self.peers.get_mut(place)?;
        if peer.reads() && events.intersects(PollFlags::POLLIN | broken) {
            if let Some(words) = peer.read().ok()? {
                let mut audience = self.audience(sink);
                let done = answer(devices, &mut audience, &words);
                let peer = self.peers.get_mut(place)?;
                match done {
                    Ok(Answer::Text(text)) => {
                        peer.output(&text);
                        peer.exit(0);
                    }
                    Ok(Answer::Dump(dump)) => peer.answer(Making::Dump(dump)),
                    Ok(Answer::Job(ticket, text)) => {
                        peer.output(&text);
                        let held = false;
                        peer.wait_for(Wait { ticket, held });
                    }
                    Ok(Answer::Watch(watch)) => peer.watch_from_now(watch, Backlog::new(ROOM)),
                    Err(refusal) => {
                        peer.error(&refusal.to_string());
                        peer.exit(refusal.status);
                    }
                }
            }
        } else if events.intersects(broken) {
            return None;
        }
        let peer = self.peers.get_mut(place)?;
        if peer.writes() && !peer.write().ok()? {
            return None;
        }
        Some(())
    }
}

/// Whoever is told about events: the standard output and the monitors.
#[derive(Debug)]
pub(crate) struct Audience<'a> {
    sink: &'a Sink,
    watch: Option<&'a Watch>,
    peers: &'a mut [Peer],
}

impl<'a> Audience<'a> {
    /// Nobody: what the command line asked for is known.
    pub(super) const fn nobody(sink: &'a Sink) -> Self {
        Self {
            sink,
            watch: None,
            peers: &mut [],
        }
    }

    /// Whether anybody wants to know about lost packets.
    pub(super) fn hears_drops(&mut self) -> bool {
        let mut peers = self.peers.iter_mut();
        self.watch.is_some_and(Watch::drops)
            || peers.any(|peer| peer.watch().is_some_and(|(watch, _)| watch.drops()))
    }

    /// Tells how many packets were lost for a reason.
    pub(super) fn lost(&mut self, name: Option<&str>, reason: &str, count: u64) {
        self.each(|watch| watch.lost(name, reason, count));
    }

    /// Tells that a device's table got another salt, and how its entries lay before.
    pub(super) fn salted(&mut self, name: &str, overflow: Overflow) {
        self.each(|watch| watch.salted(name, overflow));
    }

    /// Tells about a neighbour of the device `name`.
    pub(super) fn neighbour(&mut self, name: &str, entry: &NeighbourState) {
        self.each_peer(|watch| watch.neighbour(name, entry));
    }

    /// Tells about a device that came, changed or went.
    pub(super) fn link(&mut self, link: &link::Shown<'_>) {
        self.each(|watch| watch.link(link));
    }

    /// Tells an event of the device `name`. Waits for nobody.
    pub(crate) fn tell(
        &mut self,
        name: &str,
        config: &Valid,
        event: &Event,
        now: vxlan_core::Instant,
    ) {
        self.each(|watch| watch.line(name, config, event, now));
    }

    /// Gives everybody a line of their own.
    fn each(&mut self, line: impl Fn(&Watch) -> Option<String>) {
        if let Some(line) = self.watch.and_then(&line) {
            self.sink.push(line);
        }
        self.each_peer(line);
    }

    /// The same, but for the standard output.
    fn each_peer(&mut self, line: impl Fn(&Watch) -> Option<String>) {
        for peer in &mut *self.peers {
            if let Some((watch, backlog)) = peer.watch()
                && let Some(line) = line(watch)
            {
                backlog.push(line);
            }
        }
    }
}
