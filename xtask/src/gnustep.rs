//! GNUstep: another implementation of the part of macOS that Syphon's programs talk through.

use crate::command::Failure;
use crate::machine::Machine;
use crate::need::Need;
use crate::python;

/// GNUstep's base library, its notification server, and a compiler for Objective-C.
pub const GNUSTEP: Need = Need::System {
    what: "GNUstep's base library with an Objective-C compiler",
    found: |machine| {
        machine
            .program("sh", "-c")
            .arg("command -v gdnc && gnustep-config --base-libs && gcc -x objective-c -fsyntax-only /dev/null")
            .succeeds()
    },
    debian: &["gcc", "gobjc", "gnustep-base-runtime", "libgnustep-base-dev"],
    elsewhere: "install GNUstep's base library and GCC's Objective-C compiler with your package manager",
};

/// Has GNUstep read, write and carry what Syphon's programs say to each other.
pub fn test(machine: &Machine) -> Result<(), Failure> {
    python::ORACLE.python(machine, "-m pytest tests/gnustep --config-file tests/python/pytest.ini").run()
}
