//! The Python package: its wheel built with the tools that users build it with, installed into an environment of its own, and tested there.

use crate::command::{Cmd, Failure};
use crate::machine::Machine;
use crate::python::Venv;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What builds and checks the package.
pub const TOOLS: Venv = Venv { name: "python-package", requirements: "python/tests/requirements.txt" };

/// Where the wheel is installed: nothing but the wheel is in there, and a pointer to the tools.
const FRESH: Venv = Venv { name: "python-package-installed", requirements: TOOLS.requirements };

/// One wheel for every Python from 3.11 on.
const TAGS: &str = "-cp311-abi3-";

/// The wheel of users is optimised, which takes minutes; what the tests say of it is the same whatever the optimiser does.
const PROFILE: (&str, &str) = ("MATURIN_PEP517_ARGS", "--profile dev");

/// Has `site-packages` of this environment look into that of the one that is named.
const POINT: &str = "\
import pathlib, sysconfig, sys
pathlib.Path(sysconfig.get_path('purelib'), 'tools.pth').write_text(sys.argv[1], encoding='utf-8')
";

/// Builds the wheel with pip from the repository's root and with uv from the package's folder, installs it, runs its
/// tests with warnings as errors, and has mypy and pyright check it and the examples.
pub fn test(machine: &Machine) -> Result<(), Failure> {
    let wheels = machine.tools().join("wheels");
    let by_pip = build(machine, &wheels.join("pip"), "-m pip wheel --quiet --no-deps --no-build-isolation .")?;
    let uv = "-m uv build --wheel --offline --no-build-isolation ./python";
    let by_uv = build(machine, &wheels.join("uv"), uv)?;
    if by_pip.file_name() != by_uv.file_name() {
        let fault = format!("pip has built {}, and uv {}", by_pip.display(), by_uv.display());
        return Err(Failure::Faults(vec![fault]));
    }
    install(machine, &by_pip)?;
    FRESH.python(machine, "-W error -m pytest python/tests").run()?;
    check_types(machine)
}

/// Builds a wheel into `folder`, which is made anew, and finds it there.
fn build(machine: &Machine, folder: &Path, line: &str) -> Result<PathBuf, Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::file(folder))?;
    }
    let option = if line.contains("uv build") { "--out-dir" } else { "--wheel-dir" };
    let (variable, profile) = PROFILE;
    with_tools(machine, TOOLS.python(machine, line)).env(variable, profile).arg(option).arg(folder).run()?;
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let path = entry.map_err(Failure::file(folder))?.path();
        wheels.extend(path.extension().is_some_and(|e| e == "whl").then_some(path));
    }
    match wheels.as_slice() {
        [wheel] if wheel.to_string_lossy().contains(TAGS) => Ok(wheel.clone()),
        others => Err(Failure::Faults(vec![format!("{line} has left {others:?}; wanted is one wheel with {TAGS}")])),
    }
}

fn install(machine: &Machine, wheel: &Path) -> Result<(), Failure> {
    TOOLS.python(machine, "-m venv --clear --without-pip").arg(FRESH.folder(machine)).run()?;
    let packages =
        TOOLS.python(machine, "-c").arg("import sysconfig; print(sysconfig.get_path('purelib'))").output()?;
    FRESH.python(machine, "-c").arg(POINT).arg(packages).run()?;
    let pip = "-m pip --disable-pip-version-check";
    let into = |line: &str| {
        TOOLS.python(machine, pip).arg("--python").arg(FRESH.program(machine)).args(line.split_whitespace())
    };
    into("install --quiet --no-deps --no-index").arg(wheel).run()?;
    // Whether the wheel's own requirements are met by what it is tested with.
    into("check").run()
}

/// The annotations agree with themselves and the examples with them, and the native module is what its stub says.
fn check_types(machine: &Machine) -> Result<(), Failure> {
    let python = FRESH.program(machine);
    let mypy = || {
        let line = "-m mypy --config-file python/pyproject.toml --cache-dir";
        TOOLS.python(machine, line).arg(machine.tools().join("mypy")).arg("--python-executable").arg(&python)
    };
    mypy().args(["-p", "virtual_gpu_lut_box", "-p", "vglb"]).run()?;
    mypy().arg("python/examples").run()?;
    // Its "disjoint bases" are a notion of Python 3.15's.
    let stubtest = "-m mypy.stubtest --ignore-disjoint-bases virtual_gpu_lut_box vglb";
    FRESH.python(machine, stubtest).run()?;
    with_tools(machine, TOOLS.python(machine, "-m pyright --project python --warnings --pythonpath")).arg(python).run()
}

/// With the tools' own programs found first: maturin's hooks call `maturin`, and pyright looks for its Node.js.
fn with_tools(machine: &Machine, command: Cmd) -> Cmd {
    let programs = TOOLS.program(machine).parent().map(Path::to_owned);
    let path = env::var_os("PATH").unwrap_or_default();
    let all = programs.into_iter().chain(env::split_paths(&path));
    // Paths that came out of PATH can be joined again, and ours has no separator in it where cargo can work at all.
    let joined = env::join_paths(all).unwrap_or(path);
    command.env("PATH", joined).env("PYRIGHT_PYTHON_IGNORE_WARNINGS", "1")
}
