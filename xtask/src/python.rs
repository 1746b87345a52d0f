//! Python environments of our own, and the suites that run in them.

use crate::command::{Cmd, Failure};
use crate::machine::Machine;
use crate::need::Need;
use crate::suite;
use std::path::PathBuf;

/// A virtual environment under the target directory that holds the packages of one requirements file.
#[derive(Clone, Copy, Debug)]
pub struct Venv {
    /// Its folder's name.
    pub name: &'static str,
    /// The requirements file; each line is `package==version`.
    pub requirements: &'static str,
}

/// The independent clients and checks in `tests/python`.
pub const ORACLE: Venv = Venv { name: "python-oracle", requirements: "tests/python/requirements.txt" };

/// What drives a browser, and what makes requests of the API's description.
pub const BROWSER: Venv = Venv { name: "browser", requirements: "tests/browser/requirements.txt" };

/// A browser without a window.
pub const CHROMIUM: Need = Need::System {
    what: "Chromium",
    found: |machine| machine.program("chromium", "--version").succeeds(),
    debian: &["chromium"],
    elsewhere: "install Chromium, and name its program in PANEL_CHROMIUM",
};

/// What checks the units for systemd, and runs programs as other users. On other systems nothing is asked of it.
pub const SYSTEMD: Need = Need::System {
    what: "systemd-analyze and setpriv",
    found: |machine| {
        machine.os != "linux"
            || ["systemd-analyze", "setpriv"].iter().all(|name| machine.program(*name, "--version").succeeds())
    },
    debian: &["systemd", "util-linux"],
    elsewhere: "install systemd and util-linux with your package manager",
};

/// OpenColorIO, against which the shaders are held.
pub const SHADER_ORACLE: Venv = Venv { name: "shader-oracle", requirements: "shaders/harness/requirements.txt" };

/// Python itself, new enough for the packages in use and able to make virtual environments.
pub const PYTHON: Need = Need::System {
    what: "Python 3.11 or newer with its venv module",
    found: |machine| machine.python("-c").arg(USABLE).succeeds(),
    debian: &["python3", "python3-venv"],
    elsewhere: "install it from https://www.python.org or with your package manager",
};

const USABLE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/// Ends well where every package that the requirements file names is there in the version that it names.
const INSTALLED: &str = "\
import sys
from importlib.metadata import version
for line in open(sys.argv[1], encoding='utf-8'):
    requirement = line.split('#')[0].strip()
    if requirement:
        name, wanted = requirement.split('==')
        assert version(name) == wanted, name
";

impl Venv {
    /// A command that ends well where the environment is complete.
    pub fn check(&self, machine: &Machine) -> Cmd {
        self.python(machine, "-c").arg(INSTALLED).arg(self.requirements)
    }

    /// The commands that make it anew.
    pub fn make(&self, machine: &Machine) -> Vec<Cmd> {
        let pip = "-m pip --disable-pip-version-check install --quiet --requirement";
        vec![
            machine.python("-m venv --clear").arg(self.folder(machine)),
            self.python(machine, pip).arg(self.requirements),
        ]
    }

    /// The path of the environment's Python.
    pub fn program(&self, machine: &Machine) -> PathBuf {
        let place = if machine.os == "windows" { "Scripts/python.exe" } else { "bin/python" };
        self.folder(machine).join(place)
    }

    /// The environment's Python.
    pub fn python(&self, machine: &Machine, line: &str) -> Cmd {
        machine.program(self.program(machine), line).env("PYTHONDONTWRITEBYTECODE", "1")
    }

    /// Where it is.
    pub fn folder(&self, machine: &Machine) -> PathBuf {
        machine.tools().join(self.name)
    }
}

/// Builds the programs, and tests them from outside with independent BSON and number code.
pub fn test_with_oracle(machine: &Machine) -> Result<(), Failure> {
    let program = suite::program(machine, "vglb")?;
    ORACLE.python(machine, "-m pytest tests/python").env("VGLB_BIN", program).run()
}

/// Builds the programs, and uses the panel as its users do.
pub fn test_with_browser(machine: &Machine) -> Result<(), Failure> {
    let program = suite::program(machine, "vglb")?;
    BROWSER.python(machine, "-m pytest tests/browser").env("VGLB_BIN", program).run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Apt;

    #[test]
    fn an_environment_is_made_from_its_requirements() {
        let linux = Machine::for_tests("linux", Apt::None);
        let lines: Vec<String> = ORACLE.make(&linux).iter().map(Cmd::to_string).collect();
        assert_eq!(lines[0], "python3 -m venv --clear /project/target/xtask/python-oracle");
        assert!(lines[1].contains("/project/target/xtask/python-oracle/bin/python -m pip"), "{lines:?}");
        assert!(lines[1].ends_with("--requirement tests/python/requirements.txt"), "{lines:?}");
        let windows = Machine::for_tests("windows", Apt::None);
        assert!(ORACLE.make(&windows)[0].to_string().starts_with("python -m venv"));
        assert!(ORACLE.python(&windows, "").to_string().contains("python-oracle/Scripts/python.exe"));
    }

    /// The check reads a requirements file line by line: each has to be of the form that it knows.
    #[test]
    fn every_requirement_is_pinned() {
        for venv in [ORACLE, BROWSER, SHADER_ORACLE, crate::python_package::TOOLS] {
            let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(venv.requirements);
            let text = std::fs::read_to_string(file).expect("the requirements file");
            let lines = text.lines().map(|l| l.split('#').next().unwrap_or(l).trim()).filter(|l| !l.is_empty());
            for line in lines {
                let (name, version) = line.split_once("==").unwrap_or_else(|| panic!("{line:?} is not pinned"));
                assert!(!name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit()), "{line:?}");
                assert!(!line.contains(char::is_whitespace), "{line:?}");
            }
        }
    }
}
