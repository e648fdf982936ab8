//! What an operator asks for.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use super::Error;

/// One entry of a request to add or delete VNIs (`struct vxlan_vnifilter_entry`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The first VNI (`VXLAN_VNIFILTER_ENTRY_START`); not named, it is 0.
    pub start: Option<u32>,
    /// The last VNI (`VXLAN_VNIFILTER_ENTRY_END`); not named, it is the first.
    pub end: Option<u32>,
    /// The group or remote of each (`VXLAN_VNIFILTER_ENTRY_GROUP`, `GROUP6`); an unspecified address
    /// is none.
    pub group: Option<IpAddr>,
}

impl Request {
    /// The VNIs asked for, which are none if the last is below the first.
    ///
    /// # Errors
    /// [`Error::NoVni`] if both ends come to 0, so that VNI 0 cannot be named alone.
    pub fn range(&self) -> Result<RangeInclusive<u32>, Error> {
        let start = self.start.unwrap_or(0);
        let end = self.end.unwrap_or(start);
        if start == 0 && end == 0 {
            return Err(Error::NoVni);
        }
        Ok(start..=end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named() {
        let reversed = RangeInclusive::new(7, 5);
        assert!(reversed.is_empty());
        for (start, end, want) in [
            (None, None, Err(Error::NoVni)),
            (Some(0), None, Err(Error::NoVni)),
            (Some(0), Some(0), Err(Error::NoVni)),
            (Some(7), None, Ok(7..=7)),
            (None, Some(5), Ok(0..=5)),
            (Some(7), Some(5), Ok(reversed.clone())),
            (Some(u32::MAX), None, Ok(u32::MAX..=u32::MAX)),
        ] {
            let request = Request {
                start,
                end,
                group: None,
            };
            assert_eq!(request.range(), want);
        }
    }
}
