//! What is done with bytes from outside, and whole ones to begin with. `tests/fuzz_targets.rs` damages them blindly, and the
//! package `fuzz` by what code was reached.

pub mod configuration;
pub mod http;
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
pub mod linux;

use std::io::Read;
use std::path::Path;
use std::time::Duration;
use virtual_gpu_lut_box::hald::{EntryOrder, Layout, Texel};
use virtual_gpu_lut_box::lut::file::{self, Existing, FileFormat, ReadOptions, WriteOptions};
use virtual_gpu_lut_box::lut::formats::three_dl::Dialect;
use virtual_gpu_lut_box::lut::{Bake, Cdl, GridSize, Lut3d};
use virtual_gpu_lut_box::recording::{Entry, Event, Recording};
use virtual_gpu_lut_box::server::Network;
use virtual_gpu_lut_box::sink::ChannelId;
use virtual_gpu_lut_box::state::{Header, Listing};
use virtual_gpu_lut_box::wire::WireLimits;
use virtual_gpu_lut_box::wire::client;
use virtual_gpu_lut_box::wire::message::MessageReader;
use virtual_gpu_lut_box::wire::request::{Payload, Request};

/// Gives its bytes in pieces of odd lengths.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 * 5 % 61 + 1;
        let n = self.1.min(into.len()).min(self.0.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[derive(Default, Debug, PartialEq)]
struct Seen(Vec<String>, u64);

impl Payload for Seen {
    fn begin(&mut self, so_far: &Request, bytes: usize) {
        self.0.push(format!("{:?} {:?} {bytes}", so_far.command(), so_far.channel_so_far()));
    }
    fn entries(&mut self, entries: &[Texel]) {
        for byte in entries.as_flattened() {
            self.1 = (self.1 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// Everything that a connection's bytes say, to the end or the first fault.
fn messages(source: impl Read) -> Seen {
    let mut seen = Seen::default();
    let mut reader = MessageReader::new(source, WireLimits::default());
    let mut request = Request::default();
    loop {
        let mut message = match reader.next_message() {
            Ok(Some(message)) => message,
            Ok(None) => return seen,
            Err(e) => {
                seen.0.push(e.to_string());
                return seen;
            }
        };
        let read = request.read(&mut message, &mut seen).and_then(|()| message.finish());
        seen.0.push(format!("{:?} {:?} {} {:?}", request.command(), request.channel(), request.metadata, request.cdl));
        if let Err(e) = read {
            seen.0.push(e.to_string());
            return seen;
        }
    }
}

/// A LUT with something negative in it.
pub fn lut(n: u64) -> Lut3d {
    Lut3d::from_fn(GridSize::new(n).unwrap(), |[r, g, b]| {
        [r as f32 / (n - 1) as f32, g as f32 * -0.01, b as f32 * 1e-3]
    })
}

fn cdl() -> Cdl {
    Cdl::new([1.1; 3], [0.01; 3], [0.9; 3], 0.8).unwrap()
}

/// Whole messages.
pub fn wire_seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        client::set_lut(Some("a"), &lut(2), EntryOrder::BlueFastest),
        client::set_lut(None, &lut(5), EntryOrder::RedFastest),
        client::set_cdl(Some("cam ä"), &cdl()),
    ];
    seeds.push(seeds.concat());
    seeds
}

/// The wire says the same in whatever pieces it comes.
pub fn wire(bytes: &[u8]) {
    assert_eq!(messages(bytes), messages(Pieces(bytes, 1)));
}

/// Whole files of `format`.
pub fn lut_file_seeds(format: FileFormat) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("a.{}", format.extension()));
    let mut seeds = Vec::new();
    // Some formats have one size alone, and some are only read.
    for (n, dialect) in [(2, Dialect::Flame), (5, Dialect::Flame), (17, Dialect::Lustre)] {
        let options = WriteOptions { existing: Existing::Replace, dialect, ..WriteOptions::default() };
        if file::write(&path, &lut(n), &options).is_ok() {
            seeds.push(std::fs::read(&path).unwrap());
        }
    }
    seeds.extend(readable_seeds(format).into_iter().map(|text| text.as_bytes().to_vec()));
    seeds
}

/// Whole files of what is read and never written: shapers, chains, every spelling of a CDL.
fn readable_seeds(format: FileFormat) -> Vec<&'static str> {
    match format {
        FileFormat::Cube => vec![
            "TITLE \"x\"\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 2 2\nLUT_1D_SIZE 2\n0 0 0\n1 1 1\n",
            "LUT_1D_SIZE 3\nLUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE -1 2\n0 0 0\n0.5 0.4 0.3\n1 1 1\n\
             0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n",
        ],
        FileFormat::ThreeDl => vec![
            // A shaper of another size than the lattice has is taken for what it is.
            "0 500 900 1023\n0 0 0\n0 0 4095\n0 4095 0\n0 4095 4095\n4095 0 0\n4095 0 4095\n4095 4095 0\n4095 4095 4095\n",
        ],
        FileFormat::Csp => vec![
            "CSPLUTV100\n3D\nBEGIN METADATA\nx\nEND METADATA\n3\n0 0.4 1\n0 0.5 1\n2\n0 1\n0 1\n4\n0 0.1 0.5 1\n0 0.2 0.3 1\n\
             2 2 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n",
            "CSPLUTV100\n1D\n2\n0 1\n0 1\n2\n0 1\n0 1\n2\n0 1\n0 1\n3\n0 0 0\n0.4 0.5 0.6\n1 1 1\n",
        ],
        FileFormat::Clf | FileFormat::Ctf => vec![CHAIN],
        FileFormat::Cc => vec![
            "<ColorCorrection id=\"a\"><SOPNode><Slope>1 1 1.1</Slope><Offset>0 0 0.1</Offset><Power>1 1 0.9</Power></SOPNode>\
             <SATNode><Saturation>0.8</Saturation></SATNode></ColorCorrection>",
        ],
        FileFormat::Ccc => vec![
            "<?xml version=\"1.0\"?><ColorCorrectionCollection xmlns=\"urn:ASC:CDL:v1.01\"><ColorCorrection id=\"a\">\
             <Description>x &amp; y</Description><SOPNode><Slope>1 1 1.1</Slope><Offset>0 0 0.1</Offset><Power>1 1 0.9</Power>\
             </SOPNode></ColorCorrection><ColorCorrection id=\"b\"><SatNode><Saturation>0.8</Saturation></SatNode>\
             </ColorCorrection></ColorCorrectionCollection>",
        ],
        FileFormat::Cdl => vec![
            "<ColorDecisionList><ColorDecision><ColorCorrection id=\"a\"><SOPNode><Offset>-1e-3 0 .5</Offset></SOPNode>\
             </ColorCorrection></ColorDecision></ColorDecisionList>",
        ],
        _ => Vec::new(),
    }
}

const CHAIN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<ProcessList compCLFversion=\"3.0\" id=\"a\" name=\"b\"><Description>c</Description>
<Matrix inBitDepth=\"10i\" outBitDepth=\"32f\"><Array dim=\"3 4\">1 0 0 0 0 1 0 0.1 0 0 1 0</Array></Matrix>
<Range inBitDepth=\"32f\" outBitDepth=\"32f\" style=\"noClamp\"><minInValue>0</minInValue><maxInValue>1</maxInValue>
<minOutValue>0.1</minOutValue><maxOutValue>0.9</maxOutValue></Range>
<ASC_CDL style=\"FwdNoClamp\"><SOPNode><Slope>1 1 1.1</Slope><Offset>0 0 0.1</Offset><Power>1 1 0.9</Power></SOPNode></ASC_CDL>
<Exponent style=\"monCurveMirrorFwd\"><ExponentParams exponent=\"2.4\" offset=\"0.055\"/></Exponent>
<Log style=\"cameraLinToLog\"><LogParams base=\"2\" logSideSlope=\"0.06\" logSideOffset=\"0.55\" linSideBreak=\"0.008\" linearSlope=\"10\"/>
</Log><Log style=\"antiLog10\"/><LUT1D inBitDepth=\"32f\" outBitDepth=\"16f\"><Array dim=\"3 1\">0 0.4 1</Array></LUT1D>
<LUT3D inBitDepth=\"32f\" outBitDepth=\"8i\"><Array dim=\"2 2 2 3\">0 0 0 0 0 255 0 255 0 0 255 255 255 0 0 255 0 255 255 255 0
255 255 255</Array></LUT3D>
</ProcessList>";

/// What is read from a file is finite, as it stands and baked, in every order and layout.
pub fn lut_file(format: FileFormat, bytes: &[u8]) {
    let small = Bake::Yes { size: Some(GridSize::MIN) };
    for options in [
        ReadOptions::default(),
        ReadOptions { bake: small, correction: Some("a".into()), ..ReadOptions::default() },
        ReadOptions {
            bake: small,
            order: Some(EntryOrder::RedFastest),
            layout: Some(Layout::Unity),
            ..ReadOptions::default()
        },
    ] {
        if let Ok(read) = file::read_bytes(format, Path::new("fuzzed"), bytes, &options) {
            assert!(read.lut.check_finite().is_ok(), "a LUT that is not finite was read");
        }
    }
}

/// Remembered LUTs.
pub fn state_seeds() -> Vec<Vec<u8>> {
    [(None, Listing::Wire, 2), (Some(cdl()), Listing::BlueFastest, 3)]
        .into_iter()
        .map(|(cdl, listing, n)| {
            let size = GridSize::new(n).unwrap();
            let saved = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            let header = Header { channel: ChannelId::new("cam"), saved, size, listing, cdl };
            let mut bytes = Vec::new();
            header.write((0..size.entries()).map(|_| [0x3f; 16]), &mut bytes).unwrap();
            bytes
        })
        .collect()
}

/// A header that is read stands for the length that there is, and is written as the bytes it was read from. The sum, which
/// damage hardly ever gets by, comes after it.
pub fn state_header(bytes: &[u8]) {
    let length = bytes.len() as u64;
    if let Ok(header) = Header::read(&mut &bytes[..], length) {
        assert_eq!(header.record_bytes(), length);
        let mut written = Vec::new();
        header.write((0..header.size.entries()).map(|_| [0; 16]), &mut written).unwrap();
        let before_entries = bytes.len() - header.size.rgba_bytes() - 4;
        assert_eq!(written.get(..before_entries), bytes.get(..before_entries));
    }
}

fn record(event: Event) -> Vec<u8> {
    Entry { at: Duration::from_millis(5), connection: 1, event }.encode().unwrap()
}

/// A whole recording of four records.
pub fn recording_seeds() -> Vec<Vec<u8>> {
    let mut whole = b"VGLBREC\0\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    whole.extend(record(Event::Message(client::set_lut(Some("a"), &lut(2), EntryOrder::BlueFastest))));
    whole.extend(record(Event::Broken(vec![1, 2, 3])));
    whole.extend(record(Event::Lost(3)));
    whole.extend(record(Event::End));
    vec![whole]
}

/// A recording ends.
pub fn recording(bytes: &[u8]) {
    if let Ok(recording) = Recording::new(bytes) {
        assert!(recording.count() <= bytes.len());
    }
}

/// The bodies of a recording's records, without lengths and sums.
pub fn recording_body_seeds() -> Vec<Vec<u8>> {
    let events = [Event::Message(vec![7; 300]), Event::Broken(vec![1, 2, 3]), Event::Lost(3), Event::End];
    let body = |event| {
        let record = record(event);
        record[4..record.len() - 4].to_vec()
    };
    events.into_iter().map(body).collect()
}

/// Past the sum, which damage hardly ever gets by.
pub fn recording_body(bytes: &[u8]) {
    drop(Entry::decode(bytes));
}

/// Address ranges.
pub fn address_range_seeds() -> Vec<Vec<u8>> {
    let seeds = ["192.168.1.0/24", "10.1.2.3", "::1/128", "fe80::/10", "::ffff:10.0.0.0/104"];
    seeds.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// An address range says itself as it is read.
pub fn address_range(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(network) = text.parse::<Network>() {
        assert_eq!(network.to_string().parse::<Network>().unwrap().to_string(), network.to_string());
        for address in ["127.0.0.1", "::1", "10.0.0.1"] {
            let _ = network.contains(address.parse().unwrap());
        }
    }
}
