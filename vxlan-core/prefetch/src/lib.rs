//! One function, in a crate of its own because it takes the only unsafe blocks of the workspace:
//! `core` has no stable and safe way to prefetch. A hint changes nothing but time.

#![no_std]

/// Asks the processor to load the cache line where `value` begins. Does nothing on processors
/// other than x86-64 and AArch64.
#[inline(always)]
pub fn read<T>(value: &T) {
    let pointer: *const T = value;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction is part of the baseline, and a hint about an address that a
    // reference vouches for. It reads no memory that a program could observe.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(pointer.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above; the instruction touches neither registers nor flags nor the stack.
    unsafe {
        core::arch::asm!(
            "prfm pldl1keep, [{pointer}]",
            pointer = in(reg) pointer,
            options(nostack, preserves_flags, readonly),
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = pointer;
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hint_changes_nothing() {
        let value = [7u64; 16];
        super::read(&value);
        assert_eq!(value, [7; 16]);
    }
}
