//! The server as a service of the platform: what is written where, and what the platform's own tools are told.
//!
//! Nothing here depends on the platform that the program was built for, so every platform's part is tested on all.
//!
//! - Linux: a unit of systemd, for the user's own manager, or for the system's with a user of its own.
//! - macOS: a launch agent, and no daemon: Syphon finds programs of the same login session only.
//! - Windows: a task that starts when the user logs on, and no service: Spout's objects are those of the user's session,
//!   and services run in another.

mod launchd;
mod systemd;
mod task;

use std::path::PathBuf;

/// What the service is called, in files and towards the platform's tools.
pub const NAME: &str = "virtual-gpu-lut-box";

/// A platform, with the places that are the user's own there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Platform {
    /// systemd.
    Linux {
        /// Where the user's settings are: `~/.config`.
        settings: PathBuf,
    },
    /// launchd.
    MacOs {
        /// The user's home folder.
        home: PathBuf,
    },
    /// The Task Scheduler.
    Windows {
        /// Where programs keep data for the user.
        data: PathBuf,
        /// The user, as `DOMAIN\name`.
        user: String,
    },
}

/// What is to be a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The program, by its whole path.
    pub program: PathBuf,
    /// What it is given behind `serve`.
    pub arguments: Vec<String>,
    /// For the system instead of for the user; on Linux alone.
    pub system: Option<Account>,
}

/// Whose a service of the system is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user that it runs as.
    pub user: String,
    /// The group that textures are shared with.
    pub group: String,
}

/// A file of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// In UTF-16 with a byte order mark, as the Task Scheduler has its files.
    pub utf16: bool,
}

impl ServiceFile {
    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self.utf16 {
            true => std::iter::once(0xfeff).chain(self.text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
            false => self.text.clone().into_bytes(),
        }
    }
}

/// What is done to install, remove or look at a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The service's files, in the order in which they are written.
    pub files: Vec<ServiceFile>,
    /// Once they are written.
    pub install: Vec<Vec<String>>,
    /// Before they are removed; what is not running need not be stopped, so these may fail.
    pub stop: Vec<Vec<String>>,
    /// After they are removed.
    pub removed: Vec<Vec<String>>,
    /// What tells the service's state.
    pub status: Vec<String>,
    /// What else the user should know.
    pub hints: Vec<String>,
}

/// Why there can be no such service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// A service of the system, where textures are shared within a login session.
    #[error(
        "--system is for Linux: on {platform} textures are shared within the user's login session, which a service of the \
         system is not part of; without --system it starts when the user logs on"
    )]
    NoSystemService {
        /// The platform's name.
        platform: &'static str,
    },
    /// An argument that can't be written into the service's file.
    #[error("{0:?} can't be an argument of a service: it has a control character in it")]
    Argument(String),
    /// What can't be the name of a user or a group.
    #[error("{0:?} can't be the name of a user or a group: it has letters, digits, - and _, and begins with no digit")]
    AccountName(String),
}

impl Plan {
    /// What is to be done for `service` on `platform`.
    ///
    /// # Errors
    /// Where the platform has no such service, or an argument or a name can't be written.
    pub fn new(platform: &Platform, service: &Service) -> Result<Plan, ServiceError> {
        let program = service.program.display().to_string();
        if let Some(wrong) = service.arguments.iter().chain([&program]).find(|a| a.contains(char::is_control)) {
            return Err(ServiceError::Argument(wrong.clone()));
        }
        match (platform, &service.system) {
            (Platform::Linux { settings }, None) => Ok(systemd::for_user(settings, service)),
            (Platform::Linux { .. }, Some(account)) => systemd::for_system(service, account),
            (Platform::MacOs { home }, None) => Ok(launchd::plan(home, service)),
            (Platform::Windows { data, user }, None) => Ok(task::plan(data, user, service)),
            (Platform::MacOs { .. }, Some(_)) => Err(ServiceError::NoSystemService { platform: "macOS" }),
            (Platform::Windows { .. }, Some(_)) => Err(ServiceError::NoSystemService { platform: "Windows" }),
        }
    }
}

/// The program and all its arguments.
fn command_line(service: &Service) -> Vec<String> {
    let program = service.program.display().to_string();
    [program, "serve".to_owned()].into_iter().chain(service.arguments.iter().cloned()).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Text within an XML element.
fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
