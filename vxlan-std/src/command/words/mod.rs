//! The words of iproute2, parsed in one place: what `ip link add` and `bridge fdb append` take.
//!
//! Words are written in full. iproute2 also takes the beginning of a word, which here would let a
//! later version change what a script means.

mod cursor;
mod error;
mod fdb;
mod link;
mod mdb;
mod neigh;
mod nexthop;
mod number;
mod protocol;
mod vni;

pub(crate) use error::WordsError;
pub(crate) use fdb::{
    FdbRequest, FdbSpec, FileSpec, FlushSpec, GetSpec, ShowSpec, parse_fdb, parse_fdb_request,
};
pub(crate) use link::{
    ImportSpec, LimitOptions, LinkFilter, LinkOptions, LinkRequest, LinkSpec, Switch, parse_link,
    parse_link_request, write_limits, write_link,
};
pub(crate) use mdb::{GroupName, GroupRequest, GroupSpec, parse_mdb};
pub(crate) use neigh::{NeighFilter, NeighRequest, NeighSpec, parse_neigh};
pub(crate) use nexthop::{
    NexthopFilter, NexthopRequest, NexthopSpec, gateway_is_shown, parse_nexthop,
};
pub(crate) use protocol::protocol_name;
pub(crate) use vni::{VniRequest, VniSpec, parse_vni};

/// The name of an interface, if it can be one.
fn interface(text: &str) -> Option<String> {
    vxlan_std::interface::is_name(text).then(|| text.to_owned())
}

/// What [`interface`] accepts.
const INTERFACE: &str = vxlan_std::interface::NAME;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Words that mean something, so that the property reaches every branch.
    const KNOWN: &[&str] = &[
        "vx0",
        "type",
        "vxlan",
        "id",
        "vni",
        "local",
        "remote",
        "group",
        "dev",
        "dstport",
        "ttl",
        "tos",
        "ageing",
        "maxaddress",
        "learnquota",
        "learnrate",
        "movedamping",
        "unlearned",
        "unlimited",
        "none",
        "drop",
        "learning",
        "nolearning",
        "srcport",
        "port",
        "df",
        "set",
        "inherit",
        "auto",
        "flowlabel",
        "udpcsum",
        "gbp",
        "reserved_bits",
        "mtu",
        "address",
        "name",
        "dst",
        "via",
        "src_vni",
        "nhid",
        "self",
        "static",
        "dynamic",
        "permanent",
        "any",
        "0",
        "1",
        "42",
        "070",
        "0x2a",
        "99999999999",
        "-1",
        "192.0.2.1",
        "239.1.1.1",
        "ff02::1",
        "2001:db8::1",
        "02:00:00:00:00:01",
        "00:00:00:00:00:00",
        "ü",
        "\u{0}",
    ];

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_in_one_line(text in "\\PC{0,80}|[\\x00-\\xff]{0,40}") {
            one_line(&text)?;
        }

        #[test]
        fn any_words_are_taken_or_refused_in_one_line(
            words in proptest::collection::vec(proptest::sample::select(KNOWN), 0..16),
            link in any::<bool>(),
        ) {
            let start = if link { "vx0 type vxlan id 1 " } else { "02:00:00:00:00:01 dev vx0 " };
            one_line(&words.join(" "))?;
            one_line(&(start.to_owned() + &words.join(" ")))?;
        }
    }

    fn one_line(text: &str) -> Result<(), TestCaseError> {
        for error in [parse_link(text).err(), parse_fdb(text).err()]
            .into_iter()
            .flatten()
        {
            let line = error.to_string();
            prop_assert!(!line.contains(char::is_control), "{line:?}");
            prop_assert!(
                line.starts_with("link") || line.starts_with("fdb"),
                "{line}"
            );
        }
        Ok(())
    }
}
