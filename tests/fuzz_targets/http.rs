//! HTTP requests: the parser, and what is asked of the panel, the metrics and the CDL interface.

use super::{Pieces, cdl, lut};
use std::net::SocketAddr;
use std::sync::Arc;
use virtual_gpu_lut_box::cdl_http::CdlHttp;
use virtual_gpu_lut_box::channel::{ChannelSet, ChannelSettings, LutSource};
use virtual_gpu_lut_box::dashboard::{Dashboard, Sources, Token};
use virtual_gpu_lut_box::hald::texel;
use virtual_gpu_lut_box::http::{self, Handler};
use virtual_gpu_lut_box::metrics::{Metrics, MetricsHttp};
use virtual_gpu_lut_box::server::{Server, ServerConfig};
use virtual_gpu_lut_box::sink::{ChannelId, LutSink};
use virtual_gpu_lut_box::state::Presets;
use virtual_gpu_lut_box::texture::memory::MemoryBackend;

/// What requests are asked of. No port of it is listened on.
pub struct Site {
    panel: Arc<dyn Handler>,
    /// Another panel, of which everybody has to show a token that no request has.
    closed_panel: Arc<dyn Handler>,
    metrics: Arc<dyn Handler>,
    cdl: Arc<dyn Handler>,
    _server: Server,
    _presets: tempfile::TempDir,
}

fn channels() -> ChannelSet {
    let channels = ChannelSet::new(Arc::new(MemoryBackend::default()), ChannelSettings::default());
    let graded = lut(3);
    let entries: Vec<_> = graded.entries().iter().map(|e| texel(*e)).collect();
    channels.put(&ChannelId::new("cam"), LutSource::Sent, graded.size(), &entries).unwrap();
    channels
}

impl Site {
    pub fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let channels = channels();
        // The panel asks it who is connected.
        let server = Server::start(&ServerConfig { port: 0, ..ServerConfig::default() }, Arc::new(channels.clone()));
        let server = server.unwrap();
        let presets = Some(Arc::new(Presets::open(&folder.path().join("presets"), 1 << 20).unwrap()));
        let sources = Sources { channels: channels.clone(), clients: server.clients(), presets };
        let token = Token::made().unwrap();
        let token = Some(Token::given(token.text()).unwrap());
        Site {
            panel: Dashboard::handler(None, vec!["lutbox.local".into()], sources.clone()).unwrap(),
            closed_panel: Dashboard::handler(token, Vec::new(), sources).unwrap(),
            metrics: Arc::new(MetricsHttp::new(Metrics::default(), channels.clone(), || 0)),
            cdl: Arc::new(CdlHttp::new(channels, vec![ChannelId::new("wall A")])),
            _server: server,
            _presets: folder,
        }
    }
}

const HERE: [u8; 4] = [127, 0, 0, 1];
const ELSEWHERE: [u8; 4] = [10, 0, 0, 7];

fn from(address: [u8; 4]) -> SocketAddr {
    (address, 5000).into()
}

/// Whole requests; the first byte says of whom they are asked.
pub fn request_seeds() -> Vec<Vec<u8>> {
    const CAM: &str = "/api/v1/channels/vglb-lut-cam";
    let ask = |method: &str, path: &str, more: &str, body: &str| {
        let length = match body {
            "" => String::new(),
            body => format!("Content-Length: {}\r\n", body.len()),
        };
        format!("{method} {path} HTTP/1.1\r\nHost: localhost:8090\r\n{length}{more}\r\n{body}")
    };
    let cube = "LUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n";
    let panel = [
        ask("GET", "/", "", ""),
        ask("GET", "/api/v1/status", "Origin: http://localhost:8090\r\nSec-Fetch-Site: same-origin\r\n", ""),
        ask("GET", "/api/v1/events", "Authorization: Bearer open-sesame\r\n", ""),
        ask("GET", "/api/v1/openapi.json", "Connection: close\r\n", ""),
        ask("GET", &format!("{CAM}/lut?of=stream"), "", ""),
        ask("HEAD", &format!("{CAM}/lut.cube"), "", ""),
        ask("GET", &format!("{CAM}/strip"), "", ""),
        ask("GET", &format!("{CAM}/probe?r=0.5&g=0.25&b=1"), "", ""),
        ask("PUT", &format!("{CAM}/lut?format=cube"), "Expect: 100-continue\r\n", cube),
        ask("PUT", &format!("{CAM}/bypass"), "", "{\"on\": true}"),
        ask("POST", &format!("{CAM}/hold"), "", ""),
        ask("POST", &format!("{CAM}/identify"), "", "{\"seconds\": 0.01}"),
        ask("PUT", "/api/v1/presets/day%201", "", "{\"stream\": \"vglb-lut-cam\"}"),
        ask("PUT", &format!("{CAM}/preset"), "", "{\"name\": \"day 1\"}"),
        ask("POST", &format!("{CAM}/nudge"), "", "{\"a\": \"day 1\", \"b\": \"day 1\"}"),
        ask("PUT", &format!("{CAM}/start"), "", "{\"start\": {\"preset\": \"day 1\"}}"),
        ask("PUT", "/api/v1/presets/day%201/name", "", "{\"name\": \"dusk\"}"),
        ask("DELETE", "/api/v1/presets/dusk", "", "") + &ask("GET", "/api/v1/presets", "", ""),
        ask("GET", "/%61pi/v1/channels", "", ""),
    ];
    let cdl = "{\"uid\": \"cam\", \"slope\": [1, 1.5, 1], \"offset\": [0, 0, 0], \"power\": [1, 1, 1]}";
    let cdl = [
        ask("GET", "/api/v1/colour/cdl/list", "", ""),
        ask("GET", "/api/v1/colour/cdl/get/wall%20A", "", ""),
        ask("POST", "/api/v1/colour/cdl/set", "", cdl),
    ];
    let of = |whom: u8, text: &String| [&[whom], text.as_bytes()].concat();
    let metrics = ask("GET", "/metrics", "", "");
    let asked_of_panels = (0..3).flat_map(|whom| panel.iter().map(move |text| of(whom, text)));
    asked_of_panels.chain([of(3, &metrics)]).chain(cdl.iter().map(|text| of(4, text))).collect()
}

/// Requests get answers that a client can read; without a token, nothing of the panel's API; and the same in whatever
/// pieces they come.
pub fn requests(site: &Site, bytes: &[u8]) {
    let Some((whom, requests)) = bytes.split_first() else { return };
    let (handler, peer, closed) = match whom % 5 {
        0 => (&site.panel, HERE, false),
        1 => (&site.panel, ELSEWHERE, true),
        2 => (&site.closed_panel, HERE, true),
        3 => (&site.metrics, HERE, false),
        _ => (&site.cdl, HERE, false),
    };
    let said = http::answers(handler.clone(), from(peer), requests);
    let told = answers(&said);
    if closed {
        let of_the_api = told.iter().find(|answer| answer.status < 300 && !answer.is_of_page);
        assert!(of_the_api.is_none(), "without a token: {}", String::from_utf8_lossy(&said));
    }
    // Elsewhere the first time may change what is answered the second.
    if closed || whom % 5 == 3 {
        let again = http::answers(handler.clone(), from(peer), Pieces(requests, 1));
        assert_eq!(statuses(&told), statuses(&answers(&again)));
    }
}

struct Answer {
    status: u16,
    /// The page's files have a tag, and nothing else has.
    is_of_page: bool,
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

/// Answers one after the other, as a client reads them.
fn answers(mut said: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !said.is_empty() {
        let end = said.windows(4).position(|w| w == b"\r\n\r\n").expect("a head has an end");
        let head = std::str::from_utf8(&said[..end]).expect("a head is text");
        said = &said[end + 4..];
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap().strip_prefix("HTTP/1.1 ").expect("an answer begins so");
        let status = first[..3].parse().expect("a status");
        let fields: Vec<_> = lines.map(|line| line.split_once(": ").expect("a name and a value")).collect();
        assert!(fields.iter().all(|(_, value)| !value.contains(|c: char| c.is_control())), "{head:?}");
        let field = |name| fields.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        if status == 100 {
            continue;
        }
        let length: usize = field("Content-Length").map_or(0, |length| length.parse().expect("a number"));
        // Where the head alone was asked for, another answer follows, or nothing.
        if !said.is_empty() && !said.starts_with(b"HTTP/1.1 ") {
            let body = &said[..length];
            if status >= 400 {
                let error: serde_json::Value = serde_json::from_slice(body).expect("a refusal is JSON");
                assert!(error["error"].as_str().is_some_and(|why| !why.is_empty()), "{error}");
            }
            said = &said[length..];
        }
        answers.push(Answer { status, is_of_page: field("ETag").is_some() });
    }
    answers
}

/// CDL values as JSON, in every shape that there is.
pub fn cdl_body_seeds() -> Vec<Vec<u8>> {
    let rest = r#""offset": {"r": 0, "g": 0.1, "b": -0.1}, "power": {"red": 1, "green": 1, "blue": 0.9}"#;
    [
        format!(r#"{{"uid": "cam", "slope": [1, 1.5, 1], {rest}}}"#),
        format!(r#"{{"uid": 7, "slope": {{"x": 1, "y": 1e2, "z": 0}}, {rest}, "saturation": 0.8}}"#),
        format!(r#"{{"uid": "w\u00e4nd", "slope": [1, 1e999, -1], {rest}, "saturation": "x", "more": [[[{{}}]]]}}"#),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// CDL values are taken whole and finite; what is refused changes nothing, and is told why.
pub fn cdl_body(bytes: &[u8]) {
    let channels = channels();
    channels.set_cdl(&ChannelId::new("cam"), &cdl()).unwrap();
    let before = grades(&channels);
    let handler = Arc::new(CdlHttp::new(channels.clone(), Vec::new()));
    let head = format!("POST /api/v1/colour/cdl/set HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let said = http::answers(handler, from(HERE), &[head.as_bytes(), bytes].concat()[..]);
    let told = statuses(&answers(&said));
    let now = grades(&channels);
    match told[..] {
        [200] => {
            let cdl: Vec<_> = channels.status().into_iter().filter_map(|status| status.cdl).collect();
            let mut numbers =
                cdl.iter().flat_map(|c| [c.slope(), c.offset(), c.power(), [c.saturation(); 3]]).flatten();
            assert!(numbers.all(f64::is_finite), "{now:?}");
        }
        [400 | 409 | 413] => assert_eq!(now, before),
        _ => panic!("{told:?}"),
    }
}

fn grades(channels: &ChannelSet) -> Vec<String> {
    channels.status().iter().map(|status| format!("{} {:?} {}", status.id, status.cdl, status.revision)).collect()
}
