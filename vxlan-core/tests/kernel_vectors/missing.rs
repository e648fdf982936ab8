//! Features that the library lacks. A device that has one switched on can be simulated as long as
//! no frame comes by that the feature concerns.

use super::answer::{Failure, unsupported};
use super::model::Attributes;
use super::underlay::word;

/// The features of one device that are missing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Missing {
    proxy: bool,
    rsc: bool,
}

impl Missing {
    pub(crate) fn of(attributes: &Attributes) -> Self {
        let on = |flag: Option<u8>| flag.is_some_and(|flag| flag != 0);
        Self {
            proxy: on(attributes.proxy),
            rsc: on(attributes.rsc),
        }
    }

    /// An error if a frame to be transmitted would be treated otherwise by what is missing.
    /// `routers` says whether an entry leads to a router: the short-circuit looks at no others.
    /// Misses of the third layer come from it and from the proxy.
    pub(crate) fn concerns(self, frame: &[u8], routers: bool) -> Result<(), Failure> {
        if self.proxy && (word(frame, 12) == Some(0x0806) || is_solicitation(frame)) {
            return Err(unsupported("proxy"));
        }
        if self.rsc && routers {
            return Err(unsupported("rsc"));
        }
        Ok(())
    }
}

/// Whether the proxy takes a frame for a neighbour solicitation (RFC 4861 section 4.3).
fn is_solicitation(frame: &[u8]) -> bool {
    const SOLICITATION: u8 = 135;
    word(frame, 12) == Some(0x86dd)
        && frame.len() >= 78
        && frame.get(20) == Some(&58)
        && frame.get(54..56) == Some(&[SOLICITATION, 0])
}
