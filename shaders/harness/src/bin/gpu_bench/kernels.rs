//! The kernels that are timed, by name.

/// Where a kernel's text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `kernels/copy.comp`
    Copy,
    /// `kernels/strip.comp`
    Strip,
    /// The checked-in `glsl/vglb_430.comp`.
    Shipped,
    /// The checked-in `glsl/vglb_430_picture.comp`, behind `glsl/vglb_430_entries.comp`.
    ShippedBuffer,
    /// OpenColorIO's generated shader.
    OpenColorIo,
    /// A file that the user names.
    File,
}

/// Which LUT texture the checked-in shader gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// A plain float strip.
    Plain,
    /// Byte planes.
    Planes,
}

/// A pass over the LUT before the pass over the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// `kernels/unpack.comp`: byte planes into a buffer.
    Unpack,
    /// `kernels/strip_to_buffer.comp`: a plain strip into a buffer.
    Copy,
    /// `glsl/vglb_430_entries.comp`: either into a buffer, behind the grid size.
    Entries,
}

/// One way to do it.
#[derive(Clone, Debug)]
pub struct Kernel {
    pub name: String,
    pub what: &'static str,
    pub source: Source,
    pub stream: Stream,
    pub before: Option<Before>,
    /// Threads of a work group.
    pub group: [u32; 2],
    /// Pixels a thread, and whether they lie beside each other.
    pub pixels: (u32, bool),
    defines: Vec<(&'static str, &'static str)>,
    /// The text, and further macros, of a kernel that the user names.
    pub file: Option<(String, String)>,
}

impl Kernel {
    fn new(
        name: impl Into<String>,
        what: &'static str,
        source: Source,
        defines: &[(&'static str, &'static str)],
    ) -> Self {
        let planes = defines.iter().any(|d| matches!(d.1, "PLANES" | "PLANES_UINT" | "BYTES"));
        let stream = if planes { Stream::Planes } else { Stream::Plain };
        Kernel {
            name: name.into(),
            what,
            source,
            stream,
            before: None,
            group: [16, 16],
            pixels: (1, false),
            defines: defines.to_vec(),
            file: None,
        }
    }

    fn group(mut self, x: u32, y: u32) -> Self {
        self.group = [x, y];
        self
    }

    fn pixels(mut self, pixels: u32, across: bool) -> Self {
        self.pixels = (pixels, across);
        self
    }

    fn before(mut self, before: Before) -> Self {
        self.before = Some(before);
        self
    }

    /// The macros, as lines for the head of the text.
    pub fn defines(&self) -> String {
        let default = [
            ("AXIS", "EXACT"),
            ("FETCH", "TEXEL_FETCH"),
            ("CHOOSE", "CHAIN"),
            ("ORDER", "0"),
            ("PICTURE", "0"),
            ("REUSE", "0"),
        ];
        let mut lines = format!(
            "#define WG_X {}\n#define WG_Y {}\n#define PIXELS {}\n#define ACROSS {}\n",
            self.group[0],
            self.group[1],
            self.pixels.0,
            u32::from(self.pixels.1)
        );
        for (name, value) in default {
            let value = self.defines.iter().find(|d| d.0 == name).map_or(value, |d| d.1);
            if self.file.as_ref().is_none_or(|(_, more)| !more.contains(&format!("#define {name} "))) {
                lines.push_str(&format!("#define {name} {value}\n"));
            }
        }
        lines + self.file.as_ref().map_or("", |(_, more)| more)
    }
}

/// Kernels of the user's own, from a file of lines `NAME FILE GROUP PIXELS BEFORE STREAM MACRO=VALUE…`: the work group
/// as `16x8`, pixels a thread as `4` (below each other) or `4across`, a pass over the LUT before (`none`, `copy`,
/// `unpack`, `entries`), and which LUT texture is bound (`plain`, `planes`). Lines that start with # are skipped.
pub fn extra(list: &std::path::Path) -> Result<Vec<Kernel>, String> {
    let read = |path: &std::path::Path| std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
    let folder = list.parent().unwrap_or(std::path::Path::new("."));
    let text = read(list)?;
    let lines = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
    lines
        .map(|line| {
            let wrong = || format!("{}: {line:?} is no NAME FILE GROUP PIXELS BEFORE STREAM …", list.display());
            let words: Vec<_> = line.split_whitespace().collect();
            let [name, file, group, pixels, before, stream, macros @ ..] = &words[..] else { return Err(wrong()) };
            let (x, y) = group.split_once('x').ok_or_else(wrong)?;
            let across = pixels.ends_with("across");
            let defines: String = macros.iter().map(|m| format!("#define {}\n", m.replacen('=', " ", 1))).collect();
            let mut kernel = Kernel::new(*name, "the user's own", Source::File, &[])
                .group(x.parse().map_err(|_| wrong())?, y.parse().map_err(|_| wrong())?)
                .pixels(pixels.trim_end_matches("across").parse().map_err(|_| wrong())?, across);
            kernel.before = match *before {
                "none" => None,
                "copy" => Some(Before::Copy),
                "unpack" => Some(Before::Unpack),
                "entries" => Some(Before::Entries),
                _ => return Err(wrong()),
            };
            kernel.stream = if *stream == "planes" { Stream::Planes } else { Stream::Plain };
            kernel.file = Some((read(&folder.join(file))?, defines));
            Ok(kernel)
        })
        .collect()
}

/// All kernels; the first is the copy that the others are compared with.
pub fn all() -> Vec<Kernel> {
    let strip =
        |name: &str, what, defines: &[(&'static str, &'static str)]| Kernel::new(name, what, Source::Strip, defines);
    let mut list = vec![
        Kernel::new("copy", "the picture as it is, fetched as a texture", Source::Copy, &[]),
        Kernel::new("copy-image", "the same, loaded as an image", Source::Copy, &[("PICTURE", "1")]),
        Kernel::new("copy-8x8", "the copy in groups of 8×8", Source::Copy, &[]).group(8, 8),
        Kernel::new("copy-32x8", "the copy in groups of 32×8", Source::Copy, &[]).group(32, 8),
        Kernel::new("ocio-rgb", "OpenColorIO's generated shader, RGB32F texture", Source::OpenColorIo, &[]),
        Kernel::new(
            "ocio-rgba",
            "OpenColorIO's generated shader, RGBA32F texture",
            Source::OpenColorIo,
            &[("FETCH", "RGBA")],
        ),
        Kernel::new("shipped", "glsl/vglb_430.comp as it is checked in", Source::Shipped, &[])
            .group(8, 32)
            .pixels(4, false),
    ];
    let mut shipped_planes = Kernel::new("shipped-planes", "the same on byte planes", Source::Shipped, &[]);
    shipped_planes.stream = Stream::Planes;
    list.push(shipped_planes.group(8, 32).pixels(4, false));
    for (name, what, stream) in [
        ("shipped-buffer", "glsl/vglb_430_entries.comp and vglb_430_picture.comp, both timed", Stream::Plain),
        ("shipped-buffer-planes", "the same on byte planes", Stream::Planes),
    ] {
        let mut kernel = Kernel::new(name, what, Source::ShippedBuffer, &[]).before(Before::Entries);
        kernel.stream = stream;
        list.push(kernel.group(8, 32).pixels(4, false));
    }
    let alone = "vglb_430_picture.comp alone: the entries stay from one LUT to the next";
    list.push(Kernel::new("shipped-picture", alone, Source::ShippedBuffer, &[]).group(8, 32).pixels(4, false));

    // How cell and fraction are found.
    list.push(strip("strip", "exact fraction by a split, select chain, texel fetches", &[]));
    list.push(strip("axis-simple", "fraction from the rounded product", &[("AXIS", "SIMPLE")]));
    list.push(strip("axis-magic", "exact, bit tricks in place of floor and conversions", &[("AXIS", "MAGIC")]));
    list.push(strip("axis-fused", "exact by fma", &[("AXIS", "FUSED")]));
    list.push(strip("axis-fused-magic", "exact by fma, bit tricks for the rounding", &[("AXIS", "FUSED_MAGIC")]));
    // How the tetrahedron is found, and the order of the fetches.
    list.push(strip("branches", "six cases", &[("CHOOSE", "BRANCHES")]));
    list.push(strip("order-ends", "both ends of the diagonal are fetched first", &[("ORDER", "1")]));
    // How entries are read.
    for (name, what, value) in [
        ("fetch-image", "entries by imageLoad", "IMAGE_LOAD"),
        ("fetch-normalised", "entries by textureLod at texel centres", "NORMALISED"),
        ("fetch-gather", "all eight corners by six gathers", "GATHER"),
        ("fetch-texel-buffer", "entries from a texel buffer", "TEXEL_BUFFER"),
        ("fetch-3d", "entries from a 3D texture", "CUBE"),
        ("buffer", "entries from a storage buffer of vec4", "BUFFER"),
        ("buffer-packed", "entries from a storage buffer of three floats each", "PACKED"),
    ] {
        list.push(strip(name, what, &[("FETCH", value), ("AXIS", "FUSED_MAGIC")]));
    }
    list.push(strip("picture-image", "the picture by imageLoad", &[("PICTURE", "1"), ("AXIS", "FUSED_MAGIC")]));
    list.extend(shapes());
    list.extend(planes());
    list
}

/// Work-group shapes and pixels a thread, for entries from the texture and from a buffer.
fn shapes() -> Vec<Kernel> {
    let mut list = Vec::new();
    for (fetch, value) in [("", "TEXEL_FETCH"), ("buffer-", "BUFFER")] {
        let make =
            |name: String, what| Kernel::new(name, what, Source::Strip, &[("FETCH", value), ("AXIS", "FUSED_MAGIC")]);
        for (x, y) in [(8, 4), (8, 8), (16, 8), (32, 4), (32, 8), (32, 16), (64, 1), (256, 1), (8, 16), (4, 32)] {
            list.push(make(format!("{fetch}group-{x}x{y}"), "work-group shape").group(x, y));
        }
        for (pixels, across, x, y) in [
            (2, false, 16, 16),
            (2, true, 16, 16),
            (2, false, 8, 8),
            (4, false, 16, 8),
            (4, true, 8, 8),
            (2, false, 32, 4),
            (4, false, 32, 2),
        ] {
            let name = format!("{fetch}pixels-{pixels}{}-{x}x{y}", if across { "-across" } else { "" });
            list.push(make(name, "pixels a thread").group(x, y).pixels(pixels, across));
        }
        for (pixels, x, y) in [(2, 16, 16), (4, 16, 8), (8, 32, 2)] {
            let mut kernel = make(format!("{fetch}reuse-{pixels}-{x}x{y}"), "entries kept where the cell is the same");
            kernel.defines.push(("REUSE", "1"));
            list.push(kernel.group(x, y).pixels(pixels, false));
        }
        let mut kernel = make(format!("{fetch}picture-image-32x4"), "picture by imageLoad, wide groups");
        kernel.defines.push(("PICTURE", "1"));
        list.push(kernel.group(32, 4));
    }
    for (name, what, before) in [
        ("buffer-before", "plain strip copied into a buffer first, both passes timed", Before::Copy),
        ("planes-before", "byte planes unpacked into a buffer first, both passes timed", Before::Unpack),
    ] {
        let defines = [("FETCH", "BUFFER"), ("AXIS", "FUSED_MAGIC")];
        let mut kernel = Kernel::new(name, what, Source::Strip, &defines).before(before);
        kernel.stream = if before == Before::Unpack { Stream::Planes } else { Stream::Plain };
        list.push(kernel);
    }
    list
}

fn planes() -> Vec<Kernel> {
    let mut list = Vec::new();
    for (name, what, value) in [
        ("planes", "byte planes, joined by adding 2^23", "PLANES"),
        ("planes-uint", "byte planes, joined by conversions", "PLANES_UINT"),
        ("planes-bytes", "byte planes through an integer view of the texture", "BYTES"),
    ] {
        let kernel = || Kernel::new(name, what, Source::Strip, &[("FETCH", value), ("AXIS", "FUSED_MAGIC")]);
        list.push(kernel());
        for (x, y) in [(8, 8), (32, 4)] {
            let mut other = kernel().group(x, y);
            other.name = format!("{name}-{x}x{y}");
            list.push(other);
        }
        let mut reuse = kernel().group(16, 8).pixels(4, false);
        reuse.defines.push(("REUSE", "1"));
        reuse.name = format!("{name}-reuse-4");
        list.push(reuse);
    }
    list
}
