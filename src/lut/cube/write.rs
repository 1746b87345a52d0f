use super::{CubeFile, CubeWriteError};
use crate::hald::EntryOrder;
use crate::lut::{Domain, Lut3d, Tables};
use std::io::Write;

/// Lines of text stay under this; Adobe's description of the format allows 250 bytes.
const TEXT_BYTES: usize = 240;

impl CubeFile {
    /// Writes the file's text. Numbers read back to the same float32 bits, −0.0 and subnormals included.
    ///
    /// A title is shortened to 240 bytes; line breaks and other control characters in it become blanks, and `"`
    /// becomes `'`. A comment with line breaks, or of more than 240 bytes, becomes several. A domain is written the
    /// Iridas way (`DOMAIN_MIN`, `DOMAIN_MAX`), save in files with two tables, which only Resolve's dialect has; the
    /// title of those becomes a comment, since OpenColorIO takes no `TITLE` in that dialect.
    pub fn write(&self, mut out: impl Write) -> Result<(), CubeWriteError> {
        let (shaper, cube) = self.tables.parts();
        if let Some((lut, _)) = cube {
            lut.check_finite()?;
        }
        let ranges = self.ranges()?;

        match (&self.title, &self.tables) {
            (None, _) => {}
            (Some(title), Tables::ShapedCube { .. }) => writeln!(out, "# {}", title_text(title))?,
            (Some(title), _) => writeln!(out, "TITLE \"{}\"", title_text(title))?,
        }
        for comment in self.comments.iter().flat_map(|c| comment_lines(c)) {
            writeln!(out, "{}", format!("# {comment}").trim_end())?;
        }
        if self.input_video_range {
            writeln!(out, "LUT_IN_VIDEO_RANGE")?;
        }
        if self.output_video_range {
            writeln!(out, "LUT_OUT_VIDEO_RANGE")?;
        }
        if let Some(shaper) = shaper {
            writeln!(out, "LUT_1D_SIZE {}", shaper.entries().len())?;
        }
        if let Some((lut, _)) = cube {
            writeln!(out, "LUT_3D_SIZE {}", lut.size())?;
        }
        out.write_all(ranges.as_bytes())?;
        for entry in shaper.iter().flat_map(|s| s.entries()) {
            write_row(&mut out, *entry)?;
        }
        if let Some((lut, _)) = cube {
            write_cube(&mut out, lut)?;
        }
        Ok(())
    }

    /// The lines that give each table's domain, where it is not 0 to 1.
    fn ranges(&self) -> Result<String, CubeWriteError> {
        let resolve = |keyword, domain: Domain| match domain.uniform() {
            Some(_) if domain == Domain::UNIT => Ok(String::new()),
            Some([min, max]) => Ok(format!("{keyword} {min:?} {max:?}\n")),
            None => Err(CubeWriteError::DomainPerComponent(domain)),
        };
        let iridas = |domain: Domain| {
            let line = |keyword, [r, g, b]: [f32; 3]| format!("{keyword} {r:?} {g:?} {b:?}\n");
            match domain {
                Domain::UNIT => String::new(),
                _ => line("DOMAIN_MIN", domain.min()) + &line("DOMAIN_MAX", domain.max()),
            }
        };
        match &self.tables {
            Tables::Cube { domain, .. } => Ok(iridas(*domain)),
            Tables::Shaper(shaper) => Ok(iridas(shaper.domain())),
            Tables::Chain(chain) => Err(CubeWriteError::Steps(chain.describe())),
            Tables::ShapedCube { shaper, domain, .. } => {
                Ok(resolve("LUT_1D_INPUT_RANGE", shaper.domain())? + &resolve("LUT_3D_INPUT_RANGE", *domain)?)
            }
        }
    }
}

fn write_cube(out: &mut impl Write, lut: &Lut3d) -> std::io::Result<()> {
    for i in 0..lut.size().entries() {
        write_row(out, lut.at(EntryOrder::RedFastest.point(lut.size(), i)))?;
    }
    Ok(())
}

/// `{:?}` is the shortest text that reads back to the same float32, always with a point or an exponent.
fn write_row(out: &mut impl Write, [r, g, b]: [f32; 3]) -> std::io::Result<()> {
    writeln!(out, "{r:?} {g:?} {b:?}")
}

fn title_text(title: &str) -> String {
    let safe = title.chars().map(|c| match c {
        '"' => '\'',
        c if is_break(c) => ' ',
        c => c,
    });
    let mut text = String::new();
    for c in safe {
        if text.len() + c.len_utf8() > TEXT_BYTES {
            break;
        }
        text.push(c);
    }
    text.trim().to_owned()
}

/// A comment as lines that are each short and free of control characters.
fn comment_lines(comment: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut characters = comment.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\r' && characters.peek() == Some(&'\n') {
            continue;
        }
        let last = lines.len() - 1;
        match c {
            '\n' | '\r' => lines.push(String::new()),
            c if lines[last].len() + c.len_utf8() > TEXT_BYTES => lines.push(c.to_string()),
            c => lines[last].push(if is_break(c) { ' ' } else { c }),
        }
    }
    lines
}

/// Control characters, and what some editors and programs take for the end of a line.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}
