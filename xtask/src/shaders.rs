//! The shaders: on software GPUs, against the programs that others use to apply a LUT, and under Microsoft's compiler.

use crate::command::{Cmd, Failure};
use crate::machine::Machine;
use crate::need::Need;
use crate::python::SHADER_ORACLE;
use crate::suite;
use std::path::PathBuf;

/// DXC, Microsoft's HLSL compiler: PyPI's compushady brings its library and headers in its source archive.
pub const DXC: Need = Need::Unpacked {
    what: "DXC, Microsoft's HLSL compiler",
    found: |machine| machine.program("ls", "").arg(library(machine)).succeeds(),
    make: fetch_dxc,
};

const COMPUSHADY: &str = "compushady-0.17.5";

fn folder(machine: &Machine) -> PathBuf {
    machine.tools().join("dxc")
}

fn library(machine: &Machine) -> PathBuf {
    folder(machine).join(format!("libdxcompiler_{}.so.3.7", std::env::consts::ARCH))
}

fn fetch_dxc(machine: &Machine) -> Vec<Cmd> {
    let folder = folder(machine);
    let download = "-m pip --disable-pip-version-check download --quiet --no-deps --no-binary compushady --dest";
    let archive = folder.join(format!("{COMPUSHADY}.tar.gz"));
    vec![
        SHADER_ORACLE.python(machine, download).arg(&folder).arg(COMPUSHADY.replace('-', "==")),
        machine
            .program("tar", "--extract --strip-components=3 --file")
            .arg(archive)
            .arg("--directory")
            .arg(&folder)
            .arg(format!("{COMPUSHADY}/compushady/backends")),
    ]
}

/// All suites of the shaders.
pub fn test(machine: &Machine) -> Result<(), Failure> {
    suite::test(machine, "--test opengl --test vulkan --test hosts --test metal -- --ignored").run()?;
    let python = SHADER_ORACLE.program(machine);
    suite::test(machine, "--test oracles -- --ignored").env("VGLB_PYTHON", python).run()?;
    suite::test(machine, "--test dxc -- --ignored").env("VGLB_DXC", folder(machine)).run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Apt;

    #[test]
    fn dxc_comes_out_of_the_archive_that_was_downloaded() {
        let lines: Vec<_> = fetch_dxc(&Machine::for_tests("linux", Apt::None)).iter().map(Cmd::to_string).collect();
        let folder = "/project/target/xtask/dxc";
        assert!(lines[0].ends_with(&format!("--dest {folder} compushady==0.17.5")), "{lines:?}");
        assert!(lines[1].contains(&format!("--file {folder}/compushady-0.17.5.tar.gz")), "{lines:?}");
    }
}
