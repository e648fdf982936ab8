//! What is wrong with a file, and where.

use core::fmt;
use core::ops::Range;

/// The text of a file, to tell lines from positions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'t>(pub(super) &'t str);

/// One line that says what is wrong and in which line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::command) struct FileError {
    line: usize,
    what: String,
}

impl Text<'_> {
    /// The line that `span` starts in, from 1.
    pub(super) fn line(self, span: &Range<usize>) -> usize {
        let before = self.0.as_bytes().iter().take(span.start);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn error(self, span: &Range<usize>, key: &str, what: &str) -> FileError {
        FileError {
            line: self.line(span),
            what: format!("{key:?}: {what}"),
        }
    }

    /// What the parser of TOML has to say.
    pub(super) fn syntax(self, error: &toml::de::Error) -> FileError {
        let start = error.span().map_or(0, |span| span.start);
        let words: Vec<&str> = error.message().split_whitespace().collect();
        FileError {
            line: self.line(&(start..start)),
            what: words.join(" ").escape_debug().to_string(),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}
