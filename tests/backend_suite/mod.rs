//! What every texture back end promises, as functions that run against any of them. `tests/backends.rs` names the
//! back ends; a new one is a line there.

#![allow(dead_code, reason = "each test program uses its part")]

mod streams;

#[allow(unused_imports, reason = "each test program uses its part")]
pub use streams::*;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use virtual_gpu_lut_box::hald::{Layout, Texel, TextureShape};
use virtual_gpu_lut_box::lut::{Cdl, GridSize};
use virtual_gpu_lut_box::texture::{
    Event, Frame, TextureBackend, TextureError, TextureReceiver, TextureSender, TextureWriter,
};

/// Long enough for the slowest machine: a test that needs it all has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A back end under test, and what it is known not to do.
pub struct Platform {
    pub backend: Arc<dyn TextureBackend>,
    /// Receivers that one stream takes, where there is a limit.
    pub receiver_limit: Option<usize>,
    /// Whether its transport says how a LUT lies in its texture, and when that was published.
    pub annotates: bool,
    /// Whatever has to live as long as the back end.
    pub keep: Box<dyn std::any::Any + Send + Sync>,
}

pub fn shape_in(n: u64, layout: Layout) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), layout).unwrap()
}

pub fn shape(n: u64) -> TextureShape {
    shape_in(n, Layout::Vglb)
}

/// Bits that no arithmetic would leave alone: what float32 has of special values, and noise.
pub fn bits(seed: u64, texels: usize) -> Vec<Texel> {
    const SPECIAL: [u32; 10] = [
        0x8000_0000, // -0.0
        0x0000_0001, // the smallest subnormal
        0x807f_ffff, // the largest negative subnormal
        0x7f61_b1e6, // 3e38
        0xff61_b1e6, // -3e38
        0x7f80_0000, // infinity
        0xff80_0000, // -infinity
        0x7fc0_0001, // a quiet NaN with a payload
        0x7f80_0001, // a signalling NaN
        0x3f80_0000, // 1.0
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut word = |i: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if i.is_multiple_of(7) { SPECIAL[i / 7 % SPECIAL.len()] } else { state as u32 }
    };
    let mut texel = |t: usize| {
        let mut texel = [0; 16];
        for lane in 0..4 {
            texel[4 * lane..][..4].copy_from_slice(&word(4 * t + lane).to_le_bytes());
        }
        texel
    };
    (0..texels).map(&mut texel).collect()
}

/// A texture whose every texel says which one it is, so that a mixture of two is seen.
pub fn marked(mark: u64, texels: usize) -> Vec<Texel> {
    (0..texels as u64).map(|i| mark_of(mark, i)).collect()
}

fn mark_of(mark: u64, texel: u64) -> Texel {
    (u128::from(mark) << 64 | u128::from(texel)).to_le_bytes()
}

/// The mark of a received texture, all of whose texels must have the same.
pub fn read_mark(frame: &Frame) -> u64 {
    let mark = (u128::from_le_bytes(frame.texels[0]) >> 64) as u64;
    for (i, t) in frame.texels.iter().enumerate() {
        assert_eq!(*t, mark_of(mark, i as u64), "texel {i} of revision {} is not of mark {mark}", frame.revision);
    }
    mark
}

pub fn publish(writer: &mut dyn TextureWriter, shape: TextureShape, texels: &[Texel]) -> u64 {
    writer.begin(shape).unwrap();
    writer.texels().copy_from_slice(texels);
    writer.publish().unwrap()
}

pub fn read(receiver: &mut dyn TextureReceiver) -> Frame {
    let mut frame = Frame::default();
    receiver.read(&mut frame).unwrap();
    frame
}

/// Waits for an update and reads it.
pub fn next(receiver: &mut dyn TextureReceiver) -> Frame {
    assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Frame);
    read(receiver)
}

/// Waits until something holds, and fails where it never does.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn sender(p: &Platform, name: &str) -> Box<dyn TextureSender> {
    p.backend.create_sender(name).unwrap()
}

/// What a frame says of its shape: its size always, its layout where the transport has it.
fn assert_has_shape(p: &Platform, frame: &Frame, shape: TextureShape) {
    let said = p.annotates.then_some(shape);
    assert_eq!((frame.width, frame.height, frame.shape), (shape.width(), shape.height(), said));
    assert_eq!(frame.texels.len(), shape.texels());
}

fn assert_is(p: &Platform, frame: &Frame, shape: TextureShape, revision: u64, texels: &[Texel]) {
    assert_has_shape(p, frame, shape);
    assert_eq!(frame.revision, revision);
    assert!(frame.texels == texels, "{shape}: the bits differ");
}

/// Every grid size that a strip has, and those that people use in the other layouts: the same bits come out. All on
/// one stream, so every size follows another.
pub fn every_bit_of_every_shape_arrives(p: &Platform) {
    let sender = sender(p, "bits");
    let mut writer = sender.writer().unwrap();
    let mut receiver = None;
    let noise = bits(1, 128 * 128 * 128 + 1000);
    let mut revision = 0;
    for layout in Layout::ALL {
        let sizes: Vec<u64> = match layout {
            Layout::Vglb => (2..=128).collect(),
            Layout::HaldClut => (2..=11).map(|level| level * level).collect(),
            _ => (2..=17).chain([32, 33, 48, 64, 65, 128]).collect(),
        };
        for n in sizes {
            let shape = shape_in(n, layout);
            // Another piece of the noise each time: no texture has what lay there before.
            let sent = &noise[revision as usize..][..shape.texels()];
            revision += 1;
            assert_eq!(publish(&mut *writer, shape, sent), revision);
            let receiver = receiver.get_or_insert_with(|| p.backend.open("bits").unwrap());
            assert_is(p, &next(&mut **receiver), shape, revision, sent);
        }
    }
}

/// The frame's other fields are what they are said to be.
pub fn a_frame_says_what_it_is(p: &Platform) {
    let before = SystemTime::now();
    let sender = sender(p, "facts");
    publish(&mut *sender.writer().unwrap(), shape(3), &marked(1, 27));
    let frame = read(&mut *p.backend.open("facts").unwrap());
    assert_eq!((frame.width, frame.height, frame.revision), (9, 3, 1));
    assert_eq!(frame.format, "R32G32B32A32_FLOAT");
    assert_eq!(sender.name(), "facts");
    if !p.annotates {
        assert_eq!((frame.shape, frame.published), (None, None));
        return;
    }
    let published = frame.published.unwrap();
    // The wall clock may be set while this runs, but hardly by an hour.
    let slack = Duration::from_secs(3600);
    assert!(before - slack <= published && published <= SystemTime::now() + slack, "{published:?}");
    assert_eq!(read(&mut *p.backend.open("facts").unwrap()).published, Some(published));
}

/// Revisions start at 1 and rise by 1, over size changes and over writers.
pub fn revisions_rise_by_one(p: &Platform) {
    let sender = sender(p, "revisions");
    let (mut a, mut b) = (sender.writer().unwrap(), sender.writer().unwrap());
    for revision in (1..40).step_by(2) {
        let n = 2 + revision % 5;
        assert_eq!(publish(&mut *a, shape(n), &marked(revision, shape(n).texels())), revision);
        assert_eq!(publish(&mut *b, shape(4), &marked(revision + 1, 64)), revision + 1);
        let frame = read(&mut *p.backend.open("revisions").unwrap());
        assert_eq!((frame.revision, read_mark(&frame)), (revision + 1, revision + 1));
    }
}

/// Who does not look for a while gets the newest texture, not a queue of old ones.
pub fn the_newest_wins(p: &Platform) {
    let sender = sender(p, "newest");
    let mut writer = sender.writer().unwrap();
    publish(&mut *writer, shape(5), &marked(1, 125));
    let mut receiver = p.backend.open("newest").unwrap();
    for mark in 2..=200 {
        publish(&mut *writer, shape(5), &marked(mark, 125));
    }
    let frame = next(&mut *receiver);
    assert_eq!((frame.revision, read_mark(&frame)), (200, 200));
    assert_eq!(receiver.wait(Some(Duration::ZERO)).unwrap(), Event::TimedOut, "nothing is newer");
    assert_eq!(read(&mut *receiver).revision, 200, "the newest can be read again");
}

/// A receiver that comes later gets what was published before.
pub fn a_late_receiver_gets_the_last_texture(p: &Platform) {
    let sender = sender(p, "late");
    publish(&mut *sender.writer().unwrap(), shape(17), &marked(9, 4913));
    for _ in 0..3 {
        let mut receiver = p.backend.open("late").unwrap();
        assert_eq!(read_mark(&next(&mut *receiver)), 9);
    }
}

/// Waiting ends with a texture, or with the time.
/// The sender's own process gets the newest texture without being a receiver.
pub fn the_sender_knows_its_newest_texture(p: &Platform) {
    let sender = sender(p, "known");
    let mut frame = Frame::default();
    assert!(!sender.newest(&mut frame).unwrap(), "nothing is published yet");
    let mut writer = sender.writer().unwrap();
    for (revision, n) in [(1, 5), (2, 5), (3, 17), (4, 3)] {
        let texels = bits(revision, shape(n).texels());
        publish(&mut *writer, shape(n), &texels);
        assert!(sender.newest(&mut frame).unwrap());
        assert_eq!((frame.shape, frame.revision), (Some(shape(n)), revision));
        assert!(frame.texels == texels, "other bits than those published");
    }
    writer.begin(shape(3)).unwrap();
    writer.texels().fill([9; 16]);
    assert!(sender.newest(&mut frame).unwrap());
    assert!(frame.texels == bits(4, shape(3).texels()), "a texture that is not published");
    assert_eq!(sender.receivers().unwrap_or(0), 0);
}

pub fn waiting_ends_when_a_texture_comes(p: &Platform) {
    let sender = sender(p, "waiting");
    let mut writer = sender.writer().unwrap();
    publish(&mut *writer, shape(3), &marked(1, 27));
    let mut receiver = p.backend.open("waiting").unwrap();
    next(&mut *receiver);
    assert_eq!(receiver.wait(Some(Duration::from_millis(10))).unwrap(), Event::TimedOut);
    let waiting = std::thread::spawn(move || {
        let frame = next(&mut *receiver);
        (receiver, read_mark(&frame))
    });
    publish(&mut *writer, shape(3), &marked(2, 27));
    let (mut receiver, mark) = waiting.join().unwrap();
    assert_eq!(mark, 2);
    // For ever, and for longer than clocks count.
    for (mark, timeout) in [(3, None), (4, Some(Duration::MAX))] {
        publish(&mut *writer, shape(3), &marked(mark, 27));
        assert_eq!(receiver.wait(timeout).unwrap(), Event::Frame);
        assert_eq!(read_mark(&read(&mut *receiver)), mark);
    }
}

/// A texture that is being written, or was given up, is nobody's; the last good one stays.
pub fn an_abandoned_texture_leaves_the_last_one(p: &Platform) {
    let sender = sender(p, "abandoned");
    let mut writer = sender.writer().unwrap();
    assert!(writer.texels().is_empty());
    publish(&mut *writer, shape(6), &marked(1, 216));
    let mut receiver = p.backend.open("abandoned").unwrap();
    for n in [6, 9, 6, 9] {
        writer.begin(shape(n)).unwrap();
        assert_eq!(writer.texels().len(), shape(n).texels());
        writer.texels().fill([0xee; 16]);
        assert_eq!(read_mark(&read(&mut *receiver)), 1);
        writer.abandon();
        assert!(writer.texels().is_empty());
    }
    // Dropped, and begun anew.
    let mut other = sender.writer().unwrap();
    other.begin(shape(6)).unwrap();
    other.texels().fill([0xee; 16]);
    drop(other);
    writer.begin(shape(9)).unwrap();
    writer.begin(shape(6)).unwrap();
    assert_eq!(read_mark(&read(&mut *receiver)), 1);
    assert_eq!(receiver.wait(Some(Duration::ZERO)).unwrap(), Event::TimedOut);
    writer.abandon();
    assert!(matches!(writer.publish(), Err(TextureError::Broken(_))), "nothing is begun");
    assert_eq!(publish(&mut *writer, shape(6), &marked(2, 216)), 2);
    assert_eq!(read_mark(&next(&mut *receiver)), 2);
}

/// Many threads write one stream, more than any back end has buffers; every texture read is whole, and the newest is
/// the one that was published last.
pub fn many_writers_share_a_stream(p: &Platform) {
    const WRITERS: u64 = 24;
    const EACH: u64 = 30;
    let sender = sender(p, "many");
    publish(&mut *sender.writer().unwrap(), shape(8), &marked(0, 512));
    let mut receiver = p.backend.open("many").unwrap();
    // All begin before any publishes: nobody waits for another.
    let all_begun = std::sync::Barrier::new(WRITERS as usize);
    let published: Vec<(u64, u64)> = std::thread::scope(|s| {
        let threads: Vec<_> = (1..=WRITERS)
            .map(|id| {
                let (sender, all_begun) = (&sender, &all_begun);
                s.spawn(move || {
                    let mut writer = sender.writer().unwrap();
                    let mut done = Vec::new();
                    for round in 0..EACH {
                        let mark = id << 32 | round;
                        writer.begin(shape(8)).unwrap();
                        if round == 0 {
                            all_begun.wait();
                        }
                        writer.texels().copy_from_slice(&marked(mark, 512));
                        done.push((writer.publish().unwrap(), mark));
                    }
                    done
                })
            })
            .collect();
        let mut last = 0;
        while last < 1 + WRITERS * EACH {
            let frame = next(&mut *receiver);
            assert!(frame.revision > last, "revision {} after {last}", frame.revision);
            last = frame.revision;
            read_mark(&frame);
        }
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let mut revisions: Vec<_> = published.iter().map(|(revision, _)| *revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (2..=1 + WRITERS * EACH).collect::<Vec<_>>());
    let (_, last) = published.iter().max().unwrap();
    assert_eq!(read_mark(&read(&mut *receiver)), *last);
}

/// Sizes change under a reader: every frame is whole and of one size.
pub fn sizes_change_while_a_receiver_reads(p: &Platform) {
    let sender = sender(p, "resize");
    let mut writer = sender.writer().unwrap();
    publish(&mut *writer, shape(2), &marked(1, 8));
    let mut receiver = p.backend.open("resize").unwrap();
    std::thread::scope(|s| {
        s.spawn(move || {
            for mark in 2..=600u64 {
                let shape = shape_in(2 + mark * 7 % 19, Layout::ALL[mark as usize % 3]);
                publish(&mut *writer, shape, &marked(mark, shape.texels()));
            }
        });
        let mut last = 0;
        while last < 600 {
            let frame = next(&mut *receiver);
            assert!(frame.revision > last);
            last = frame.revision;
            assert_eq!(read_mark(&frame), last);
            let changed = shape_in(2 + last * 7 % 19, Layout::ALL[last as usize % 3]);
            assert_has_shape(p, &frame, if last > 1 { changed } else { shape(2) });
        }
    });
}

/// Two sizes take turns on one stream, and writers of both are at work at the same time.
pub fn sizes_alternate(p: &Platform) {
    let sender = sender(p, "alternate");
    let (mut small, mut large) = (sender.writer().unwrap(), sender.writer().unwrap());
    publish(&mut *small, shape(4), &marked(1, 64));
    let mut receiver = p.backend.open("alternate").unwrap();
    for mark in (2..100).step_by(2) {
        small.begin(shape(4)).unwrap();
        large.begin(shape(9)).unwrap();
        small.texels().copy_from_slice(&marked(mark, 64));
        large.texels().copy_from_slice(&marked(mark + 1, 729));
        assert_eq!(small.publish().unwrap(), mark);
        let frame = read(&mut *receiver);
        assert_has_shape(p, &frame, shape(4));
        assert_eq!(read_mark(&frame), mark);
        assert_eq!(large.publish().unwrap(), mark + 1);
        let frame = next(&mut *receiver);
        assert_has_shape(p, &frame, shape(9));
        assert_eq!(read_mark(&frame), mark + 1);
    }
}

/// What the sender has published when it returns, a receiver that begins to read then gets: the reply may be sent.
pub fn published_means_visible(p: &Platform) {
    let sender = sender(p, "visible");
    let mut writer = sender.writer().unwrap();
    publish(&mut *writer, shape(3), &marked(1, 27));
    // Every so many updates: who reads seldom has a queue of old news, over many changes of size.
    let mut receivers = [1, 2, 7, 50, 150].map(|every| (every, p.backend.open("visible").unwrap()));
    for mark in 2..=900u64 {
        let n = 3 + mark / 13 % 5;
        publish(&mut *writer, shape(n), &marked(mark, shape(n).texels()));
        for (_, receiver) in receivers.iter_mut().filter(|(every, _)| mark.is_multiple_of(*every)) {
            assert_eq!(read_mark(&read(&mut **receiver)), mark);
        }
    }
}

/// Overload: writers go as fast as they can, readers too, and nothing torn is ever read.
pub fn nothing_is_torn_under_overload(p: &Platform) {
    const LAST: u64 = 3000;
    let sender = sender(p, "overload");
    let marks = AtomicU64::new(1);
    publish(&mut *sender.writer().unwrap(), shape(16), &marked(1, 4096));
    std::thread::scope(|s| {
        for _ in 0..3 {
            s.spawn(|| {
                let mut writer = sender.writer().unwrap();
                while marks.load(Ordering::Relaxed) < LAST {
                    let mark = marks.fetch_add(1, Ordering::Relaxed);
                    publish(&mut *writer, shape(16), &marked(mark, 4096));
                }
            });
        }
        for _ in 0..2 {
            s.spawn(|| {
                let mut receiver = p.backend.open("overload").unwrap();
                let mut frame = Frame::default();
                while frame.revision < LAST {
                    assert_eq!(receiver.wait(Some(PATIENCE)).unwrap(), Event::Frame);
                    let before = frame.revision;
                    receiver.read(&mut frame).unwrap();
                    assert!(frame.revision > before);
                    read_mark(&frame);
                }
            });
        }
    });
}

/// Makes a test of every promise, for one back end. Attributes before its name are put on every test.
#[macro_export]
macro_rules! backend_suite {
    ($(#[$attribute:meta])* $name:ident, $platform:expr) => {
        $crate::backend_suite!(@tests [$(#[$attribute])*] $name, $platform,
            every_bit_of_every_shape_arrives a_frame_says_what_it_is revisions_rise_by_one the_newest_wins
            a_late_receiver_gets_the_last_texture the_sender_knows_its_newest_texture
            waiting_ends_when_a_texture_comes
            an_abandoned_texture_leaves_the_last_one many_writers_share_a_stream
            sizes_change_while_a_receiver_reads sizes_alternate published_means_visible receivers_come_and_go
            as_many_receivers_as_the_platform_takes a_stream_ends_with_its_sender a_stream_can_begin_again
            a_name_has_one_sender streams_are_listed_with_their_facts streams_are_listed_with_their_cdl a_stream_can_be_waited_for
            names_may_hold_anything nothing_is_torn_under_overload);
    };
    (@tests $attributes:tt $name:ident, $platform:expr, $($promise:ident)*) => {
        mod $name {
            $( $crate::backend_suite!(@test $attributes $promise, $platform); )*
        }
    };
    (@test [$($attribute:tt)*] $promise:ident, $platform:expr) => {
                $($attribute)*
                #[test]
                fn $promise() {
                    let platform: $crate::backend_suite::Platform = $platform;
                    $crate::backend_suite::$promise(&platform);
                }
    };
}
