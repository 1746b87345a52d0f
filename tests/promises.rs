//! The page on security names a test for each promise; here they are looked for.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::path::Path;

/// The words between backquotes of a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn each_promise_of_the_security_page_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows = page.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| promise") && !l.starts_with("| ---"));
    let (mut promises, mut tests) = (0, 0);
    for row in rows {
        promises += 1;
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 2, "a promise and its tests: {row}");
        let (mut text, mut named) = (String::new(), 0);
        for word in quoted(cells[1]) {
            if word.ends_with(".rs") || word.ends_with(".py") {
                text = std::fs::read_to_string(root.join(word)).unwrap_or_else(|e| panic!("{word}: {e}"));
                continue;
            }
            // Pytest runs whatever is called so.
            if word.starts_with("test_") && text.contains(&format!("\ndef {word}(")) {
                named += 1;
                continue;
            }
            let at = text.find(&format!("fn {word}(")).unwrap_or_else(|| panic!("no test {word}, for: {}", cells[0]));
            let before = &text[..at];
            let attributes = &before[before.rfind("\n\n").unwrap_or(0)..];
            let in_proptest = text.contains("proptest!") && before.rfind("proptest!") > before.rfind("\n}\n");
            assert!(attributes.contains("#[test]") || in_proptest, "{word} is no test");
            assert!(!attributes.contains("#[ignore"), "{word} is not run");
            named += 1;
        }
        assert!(named > 0, "no test holds: {}", cells[0]);
        tests += named;
    }
    assert!(promises > 25 && tests >= promises, "{promises} promises, {tests} tests");
}
