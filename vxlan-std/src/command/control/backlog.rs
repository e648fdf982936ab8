//! Lines that wait for a reader who may be slow.

use std::collections::VecDeque;

/// Lines in their order. When they are more than fit, the oldest are lost and counted.
#[derive(Debug)]
pub(crate) struct Backlog {
    lines: VecDeque<String>,
    bytes: usize,
    limit: usize,
    lost: u64,
}

impl Backlog {
    /// No lines, and room for `limit` bytes of them.
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            bytes: 0,
            limit,
            lost: 0,
        }
    }

    /// Adds a line, its end included.
    pub(crate) fn push(&mut self, line: String) {
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.bytes > self.limit {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
            self.lost += 1;
        }
    }

    /// Whether there is anything to take.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.lost == 0
    }

    /// How many lines were lost since the last call.
    pub(crate) const fn take_lost(&mut self) -> u64 {
        core::mem::replace(&mut self.lost, 0)
    }

    /// The oldest lines, `about` so many bytes of them.
    pub(crate) fn take(&mut self, about: usize) -> String {
        let mut taken = String::new();
        while taken.len() < about
            && let Some(line) = self.lines.pop_front()
        {
            self.bytes -= line.len();
            taken.push_str(&line);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_are_lost_and_counted() {
        let mut backlog = Backlog::new(10);
        assert!(backlog.is_empty());
        for line in ["one\n", "two\n", "six\n", "ten\n"] {
            backlog.push(line.to_owned());
        }
        assert_eq!(backlog.take_lost(), 2);
        assert_eq!(backlog.take_lost(), 0);
        assert_eq!(backlog.take(1), "six\n");
        backlog.push("far too long\n".to_owned());
        assert_eq!(backlog.take_lost(), 2);
        assert!(backlog.is_empty());
        backlog.push("one\n".to_owned());
        backlog.push("two\n".to_owned());
        assert_eq!(backlog.take(100), "one\ntwo\n");
        assert!(backlog.is_empty());
    }
}
