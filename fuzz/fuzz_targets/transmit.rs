//! Any frame from the overlay: nothing panics, what is sent parses, and receiving it gives the
//! frame back.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vxlan_fuzz::transmit(input));
