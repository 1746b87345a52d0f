//! Checks documents: every link leads to a file or heading of this repository, every command exists.
//!
//! Links to other places are left alone: a check must not need the network.

use crate::arguments::COMMANDS;
use crate::command::Failure;
use crate::tree;
use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

/// Checks every Markdown file of the repository.
pub fn check(root: &Path) -> Result<(), Failure> {
    let mut documents = HashMap::new();
    for file in tree::files(root, &["md"])? {
        let name = file.strip_prefix(root).unwrap_or(&file).to_owned();
        documents.insert(name, read(&tree::text(&file)?));
    }
    let mut names: Vec<_> = documents.keys().collect();
    names.sort();
    let faults = names.into_iter().flat_map(|name| faults(root, name, &documents)).collect();
    Failure::unless_empty(faults)
}

/// What matters of one document.
#[derive(Debug, Default)]
struct Document {
    /// Line and destination of each link and image.
    links: Vec<(usize, String)>,
    /// Line and name of each link by reference whose definition is missing.
    undefined: Vec<(usize, String)>,
    /// What `#…` may lead to.
    anchors: HashSet<String>,
    /// Line and name of each command of `cargo xtask`.
    commands: Vec<(usize, String)>,
}

fn read(text: &str) -> Document {
    let mut document = Document::default();
    let line = |at: usize| 1 + text[..at].matches('\n').count();
    let undefined = RefCell::new(Vec::new());
    let note_undefined = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
        // `[0, 1]` is no link; `[text][name]` is.
        if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
            undefined.borrow_mut().push((line(link.span.start), link.reference.to_string()));
        }
        None
    };
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_with_broken_link_callback(text, options, Some(note_undefined)).into_offset_iter();
    let mut headings: HashMap<String, usize> = HashMap::new();
    let mut heading: Option<String> = None;
    for (event, range) in events {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                document.links.push((line(range.start), dest_url.to_string()));
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let name = slug(&heading.take().unwrap_or_default());
                let before = headings.entry(name.clone()).and_modify(|n| *n += 1).or_insert(0);
                document.anchors.insert(if *before == 0 { name } else { format!("{name}-{before}") });
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let links = ["href", "src"].iter().flat_map(|name| attributes(&html, name));
                document.links.extend(links.map(|to| (line(range.start), to)));
                document.anchors.extend(["id", "name"].iter().flat_map(|name| attributes(&html, name)));
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
    }
    document.undefined = undefined.take();
    for (i, text) in text.lines().enumerate() {
        document.commands.extend(commands(text).map(|name| (i + 1, name.to_owned())));
    }
    document
}

/// A heading's anchor, as GitHub makes it.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The values of an HTML attribute, where they stand in double quotes.
fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    html.split(&start).skip(1).filter_map(|rest| rest.split_once('"')).map(|(value, _)| value.to_owned()).collect()
}

/// The words after `cargo xtask` that stand for a command.
fn commands(line: &str) -> impl Iterator<Item = &str> {
    line.split("cargo xtask ").skip(1).filter_map(|rest| {
        let word = rest.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or("");
        (!word.is_empty() && !word.starts_with('-')).then_some(word)
    })
}

fn faults(root: &Path, name: &Path, documents: &HashMap<PathBuf, Document>) -> Vec<String> {
    let document = &documents[name];
    let at = |line: usize| format!("{}:{line}", name.display());
    let mut faults = Vec::new();
    for (line, link) in &document.links {
        if let Err(why) = follow(root, name, link, documents) {
            faults.push(format!("{}: the link {link:?} {why}", at(*line)));
        }
    }
    for (line, reference) in &document.undefined {
        faults.push(format!("{}: the link [{reference}] is defined nowhere in this file", at(*line)));
    }
    for (line, command) in document.commands.iter().filter(|(_, c)| !COMMANDS.contains(&c.as_str())) {
        faults.push(format!("{}: there is no `cargo xtask {command}`", at(*line)));
    }
    faults
}

/// Whether a link leads somewhere, and otherwise why not.
fn follow(root: &Path, from: &Path, link: &str, documents: &HashMap<PathBuf, Document>) -> Result<(), String> {
    if is_elsewhere(link) {
        return Ok(());
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { from.to_owned() } else { resolve(from, path)? };
    if !root.join(&target).exists() {
        return Err(format!("leads to {}, which is not there", target.display()));
    }
    match (anchor, documents.get(&target)) {
        (Some(anchor), Some(document)) if !document.anchors.contains(anchor) => {
            Err(format!("leads to a heading that {} does not have", target.display()))
        }
        _ => Ok(()),
    }
}

/// Whether a link has a scheme, such as `https:`.
fn is_elsewhere(link: &str) -> bool {
    link.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// The file that a link names, seen from the repository's root.
fn resolve(from: &Path, path: &str) -> Result<PathBuf, String> {
    let path = path.replace("%20", " ");
    let start = if path.starts_with('/') { Path::new("") } else { from.parent().unwrap_or(Path::new("")) };
    let mut resolved = start.to_owned();
    for part in Path::new(path.trim_start_matches('/')).components() {
        match part {
            Component::Normal(name) => resolved.push(name),
            Component::ParentDir if resolved.pop() => {}
            Component::CurDir => {}
            _ => return Err("leads out of the repository".into()),
        }
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A repository of these files, and the faults found in it.
    fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
            fs::write(path, text).expect("a file");
        }
        match check(root.path()) {
            Ok(()) => Vec::new(),
            Err(Failure::Faults(faults)) => faults,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn good_links_pass() {
        let readme = "# A box\n\n[guide](docs/guide.md), [part](docs/guide.md#the-2nd-part), [up](#a-box), [src](src/),\n\
                      ![picture](docs/a%20b.png), [web](https://example.com/no#thing), [by name][guide].\n\n\
                      [guide]: docs/guide.md\n\n<a href=\"docs/guide.md\"><img alt=\"x\" src=\"docs/a b.png\"></a>\n";
        let guide = "## The *2nd* `part`!\n\n[back](../README.md) [root](/src/lib.rs) values in [0, 1] and [x][0]?\n\n[0]: #twice-1\n\n\
                     # Twice\n# Twice\n<a id=\"mark\"></a>[mark](#mark)\n";
        let files = [("README.md", readme), ("docs/guide.md", guide), ("docs/a b.png", ""), ("src/lib.rs", "")];
        assert_eq!(faults_of(&files), Vec::<String>::new());
    }

    #[test]
    fn bad_links_are_named_with_their_place() {
        for (text, fault) in [
            ("a\n\n[x](gone.md)", "a.md:3: the link \"gone.md\" leads to gone.md, which is not there"),
            ("![x](docs/gone.png)", "a.md:1: the link \"docs/gone.png\" leads to docs/gone.png, which is not there"),
            ("[x](b.md#gone)", "a.md:1: the link \"b.md#gone\" leads to a heading that b.md does not have"),
            ("# Here\n[x](#there)", "a.md:2: the link \"#there\" leads to a heading that a.md does not have"),
            ("[x](../b.md)", "a.md:1: the link \"../b.md\" leads out of the repository"),
            ("a\n[x][gone]", "a.md:2: the link [gone] is defined nowhere in this file"),
            ("<img src=\"gone.png\">", "a.md:1: the link \"gone.png\" leads to gone.png, which is not there"),
        ] {
            assert_eq!(faults_of(&[("a.md", text), ("b.md", "# B\n")]), [fault], "{text}");
        }
    }

    #[test]
    fn links_in_code_are_text() {
        assert!(faults_of(&[("a.md", "`[x](gone.md)`\n\n```text\n[x](gone.md)\n# No heading\n```\n")]).is_empty());
        assert_eq!(faults_of(&[("a.md", "```sh\n# No heading\n```\n[x](#no-heading)\n")]).len(), 1);
    }

    #[test]
    fn commands_that_do_not_exist_are_found() {
        let good =
            "Run `cargo xtask test --fast`, or\n\n```sh\ncargo xtask lint\n```\n`cargo xtask` and `cargo xtask --help`";
        assert!(faults_of(&[("a.md", good)]).is_empty());
        assert_eq!(faults_of(&[("a.md", "a\n`cargo xtask tets`")]), ["a.md:2: there is no `cargo xtask tets`"]);
    }
}
