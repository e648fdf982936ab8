//! Bits of an entry and of a request, with the values of `linux/neighbour.h` and `linux/netlink.h`.

use bitflags::bitflags;

bitflags! {
    /// The state of an entry: NUD bits. Every bit is stored as given, the unnamed ones too.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct State: u16 {
        /// `NUD_INCOMPLETE`.
        const INCOMPLETE = 0x01;
        /// `NUD_REACHABLE`: learned, or given by a user who lets it age.
        const REACHABLE = 0x02;
        /// `NUD_STALE`: shown by the entries that age out.
        const STALE = 0x04;
        /// `NUD_DELAY`.
        const DELAY = 0x08;
        /// `NUD_PROBE`.
        const PROBE = 0x10;
        /// `NUD_FAILED`.
        const FAILED = 0x20;
        /// `NUD_NOARP`: static; does not age and is not moved by traffic.
        const NOARP = 0x40;
        /// `NUD_PERMANENT`: neither ages nor is moved by traffic.
        const PERMANENT = 0x80;
        const _ = !0;
    }
}

bitflags! {
    /// The flags of an entry: NTF bits and one of the driver's own. Every bit but
    /// [`USE`](Self::USE) is stored as given, the unnamed ones too.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u16 {
        /// `NTF_USE`: in a request, refreshes `updated`. Never stored.
        const USE = 0x01;
        /// `NTF_SELF`.
        const SELF = 0x02;
        /// `NTF_MASTER`.
        const MASTER = 0x04;
        /// `NTF_PROXY`.
        const PROXY = 0x08;
        /// `NTF_EXT_LEARNED`: learned by a control plane; does not age.
        const EXT_LEARNED = 0x10;
        /// `NTF_OFFLOADED`.
        const OFFLOADED = 0x20;
        /// `NTF_STICKY`. Stored, otherwise without meaning.
        const STICKY = 0x40;
        /// `NTF_ROUTER`: frames to this address may take the route short-circuit.
        const ROUTER = 0x80;
        /// `NTF_VXLAN_ADDED_BY_USER`, internal: a control plane asked for the entry. Messages
        /// carry the low eight bits only.
        const ADDED_BY_USER = 0x100;
        const _ = !0;
    }
}

bitflags! {
    /// How a request treats what is there and what is not (`NLM_F_*`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Mode: u16 {
        /// `NLM_F_REPLACE`: overwrites the destination.
        const REPLACE = 0x100;
        /// `NLM_F_EXCL`: refuses an entry that exists.
        const EXCL = 0x200;
        /// `NLM_F_CREATE`: makes the entry if it is missing.
        const CREATE = 0x400;
        /// `NLM_F_APPEND`: adds a remote. Only groups and the all-zeros address have several.
        const APPEND = 0x800;
    }
}
