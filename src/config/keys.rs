//! The keys that there are: the long flags of a clap command.

use super::{FILE, NO_FILE};
use clap::{Arg, ArgAction, Command, Id};

/// What a key's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Switch,
    /// True or false, where a flag says which.
    Choice,
    /// One value.
    One,
    /// A list of values.
    Many,
}

/// A setting that there is.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name, as in the file: the flag without its dashes.
    pub name: String,
    /// What its value is.
    pub kind: Kind,
    /// What it is about: the first line of its help.
    pub help: String,
    pub(super) id: Id,
    conflicts: Vec<Id>,
}

/// Parts of names whose values are nobody's business.
const SECRETS: [&str; 4] = ["token", "password", "secret", "passphrase"];

impl Key {
    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("VGLB_{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// What clap calls it.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Whether its value is not to be shown.
    pub fn is_secret(&self) -> bool {
        // A file that holds a secret is none itself.
        self.name.split('-').any(|part| SECRETS.contains(&part)) && !self.name.ends_with("-file")
    }

    /// Whether it and the other can't both be set.
    pub(super) fn contradicts(&self, other: &Key) -> bool {
        self.conflicts.contains(&other.id) || other.conflicts.contains(&self.id)
    }
}

/// All keys of a command.
#[derive(Clone, Debug)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// The keys of `command`: its long flags, but for those that say where other settings are.
    pub fn of(command: &Command) -> Keys {
        let key = |arg: &Arg| {
            let name = arg.get_long()?;
            let kind = match arg.get_action() {
                ArgAction::SetTrue | ArgAction::SetFalse => Kind::Switch,
                ArgAction::Set if is_bool(arg) => Kind::Choice,
                ArgAction::Set => Kind::One,
                ArgAction::Append => Kind::Many,
                _ => return None,
            };
            let conflicts = command.get_arg_conflicts_with(arg).into_iter().map(|arg| arg.get_id().clone()).collect();
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            (name != FILE && name != NO_FILE).then(|| Key {
                name: name.to_owned(),
                kind,
                help,
                id: arg.get_id().clone(),
                conflicts,
            })
        };
        Keys(command.get_arguments().filter_map(key).collect())
    }

    /// All of them, in the order in which help lists them.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// The key of this name.
    pub fn get(&self, name: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.name == name)
    }
}

fn is_bool(arg: &Arg) -> bool {
    let values = arg.get_possible_values();
    values.iter().map(clap::builder::PossibleValue::get_name).eq(["true", "false"])
}

/// Of `names`, the one that is most like `name`, where one is like it at all.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    // 0.75 lets a few letters differ; below it, suggestions begin to surprise.
    const LIKE: f64 = 0.75;
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let name = plain(name);
    let likeness = names.map(|candidate| (strsim::jaro_winkler(&name, &plain(candidate)), candidate));
    likeness.filter(|(like, _)| *like >= LIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, best)| best.to_owned())
}
