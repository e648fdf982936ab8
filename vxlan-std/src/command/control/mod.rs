//! The control socket: how a command talks to the `vtep run` of its network namespace.
//!
//! A connection carries one request: the words of the command line. The answer is what to print
//! on either stream and the exit status ([`frame`]). The daemon understands the words; whoever
//! asks understands nothing and prints what it is told ([`client`]).

mod address;
mod backlog;
mod client;
mod frame;
mod listener;
mod peer;

pub(crate) use address::Address;
pub(crate) use backlog::Backlog;
pub(crate) use client::ask;
pub(crate) use listener::Listener;
pub(crate) use peer::Peer;
