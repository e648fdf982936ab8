//! Any frame for a proxy or a short-circuit, any answer of the neighbour table: nothing panics,
//! every frame has one end, every answer is whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vxlan_fuzz::suppress(input));
