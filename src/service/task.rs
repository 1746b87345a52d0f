//! A task of the Windows Task Scheduler that starts when the user logs on (schema `mit/task`, version 1.2).

use super::{NAME, Plan, Service, ServiceFile, words, xml};
use std::path::Path;

const TASK: &str = include_str!("templates/task.xml");

pub(super) fn plan(data: &Path, user: &str, service: &Service) -> Plan {
    let path = data.join(NAME).join("task.xml");
    let arguments: Vec<_> =
        ["serve"].into_iter().chain(service.arguments.iter().map(String::as_str)).map(quoted).collect();
    let text = TASK
        .replace("@USER@", &xml(user))
        .replace("@PROGRAM@", &xml(&service.program.display().to_string()))
        .replace("@ARGUMENTS@", &xml(&arguments.join(" ")));
    let file = path.display().to_string();
    Plan {
        install: vec![
            words(&["schtasks", "/Create", "/F", "/TN", NAME, "/XML", &file]),
            words(&["schtasks", "/Run", "/TN", NAME]),
        ],
        stop: vec![words(&["schtasks", "/End", "/TN", NAME]), words(&["schtasks", "/Delete", "/F", "/TN", NAME])],
        removed: Vec::new(),
        status: words(&["schtasks", "/Query", "/TN", NAME, "/V", "/FO", "LIST"]),
        hints: vec!["it runs in a console window, which may be minimised; closing that ends it".into()],
        files: vec![ServiceFile { path, text: text.replace('\n', "\r\n"), utf16: true }],
    }
}

/// A word of a command line as Windows programs take it apart: quotes around what has spaces, backslashes doubled in
/// front of a quote.
fn quoted(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '\t', '"']) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    let mut backslashes = 0;
    for c in word.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                text.push_str(&"\\".repeat(backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        text.push(c);
    }
    text.push_str(&"\\".repeat(backslashes));
    text.push('"');
    text
}
