//! A walk along the words of a line that remembers what has been said.

use std::vec;

use super::WordsError;
use super::error::Problem;

/// Where in a line the parser stands.
pub(super) struct Cursor<'w> {
    line: &'static str,
    words: vec::IntoIter<&'w str>,
    /// How many words have been taken.
    taken: usize,
    subject: Option<&'w str>,
    /// What has been said, and where.
    said: Vec<(&'static str, usize)>,
}

impl<'w> Cursor<'w> {
    /// The start of `text`, a line of the kind `line`.
    pub(super) fn new(line: &'static str, text: &'w str) -> Self {
        Self::over(line, text.split_whitespace())
    }

    /// The start of a line that is split already.
    pub(super) fn over(line: &'static str, words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<_> = words.into_iter().collect();
        Self {
            line,
            words: words.into_iter(),
            taken: 0,
            subject: None,
            said: Vec::new(),
        }
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<&'w str> {
        let word = self.words.next()?;
        self.taken += 1;
        Some(word)
    }

    /// Says what the line is about, for messages.
    pub(super) fn about(&mut self, subject: &'w str) {
        self.subject = Some(subject);
    }

    /// An error at `word`, the last that was taken; an empty one is missing.
    pub(super) fn error(&self, word: &str, problem: Problem) -> WordsError {
        let place = match word {
            "" => None,
            _ => self.taken.checked_sub(1),
        };
        WordsError::new(self.line, self.subject, word, place, problem)
    }

    /// An error at `word`, by which `what` was said [once](Self::once).
    pub(super) fn error_about(&self, what: &str, word: &str, problem: Problem) -> WordsError {
        let said = self.said.iter().find(|(said, _)| *said == what);
        let place = said.map(|(_, place)| *place);
        WordsError::new(self.line, self.subject, word, place, problem)
    }

    /// Notes that `what` is said now, by `word`.
    pub(super) fn once(&mut self, what: &'static str, word: &str) -> Result<(), WordsError> {
        if self.said.iter().any(|(said, _)| *said == what) {
            return Err(self.error(word, Problem::Twice));
        }
        self.said.push((what, self.taken.saturating_sub(1)));
        Ok(())
    }

    /// The value behind `word`.
    pub(super) fn value<T>(
        &mut self,
        word: &str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, WordsError> {
        let Some(value) = self.next() else {
            return Err(self.error(word, Problem::Missing(expected)));
        };
        parse(value)
            .ok_or_else(|| self.error(&format!("{word} {value}"), Problem::Expected(expected)))
    }
}
