//! On macOS a Python extension is linked with symbols that only the interpreter has.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
