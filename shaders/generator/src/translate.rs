//! The core's dialect, word by word, into a shading language.

use crate::language::Language;
use crate::token::{Kind, Token, tokens};
use std::fmt;

/// A place in the core that the translator does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood {
    what: &'static str,
    near: String,
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} expected near {:?}", self.what, self.near)
    }
}

impl std::error::Error for NotUnderstood {}

/// Translates the core, or a piece of it.
pub fn translate(source: &str, language: &Language) -> Result<String, NotUnderstood> {
    let list = tokens(source);
    let mut out = String::with_capacity(source.len() * 2);
    Translator { language, list: &list, at: 0 }.run(&mut out)?;
    Ok(out)
}

struct Translator<'a, 'l> {
    language: &'l Language,
    list: &'l [Token<'a>],
    at: usize,
}

impl<'a, 'l> Translator<'a, 'l> {
    fn run(mut self, out: &mut String) -> Result<(), NotUnderstood> {
        while let Some(token) = self.list.get(self.at).copied() {
            self.at += 1;
            match token.text {
                _ if token.kind == Kind::Blank => out.push_str(token.text),
                "fn" => self.function(out)?,
                "let" | "var" => self.declaration(token.text == "let", out)?,
                "select" => self.select(out)?,
                "fetch" => self.fetch(out)?,
                "texture_size" => {
                    self.arguments()?;
                    out.push_str(self.language.texture_size);
                }
                "load" => self.load(out)?,
                "LUT" => self.argument(self.language.lut_argument, out),
                "ENTRIES" => self.argument(self.language.entries_argument, out),
                _ if token.kind == Kind::Word => out.push_str(self.language.type_name(token.text)),
                _ if token.kind == Kind::Float => {
                    out.push_str(token.text);
                    out.push_str(self.language.float_suffix);
                }
                _ => out.push_str(token.text),
            }
        }
        Ok(())
    }

    /// The next word.
    fn word(&mut self) -> Result<&'a str, NotUnderstood> {
        self.skip_blank();
        let token = self.list.get(self.at).filter(|t| t.kind == Kind::Word);
        let text = token.ok_or_else(|| self.not_understood("a name"))?.text;
        self.at += 1;
        Ok(text)
    }

    fn skip_blank(&mut self) {
        while self.list.get(self.at).is_some_and(|t| t.kind == Kind::Blank) {
            self.at += 1;
        }
    }

    fn not_understood(&self, what: &'static str) -> NotUnderstood {
        let from = self.at.saturating_sub(8);
        let to = self.list.len().min(self.at + 8);
        NotUnderstood { what, near: self.list[from..to].iter().map(|t| t.text).collect() }
    }

    /// What stands between the parentheses that come next, cut at the commas outside inner parentheses.
    fn arguments(&mut self) -> Result<Vec<&'l [Token<'a>]>, NotUnderstood> {
        self.skip_blank();
        if !self.list.get(self.at).is_some_and(|t| t.is("(")) {
            return Err(self.not_understood("("));
        }
        let (mut depth, mut pieces, mut start) = (0, Vec::new(), self.at + 1);
        for i in self.at..self.list.len() {
            match self.list[i] {
                t if t.is("(") => depth += 1,
                t if t.is(")") => depth -= 1,
                t if t.is(",") && depth == 1 => {
                    pieces.push(&self.list[start..i]);
                    start = i + 1;
                }
                _ => {}
            }
            if depth == 0 {
                pieces.push(&self.list[start..i]);
                self.at = i + 1;
                return Ok(pieces);
            }
        }
        Err(self.not_understood(")"))
    }

    fn translated(&self, piece: &'l [Token<'a>]) -> Result<String, NotUnderstood> {
        let mut out = String::new();
        Translator { language: self.language, list: piece, at: 0 }.run(&mut out)?;
        Ok(out.trim().to_owned())
    }

    /// `fn TYPE NAME(TYPE NAME, …)`
    fn function(&mut self, out: &mut String) -> Result<(), NotUnderstood> {
        let result = self.language.type_name(self.word()?);
        let name = self.word()?;
        let mut parameters = Vec::new();
        for piece in self.arguments()? {
            let mut words = piece.iter().filter(|t| t.kind != Kind::Blank).map(|t| t.text);
            match (words.next(), words.next()) {
                (Some("LUT"), None) => parameters.push(self.language.lut_parameter.to_owned()),
                (Some("ENTRIES"), None) => parameters.push(self.language.entries_parameter.to_owned()),
                (Some(kind), Some(name)) if self.language.is_wgsl => {
                    parameters.push(format!("{name}: {}", self.language.type_name(kind)));
                }
                (Some(kind), Some(name)) => parameters.push(format!("{} {name}", self.language.type_name(kind))),
                _ => return Err(self.not_understood("a parameter")),
            }
        }
        // What is a global is no parameter.
        parameters.retain(|parameter| !parameter.is_empty());
        let parameters = parameters.join(", ");
        if self.language.is_wgsl {
            out.push_str(&format!("fn {name}({parameters}) -> {result}"));
        } else {
            out.push_str(&format!("{}{result} {name}({parameters})", self.language.function_prefix));
        }
        Ok(())
    }

    /// `let TYPE NAME` or `var TYPE NAME`
    fn declaration(&mut self, constant: bool, out: &mut String) -> Result<(), NotUnderstood> {
        let kind = self.language.type_name(self.word()?);
        let name = self.word()?;
        if self.language.is_wgsl {
            out.push_str(&format!("{} {name}: {kind}", if constant { "let" } else { "var" }));
        } else {
            out.push_str(&format!("{kind} {name}"));
        }
        Ok(())
    }

    /// `select(condition, yes, no)`
    fn select(&mut self, out: &mut String) -> Result<(), NotUnderstood> {
        let [condition, yes, no] = self.arguments()?[..] else {
            return Err(self.not_understood("three arguments"));
        };
        let (condition, yes, no) = (self.translated(condition)?, self.translated(yes)?, self.translated(no)?);
        if self.language.is_wgsl {
            out.push_str(&format!("select({no}, {yes}, {condition})"));
        } else {
            out.push_str(&format!("({condition} ? {yes} : {no})"));
        }
        Ok(())
    }

    /// `fetch(LUT, at)`
    fn fetch(&mut self, out: &mut String) -> Result<(), NotUnderstood> {
        let [_, at] = self.arguments()?[..] else {
            return Err(self.not_understood("two arguments"));
        };
        out.push_str(&self.language.fetch.replace("{}", &self.translated(at)?));
        Ok(())
    }

    /// `load(ENTRIES, index)`
    fn load(&mut self, out: &mut String) -> Result<(), NotUnderstood> {
        let [_, index] = self.arguments()?[..] else {
            return Err(self.not_understood("two arguments"));
        };
        out.push_str(&format!("lut_entries[{}]", self.translated(index)?));
        Ok(())
    }

    /// `LUT` or `ENTRIES` in a call; where it is a global, the comma and the space behind it go too.
    fn argument(&mut self, argument: &str, out: &mut String) {
        out.push_str(argument);
        if argument.is_empty() && self.list.get(self.at).is_some_and(|t| t.is(",")) {
            self.at += 1;
            self.skip_blank();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{GLSL, HLSL, ISF, METAL, WGSL};

    const SOURCE: &str = "fn float3 f(LUT, int2 at) // note\n{\n    let float3 a = fetch(LUT, at + int2(0, 1)).xyz;\n    return select(a.x > 0.5, g(LUT, a), select(true, a, a * 2.0));\n}\n";

    fn to(language: &Language) -> String {
        translate(SOURCE, language).unwrap()
    }

    #[test]
    fn each_language_gets_its_own_words() {
        assert_eq!(
            to(&GLSL),
            "vec3 f(sampler2D lut, ivec2 at) // note\n{\n    vec3 a = texelFetch(lut, at + ivec2(0, 1), 0).xyz;\n    return (a.x > 0.5 ? g(lut, a) : (true ? a : a * 2.0));\n}\n"
        );
        assert_eq!(
            to(&WGSL),
            "fn f(lut: texture_2d<f32>, at: vec2<i32>) -> vec3<f32> // note\n{\n    let a: vec3<f32> = textureLoad(lut, at + vec2<i32>(0, 1), 0).xyz;\n    return select(select(a * 2.0, a, true), g(lut, a), a.x > 0.5);\n}\n"
        );
        assert!(to(&HLSL).contains("lut.Load(int3(at + int2(0, 1), 0)).xyz"));
        assert!(to(&METAL).contains("inline float3 f(metal::texture2d<float> lut, int2 at)"));
        assert!(to(&METAL).contains("a * 2.0f"));
    }

    #[test]
    fn a_global_lut_leaves_no_trace_in_parameters_and_arguments() {
        assert!(to(&ISF).contains("vec3 f(ivec2 at)"));
        assert!(to(&ISF).contains("g(a)"));
    }

    #[test]
    fn a_buffer_is_a_global_or_a_parameter() {
        let source = "fn int n(ENTRIES)\n{\n    return int(load(ENTRIES, 1 + f(ENTRIES, 2)).x);\n}\n";
        assert_eq!(translate(source, &GLSL).unwrap(), "int n()\n{\n    return int(lut_entries[1 + f(2)].x);\n}\n");
        let metal = translate(source, &METAL).unwrap();
        assert!(metal.starts_with("inline int n(device const float4 *lut_entries)"), "{metal}");
        assert!(metal.contains("lut_entries[1 + f(lut_entries, 2)]"), "{metal}");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let e = translate("let float3 = 1;", &GLSL).unwrap_err();
        assert!(e.to_string().starts_with("a name expected near"), "{e}");
        assert!(translate("select(a, b)", &GLSL).unwrap_err().to_string().starts_with("three arguments"));
        assert!(translate("fetch(LUT, (a", &GLSL).is_err());
    }
}
