//! Any bytes from the underlay: nothing panics, every packet has one end, learning stays bounded.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vxlan_fuzz::receive(input));
