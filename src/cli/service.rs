//! `vglb service`: has the platform start the server, and keep it running.

use super::output::line;
use crate::atomic_file::{AtomicFile, Existing};
use crate::service::{Account, NAME, Plan, Platform, Service as Wanted, ServiceFile};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command as Process, ExitCode};

/// What `service` takes.
#[derive(Args, Debug)]
pub struct Service {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Have the server start by itself from now on, and start it
    Install {
        #[command(flatten)]
        common: Common,
        /// What `serve` shall be given, behind --
        #[arg(last = true, value_name = "SERVE OPTIONS")]
        arguments: Vec<String>,
    },
    /// Stop it, and have it start no more
    Uninstall(Common),
    /// Show what the platform says of it
    Status(Common),
}

#[derive(Args, Debug)]
struct Common {
    /// For the whole computer, as a user of its own, instead of for you (Linux)
    #[arg(long)]
    system: bool,
    /// The user that it runs as with --system; made where it does not exist
    #[arg(long, default_value = "vglb", value_name = "NAME", requires = "system")]
    user: String,
    /// The group that textures are shared with with --system; made where it does not exist
    #[arg(long, default_value = "vglb", value_name = "NAME", requires = "system")]
    group: String,
    /// Show what would be written and run, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The platform: linux, macos, windows; another than this one with --dry-run only
    #[arg(long, default_value = std::env::consts::OS, value_name = "NAME", hide_default_value = true)]
    platform: String,
}

impl Common {
    fn plan(&self, arguments: &[String]) -> anyhow::Result<Plan> {
        if self.platform != std::env::consts::OS && !self.dry_run {
            bail!("this is {}; a service for {} can only be shown (--dry-run)", std::env::consts::OS, self.platform);
        }
        // The path by which the program was started may lead through a link that is replaced with the next version:
        // that one is better than the file it leads to now.
        let program = std::env::current_exe().context("can't find out where this program is")?;
        let account = || Account { user: self.user.clone(), group: self.group.clone() };
        let service = Wanted { program, arguments: arguments.to_vec(), system: self.system.then(account) };
        Ok(Plan::new(&platform(&self.platform, self.dry_run)?, &service)?)
    }
}

/// The platform of this name, with the places that the environment names.
fn platform(name: &str, shown_only: bool) -> anyhow::Result<Platform> {
    let place = |variable: &str| match std::env::var_os(variable).filter(|v| !v.is_empty()) {
        Some(path) => Ok(PathBuf::from(path)),
        None if shown_only => Ok(PathBuf::from(format!("${variable}"))),
        None => {
            bail!("the environment variable {variable} is not set, so it is not known where the service's file belongs")
        }
    };
    Ok(match name {
        "linux" => Platform::Linux {
            settings: match std::env::var_os("XDG_CONFIG_HOME").filter(|v| !v.is_empty()) {
                Some(path) => path.into(),
                None => place("HOME")?.join(".config"),
            },
        },
        "macos" => Platform::MacOs { home: place("HOME")? },
        "windows" => Platform::Windows {
            data: place("LOCALAPPDATA")?,
            user: format!("{}\\{}", place("USERDOMAIN")?.display(), place("USERNAME")?.display()),
        },
        other => bail!("there is no service for {other:?}; there is linux, macos, windows"),
    })
}

/// Does what is asked.
pub fn run(args: &Service) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Install { common, arguments } => {
            // What `serve` would refuse, it refuses now, and not out of sight.
            super::check_serve(arguments)?;
            let plan = common.plan(arguments)?;
            install(&plan, common.dry_run)?;
        }
        Command::Uninstall(common) => uninstall(&common.plan(&[])?, common.dry_run)?,
        Command::Status(common) => {
            let plan = common.plan(&[])?;
            if common.dry_run {
                line(format_args!("run: {}", plan.status.join(" ")))?;
            } else if !process(&plan.status)
                .status()
                .with_context(|| format!("can't run {}", plan.status[0]))?
                .success()
            {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn install(plan: &Plan, shown_only: bool) -> anyhow::Result<()> {
    for file in &plan.files {
        match shown_only {
            true => line(format_args!("write {}:\n{}", file.path.display(), file.text.trim_end()))?,
            false => {
                write(file).with_context(|| format!("can't write {}", file.path.display()))?;
                line(format_args!("written: {}", file.path.display()))?;
            }
        }
    }
    plan.install.iter().try_for_each(|command| carry_out(command, shown_only))?;
    if !shown_only {
        line(format_args!("the service {NAME} is installed and started"))?;
    }
    plan.hints.iter().try_for_each(|hint| line(format_args!("note: {hint}")))?;
    Ok(())
}

fn uninstall(plan: &Plan, shown_only: bool) -> anyhow::Result<()> {
    if !shown_only && plan.files.iter().all(|file| !file.path.exists()) {
        let names: Vec<_> = plan.files.iter().map(|file| file.path.display().to_string()).collect();
        bail!("there is no such service: {} is not there", names.join(", "));
    }
    for command in &plan.stop {
        if let Err(e) = carry_out(command, shown_only) {
            eprintln!("note: {e:#}");
        }
    }
    for file in plan.files.iter().rev() {
        match shown_only {
            true => line(format_args!("remove {}", file.path.display()))?,
            false => match std::fs::remove_file(&file.path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(e).with_context(|| format!("can't remove {}", file.path.display()));
                }
                _ => line(format_args!("removed: {}", file.path.display()))?,
            },
        }
    }
    plan.removed.iter().try_for_each(|command| carry_out(command, shown_only))
}

fn write(file: &ServiceFile) -> anyhow::Result<()> {
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut out = AtomicFile::create(&file.path, Existing::Replace)?;
    out.out().write_all(&file.bytes())?;
    out.commit()?;
    Ok(())
}

fn process(command: &[String]) -> Process {
    let mut process = Process::new(&command[0]);
    process.args(&command[1..]);
    process
}

/// Runs one of the platform's tools; where it fails, the error says what it said.
fn carry_out(command: &[String], shown_only: bool) -> anyhow::Result<()> {
    let shown = command.join(" ");
    if shown_only {
        line(format_args!("run: {shown}"))?;
        return Ok(());
    }
    let done = process(command).output().with_context(|| format!("can't run {}", command[0]))?;
    if !done.status.success() {
        let said = [done.stderr, done.stdout].map(|out| String::from_utf8_lossy(&out).trim().to_owned());
        let said: Vec<_> = said.iter().filter(|text| !text.is_empty()).map(String::as_str).collect();
        bail!("`{shown}` failed ({}): {}", done.status, said.join("; "));
    }
    Ok(())
}
