//! The command `vtep`: real VTEPs behind TAP devices.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
