use super::*;
use crate::channel::ChannelSettings;
use crate::http::{HttpConfig, HttpServer};
use crate::server::Access;
use crate::texture::memory::MemoryBackend;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

struct Served {
    channels: ChannelSet,
    server: HttpServer,
}

fn serve(settings: ChannelSettings, access: Access) -> Served {
    let channels = ChannelSet::new(Arc::new(MemoryBackend::default()), settings);
    let handler = CdlHttp::new(channels.clone(), vec![ChannelId::new("wall A")]);
    let server = HttpServer::start(HttpConfig { access, ..HttpConfig::default() }, Arc::new(handler)).unwrap();
    Served { channels, server }
}

impl Served {
    fn new() -> Self {
        serve(ChannelSettings::default(), Access::default())
    }

    fn raw(&self, request: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.server.addresses()[0]).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    fn set(&self, body: &str) -> (u16, Value) {
        let length = body.len();
        self.raw(&format!(
            "POST {SET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn cdl(&self, name: &str) -> Option<Cdl> {
        self.channels.status().into_iter().find(|s| s.id == ChannelId::new(name)).and_then(|s| s.cdl)
    }
}

#[test]
fn a_grading_program_lists_gets_and_sets() {
    let served = Served::new();
    let (status, list) = served.get(LIST);
    assert_eq!((status, list), (200, json!({ "uids": [{ "uid": "OpenGradeIO-LUT" }, { "uid": "wall A" }] })));
    let one = json!({ "x": 1.0, "y": 1.0, "z": 1.0 });
    let (status, cdl) = served.get("/api/v1/colour/cdl/get/wall%20A");
    let wanted = json!({ "cdl": {
        "uid": "wall A", "name": "wall A", "path": "vglb-lut-wall A", "slope": one, "power": one, "saturation": 1.0,
        "offset": { "x": 0.0, "y": 0.0, "z": 0.0 },
    } });
    assert_eq!((status, cdl), (200, wanted));
    let sent = r#"{"uid": "wall A", "slope": {"x": 1.5, "y": 1, "z": 0.5}, "offset": [0.125, 0, -0.25],
        "power": {"r": 1, "g": 2, "b": 3}, "saturation": 0.75}"#;
    assert_eq!(served.set(sent), (200, json!({})));
    let wanted = Cdl::new([1.5, 1.0, 0.5], [0.125, 0.0, -0.25], [1.0, 2.0, 3.0], 0.75).unwrap();
    assert_eq!(served.cdl("wall A"), Some(wanted));
    let (_, cdl) = served.get("/api/v1/colour/cdl/get/wall%20A");
    assert_eq!(cdl["cdl"]["offset"], json!({ "x": 0.125, "y": 0.0, "z": -0.25 }));
    assert_eq!(cdl["cdl"]["saturation"], json!(0.75));
    // The channel without a name goes by its stream's.
    let base = r#"{"uid": "OpenGradeIO-LUT", "slope": [2,2,2], "offset": [0,0,0], "power": [1,1,1]}"#;
    assert_eq!(served.set(base), (200, json!({})));
    assert_eq!(served.cdl("").unwrap().slope(), [2.0; 3]);
}

#[test]
fn what_is_wrong_is_said_and_changes_nothing() {
    let served = Served::new();
    let good = r#""offset": [0,0,0], "power": [1,1,1]"#;
    for (body, why) in [
        ("{".to_owned(), "the body is no JSON"),
        ("[]".to_owned(), "\"uid\" must be"),
        (format!(r#"{{"uid": "a", {good}}}"#), "\"slope\" must be three numbers"),
        (format!(r#"{{"uid": "a", "slope": [1,1], {good}}}"#), "\"slope\" must be three numbers"),
        (format!(r#"{{"uid": "a", "slope": {{"x":1,"y":1,"b":1}}, {good}}}"#), "\"slope\" must be three numbers"),
        (format!(r#"{{"uid": "a", "slope": [1,"1",1], {good}}}"#), "\"slope\" must be three numbers"),
        (
            format!(r#"{{"uid": "a", "slope": [1,-1,1], {good}}}"#),
            "the CDL's slope of green is -1; it must be 0 or more",
        ),
        (format!(r#"{{"uid": "a", "slope": [1,1e999,1], {good}}}"#), "the body is no JSON"),
        (format!(r#"{{"uid": "a", "slope": [1,1,1], {good}, "saturation": "x"}}"#), "\"saturation\" must be a number"),
        (format!(r#"{{"uid": "{}", "slope": [1,1,1], {good}}}"#, "a".repeat(1025)), "the channel name"),
        ("[".repeat(60_000), "the body is no JSON"),
    ] {
        let (status, said) = served.set(&body);
        assert_eq!(status, 400, "{said}");
        assert!(said["error"].as_str().unwrap().starts_with(why), "{said}");
    }
    assert!(served.channels.status().is_empty());
    assert_eq!(served.set(&" ".repeat(LONGEST_BODY + 1)).0, 413);
    assert_eq!(served.get("/api/v1/colour/cdl/get/nobody").0, 404);
    assert_eq!(served.get("/").0, 404);
    assert_eq!(served.get(SET).0, 405);
}

#[test]
fn web_pages_and_addresses_that_are_not_let_in_are_kept_out() {
    let served = Served::new();
    let body = r#"{"uid": "a", "slope": [2,2,2], "offset": [0,0,0], "power": [1,1,1]}"#;
    let (status, _) = served.raw(&format!(
        "POST {SET} HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(status, 403);
    assert!(served.channels.status().is_empty());
    let closed = Access { deny: vec!["127.0.0.0/8".parse().unwrap()], ..Access::default() };
    // It is refused before it has asked for anything.
    assert_eq!(serve(ChannelSettings::default(), closed).raw("").0, 403);
    let full = serve(ChannelSettings { max_channels: 0, ..ChannelSettings::default() }, Access::default());
    assert_eq!(full.set(body).0, 409);
}

#[test]
fn the_limits_of_channels_and_of_connections_hold_here_too() {
    let settings = ChannelSettings { max_channels_per_address: 2, ..ChannelSettings::default() };
    let served = serve(settings, Access::default());
    let body = |uid: &str| format!(r#"{{"uid": "{uid}", "slope": [2,2,2], "offset": [0,0,0], "power": [1,1,1]}}"#);
    assert_eq!(served.set(&body("a")).0, 200);
    assert_eq!(served.set(&body("b")).0, 200);
    let (status, said) = served.set(&body("c"));
    assert_eq!(status, 409);
    assert!(said["error"].as_str().unwrap().contains("your address has made 2 channels"), "{said}");
    assert_eq!(served.set(&body("a")).0, 200, "channels that are there can be graded on");
    assert_eq!(served.channels.status().len(), 2);

    let handler = CdlHttp::new(served.channels.clone(), Vec::new());
    let config = HttpConfig { max_connections_per_address: 1, ..HttpConfig::default() };
    let one =
        Served { channels: served.channels.clone(), server: HttpServer::start(config, Arc::new(handler)).unwrap() };
    let mut first = TcpStream::connect(one.server.addresses()[0]).unwrap();
    first.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    first.read_exact(&mut [0]).unwrap();
    assert_eq!(one.raw("").0, 503);
}

/// Nothing panics on a body damaged by chance, and what is taken of one is a CDL.
#[test]
fn damaged_bodies_are_refused_or_mean_something() {
    let served = Served::new();
    let whole: &[u8] = br#"{"uid": "a", "slope": {"x": 1.5, "y": 1, "z": 0.5}, "offset": [0.125, 0, -0.25],
        "power": {"red": 1, "green": 2e0, "blue": 3}, "saturation": 0.75}"#;
    let handler = CdlHttp::new(served.channels.clone(), Vec::new());
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut body = whole.to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..body.len());
            match random.u8(..4) {
                0 => body.truncate(at.max(1)),
                1 => body[at] = random.u8(..),
                2 => body.insert(at, *random.choice(br#"0123456789.e-+[]{},:""#).unwrap()),
                _ => drop(body.remove(at)),
            }
            if body.is_empty() {
                body.push(b'{');
            }
        }
        let read = serde_json::from_slice::<Value>(&body);
        if let Ok((_, cdl)) = read.map_err(|e| e.to_string()).and_then(|body| handler.parse(&body)) {
            assert!(Cdl::from_numbers(cdl.numbers()).is_some());
        }
    }
}
