use super::*;
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
