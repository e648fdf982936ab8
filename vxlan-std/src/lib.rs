//! Clock, sockets, TAP and loop around `vxlan-core`.
