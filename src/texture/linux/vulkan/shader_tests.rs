use super::*;
use naga::back::spv;
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// With this set, the test writes the compiled shader instead of comparing it.
const WRITE: &str = "VGLB_WRITE_SHADERS";

fn compile(source: &str) -> Vec<u8> {
    let module = naga::front::wgsl::parse_str(source).unwrap();
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).unwrap();
    let options = spv::Options { flags: spv::WriterFlags::empty(), ..spv::Options::default() };
    let words = spv::write_vec(&module, &info, &options, None).unwrap();
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

#[test]
fn the_compiled_shader_is_that_of_its_source() {
    let source = include_str!("fetch.wgsl");
    let compiled = compile(source);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write("src/texture/linux/vulkan/fetch.spv", &compiled).unwrap();
    } else {
        assert!(compiled == FETCH, "fetch.wgsl was changed, or naga: run this test with {WRITE}=1 to compile it anew");
    }
    assert!(source.contains(&format!("@workgroup_size({LOCAL_WIDTH})")));
}
