use super::*;
use std::borrow::Cow;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

struct Echo;

impl Handler for Echo {
    fn admit(&self, head: &Head) -> Result<usize, Response> {
        match head.header("x-token") {
            Some("wrong") => Err(Response::error(401, "no")),
            _ => Ok(1000),
        }
    }

    fn handle(&self, request: &Request) -> Response {
        let head = &request.head;
        let Some(segments) = head.segments() else { return Response::error(400, "no path") };
        if segments == ["endless"] {
            let write: response::Writer = Box::new(|out, stop| {
                out.write_all(b"begun")?;
                while !stop.is_set() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(())
            });
            return Response { status: 200, headers: Vec::new(), body: Body::Endless(write) };
        }
        let text = format!("{} {segments:?} {:?} {}", head.method, head.parameter("q"), request.body.len());
        Response::new(200, "text/plain", Cow::Owned(text.into_bytes())).with("X-Line", "a\r\nB: c")
    }
}

fn start(change: impl FnOnce(&mut HttpConfig)) -> HttpServer {
    let mut config = HttpConfig::default();
    change(&mut config);
    HttpServer::start(config, Arc::new(Echo)).unwrap()
}

fn connect(server: &HttpServer) -> TcpStream {
    let stream = TcpStream::connect(server.addresses()[0]).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// All that the server says until it closes.
fn said(server: &HttpServer, request: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(request).unwrap();
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn requests_follow_each_other_on_a_connection() {
    let server = start(|_| ());
    let text = said(
        &server,
        b"GET /a%20b/c?q=x%2By+z HTTP/1.1\r\nHost: h\r\n\r\nPOST /d HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    );
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    assert!(text.contains(r#"GET ["a b", "c"] Some("x+y z") 0"#) && text.contains(r#"POST ["d"] None 3"#), "{text}");
    assert!(!text.contains("\r\nB: c"), "a value can't begin another header: {text}");
    let head = said(&server, b"HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(head.contains("Content-Length: ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(said(&server, b"GET / HTTP/1.0\r\n\r\n").contains("Connection: close"));
}

#[test]
fn what_is_no_request_is_told_why() {
    let server = start(|_| ());
    for (request, status) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"[..], 400),
        (b"GET http://other/ HTTP/1.1\r\n\r\n", 400),
        (b"GET /%zz HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /%ff HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nX-Token: wrong\r\nContent-Length: 500\r\n\r\n", 401),
    ] {
        let text = said(&server, request);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{:?}: {text}", String::from_utf8_lossy(request));
        assert!(text.contains("{\"error\":\""), "{text}");
    }
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    assert!(said(&server, many.as_bytes()).starts_with("HTTP/1.1 431 "));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(20 << 10));
    assert!(said(&server, long.as_bytes()).starts_with("HTTP/1.1 431 "));
}

#[test]
fn heads_and_bodies_that_trickle_are_cut_off() {
    let short = Duration::from_millis(150);
    let server = start(|c| (c.limits.head_time, c.limits.body_time, c.limits.idle_time) = (short, short, short));
    assert!(said(&server, b"GET / HT").starts_with("HTTP/1.1 408 "));
    assert!(said(&server, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc").starts_with("HTTP/1.1 408 "));
    assert_eq!(said(&server, b""), "");
}

#[test]
fn connections_are_bounded_and_strangers_stay_out() {
    let server = start(|c| c.max_connections_per_address = 1);
    let mut first = connect(&server);
    first.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).unwrap();
    assert!(said(&server, b"").starts_with("HTTP/1.1 503 "));
    let closed = start(|c| c.access.deny = vec!["127.0.0.0/8".parse().unwrap()]);
    assert!(said(&closed, b"").starts_with("HTTP/1.1 403 "));
}

#[test]
fn a_server_that_stops_ends_what_is_endless_and_frees_its_port() {
    let mut server = start(|_| ());
    let mut stream = connect(&server);
    stream.write_all(b"GET /endless HTTP/1.1\r\n\r\n").unwrap();
    let mut begun = vec![0; 5];
    while !begun.ends_with(b"begun") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        begun.push(byte[0]);
    }
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(TcpStream::connect(server.addresses()[0]).is_err());
}

#[test]
fn bodies_take_memory_as_they_come_and_give_it_back() {
    let memory = MemoryLimit::new(200 << 10);
    let server = start(|c| c.memory = memory.clone());
    let post = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n";
    let mut waiting = connect(&server);
    write!(waiting, "{post}\r\n{}", "a".repeat(999)).unwrap();
    let begun = Instant::now();
    while memory.used() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never counts");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Half of it is for others, and one body has taken more than a quarter.
    let refused = said(&server, format!("{post}\r\n{}", "a".repeat(999)).as_bytes());
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("your address's share"), "{refused}");
    write!(waiting, "a").unwrap();
    let mut answer = [0; 12];
    waiting.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    assert_eq!(memory.used(), 0);
    let taken = said(&server, format!("{post}Connection: close\r\n\r\n{}", "a".repeat(1000)).as_bytes());
    assert!(taken.starts_with("HTTP/1.1 200 "), "{taken}");
}

#[test]
fn a_long_body_comes_whole_and_is_left_out_where_only_the_head_is_asked_for() {
    struct Long;
    impl Handler for Long {
        fn admit(&self, _: &Head) -> Result<usize, Response> {
            Ok(0)
        }
        fn handle(&self, _: &Request) -> Response {
            Response::new(200, "text/plain", vec![b'x'; 3 << 20])
        }
    }
    let server = HttpServer::start(HttpConfig::default(), Arc::new(Long)).unwrap();
    let whole = said(&server, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Length: 3145728"), "{head}");
    assert!(body.len() == 3 << 20 && body.bytes().all(|byte| byte == b'x'));
    let head = said(&server, b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(head.contains("Content-Length: 3145728") && head.ends_with("\r\n\r\n"), "{head}");
}
