#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vglb_fuzz::targets::state_header(bytes));
