//! A launch agent (launchd.plist(5)).

use super::{NAME, Plan, Service, ServiceFile, command_line, words, xml};
use std::path::Path;

const AGENT: &str = include_str!("templates/agent.plist");

pub(super) fn plan(home: &Path, service: &Service) -> Plan {
    let path = home.join("Library").join("LaunchAgents").join(format!("{NAME}.plist"));
    // A Mac's path, also where another system shows what would be done there.
    let log = format!("{}/Library/Logs/{NAME}.log", home.display());
    let arguments: Vec<_> = command_line(service).iter().map(|a| format!("\t\t<string>{}</string>", xml(a))).collect();
    let text =
        AGENT.replace("@LABEL@", NAME).replace("@LOG@", &xml(&log)).replace("@ARGUMENTS@", &arguments.join("\n"));
    // The session of the user who is logged on at the screen has the number of that user.
    let launchctl = |line: &str| words(&["sh", "-c", line, "sh", &path.display().to_string()]);
    let target = format!("gui/$(id -u)/{NAME}");
    Plan {
        install: vec![
            launchctl(&format!("launchctl bootout {target} 2>/dev/null || true")),
            launchctl("launchctl bootstrap gui/$(id -u) \"$1\""),
        ],
        stop: vec![launchctl(&format!("launchctl bootout {target}"))],
        removed: Vec::new(),
        status: launchctl(&format!("launchctl print {target}")),
        hints: vec![format!("it logs to {log}")],
        files: vec![ServiceFile { path, text, utf16: false }],
    }
}
