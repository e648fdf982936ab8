//! The command `vtep`: real VTEPs behind TAP devices.

fn main() {}
