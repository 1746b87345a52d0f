use super::*;
use crate::hald::{self, Layout, Placement};
use crate::lut::Lut3d;
use crate::sink::put;
use crate::texture::Frame;
use crate::texture::memory::MemoryBackend;

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

fn entries(lut: &Lut3d, order: EntryOrder) -> Vec<Texel> {
    let size = lut.size();
    (0..size.entries()).map(|i| hald::texel(lut.at(order.point(size, i)))).collect()
}

fn set(settings: ChannelSettings) -> (ChannelSet, MemoryBackend) {
    let backend = MemoryBackend::default();
    (ChannelSet::new(Arc::new(backend.clone()), settings), backend)
}

fn send(channels: &ChannelSet, channel: &str, lut: &Lut3d) -> Result<u64, Refusal> {
    let mut writer = channels.writer(&ChannelId::new(channel))?;
    put(&mut *writer, lut.size(), &entries(lut, EntryOrder::BlueFastest))
}

fn received(backend: &MemoryBackend, stream: &str) -> Lut3d {
    let mut frame = Frame::default();
    backend.open(stream).unwrap().read(&mut frame).unwrap();
    Placement::read(frame.shape.unwrap(), &frame.texels)
}

#[test]
fn each_channel_has_its_own_stream_and_keeps_it_when_another_changes() {
    let (channels, backend) = set(ChannelSettings::default());
    let a = Lut3d::identity(grid(5));
    let b = Lut3d::from_fn(grid(5), |_| [0.25; 3]);
    send(&channels, "a", &a).unwrap();
    send(&channels, "b", &b).unwrap();
    send(&channels, "", &a).unwrap();
    send(&channels, "b", &Lut3d::identity(grid(9))).unwrap();
    assert_eq!(received(&backend, "vglb-lut-a"), a);
    assert_eq!(received(&backend, "vglb-lut-b"), Lut3d::identity(grid(9)));
    assert_eq!(received(&backend, "OpenGradeIO-LUT"), a);
    let status: Vec<_> = channels.status().into_iter().map(|s| (s.stream, s.revision)).collect();
    assert_eq!(status, [("OpenGradeIO-LUT".to_owned(), 1), ("vglb-lut-a".to_owned(), 1), ("vglb-lut-b".to_owned(), 2)]);
}

#[test]
fn two_channels_that_would_share_a_stream_are_told_so() {
    let settings = ChannelSettings { stream_name: "vglb-lut-cam".into(), ..ChannelSettings::default() };
    let (channels, backend) = set(settings);
    send(&channels, "", &Lut3d::identity(grid(4))).unwrap();
    let refused = send(&channels, "cam", &Lut3d::identity(grid(3))).unwrap_err().to_string();
    assert_eq!(
        refused,
        "channel \"cam\" would be published as stream \"vglb-lut-cam\", which the channel without a name has already; \
         rename it, or start the server with another --stream-name"
    );
    assert_eq!(received(&backend, "vglb-lut-cam").size(), grid(4));
}

#[test]
fn a_channel_that_never_had_a_lut_takes_no_place() {
    let (channels, _) = set(ChannelSettings { max_channels: 1, ..ChannelSettings::default() });
    let mut bad = channels.writer(&ChannelId::new("bad")).unwrap();
    bad.begin(grid(2)).unwrap();
    let full = channels.writer(&ChannelId::new("good")).map(|_| ()).unwrap_err().to_string();
    assert_eq!(full, "there are 1 channels already, the most that this server takes; channel \"good\" can't be added");
    drop(bad);
    send(&channels, "good", &Lut3d::identity(grid(2))).unwrap();
    assert!(channels.writer(&ChannelId::new("bad")).is_err(), "a channel with a LUT stays");
}

#[test]
fn closed_channels_leave_their_streams_names_though_a_client_is_in_the_middle_of_a_lut() {
    let (channels, backend) = set(ChannelSettings::default());
    send(&channels, "a", &Lut3d::identity(grid(2))).unwrap();
    let mut writer = channels.writer(&ChannelId::new("a")).unwrap();
    writer.begin(grid(2)).unwrap();
    assert!(writer.entries(&[Texel::default(); 8]));
    channels.close();
    assert!(backend.streams().unwrap().is_empty());
    let next = ChannelSet::new(Arc::new(backend.clone()), ChannelSettings::default());
    let lut = Lut3d::from_fn(grid(2), |_| [0.5; 3]);
    send(&next, "a", &lut).unwrap();
    assert!(writer.commit().is_err(), "its stream has ended");
    drop(writer);
    assert_eq!(received(&backend, "vglb-lut-a"), lut);
}

#[test]
fn an_abandoned_lut_is_never_seen() {
    let (channels, backend) = set(ChannelSettings::default());
    let good = Lut3d::identity(grid(4));
    send(&channels, "a", &good).unwrap();
    let mut writer = channels.writer(&ChannelId::new("a")).unwrap();
    writer.begin(grid(4)).unwrap();
    writer.entries(&entries(&Lut3d::from_fn(grid(4), |_| [9.0; 3]), EntryOrder::BlueFastest)[..32]);
    writer.abandon();
    assert_eq!(received(&backend, "vglb-lut-a"), good);
    assert!(writer.commit().is_err(), "there is nothing to commit");
    drop(writer);
    assert_eq!(received(&backend, "vglb-lut-a"), good);
}

#[test]
fn the_layout_and_entry_order_in_force_are_used() {
    for order in EntryOrder::ALL {
        for layout in Layout::ALL {
            let (channels, backend) = set(ChannelSettings { layout, order, ..ChannelSettings::default() });
            let lut = Lut3d::from_fn(grid(4), |[r, g, b]| [r as f32, g as f32 * 10.0, b as f32 * -100.0]);
            let mut writer = channels.writer(&ChannelId::default()).unwrap();
            put(&mut *writer, lut.size(), &entries(&lut, order)).unwrap();
            assert_eq!(received(&backend, "OpenGradeIO-LUT"), lut, "{order} {layout}");
        }
    }
}

#[test]
fn a_channel_with_settings_of_its_own_is_published_by_them_and_the_rest_is_not() {
    let own = OwnSettings {
        stream_name: Some("wall".into()),
        layout: Some(Layout::Unity),
        order: Some(EntryOrder::RedFastest),
    };
    let of_channels = [(ChannelId::new("a"), own)].into();
    let (channels, backend) = set(ChannelSettings { of_channels, ..ChannelSettings::default() });
    let lut = Lut3d::from_fn(grid(4), |[r, g, b]| [r as f32, g as f32 * 10.0, b as f32 * -100.0]);
    for (channel, stream, order, layout) in [
        ("a", "wall", EntryOrder::RedFastest, Layout::Unity),
        ("b", "vglb-lut-b", EntryOrder::BlueFastest, Layout::Vglb),
    ] {
        let id = ChannelId::new(channel);
        assert_eq!((channels.order(&id), channels.stream(&id)), (order, stream.to_owned()));
        let mut writer = channels.writer(&id).unwrap();
        put(&mut *writer, lut.size(), &entries(&lut, order)).unwrap();
        assert_eq!(received(&backend, stream), lut);
        let status = channels.status().into_iter().find(|status| status.id == id).unwrap();
        assert_eq!((status.stream.as_str(), status.shape.unwrap().layout()), (stream, layout));
    }
    // Whoever comes later can't have the name.
    assert!(send(&channels, "", &lut).is_ok());
    let named = OwnSettings { stream_name: Some("vglb-lut-c".into()), ..OwnSettings::default() };
    let of_channels = [(ChannelId::new("b"), named)].into();
    let (channels, _) = set(ChannelSettings { of_channels, ..ChannelSettings::default() });
    send(&channels, "b", &lut).unwrap();
    assert!(matches!(send(&channels, "c", &lut), Err(Refusal::StreamNameInUse { .. })));
}

#[test]
fn a_lut_larger_than_a_texture_is_refused_before_the_stream_is_touched() {
    let (channels, backend) = set(ChannelSettings::default());
    send(&channels, "a", &Lut3d::identity(grid(2))).unwrap();
    let mut writer = channels.writer(&ChannelId::new("a")).unwrap();
    let refused = writer.begin(grid(129)).unwrap_err().to_string();
    assert!(refused.ends_with("a texture has at most 16384 texels a side, so a strip holds N ≤ 128"), "{refused}");
    assert_eq!(received(&backend, "vglb-lut-a").size(), grid(2));
}

#[test]
fn cdl_values_are_baked_only_where_there_is_no_lut_yet() {
    let (channels, backend) = set(ChannelSettings::default());
    let cdl = Cdl::new([2.0, 1.0, 0.5], [0.0; 3], [1.0; 3], 1.0).unwrap();
    channels.set_cdl(&ChannelId::new("new"), &cdl).unwrap();
    let baked = received(&backend, "vglb-lut-new");
    assert_eq!(baked, cdl.bake(grid(33)));
    assert_ne!(baked, Lut3d::identity(grid(33)));

    let lut = Lut3d::identity(grid(4));
    send(&channels, "graded", &lut).unwrap();
    channels.set_cdl(&ChannelId::new("graded"), &cdl).unwrap();
    assert_eq!(received(&backend, "vglb-lut-graded"), lut);
    let recorded = channels.status().into_iter().map(|s| s.cdl).collect::<Vec<_>>();
    assert_eq!(recorded, [Some(cdl), Some(cdl)]);
}

#[test]
fn a_channel_name_cannot_forge_a_line_of_the_log() {
    let shown = ChannelId::new("a\n2026 INFO all is well\u{1b}[2J").to_string();
    assert_eq!(shown, "channel \"a\\n2026 INFO all is well\\u{1b}[2J\"");
    assert!(ChannelId::new("é".repeat(5000)).to_string().len() < 200);
}

mod output {
    use super::*;
    use std::time::Instant;

    fn value(v: f32) -> Lut3d {
        Lut3d::from_fn(grid(3), |_| [v, -0.0, 1e38])
    }

    fn newest(channels: &ChannelSet) -> Lut3d {
        channels.newest(&ChannelId::new("a")).unwrap().unwrap().lut()
    }

    fn mode(channels: &ChannelSet) -> OutputMode {
        channels.status()[0].output
    }

    #[test]
    fn a_bypass_shows_the_identity_and_keeps_what_comes() {
        let (channels, backend) = set(ChannelSettings::default());
        let id = ChannelId::new("a");
        send(&channels, "a", &value(0.5)).unwrap();
        channels.set_bypass(&id, true).unwrap();
        assert_eq!(received(&backend, "vglb-lut-a"), Lut3d::identity(grid(3)));
        assert_eq!(newest(&channels), value(0.5));
        let wider = Lut3d::from_fn(grid(5), |_| [0.75; 3]);
        send(&channels, "a", &wider).unwrap();
        assert_eq!(received(&backend, "vglb-lut-a"), Lut3d::identity(grid(3)));
        assert_eq!(newest(&channels), wider);
        let status = &channels.status()[0];
        assert_eq!((status.shape.unwrap().size(), status.size, status.luts), (grid(3), Some(grid(5)), 2));
        assert!(status.output.bypass && !status.output.is_live());
        channels.set_bypass(&id, false).unwrap();
        assert_eq!(received(&backend, "vglb-lut-a"), wider);
        send(&channels, "a", &value(0.25)).unwrap();
        assert_eq!((received(&backend, "vglb-lut-a"), newest(&channels)), (value(0.25), value(0.25)));
    }

    #[test]
    fn a_hold_shows_the_lut_that_was_there_even_after_a_bypass() {
        let (channels, backend) = set(ChannelSettings::default());
        let id = ChannelId::new("a");
        send(&channels, "a", &value(0.1)).unwrap();
        channels.set_hold(&id, true).unwrap();
        channels.set_hold(&id, true).unwrap();
        send(&channels, "a", &value(0.2)).unwrap();
        assert_eq!((received(&backend, "vglb-lut-a"), newest(&channels)), (value(0.1), value(0.2)));
        channels.set_bypass(&id, true).unwrap();
        assert_eq!(received(&backend, "vglb-lut-a"), Lut3d::identity(grid(3)));
        channels.set_bypass(&id, false).unwrap();
        assert_eq!(received(&backend, "vglb-lut-a"), value(0.1));
        channels.set_hold(&id, false).unwrap();
        assert_eq!((received(&backend, "vglb-lut-a"), mode(&channels)), (value(0.2), OutputMode::default()));
    }

    #[test]
    fn a_pattern_moves_and_then_the_newest_lut_is_back() {
        let (channels, backend) = set(ChannelSettings::default());
        send(&channels, "a", &value(0.1)).unwrap();
        channels.identify(&ChannelId::new("a"), Duration::from_millis(600)).unwrap();
        send(&channels, "a", &value(0.2)).unwrap();
        let (begun, mut seen) = (Instant::now(), Vec::new());
        while mode(&channels).identify {
            let shown = received(&backend, "vglb-lut-a");
            // The pattern may have ended since the loop looked.
            if mode(&channels).identify && !seen.contains(&shown) {
                seen.push(shown);
            }
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::yield_now();
        }
        assert!(!seen.contains(&value(0.2)), "the LUT that came meanwhile was shown before the end");
        assert_eq!(received(&backend, "vglb-lut-a"), value(0.2));
    }

    #[test]
    fn a_channel_without_a_lut_has_no_output() {
        let (channels, _) = set(ChannelSettings::default());
        let said = channels.set_bypass(&ChannelId::new("a"), true).unwrap_err().to_string();
        assert_eq!(said, "there is no channel \"a\" with a LUT");
        assert!(channels.identify(&ChannelId::new("a"), Duration::ZERO).is_err());
    }
}

mod changes {
    use super::*;

    #[test]
    fn each_changed_channel_is_told_once_and_none_is_forgotten() {
        let (channels, _) = set(ChannelSettings::default());
        let now = Some(Duration::ZERO);
        let lut = Lut3d::identity(grid(2));
        send(&channels, "a", &lut).unwrap();
        send(&channels, "b", &lut).unwrap();
        send(&channels, "a", &lut).unwrap();
        let (mut all, mut later) = (channels.changes(), channels.changes().forget_past());
        assert_eq!(all.wait(now), [ChannelId::new("a"), ChannelId::new("b")]);
        assert_eq!(all.wait(now), []);
        send(&channels, "b", &lut).unwrap();
        assert_eq!((all.wait(now), later.wait(now)), (vec![ChannelId::new("b")], vec![ChannelId::new("b")]));
        channels.set_bypass(&ChannelId::new("a"), true).unwrap();
        assert_eq!(all.wait(None), [ChannelId::new("a")]);
        all.waker().wake();
        assert_eq!(all.wait(None), []);
        channels.close();
        assert_eq!((all.wait(None), all.is_closed()), (vec![], true));
    }

    #[test]
    fn whoever_waits_misses_nothing() {
        let (channels, backend) = set(ChannelSettings::default());
        let last = Lut3d::from_fn(grid(2), |_| [499.0; 3]);
        std::thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let mut changes = channels.changes();
                loop {
                    for id in changes.wait(None) {
                        if channels.newest(&id).unwrap().unwrap().lut() == last {
                            return;
                        }
                    }
                }
            });
            for i in 0..500 {
                send(&channels, "a", &Lut3d::from_fn(grid(2), |_| [i as f32; 3])).unwrap();
            }
            watching.join().unwrap();
        });
        assert_eq!(received(&backend, "vglb-lut-a"), last);
    }
}

#[test]
fn a_writer_takes_over_settings_that_change_and_streams_keep_their_names() {
    let named = |name: &str, layout| {
        let own = OwnSettings { stream_name: Some(name.into()), layout: Some(layout), order: None };
        ChannelSettings {
            stream_name: name.to_uppercase(),
            of_channels: [(ChannelId::new("a"), own)].into(),
            order: if layout == Layout::Unity { EntryOrder::RedFastest } else { EntryOrder::BlueFastest },
            ..ChannelSettings::default()
        }
    };
    let (channels, backend) = set(named("one", Layout::Vglb));
    let lut = Lut3d::from_fn(grid(4), |[r, g, b]| [r as f32, g as f32 * 10.0, b as f32 * -100.0]);
    let id = ChannelId::new("a");
    let mut writer = channels.writer(&id).unwrap();
    put(&mut *writer, lut.size(), &entries(&lut, EntryOrder::BlueFastest)).unwrap();
    channels.reconfigure(ChannelSettings { max_channels: 1, ..named("two", Layout::Unity) });
    put(&mut *writer, lut.size(), &entries(&lut, EntryOrder::RedFastest)).unwrap();
    assert_eq!(received(&backend, "one"), lut);
    let status = &channels.status()[0];
    assert_eq!((status.stream.as_str(), status.shape.unwrap().layout()), ("one", Layout::Unity));
    assert_eq!((channels.stream(&id), channels.base_stream()), ("one".into(), "ONE".into()));
    assert!(matches!(channels.writer(&ChannelId::new("b")).map(drop), Err(Refusal::TooManyChannels { limit: 1, .. })));
}
