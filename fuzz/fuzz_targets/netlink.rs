//! Any bytes as a netlink request: nothing panics, and what is granted is told in bytes that ask for
//! the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vxlan_fuzz::netlink(input));
