use super::*;
use crate::channel::{ChannelSettings, LutSource};
use crate::hald::texel;
use crate::lut::{GridSize, Lut3d};
use crate::server::{Server, ServerConfig};
use crate::sink::ChannelId;
use crate::texture::memory::MemoryBackend;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

struct Served {
    channels: ChannelSet,
    dashboard: Dashboard,
    _server: Server,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

fn serve_with(token: Option<Token>) -> Served {
    let channels = ChannelSet::new(Arc::new(MemoryBackend::default()), ChannelSettings::default());
    let config = ServerConfig { port: 0, ..ServerConfig::default() };
    let server = Server::start(&config, Arc::new(channels.clone())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let presets = Some(Arc::new(Presets::open(&folder.path().join("presets"), 1 << 20).unwrap()));
    let sources = Sources { channels: channels.clone(), clients: server.clients(), presets };
    let config = DashboardConfig { token, names: vec!["lutbox.local".into()], ..DashboardConfig::default() };
    Served { channels, dashboard: Dashboard::start(config, sources).unwrap(), _server: server, _folder: folder }
}

/// A server with a 3³ LUT on channel `cam`.
fn serve() -> Served {
    let served = serve_with(None);
    served.put("cam", &grade());
    served
}

/// Values that decimals, 8 bits and careless conversions would change.
fn grade() -> Lut3d {
    let odd = [-0.0, f32::from_bits(1), 1e38, 0.1, -2.5];
    Lut3d::from_fn(GridSize::new(3).unwrap(), |[r, g, b]| [odd[(r + g + b) % 5], g as f32 / 3.0, b as f32])
}

impl Served {
    fn put(&self, channel: &str, lut: &Lut3d) {
        let entries: Vec<_> = lut.entries().iter().map(|e| texel(*e)).collect();
        self.channels.put(&ChannelId::new(channel), LutSource::Sent, lut.size(), &entries).unwrap();
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.dashboard.addresses()[0]).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        Answer { status: head[9..12].parse().unwrap(), head, body: answer[end + 4..].to_vec() }
    }

    fn ask_with(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
        self.raw(&[head.as_bytes(), body].concat())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, "Host: 127.0.0.1\r\n", body.as_bytes())
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }
}

const CAM: &str = "/api/v1/channels/vglb-lut-cam";

fn floats(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn bits(lut: &Lut3d) -> Vec<u32> {
    lut.entries().as_flattened().iter().map(|v| v.to_bits()).collect()
}

#[test]
fn the_state_is_told() {
    let served = serve();
    let status = served.get("/api/v1/status").json();
    assert_eq!((&status["version"], &status["base_stream"]), (&json!(crate::VERSION), &json!("OpenGradeIO-LUT")));
    let channel = &status["channels"][0];
    assert_eq!((&channel["stream"], &channel["channel"]), (&json!("vglb-lut-cam"), &json!("cam")));
    assert_eq!(
        (&channel["state"], &channel["grid_size"], &channel["luts"]),
        (&json!("no-signal"), &json!(3), &json!(1))
    );
    assert_eq!((&channel["width"], &channel["layout"]), (&json!(9), &json!("vglb")));
    assert!(channel["latency_us"].as_f64().unwrap() > 0.0);
    assert_eq!(served.get(CAM).json(), *channel);
    assert_eq!(served.get("/api/v1/channels").json(), json!({ "channels": [channel] }));
    assert_eq!(served.get("/api/v1/channels/vglb-lut-nobody").status, 404);
}

#[test]
fn a_lut_leaves_with_every_bit_and_comes_back_as_a_file() {
    let served = serve();
    let got = served.get(&format!("{CAM}/lut"));
    assert_eq!((got.status, got.header("X-LUT-Size")), (200, Some("3")));
    assert_eq!(floats(&got.body), bits(&grade()));
    let strip = served.get(&format!("{CAM}/strip"));
    let size = (strip.header("X-Strip-Width"), strip.header("X-Strip-Height"), strip.header("X-Strip-Layout"));
    assert_eq!(size, (Some("9"), Some("3"), Some("vglb")));
    assert_eq!(strip.body.len(), 9 * 3 * 16);

    let cube = served.get(&format!("{CAM}/lut.cube"));
    assert_eq!(cube.header("Content-Disposition"), Some("attachment; filename=\"vglb-lut-cam.cube\""));
    let text = String::from_utf8(cube.body).unwrap();
    let loaded = served.ask("PUT", "/api/v1/channels/vglb-lut-new%2Fone/lut", &text);
    assert_eq!(loaded.status, 200, "{}", loaded.json());
    assert_eq!((&loaded.json()["stream"], &loaded.json()["grid_size"]), (&json!("vglb-lut-new/one"), &json!(3)));
    assert_eq!(floats(&served.get("/api/v1/channels/vglb-lut-new%2Fone/lut").body), bits(&grade()));
    assert_eq!(served.get("/api/v1/channels/vglb-lut-new%2Fone").json()["state"], "live");

    let probe = served.get(&format!("{CAM}/probe?r=0.5&g=0.25&b=1")).json();
    let wanted = grade().tetrahedral([0.5, 0.25, 1.0]);
    assert_eq!(probe, json!({ "in": [0.5, 0.25, 1.0], "out": wanted, "grid_size": 3 }));
}

#[test]
fn a_texture_comes_with_what_it_makes_of_a_colour() {
    let served = serve();
    assert_eq!(served.get(&format!("{CAM}/strip")).header("X-Probe"), None);
    for text in ["0.5,0.25,1", "0.5%2C0.25%2C1"] {
        let strip = served.get(&format!("{CAM}/strip?of=received&probe={text}"));
        let told: Vec<f32> = strip.header("X-Probe").unwrap().split(',').map(|value| value.parse().unwrap()).collect();
        assert_eq!(told, grade().tetrahedral([0.5, 0.25, 1.0]));
        assert_eq!(strip.body, served.get(&format!("{CAM}/strip")).body);
    }
    for wrong in ["", "0.5", "0.5,0.5", "0,0,0,0", "0,0,x", "0,0,inf", "nan,0,0"] {
        let answer = served.get(&format!("{CAM}/strip?probe={wrong}"));
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json()["error"].as_str().unwrap().contains(&format!("{wrong:?}")), "{}", answer.json());
    }
}

#[test]
fn what_is_no_lut_file_changes_nothing() {
    let served = serve();
    let lut = format!("{CAM}/lut");
    for (format, body, status) in [
        ("", "", 400),
        ("", "LUT_3D_SIZE 2\n0 0", 422),
        ("?format=npy", "no array", 422),
        ("?format=png", "x", 422),
        ("?format=doc", "x", 400),
        ("?format=../../etc/cube", "x", 400),
        ("?format=a.cube", "x", 400),
    ] {
        let answer = served.ask("PUT", &format!("{lut}{format}"), body);
        assert_eq!(answer.status, status, "{format} {body}: {}", answer.json());
        let said = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(!said.contains("/tmp") && !said.contains("vglb-"), "{said}");
    }
    assert_eq!(served.ask("PUT", "/api/v1/channels/somebody/lut", "x").status, 404, "no channel has this stream");
    assert_eq!(floats(&served.get(&lut).body), bits(&grade()));
    assert_eq!(served.channels.status().len(), 1);
}

#[test]
fn the_output_is_controlled() {
    let served = serve();
    let id = ChannelId::new("cam");
    let shown = || served.channels.shown(&id).unwrap().unwrap().lut();
    let identity = Lut3d::identity(GridSize::new(3).unwrap());
    let put = |what: &str, on: bool| {
        let answer = served.ask("PUT", &format!("{CAM}/{what}"), &json!({ "on": on }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(put("bypass", true), "bypassed");
    assert_eq!(bits(&shown()), bits(&identity));
    assert_eq!(floats(&served.get(&format!("{CAM}/lut?of=stream")).body), bits(&identity));
    assert_eq!(floats(&served.get(&format!("{CAM}/lut?of=received")).body), bits(&grade()));
    assert_eq!(put("bypass", false), "no-signal");
    assert_eq!(bits(&shown()), bits(&grade()));
    assert_eq!(put("hold", true), "held");
    served.put("cam", &identity);
    assert_eq!(bits(&shown()), bits(&grade()));
    assert_eq!(served.ask("POST", &format!("{CAM}/hold"), "").json()["hold"], json!(false));
    assert_eq!(bits(&shown()), bits(&identity));
    assert_eq!(served.ask("POST", &format!("{CAM}/bypass"), "").json()["bypass"], json!(true));
    assert_eq!(served.ask("POST", &format!("{CAM}/bypass"), "").json()["bypass"], json!(false));
    assert_eq!(served.ask("POST", &format!("{CAM}/identify"), "{\"seconds\": 0.05}").json()["state"], "identifying");
    for (path, body) in [("bypass", ""), ("bypass", "{}"), ("hold", "{\"on\": 1}"), ("hold", "[true]"), ("hold", "{")] {
        assert_eq!(served.ask("PUT", &format!("{CAM}/{path}"), body).status, 400, "{path} {body}");
    }
    for body in ["{\"seconds\": -1}", "{\"seconds\": 1e9}", "{\"seconds\": \"5\"}", "5"] {
        assert_eq!(served.ask("POST", &format!("{CAM}/identify"), body).status, 400, "{body}");
    }
    let wrong = served.ask("POST", &format!("{CAM}/lut"), "");
    assert_eq!((wrong.status, wrong.header("Allow")), (405, Some("GET, HEAD, PUT")));
}

#[test]
fn presets_are_stored_recalled_renamed_and_deleted() {
    let served = serve();
    let done = |method: &str, path: &str, body: Value| {
        let answer = served.ask(method, path, &body.to_string());
        assert!(answer.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    };
    let identity = Lut3d::identity(GridSize::new(3).unwrap());
    done("PUT", "/api/v1/presets/day%201", json!({ "stream": "vglb-lut-cam" }));
    served.put("cam", &identity);
    done("PUT", "/api/v1/presets/night", json!({ "stream": "vglb-lut-cam" }));
    let preset = &format!("{CAM}/preset");
    assert_eq!(done("PUT", preset, json!({ "name": "day 1" }))["preset"], "day 1");
    assert_eq!(floats(&served.get(&format!("{CAM}/lut")).body), bits(&grade()));
    let nudge = || done("POST", &format!("{CAM}/nudge"), json!({ "a": "day 1", "b": "night" }))["preset"].clone();
    assert_eq!([nudge(), nudge(), nudge()], ["night", "day 1", "night"]);
    assert_eq!(floats(&served.get(&format!("{CAM}/lut")).body), bits(&identity));
    served.put("cam", &grade());
    assert_eq!(served.get(CAM).json()["preset"], Value::Null, "another LUT has come");

    done("PUT", "/api/v1/presets/night/name", json!({ "name": "dusk" }));
    assert_eq!(
        done("PUT", &format!("{CAM}/start"), json!({ "start": { "preset": "dusk" } }))["start"],
        json!({ "preset": "dusk" })
    );
    assert_eq!(done("PUT", &format!("{CAM}/start"), json!({ "start": "identity" }))["start"], "identity");
    done("DELETE", "/api/v1/presets/day%201", Value::Null);
    let list = served.get("/api/v1/presets").json();
    let names: Vec<_> = list["presets"].as_array().unwrap().iter().map(|p| p["name"].clone()).collect();
    assert_eq!(names, ["dusk"]);
    for (method, path, body, status) in [
        ("PUT", preset.as_str(), json!({ "name": "night" }), 404),
        ("PUT", preset, json!({}), 400),
        ("PUT", "/api/v1/presets/x", json!({ "stream": "vglb-lut-nobody" }), 404),
        ("PUT", "/api/v1/presets/", json!({ "stream": "vglb-lut-cam" }), 400),
        ("PUT", "/api/v1/presets/dusk/name", json!({ "name": "a\nb" }), 400),
        ("DELETE", "/api/v1/presets/night", json!({}), 404),
        ("PUT", &format!("{CAM}/start"), json!({ "start": "first" }), 400),
        ("PUT", &format!("{CAM}/start"), json!({ "start": { "preset": "night" } }), 404),
    ] {
        assert_eq!(served.ask(method, path, &body.to_string()).status, status, "{method} {path} {body}");
    }
}

#[test]
fn whoever_listens_is_told_what_changes() {
    let served = serve();
    let mut stream = served.connect();
    stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost:8090\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut next = |wanted: &str, is: &dyn Fn(&Value) -> bool| {
        loop {
            let line = lines.next().expect("events go on").unwrap();
            if line == format!("event: {wanted}") {
                let data = lines.next().unwrap().unwrap();
                let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                if is(&data) {
                    return data;
                }
            }
        }
    };
    assert_eq!(next("server", &|_| true)["version"], crate::VERSION);
    next("channel", &|c| c["stream"] == "vglb-lut-cam" && c["luts"] == 1);
    served.put("cam", &grade());
    next("channel", &|c| c["luts"] == 2);
    served.channels.set_bypass(&ChannelId::new("cam"), true).unwrap();
    next("channel", &|c| c["state"] == "bypassed");
    served.put("other", &grade());
    next("channel", &|c| c["stream"] == "vglb-lut-other");
}

#[test]
fn listeners_are_let_go_when_the_panel_stops() {
    let mut served = serve();
    let mut stream = served.connect();
    stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    served.dashboard.stop();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(served.dashboard.events.count(), 0);
}

#[test]
fn other_pages_and_other_names_are_kept_out() {
    let served = serve();
    let ask = |method: &str, headers: &str| {
        let body: &[u8] = if method == "PUT" { b"{\"on\": true}" } else { b"" };
        let path = if method == "PUT" { format!("{CAM}/bypass") } else { "/api/v1/status".to_owned() };
        served.ask_with(method, &path, headers, body).status
    };
    for host in ["127.0.0.1", "127.0.0.1:8090", "localhost:1", "[::1]:8090", "LUTBOX.local:8090", "192.168.1.5"] {
        assert_eq!(ask("GET", &format!("Host: {host}\r\n")), 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8090", ""] {
        assert_eq!(ask("GET", &format!("Host: {host}\r\n")), 421, "{host}");
        assert_eq!(ask("PUT", &format!("Host: {host}\r\n")), 421, "{host}");
    }
    assert_eq!(ask("GET", ""), 400);
    assert_eq!(ask("GET", "Host: localhost\r\nHost: evil.example\r\n"), 400);
    for origin in
        ["http://evil.example", "null", "http://localhost:3000", "http://localhost:8090.evil", "localhost:8090"]
    {
        for method in ["GET", "PUT"] {
            let headers = format!("Host: localhost:8090\r\nOrigin: {origin}\r\n");
            assert_eq!(ask(method, &headers), 403, "{method} {origin}");
        }
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(ask("PUT", &format!("Host: localhost\r\nSec-Fetch-Site: {site}\r\n")), 403);
    }
    assert_eq!(served.get(CAM).json()["bypass"], json!(false), "nothing has happened");
    assert_eq!(
        ask("PUT", "Host: localhost:8090\r\nOrigin: http://localhost:8090\r\nSec-Fetch-Site: same-origin\r\n"),
        200
    );
}

#[test]
fn a_token_that_is_set_is_asked_for() {
    let served = serve_with(Some(Token::given("open sesame".replace(' ', "-").as_str()).unwrap()));
    let with = |authorization: &str| {
        served.ask_with("GET", "/api/v1/status", &format!("Host: localhost\r\n{authorization}"), b"")
    };
    let none = with("");
    assert_eq!((none.status, none.header("WWW-Authenticate")), (401, Some("Bearer")));
    for wrong in ["Bearer open-sesam", "Bearer open-sesame1", "Basic open-sesame", "Bearer", "open-sesame", "Bearer "] {
        assert_eq!(with(&format!("Authorization: {wrong}\r\n")).status, 401, "{wrong}");
    }
    assert_eq!(with("Authorization: Bearer open-sesame\r\n").status, 200);
    // The page itself is no secret; what it shows is.
    assert_eq!(served.get("/").status, 200);
    // One that was made is for others.
    assert_eq!(serve_with(Some(Token::made().unwrap())).get("/api/v1/status").status, 200);
}

#[test]
fn a_path_with_escapes_needs_the_token_too() {
    let served = serve_with(Some(Token::given("open-sesame").unwrap()));
    for path in
        ["/%61pi/v1/status", "/ap%69/v1/channels", "/%61%70%69/v1/presets", "/api%2fv1/status", "/%zz/v1/status"]
    {
        assert_eq!(served.get(path).status, 401, "{path}");
    }
}

#[test]
fn other_computers_need_a_token_whatever_is_set() {
    let asks = |token: Option<Token>, peer: &str, shown: &str| {
        let text = format!("GET /api/v1/status HTTP/1.1\r\nHost: 10.0.0.1\r\nAuthorization: Bearer {shown}\r\n\r\n");
        let head = crate::http::Head::of(&text, peer.parse().unwrap());
        Guard { token, names: Vec::new() }.check(&head).is_ok()
    };
    let made = || Some(Token::made().unwrap());
    for here in ["127.0.0.1:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
        assert!(asks(None, here, "") && asks(made(), here, ""), "{here}");
    }
    for other in ["10.0.0.2:5", "[fe80::1]:5", "[::ffff:10.0.0.2]:5"] {
        assert!(!asks(None, other, "") && !asks(made(), other, ""), "{other}");
        let token = Token::made().unwrap();
        let text = token.text().to_owned();
        assert!(asks(Some(token), other, &text), "{other}");
    }
}

#[test]
fn bodies_are_limited_before_they_are_read() {
    let served = serve();
    for (path, length) in [("lut", route::LUT_BYTES + 1), ("bypass", 5000), ("hold", usize::MAX)] {
        let request = format!("PUT {CAM}/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        assert_eq!(served.raw(request.as_bytes()).status, 413, "{path}");
    }
    let chunked = format!("PUT {CAM}/lut HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(served.raw(chunked.as_bytes()).status, 411);
}

#[test]
fn no_path_reaches_a_file() {
    let served = serve();
    for path in [
        "/../Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/etc/passwd",
        "/page/index.html",
        "/index.html/",
        "/%00",
        "/%zz",
        "/api/v1/channels/../../../etc/passwd",
        "/api/v1/channels/..%2f..%2fetc%2fpasswd",
        "/api/v1/channels/..%2f..%2fetc%2fpasswd/lut",
        "/api/v1/channels/",
        "/api/v1/channels//lut",
        "/api/v2/status",
    ] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
}

#[test]
fn the_page_is_kept_by_browsers_and_can_load_nothing_from_elsewhere() {
    let served = serve();
    let page = served.get("/");
    assert_eq!((page.status, page.header("Content-Type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(served.get("/nothing").header("X-Content-Type-Options"), Some("nosniff"));
    let tag = page.header("ETag").unwrap();
    let again = served.ask_with("GET", "/", &format!("Host: localhost\r\nIf-None-Match: {tag}\r\n"), b"");
    assert_eq!((again.status, again.body.len(), again.header("ETag")), (304, 0, Some(tag)));
    let text = String::from_utf8(page.body).unwrap();
    for forbidden in ["<style", " style=", "http://", "https://", " onclick", "javascript:"] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn the_page_offers_files_of_every_format_that_can_be_loaded() {
    use crate::lut::file::FileFormat::{self, Cc, Ccc, Cdl};
    let page = include_str!("page/index.html");
    let accept = page.split("class=\"load\" type=\"file\" accept=\"").nth(1).unwrap().split('"').next().unwrap();
    // A CDL becomes a LUT by baking alone, which is not done here.
    for format in FileFormat::ALL.into_iter().filter(|format| ![Cc, Ccc, Cdl].contains(format)) {
        let extension = format!(".{}", format.extension());
        assert!(accept.split(',').any(|offered| offered == extension), "{extension} is not among {accept}");
    }
}

/// What the server does has to be described, and what is described has to be there.
#[test]
fn the_description_is_of_this_server() {
    let served = serve();
    let description = served.get("/api/v1/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    for (path, operations) in description["paths"].as_object().unwrap() {
        let path = path.replace("{stream}", "vglb-lut-cam").replace("{name}", "day");
        let methods: Vec<_> = operations.as_object().unwrap().keys().filter(|key| *key != "parameters").collect();
        for method in ["GET", "PUT", "POST", "DELETE"] {
            let described = methods.iter().any(|m| m.eq_ignore_ascii_case(method));
            // The claimed length is refused where the method is known, so that nothing is done.
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", u64::MAX);
            let wanted = if described { 413 } else { 405 };
            assert_eq!(served.raw(request.as_bytes()).status, wanted, "{method} {path}");
        }
    }
}
