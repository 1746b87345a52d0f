//! Cutting the core's source into tokens, nothing lost: joined again they are the source.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Word,
    /// A number with a decimal point.
    Float,
    /// A whole number.
    Int,
    /// One character of punctuation.
    Mark,
    /// Spaces, line ends and comments.
    Blank,
}

/// One token of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: &'a str,
}

impl Token<'_> {
    /// Whether this is the word or mark `text`.
    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Blank && self.text == text
    }
}

/// All tokens of `source`.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut list = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (kind, len) = next(rest, first);
        let (text, tail) = rest.split_at(len);
        list.push(Token { kind, text });
        rest = tail;
    }
    list
}

/// Kind and length in bytes of the token that `rest`, which starts with `first`, starts with.
fn next(rest: &str, first: char) -> (Kind, usize) {
    let while_ = |f: fn(char) -> bool| rest.find(|c| !f(c)).unwrap_or(rest.len());
    if rest.starts_with("//") {
        (Kind::Blank, rest.find('\n').unwrap_or(rest.len()))
    } else if first.is_whitespace() {
        (Kind::Blank, while_(char::is_whitespace))
    } else if first.is_ascii_alphabetic() || first == '_' {
        (Kind::Word, while_(|c| c.is_ascii_alphanumeric() || c == '_'))
    } else if first.is_ascii_digit() {
        let len = while_(|c| c.is_ascii_digit() || c == '.');
        (if rest[..len].contains('.') { Kind::Float } else { Kind::Int }, len)
    } else {
        (Kind::Mark, first.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_joined_are_the_source() {
        let source = "// a comment…\nlet float x = a.y * 2.50 + f(3);\n";
        let list = tokens(source);
        assert_eq!(list.iter().map(|t| t.text).collect::<String>(), source);
        let seen: Vec<_> = list.iter().filter(|t| t.kind != Kind::Blank).map(|t| (t.kind, t.text)).collect();
        assert_eq!(seen[0], (Kind::Word, "let"));
        assert!(seen.contains(&(Kind::Float, "2.50")) && seen.contains(&(Kind::Int, "3")));
        assert!(seen.contains(&(Kind::Word, "y")) && seen.contains(&(Kind::Mark, ".")));
    }
}
