use super::*;
use crate::channel::ChannelSettings;
use crate::http::{HttpConfig, HttpServer};
use crate::lut::Lut3d;
use crate::sink::{ChannelId, LutSink};
use crate::texture::memory::MemoryBackend;
use std::io::{Read, Write};
use std::net::TcpStream;

fn asked(server: &HttpServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.addresses()[0]).unwrap();
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_time_is_counted_in_its_bucket_and_at_its_bound_inside() {
    let histogram = Histogram::default();
    for us in [0, 100, 101, 30_000_000, 30_000_001, u64::MAX / 1000] {
        histogram.record(Duration::from_micros(us));
    }
    let counts: Vec<_> = histogram.buckets.iter().map(|b| b.load(Relaxed)).collect();
    assert_eq!((counts[0], counts[1], counts[15], counts[16]), (2, 1, 1, 2));
    assert_eq!(counts.iter().sum::<u64>(), 6);
}

#[test]
fn reasons_have_names_of_their_own_and_a_place_each() {
    let names: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names.len(), Reason::ALL.len());
    assert!(Reason::ALL.iter().enumerate().all(|(i, reason)| *reason as usize == i));
}

#[test]
fn the_answer_has_every_counter_and_every_channel() {
    let channels = crate::channel::ChannelSet::new(Arc::new(MemoryBackend::default()), ChannelSettings::default());
    let lut = Lut3d::identity(crate::lut::GridSize::MIN);
    let name = ChannelId::new("wall \"A\"\\\n2");
    let entries: Vec<_> = (0..8).map(|_| crate::hald::texel(lut.at([0; 3]))).collect();
    channels.put(&name, crate::channel::LutSource::Sent, lut.size(), &entries).unwrap();
    let cdl = crate::lut::Cdl::new([1.5, 1.0, 1.0], [-0.25, 0.0, 0.0], [1.0; 3], 0.5).unwrap();
    channels.set_cdl(&name, &cdl).unwrap();
    let metrics = Metrics::default();
    metrics.connected();
    metrics.lut(1000, Duration::from_micros(1500), Duration::from_micros(50));
    metrics.refused(Reason::NotFinite);
    let server = HttpServer::start(HttpConfig::default(), Arc::new(MetricsHttp::new(metrics, channels, || 3))).unwrap();
    let answer = asked(&server, "GET /metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("text/plain; version=0.0.4"), "{answer}");
    let of = "{channel=\"wall \\\"A\\\"\\\\\\n2\",stream=\"vglb-lut-wall \\\"A\\\"\\\\\\n2\"";
    for line in [
        "vglb_connections_open 3",
        "vglb_connections_total 1",
        "vglb_message_bytes_total 1000",
        "vglb_refused_total{reason=\"not_finite\"} 1",
        "vglb_refused_total{reason=\"address\"} 0",
        "vglb_lut_seconds_bucket{le=\"0.001\"} 0",
        "vglb_lut_seconds_bucket{le=\"0.002\"} 1",
        "vglb_lut_seconds_bucket{le=\"+Inf\"} 1",
        "vglb_lut_seconds_sum 0.0015",
        "vglb_publish_seconds_bucket{le=\"0.0001\"} 1",
        &format!("vglb_luts_total{of}}} 1"),
        &format!("vglb_lut_bytes_total{of}}} 128"),
        &format!("vglb_revision{of}}} 1"),
        &format!("vglb_grid_size{of}}} 2"),
        &format!("vglb_cdl{of},parameter=\"offset\",component=\"r\"}} -0.25"),
        &format!("vglb_cdl{of},parameter=\"saturation\"}} 0.5"),
    ] {
        assert!(answer.lines().any(|l| l == line), "no {line} in {answer}");
    }
    assert!(asked(&server, "GET /").starts_with("HTTP/1.1 404 "));
    assert!(asked(&server, "POST /metrics").starts_with("HTTP/1.1 405 "));
}
