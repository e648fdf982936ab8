//! One place in the memory of a filter.

use core::net::IpAddr;

use super::stats::Counters;

/// Memory for one VNI.
///
/// It holds two things that have nothing to do with each other: a line of the sorted list, and
/// what is known about the VNI of some line. So to insert a VNI moves small lines, never counters.
#[derive(Debug)]
pub struct Slot {
    pub(super) line: Line,
    pub(super) node: Node,
}

/// A line of the list. The lines of all slots together name each node once: those behind the end
/// of the list name the vacant ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) vni: u32,
    pub(super) node: u32,
}

/// A VNI's own (`struct vxlan_vni_node`).
#[derive(Debug)]
pub(super) struct Node {
    pub(super) group: Option<IpAddr>,
    pub(super) counters: Counters,
}

impl Node {
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "a template for slots, never used itself"
    )]
    pub(super) const EMPTY: Self = Self {
        group: None,
        counters: Counters::new(),
    };
}

impl Slot {
    /// A slot that nobody has taken.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "a template for slots, never used itself"
    )]
    pub const EMPTY: Self = Self {
        line: Line { vni: 0, node: 0 },
        node: Node::EMPTY,
    };
}
