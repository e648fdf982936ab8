//! A device goes up (`vxlan_open()`).

use super::netdev::{Phase, Seat};
use super::socket::Progress;
use super::task::Goal;
use super::{Action, DeviceId, Error, Lower, Memory, Socket, SocketId, SocketKey, Task, World};
use crate::Instant;
use crate::device::Group;
use crate::fdb::SWEEP_INTERVAL;

impl<M: Memory> World<M> {
    /// Takes a device up: opens its sockets or shares those of others, joins its group, winds up the
    /// ageing timer. `lower` are the facts about its lower interface. Nothing is to be done for a
    /// device that is up.
    ///
    /// A socket is shared by devices that agree in address family, port, receive flags and routing
    /// domain ([`SocketKey`]). A device in external mode has one of each family, IPv6 first; where
    /// the host has no IPv6, it goes without.
    ///
    /// # Errors
    /// [`Error::NoDevice`], [`Error::Unfinished`]. The task ends with [`Error::PortInUse`] if a
    /// socket of another kind has the port, [`Error::SocketBusy`] if the socket to be shared is
    /// being opened or closed or the group just left on it, [`Error::Full`], or what the host reports; the device then is down,
    /// as before.
    pub fn open(
        &mut self,
        id: DeviceId,
        lower: Option<&Lower>,
        now: Instant,
    ) -> Result<Task, Error> {
        let netdev = self.idle(id)?;
        if netdev.device.is_up() {
            return Ok(Task::new(Goal::Done));
        }
        netdev.phase = Phase::Opening;
        netdev.groups = 0;
        let named = netdev.device.config().named_lower();
        let lower = lower.filter(|lower| Some(lower.index) == named);
        Ok(Task::new(Goal::Open {
            device: id,
            now,
            interface: lower.and_then(|lower| lower.l3_master),
            without_ipv6: false,
        }))
    }

    pub(super) fn advance_open(&mut self, task: &mut Task, id: DeviceId) -> Option<Action> {
        if !task.back {
            match self.climb(task, id) {
                Ok(Some(action)) => return Some(action),
                Ok(None) => return None,
                Err(error) => task.fail(error),
            }
        }
        let action = self.undo_joins(id).or_else(|| self.release(id));
        if action.is_none()
            && let Some(netdev) = self.device_mut(id)
        {
            netdev.phase = Phase::Idle;
        }
        action
    }

    fn climb(&mut self, task: &Task, id: DeviceId) -> Result<Option<Action>, Error> {
        let Goal::Open {
            now,
            interface,
            without_ipv6,
            ..
        } = task.goal
        else {
            return Ok(None);
        };
        for ipv6 in [true, false] {
            let netdev = self.device(id).ok_or(Error::NoDevice)?;
            let config = netdev.device.config();
            let wanted = config.is_external() || config.is_ipv6() == ipv6;
            if !wanted || (ipv6 && without_ipv6) {
                continue;
            }
            let seat = match seat(&netdev.seats, ipv6) {
                Some(seat) => seat,
                None => {
                    let key = SocketKey::of(config, ipv6, interface);
                    self.sit_down(id, key)?
                }
            };
            if let Some(action) = self.climb_socket(id, seat)? {
                return Ok(Some(action));
            }
        }
        let netdev = self.device_mut(id).ok_or(Error::NoDevice)?;
        while let Some(group) = netdev.group(netdev.groups) {
            let Some(seat) = seat(&netdev.seats, group.address.is_ipv6()) else {
                netdev.groups += 1; // The host has no IPv6.
                continue;
            };
            let join = self.join(seat, group)?;
            if let Some(netdev) = self.device_mut(id) {
                netdev.joining = true;
            }
            return Ok(Some(join));
        }
        netdev.device.set_up(true);
        netdev.phase = Phase::Idle;
        netdev.sweep = Some(now + SWEEP_INTERVAL);
        Ok(None)
    }

    /// The request to join a group, unless somebody may just be leaving it.
    pub(super) fn join(&self, seat: Seat, group: Group) -> Result<Action, Error> {
        let socket = self.socket_at(seat.socket).ok_or(Error::SocketBusy)?;
        let leaving = self.devices().any(|(_, netdev)| {
            netdev.leaving == Some(group)
                && netdev
                    .seats
                    .iter()
                    .flatten()
                    .any(|other| other.socket == seat.socket)
        });
        if leaving {
            return Err(Error::SocketBusy);
        }
        Ok(Action::Join { socket, group })
    }

    /// Brings the socket of a seat and the seat itself one step further.
    fn climb_socket(&mut self, id: DeviceId, seat: Seat) -> Result<Option<Action>, Error> {
        let place = self.memory.sockets_mut().get_mut(seat.socket);
        let place = place.and_then(Option::as_mut).ok_or(Error::SocketBusy)?;
        let (socket, key) = (place.id(seat.socket), place.key);
        Ok(match place.progress {
            Progress::New => Some(Action::Open { socket, key }),
            Progress::Open => Some(Action::Bind { socket, key }),
            Progress::Bound => Some(Action::Announce {
                socket,
                port: key.tunnel_port(),
                to: None,
            }),
            Progress::Ready if seat.attached => None,
            Progress::Ready => {
                self.attach(id, seat)?;
                self.set_seat(
                    id,
                    key.ipv6,
                    Some(Seat {
                        attached: true,
                        ..seat
                    }),
                );
                None
            }
            Progress::Withdrawing | Progress::Closing => return Err(Error::SocketBusy),
        })
    }

    /// Finds or makes the socket for a device (`vxlan_sock_add()`).
    fn sit_down(&mut self, id: DeviceId, key: SocketKey) -> Result<Seat, Error> {
        let netdev = self.device(id).ok_or(Error::NoDevice)?;
        let no_share = netdev.no_share;
        let mut sockets = self.memory.sockets().iter().enumerate();
        let shared = sockets.find_map(|(place, socket)| {
            let socket = socket.as_ref().filter(|socket| socket.key == key)?;
            Some((place, socket.is_ready()))
        });
        let place = match shared.filter(|_| !no_share) {
            Some((_, false)) => return Err(Error::SocketBusy),
            Some((place, true)) => place,
            None => self.new_socket(key)?,
        };
        if let Some(Some(socket)) = self.memory.sockets_mut().get_mut(place) {
            socket.users += 1;
        }
        let seat = Seat {
            socket: place,
            attached: false,
        };
        self.set_seat(id, key.ipv6, Some(seat));
        Ok(seat)
    }

    /// A place for a socket that is to be opened (`vxlan_socket_create()`).
    fn new_socket(&mut self, key: SocketKey) -> Result<usize, Error> {
        if self
            .sockets()
            .any(|(_, other)| other.stands_in_the_way(&key))
        {
            return Err(Error::PortInUse);
        }
        let vacant = |memory: &M| memory.sockets().iter().position(Option::is_none);
        if vacant(&self.memory).is_none() {
            self.memory.add_socket_place().map_err(|_| Error::Full)?;
        }
        let place = vacant(&self.memory).ok_or(Error::Full)?;
        let (serial, members) = (self.serial(), self.memory.members());
        if let Some(vacant) = self.memory.sockets_mut().get_mut(place) {
            *vacant = Some(Socket::new(serial, key, members));
        }
        Ok(place)
    }

    /// A host without IPv6 leaves external mode with IPv4; any other device fails.
    pub(super) fn go_without_ipv6(&mut self, task: &mut Task, socket: SocketId) {
        let device = task.device().and_then(|id| self.device(id));
        let external = device.is_some_and(|netdev| netdev.device.config().is_external());
        match &mut task.goal {
            Goal::Open { without_ipv6, .. } if external => {
                *without_ipv6 = true;
                self.forget(socket);
            }
            _ => task.fail(Error::Host(super::Errno::EAFNOSUPPORT)),
        }
    }

    /// Notes that the host has answered about a group.
    pub(super) fn not_joining(&mut self, task: &Task) {
        if let Some(id) = task.device()
            && let Some(netdev) = self.device_mut(id)
        {
            netdev.joining = false;
        }
    }

    /// Notes that a group is joined.
    pub(super) fn joined(&mut self, task: &Task) {
        if let Goal::Open { device, .. } = task.goal
            && let Some(netdev) = self.device_mut(device)
        {
            netdev.groups += 1;
        }
    }

    pub(super) fn set_seat(&mut self, id: DeviceId, ipv6: bool, seat: Option<Seat>) {
        if let Some(netdev) = self.device_mut(id)
            && let Some(place) = netdev.seats.get_mut(usize::from(ipv6))
        {
            *place = seat;
        }
    }

    pub(super) fn socket_at(&self, place: usize) -> Option<SocketId> {
        let socket = self.memory.sockets().get(place)?.as_ref()?;
        Some(socket.id(place))
    }
}

/// A device's place on its socket of one address family.
pub(super) fn seat(seats: &[Option<Seat>; 2], ipv6: bool) -> Option<Seat> {
    let [over_ipv4, over_ipv6] = *seats;
    if ipv6 { over_ipv6 } else { over_ipv4 }
}
