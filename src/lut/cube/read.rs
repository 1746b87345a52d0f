use super::{CubeError, CubeFile, FileFault, LineFault, MAX_COMMENT_BYTES, MAX_FILE_BYTES, MAX_LINE_BYTES};
use crate::hald::EntryOrder;
use crate::lut::lines::{Limits, Lines, LinesError, excerpt};
use crate::lut::{Domain, GridSize, Lut3d, Shaper1d, Tables};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Something a keyword said, and where.
#[derive(Clone, Debug)]
struct Said<T> {
    keyword: &'static str,
    line: usize,
    text: String,
    value: T,
}

/// The keywords seen so far.
#[derive(Debug, Default)]
struct Header {
    title: Option<Said<String>>,
    size_1d: Option<Said<usize>>,
    size_3d: Option<Said<GridSize>>,
    domain_min: Option<Said<[f32; 3]>>,
    domain_max: Option<Said<[f32; 3]>>,
    range_1d: Option<Said<[f32; 2]>>,
    range_3d: Option<Said<[f32; 2]>>,
    video_in: Option<Said<()>>,
    video_out: Option<Said<()>>,
}

/// The tables that the rows go into.
#[derive(Debug)]
struct Plan {
    shaper: Option<(usize, Domain)>,
    cube: Option<(GridSize, Domain)>,
    rows: usize,
    /// The keywords that say how many rows there are.
    sizes: String,
}

/// A fault with the line it is on, or of the line being read.
enum Fault {
    Here(LineFault),
    At(usize, String, LineFault),
    File(FileFault),
}

impl From<LineFault> for Fault {
    fn from(fault: LineFault) -> Self {
        Fault::Here(fault)
    }
}

#[derive(Default)]
struct Parser {
    header: Header,
    comments: Vec<String>,
    comment_bytes: usize,
    plan: Option<Plan>,
    rows: Vec<[f32; 3]>,
}

impl CubeFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong, with file, line and text. The module's documentation says what is refused.
    pub fn read(path: &Path) -> Result<Self, CubeError> {
        let name = path.display().to_string();
        let open = || {
            let file = File::open(path)?;
            if file.metadata()?.len() > MAX_FILE_BYTES { Err(FileFault::TooLarge) } else { Ok(file) }
        };
        match open() {
            Ok(file) => Self::parse(&name, BufReader::with_capacity(1 << 16, file)),
            Err(fault) => Err(CubeError::File { file: name, fault }),
        }
    }

    /// Reads the text of a file that error messages call `name`. Memory grows with what has arrived, not with what a
    /// size announces.
    pub fn parse(name: &str, text: impl BufRead) -> Result<Self, CubeError> {
        let mut lines = Lines::new(text, Limits { line: MAX_LINE_BYTES, file: MAX_FILE_BYTES });
        let mut parser = Parser::default();
        let result = parser.lines(&mut lines).and_then(|()| parser.finish());
        result.map_err(|fault| match fault {
            Fault::Here(fault) => {
                CubeError::Line { file: name.into(), line: lines.number(), text: lines.excerpt(), fault }
            }
            Fault::At(line, text, fault) => CubeError::Line { file: name.into(), line, text, fault },
            Fault::File(fault) => CubeError::File { file: name.into(), fault },
        })
    }
}

impl Parser {
    fn lines(&mut self, lines: &mut Lines<impl BufRead>) -> Result<(), Fault> {
        loop {
            match lines.advance() {
                Ok(true) => self.line(lines.number(), &lines.text())?,
                Ok(false) => return Ok(()),
                Err(LinesError::LineTooLong) => return Err(LineFault::TooLong.into()),
                Err(LinesError::FileTooLong) => return Err(Fault::File(FileFault::TooLarge)),
                Err(LinesError::Io(e)) => return Err(Fault::File(e.into())),
            }
        }
    }

    fn line(&mut self, number: usize, text: &str) -> Result<(), Fault> {
        let Some(first) = text.chars().next() else { return Ok(()) };
        if let Some(comment) = text.strip_prefix('#') {
            let comment = comment.strip_prefix(' ').unwrap_or(comment);
            self.comment_bytes += comment.len() + 1;
            if self.comment_bytes <= MAX_COMMENT_BYTES {
                self.comments.push(comment.to_owned());
            }
            return Ok(());
        }
        if !first.is_ascii_alphabetic() {
            return self.row(text);
        }
        let (word, rest) = text.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((text, ""));
        let keyword = KEYWORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        match keyword {
            Some((keyword, _)) if self.plan.is_some() => Err(LineFault::Late { keyword }.into()),
            Some((keyword, take)) => {
                let said = Said { keyword, line: number, text: excerpt(text), value: rest.trim() };
                Ok(take(&mut self.header, said)?)
            }
            // "nan" and "inf" are words too, and are better refused as numbers.
            None if word.parse::<f32>().is_ok() => self.row(text),
            None => Err(LineFault::Unknown.into()),
        }
    }

    fn row(&mut self, text: &str) -> Result<(), Fault> {
        let row = numbers(text).map_err(|error| match error {
            NumbersError::Number(fault) => fault,
            NumbersError::Count(found) => LineFault::Row { found },
        })?;
        if self.plan.is_none() {
            self.plan = Some(self.header.plan()?.ok_or(LineFault::RowBeforeSize)?);
        }
        if let Some(plan) = &self.plan
            && self.rows.len() == plan.rows
        {
            return Err(LineFault::TooManyRows { expected: plan.rows, sizes: plan.sizes.clone() }.into());
        }
        self.rows.push(row);
        Ok(())
    }

    fn finish(&mut self) -> Result<CubeFile, Fault> {
        let plan = match self.plan.take() {
            Some(plan) => plan,
            None => self.header.plan()?.ok_or(Fault::File(FileFault::NoSize))?,
        };
        let found = self.rows.len();
        if found < plan.rows {
            return Err(Fault::File(FileFault::TooFewRows { found, expected: plan.rows, sizes: plan.sizes }));
        }
        Ok(CubeFile {
            title: self.header.title.take().map(|t| t.value),
            comments: std::mem::take(&mut self.comments),
            input_video_range: self.header.video_in.is_some(),
            output_video_range: self.header.video_out.is_some(),
            tables: plan.tables(std::mem::take(&mut self.rows)),
        })
    }
}

impl Plan {
    /// The tables, from exactly as many finite rows as were planned.
    fn tables(&self, mut rows: Vec<[f32; 3]>) -> Tables {
        let of_cube = rows.split_off(self.shaper.map_or(0, |(len, _)| len));
        let cube = self.cube.map(|(size, domain)| {
            (Lut3d::from_fn(size, |point| of_cube[EntryOrder::RedFastest.index(size, point)]), domain)
        });
        let shaper = self.shaper.map(|(_, domain)| {
            Shaper1d::new(domain, rows).expect("the size was checked with its keyword, and each value with its row")
        });
        match (shaper, cube) {
            (None, Some((lut, domain))) => Tables::Cube { lut, domain },
            (Some(shaper), None) => Tables::Shaper(shaper),
            (Some(shaper), Some((lut, domain))) => Tables::ShapedCube { shaper, lut, domain },
            (None, None) => unreachable!("a plan has a table"),
        }
    }
}

type Take = fn(&mut Header, Said<&str>) -> Result<(), LineFault>;

const KEYWORDS: [(&str, Take); 9] = [
    ("TITLE", |h, said| {
        let value = said.value;
        let unquoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        set(&mut h.title, said, unquoted.to_owned())
    }),
    ("LUT_1D_SIZE", |h, said| {
        let size = said.value.parse().ok().filter(|n| (Shaper1d::MIN_LEN..=Shaper1d::MAX_LEN).contains(n));
        set(&mut h.size_1d, said, size.ok_or(LineFault::size_of_1d())?)
    }),
    ("LUT_3D_SIZE", |h, said| {
        let size = said.value.parse().ok().and_then(|n| GridSize::new(n).ok());
        set(&mut h.size_3d, said, size.ok_or(LineFault::size_of_3d())?)
    }),
    ("DOMAIN_MIN", |h, said| values(&mut h.domain_min, said)),
    ("DOMAIN_MAX", |h, said| values(&mut h.domain_max, said)),
    ("LUT_1D_INPUT_RANGE", |h, said| values(&mut h.range_1d, said)),
    ("LUT_3D_INPUT_RANGE", |h, said| values(&mut h.range_3d, said)),
    ("LUT_IN_VIDEO_RANGE", |h, said| alone(&mut h.video_in, said)),
    ("LUT_OUT_VIDEO_RANGE", |h, said| alone(&mut h.video_out, said)),
];

fn set<T>(slot: &mut Option<Said<T>>, said: Said<&str>, value: T) -> Result<(), LineFault> {
    if let Some(first) = slot {
        return Err(LineFault::Repeated { keyword: said.keyword, first: first.line });
    }
    *slot = Some(Said { keyword: said.keyword, line: said.line, text: said.text, value });
    Ok(())
}

fn values<const N: usize>(slot: &mut Option<Said<[f32; N]>>, said: Said<&str>) -> Result<(), LineFault> {
    let value = numbers(said.value).map_err(|error| match error {
        NumbersError::Number(fault) => fault,
        NumbersError::Count(found) => LineFault::Values { keyword: said.keyword, wanted: N, found },
    })?;
    set(slot, said, value)
}

fn alone(slot: &mut Option<Said<()>>, said: Said<&str>) -> Result<(), LineFault> {
    if said.value.is_empty() { set(slot, said, ()) } else { Err(LineFault::NoValues { keyword: said.keyword }) }
}

enum NumbersError {
    Count(usize),
    Number(LineFault),
}

/// Exactly N finite numbers.
fn numbers<const N: usize>(text: &str) -> Result<[f32; N], NumbersError> {
    let mut out = [0.0; N];
    let mut found = 0;
    for token in text.split_ascii_whitespace() {
        if let Some(slot) = out.get_mut(found) {
            *slot = number(token).map_err(NumbersError::Number)?;
        }
        found += 1;
    }
    if found == N { Ok(out) } else { Err(NumbersError::Count(found)) }
}

fn number(token: &str) -> Result<f32, LineFault> {
    match token.parse::<f32>() {
        Ok(v) if v.is_finite() => Ok(v),
        Ok(_) => Err(LineFault::NotFinite { token: excerpt(token) }),
        Err(_) => Err(LineFault::Number { token: excerpt(token) }),
    }
}

impl<T> Said<T> {
    fn fault(&self, fault: LineFault) -> Fault {
        Fault::At(self.line, self.text.clone(), fault)
    }
}

impl Header {
    /// The tables that the keywords announce; nothing where there is no size.
    fn plan(&self) -> Result<Option<Plan>, Fault> {
        let (shaper, cube) = match (&self.size_1d, &self.size_3d) {
            (None, None) => return Ok(None),
            (None, Some(size)) => {
                without_table(&self.range_1d, "LUT_3D_INPUT_RANGE")?;
                (None, Some((size.value, self.domain_of_one(&self.range_3d)?)))
            }
            (Some(len), None) => {
                without_table(&self.range_3d, "LUT_1D_INPUT_RANGE")?;
                (Some((len.value, self.domain_of_one(&self.range_1d)?)), None)
            }
            (Some(len), Some(size)) => {
                if let Some(said) = self.iridas_domain()?.filter(|said| said.value != Domain::UNIT) {
                    return Err(said.fault(LineFault::WhichTable { keyword: said.keyword }));
                }
                let of_1d = range_domain(&self.range_1d)?.map_or(Domain::UNIT, |said| said.value);
                let of_3d = range_domain(&self.range_3d)?.map_or(Domain::UNIT, |said| said.value);
                (Some((len.value, of_1d)), Some((size.value, of_3d)))
            }
        };
        let announced = [
            shaper.map(|(len, _)| (len, format!("LUT_1D_SIZE {len}"))),
            cube.map(|(size, _)| (size.entries(), format!("LUT_3D_SIZE {size}"))),
        ];
        let announced: Vec<_> = announced.into_iter().flatten().collect();
        let rows = announced.iter().map(|(rows, _)| rows).sum();
        let sizes = announced.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" with ");
        Ok(Some(Plan { shaper, cube, rows, sizes }))
    }

    /// The domain of the file's only table, from whichever keywords give it.
    fn domain_of_one(&self, range: &Option<Said<[f32; 2]>>) -> Result<Domain, Fault> {
        match (self.iridas_domain()?, range_domain(range)?) {
            (None, None) => Ok(Domain::UNIT),
            (Some(said), None) | (None, Some(said)) => Ok(said.value),
            (Some(iridas), Some(resolve)) if iridas.value == resolve.value => Ok(iridas.value),
            (Some(iridas), Some(resolve)) => {
                let (first, later) = if iridas.line < resolve.line { (iridas, resolve) } else { (resolve, iridas) };
                let fault = LineFault::TwoDomains { keyword: later.keyword, other: first.keyword, line: first.line };
                Err(later.fault(fault))
            }
        }
    }

    /// What DOMAIN_MIN and DOMAIN_MAX say together; the one that is missing has its default.
    fn iridas_domain(&self) -> Result<Option<Said<Domain>>, Fault> {
        let both = [&self.domain_min, &self.domain_max];
        let Some(later) = both.into_iter().flatten().max_by_key(|said| said.line) else { return Ok(None) };
        let [min, max] = both.map(|said| said.as_ref().map(|s| s.value));
        let unit = Domain::UNIT;
        domain_said(later, min.unwrap_or(unit.min()), max.unwrap_or(unit.max())).map(Some)
    }
}

fn range_domain(range: &Option<Said<[f32; 2]>>) -> Result<Option<Said<Domain>>, Fault> {
    range.as_ref().map(|said| domain_said(said, [said.value[0]; 3], [said.value[1]; 3])).transpose()
}

fn domain_said<T>(said: &Said<T>, min: [f32; 3], max: [f32; 3]) -> Result<Said<Domain>, Fault> {
    let value = Domain::new(min, max).map_err(|e| said.fault(e.into()))?;
    Ok(Said { keyword: said.keyword, line: said.line, text: said.text.clone(), value })
}

/// A range for a table that the file does not have. The default one is harmless, and some programs write it.
fn without_table(range: &Option<Said<[f32; 2]>>, instead: &'static str) -> Result<(), Fault> {
    match range {
        Some(said) if said.value != [0.0, 1.0] => {
            Err(said.fault(LineFault::RangeWithoutTable { keyword: said.keyword, instead }))
        }
        _ => Ok(()),
    }
}
