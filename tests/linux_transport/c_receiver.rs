//! The document against the sender: its receiver in C is compiled as it stands there and receives, and its tables add
//! up. Needs a C compiler, as building with Rust does.

use crate::Streams;
use crate::backend_suite::{bits, publish, shape, shape_in};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use virtual_gpu_lut_box::hald::{Layout, TextureShape};

const DOCUMENT: &str = include_str!("../../docs/transport.md");

fn compiled(directory: &Path) -> PathBuf {
    let (_, rest) = DOCUMENT.split_once("```c\n").unwrap();
    let (source, _) = rest.split_once("```").unwrap();
    let (file, program) = (directory.join("receive.c"), directory.join("receive"));
    std::fs::write(&file, source).unwrap();
    let out = Command::new("cc")
        .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&program, &file])
        .output()
        .expect("a C compiler called cc");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    program
}

#[test]
fn the_documents_receiver_gets_every_bit_through_size_changes() {
    let streams = Streams::new();
    let tools = tempfile::tempdir().unwrap();
    let program = compiled(tools.path());
    // A name that no plain socket address has room for.
    let name = "n".repeat(200);
    let sender = streams.silent_sender(&name);
    let mut writer = sender.writer().unwrap();
    let shapes: Vec<TextureShape> = [
        shape(33),
        shape(33),
        shape_in(16, Layout::Unreal),
        shape_in(16, Layout::HaldClut),
        shape(2),
        shape(33),
        shape_in(65, Layout::Unity),
    ]
    .to_vec();
    let first = bits(1, shapes[0].texels());
    publish(&mut *writer, shapes[0], &first);

    let mut child = Command::new(program)
        .arg(streams.path().join(format!("{name}.sock")))
        .arg(shapes.len().to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut texels = child.stdout.take().unwrap();
    for (revision, shape) in (1..).zip(&shapes) {
        let sent = bits(revision, shape.texels());
        if revision > 1 {
            assert_eq!(publish(&mut *writer, *shape, &sent), revision);
        }
        let layout = Layout::ALL.iter().position(|l| *l == shape.layout()).unwrap();
        let (n, width, height) = (shape.size(), shape.width(), shape.height());
        assert_eq!(lines.next().unwrap().unwrap(), format!("{revision} {n} {width} {height} {layout}"));
        let mut got = vec![0; shape.bytes()];
        texels.read_exact(&mut got).unwrap();
        assert!(got == *sent.as_flattened(), "{shape}: the bits differ");
    }
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_documents_receiver_hears_that_a_stream_ends() {
    let streams = Streams::new();
    let tools = tempfile::tempdir().unwrap();
    let program = compiled(tools.path());
    let (sender, _writer) = streams.sender("s", 4);
    let mut child = Command::new(program)
        .args([streams.path().join("s.sock").as_os_str(), "2".as_ref()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1 4 16 4 0");
    drop(sender);
    assert_eq!(lines.next().unwrap().unwrap(), "receive: the sender has ended the connection");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn the_documents_tables_have_no_gap_and_no_overlap() {
    let mut tables = 0;
    for part in DOCUMENT.split("<!-- table: ").skip(1) {
        let (title, rest) = part.split_once(" -->\n").unwrap();
        let (name, total) = title.split_once(' ').unwrap();
        let rows = rest.lines().skip(2).take_while(|l| l.starts_with('|'));
        let mut at = if ["header", "slot", "image", "control", "slot-control"].contains(&name) { 0 } else { 16 };
        for row in rows {
            let mut cells = row.split('|').skip(1).map(str::trim);
            let mut number = || cells.next().unwrap().parse::<usize>().unwrap();
            let (offset, size) = (number(), number());
            assert_eq!(offset, at, "{name}: {row}");
            at += size;
        }
        assert_eq!(at, total.parse::<usize>().unwrap(), "{name}");
        tables += 1;
    }
    assert_eq!(tables, 11);
}
