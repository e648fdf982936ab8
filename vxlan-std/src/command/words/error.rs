//! What is wrong with a line of words.

use core::fmt;

/// The most characters of a word that a message repeats.
const SHOWN: usize = 48;

/// A line of words that means nothing. Displayed as one line that names the word and says what was
/// expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordsError {
    line: &'static str,
    subject: Option<String>,
    word: String,
    place: Option<usize>,
    problem: Problem,
}

/// What is wrong with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is not this.
    Expected(&'static str),
    /// The line ends after it.
    Missing(&'static str),
    /// It was said before, perhaps by another name.
    Twice,
    /// No such word.
    Unknown,
    /// A word of iproute2 that nothing here follows.
    Unsupported(&'static str),
}

impl WordsError {
    /// A fault in the `line` (`link` or `fdb`) about `subject`.
    pub(super) fn new(
        line: &'static str,
        subject: Option<&str>,
        word: &str,
        place: Option<usize>,
        problem: Problem,
    ) -> Self {
        Self {
            line,
            subject: subject.map(shown),
            word: shown(word),
            place,
            problem,
        }
    }

    /// Which word of the line it is about, from 0; `None` if it is about one that is missing.
    pub(crate) const fn place(&self) -> Option<usize> {
        self.place
    }
}

/// The word without control characters, cut to a readable length.
fn shown(word: &str) -> String {
    let mut shown: String = word
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if word.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for WordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.line)?;
        if let Some(subject) = &self.subject {
            write!(f, " \"{subject} …\"")?;
        }
        f.write_str(": ")?;
        if !self.word.is_empty() {
            write!(f, "\"{}\": ", self.word)?;
        }
        match self.problem {
            Problem::Expected(what) => write!(f, "{what} expected"),
            Problem::Missing(what) if self.word.is_empty() => write!(f, "{what} expected"),
            Problem::Missing(what) => write!(f, "{what} expected behind it"),
            Problem::Twice => f.write_str("said twice"),
            Problem::Unknown => f.write_str("unknown word"),
            Problem::Unsupported(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for WordsError {}
