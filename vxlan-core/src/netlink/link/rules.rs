//! The form of the attributes (`vxlan_policy`, and what there is above it).

use super::{COUNT, Policy, Rule};

/// What every link may have: the few attributes that are looked at. Numbers are those of [`ADDRESS`](super::ADDRESS), [`MTU`](super::MTU) and
/// [`LINKINFO`](super::LINKINFO).
pub(super) const LINK: Policy<19> = lenient([
    Rule::Any,
    Rule::AtMost(32),
    Rule::Any,
    Rule::Any,
    Rule::Number(4),
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Any,
    Rule::Nested,
]);

/// What says the kind of a link, and of the one above it.
pub(super) const INFO: Policy<6> = lenient([
    Rule::Any,
    Rule::AtLeast(1),
    Rule::Nested,
    Rule::Any,
    Rule::AtLeast(1),
    Rule::Nested,
]);

/// Attributes up to 30 come from a time when longer ones were taken.
pub(super) const VXLAN: Policy<COUNT> = Policy {
    rules: [
        Rule::Any,
        Rule::Number(4),   // ID
        Rule::AtLeast(4),  // GROUP
        Rule::Number(4),   // LINK
        Rule::AtLeast(4),  // LOCAL
        Rule::Number(1),   // TTL
        Rule::Number(1),   // TOS
        Rule::Number(1),   // LEARNING
        Rule::Number(4),   // AGEING
        Rule::Number(4),   // LIMIT
        Rule::AtLeast(4),  // PORT_RANGE
        Rule::Number(1),   // PROXY
        Rule::Number(1),   // RSC
        Rule::Number(1),   // L2MISS
        Rule::Number(1),   // L3MISS
        Rule::Number(2),   // PORT
        Rule::AtLeast(16), // GROUP6
        Rule::AtLeast(16), // LOCAL6
        Rule::Number(1),   // UDP_CSUM
        Rule::Number(1),   // UDP_ZERO_CSUM6_TX
        Rule::Number(1),   // UDP_ZERO_CSUM6_RX
        Rule::Number(1),   // REMCSUM_TX
        Rule::Number(1),   // REMCSUM_RX
        Rule::Flag,        // GBP
        Rule::Flag,        // REMCSUM_NOPARTIAL
        Rule::Number(1),   // COLLECT_METADATA
        Rule::Number(4),   // LABEL
        Rule::Flag,        // GPE
        Rule::Flag,        // TTL_INHERIT
        Rule::Number(1),   // DF
        Rule::Number(1),   // VNIFILTER
        Rule::Below(1, 1), // LOCALBYPASS
        Rule::Below(4, 1), // LABEL_POLICY
        Rule::Bytes(8, 8), // RESERVED_BITS
        Rule::Below(1, 1), // MC_ROUTE
    ],
    strict_from: 31,
    closed: false,
    ruled_from: COUNT,
};

const fn lenient<const N: usize>(rules: [Rule; N]) -> Policy<N> {
    Policy {
        rules,
        strict_from: N,
        closed: false,
        ruled_from: N,
    }
}
