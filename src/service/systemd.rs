//! A unit of systemd (systemd.service(5), systemd.exec(5)).

use super::{Account, NAME, Plan, Service, ServiceError, ServiceFile, command_line, words};
use std::path::{Path, PathBuf};

const USER_UNIT: &str = include_str!("templates/user.service");
const SYSTEM_UNIT: &str = include_str!("templates/system.service");

/// Without a graphics device: none is seen, and no memory is ever both written and run.
const NO_DEVICES: &str = "PrivateDevices=yes\nMemoryDenyWriteExecute=yes";
/// With one: graphics devices alone are seen. Their drivers write programs at run time.
const GRAPHICS_DEVICES: &str = "DevicePolicy=closed\nDeviceAllow=char-drm rw\nDeviceAllow=char-nvidia* rw\n\
                                SupplementaryGroups=video render";

fn unit_name() -> String {
    format!("{NAME}.service")
}

pub(super) fn for_user(settings: &Path, service: &Service) -> Plan {
    let unit = unit_name();
    let text = USER_UNIT.replace("@COMMAND@", &exec(&command_line(service)));
    let path = settings.join("systemd").join("user").join(&unit);
    Plan {
        files: vec![ServiceFile { path, text, utf16: false }],
        install: vec![
            words(&["systemctl", "--user", "daemon-reload"]),
            words(&["systemctl", "--user", "enable", &unit]),
            words(&["systemctl", "--user", "restart", &unit]),
        ],
        stop: vec![words(&["systemctl", "--user", "disable", "--now", &unit])],
        removed: vec![words(&["systemctl", "--user", "daemon-reload"])],
        status: words(&["systemctl", "--user", "--no-pager", "status", &unit]),
        hints: vec![
            "it runs while you are logged on; `loginctl enable-linger` has it run from the computer's start".into(),
        ],
    }
}

pub(super) fn for_system(service: &Service, account: &Account) -> Result<Plan, ServiceError> {
    for name in [&account.user, &account.group] {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty()
            || name.len() > 31
            || !name.chars().all(good)
            || name.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_')
        {
            return Err(ServiceError::AccountName(name.clone()));
        }
    }
    let unit = unit_name();
    let mut command = command_line(service);
    let given = |option: &str| service.arguments.iter().any(|a| a == option || a.starts_with(&format!("{option}=")));
    if !given("--socket-group") {
        command.extend(words(&["--socket-group", &account.group]));
    }
    let graphics = given("--gpu");
    if !graphics {
        command.extend(words(&["--gpu", "off"]));
    }
    let text = SYSTEM_UNIT
        .replace("@COMMAND@", &exec(&command))
        .replace("@USER@", &account.user)
        .replace("@GROUP@", &account.group)
        .replace("@DEVICES@", if graphics { GRAPHICS_DEVICES } else { NO_DEVICES });
    let accounts = PathBuf::from("/etc/sysusers.d").join(format!("{NAME}.conf"));
    let accounts_text = format!(
        "# Written by `vglb service install --system`: see sysusers.d(5).\ng {group} -\nu {user} -:{group} \"Virtual GPU LUT Box\"\n",
        group = account.group,
        user = account.user
    );
    let written = accounts.display().to_string();
    Ok(Plan {
        files: vec![
            ServiceFile { path: accounts, text: accounts_text, utf16: false },
            ServiceFile { path: PathBuf::from("/etc/systemd/system").join(&unit), text, utf16: false },
        ],
        install: vec![
            words(&["systemd-sysusers", &written]),
            words(&["systemctl", "daemon-reload"]),
            words(&["systemctl", "enable", &unit]),
            words(&["systemctl", "restart", &unit]),
        ],
        stop: vec![words(&["systemctl", "disable", "--now", &unit])],
        removed: vec![words(&["systemctl", "daemon-reload"])],
        status: words(&["systemctl", "--no-pager", "status", &unit]),
        hints: vec![format!(
            "users of the group {} receive the streams, with VGLB_RUNTIME_DIR=/run/{NAME} in their environment: \
             usermod --append --groups {} NAME",
            account.group, account.group
        )],
    })
}

/// A command for `ExecStart=`: each word in quotes where it needs them, and nothing in it replaced.
fn exec(command: &[String]) -> String {
    let word = |word: &String| {
        let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=+,@[]%".contains(c);
        match !escaped.is_empty() && escaped.chars().all(plain) {
            true => escaped,
            false => format!("\"{escaped}\""),
        }
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}
