//! A walk along the words of a line that remembers what has been said.

use std::vec;

use super::WordsError;
use super::error::Problem;

/// Where in a line the parser stands.
pub(super) struct Cursor<'w> {
    line: &'static str,
    words: vec::IntoIter<&'w str>,
    subject: Option<&'w str>,
    said: Vec<&'static str>,
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
            subject: None,
            said: Vec::new(),
        }
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<&'w str> {
        self.words.next()
    }

    /// Says what the line is about, for messages.
    pub(super) fn about(&mut self, subject: &'w str) {
        self.subject = Some(subject);
    }

    /// An error at `word`.
    pub(super) fn error(&self, word: &str, problem: Problem) -> WordsError {
        WordsError::new(self.line, self.subject, word, problem)
    }

    /// Notes that `what` is said now, by `word`.
    pub(super) fn once(&mut self, what: &'static str, word: &str) -> Result<(), WordsError> {
        if self.said.contains(&what) {
            return Err(self.error(word, Problem::Twice));
        }
        self.said.push(what);
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
