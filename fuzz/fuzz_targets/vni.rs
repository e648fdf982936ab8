//! Any bytes as messages about VNI filters: nothing panics, every change is told, and what is shown
//! can be asked for.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vxlan_fuzz::vni(input));
