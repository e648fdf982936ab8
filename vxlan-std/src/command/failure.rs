//! How a command ends when it did not do what it was told.

use core::fmt::{self, Display};
use std::process::ExitCode;

/// One line for the standard error stream, and the exit status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    line: String,
    status: u8,
}

impl Failure {
    /// The arguments are wrong: status 2.
    pub(crate) fn usage(line: impl Display) -> Self {
        Self {
            line: line.to_string(),
            status: 2,
        }
    }

    /// Something failed: status 1.
    pub(crate) fn new(line: impl Display) -> Self {
        Self {
            line: line.to_string(),
            status: 1,
        }
    }

    /// Something about the device `name` failed: status 1.
    pub(crate) fn of(name: &str, what: impl Display) -> Self {
        Self::new(format_args!("{name}: {what}"))
    }

    /// The same as wrong words: status 2.
    pub(crate) fn of_usage(self) -> Self {
        Self { status: 2, ..self }
    }

    /// Says it.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("vtep: {self}");
        self.status.into()
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}
