//! Consecutive VNIs put together.

use core::net::IpAddr;

use super::list::Iter;

/// Consecutive VNIs with the same group, or without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// The first.
    pub start: u32,
    /// The last.
    pub end: u32,
    /// The group of each.
    pub group: Option<IpAddr>,
}

/// The VNIs of a device as spans, in ascending order.
#[derive(Clone, Debug)]
pub struct Spans<'d> {
    rest: Iter<'d>,
    next: Option<Span>,
}

impl<'d> Spans<'d> {
    pub(super) const fn new(rest: Iter<'d>) -> Self {
        Self { rest, next: None }
    }
}

impl Iterator for Spans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let mut span = self.next.take();
        for entry in self.rest.by_ref() {
            let (vni, group) = (entry.vni(), entry.group());
            let own = Span {
                start: vni,
                end: vni,
                group,
            };
            match &mut span {
                None => span = Some(own),
                Some(span) if span.end.checked_add(1) == Some(vni) && span.group == group => {
                    span.end = vni;
                }
                Some(_) => {
                    self.next = Some(own);
                    return span;
                }
            }
        }
        span
    }
}

impl core::iter::FusedIterator for Spans<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vni_filter::Slot;
    use crate::vni_filter::list::{Head, Vnis, VnisMut};
    use alloc::vec::Vec;

    #[test]
    fn neighbours_with_equal_groups_are_one() {
        let mut slots = [const { Slot::EMPTY }; 9];
        let mut head = Head::default();
        let mut list = VnisMut {
            slots: &mut slots,
            head: &mut head,
        };
        list.prepare(0);
        let group = IpAddr::from([192, 0, 2, 3]);
        for (vni, own) in [
            (5, None),
            (3, None),
            (4, None),
            (7, None),
            (8, Some(group)),
            (9, Some(group)),
            (10, None),
            (u32::MAX, None),
            (0, None),
        ] {
            list.insert(vni).unwrap();
            list.set_group(vni, own);
        }
        let spans: Vec<_> = Vnis::new(&slots, head)
            .spans()
            .map(|span| (span.start, span.end, span.group.is_some()))
            .collect();
        let max = u32::MAX;
        assert_eq!(
            spans,
            [
                (0, 0, false),
                (3, 5, false),
                (7, 7, false),
                (8, 9, true),
                (10, 10, false),
                (max, max, false)
            ]
        );
        assert_eq!(Vnis::new(&[], Head::default()).spans().next(), None);
    }
}
