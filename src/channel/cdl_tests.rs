use super::*;
use crate::channel::ChannelSettings;
use crate::hald::EntryOrder;
use crate::lut::moving_grade;
use crate::sink::LutSink;
use crate::texture::memory::MemoryBackend;
use crate::texture::{Frame, TextureBackend};
use std::sync::Arc;

fn grid(n: u64) -> GridSize {
    GridSize::new(n).unwrap()
}

fn cdl(slope: f64) -> Cdl {
    Cdl::new([slope, 1.0, 0.5], [0.0625, -0.125, 0.0], [1.0, 2.0, 0.5], 0.75).unwrap()
}

struct Set {
    channels: ChannelSet,
    backend: MemoryBackend,
}

fn set(cdl: CdlSettings, order: EntryOrder) -> Set {
    let backend = MemoryBackend::default();
    let settings = ChannelSettings { cdl, order, ..ChannelSettings::default() };
    Set { channels: ChannelSet::new(Arc::new(backend.clone()), settings), backend }
}

fn small(mode: CdlMode) -> CdlSettings {
    CdlSettings { mode, size: grid(5), ..CdlSettings::default() }
}

fn of(mode: CdlMode) -> Set {
    set(small(mode), EntryOrder::BlueFastest)
}

impl Set {
    fn send(&self, lut: &Lut3d) -> Result<u64, Refusal> {
        let order = self.channels.order(&id());
        let entries: Vec<_> =
            (0..lut.size().entries()).map(|i| hald::texel(lut.at(order.point(lut.size(), i)))).collect();
        sink::put(&mut *self.channels.writer(&id())?, lut.size(), &entries)
    }

    fn grade(&self, cdl: &Cdl) {
        self.channels.set_cdl(&id(), cdl).unwrap();
    }

    fn shown(&self) -> Lut3d {
        let mut frame = Frame::default();
        self.backend.open("vglb-lut-a").unwrap().read(&mut frame).unwrap();
        Placement::read(frame.shape.unwrap(), &frame.texels)
    }

    fn received(&self) -> Lut3d {
        self.channels.newest(&id()).unwrap().unwrap().lut()
    }

    fn graded(&self) -> Lut3d {
        self.channels.newest_graded(&id()).unwrap().unwrap().lut()
    }
}

fn id() -> ChannelId {
    ChannelId::new("a")
}

#[test]
fn recorded_values_leave_the_stream_alone() {
    let set = of(CdlMode::Record);
    let lut = moving_grade(grid(4), 0.2);
    set.send(&lut).unwrap();
    set.grade(&cdl(1.5));
    assert_eq!((set.shown(), set.graded()), (lut.clone(), lut));
    assert_eq!(set.channels.status()[0].cdl, Some(cdl(1.5)));
}

#[test]
fn baked_values_and_luts_take_each_others_place() {
    let set = of(CdlMode::Bake);
    let lut = moving_grade(grid(4), 0.2);
    set.grade(&cdl(1.5));
    assert_eq!(set.shown(), cdl(1.5).bake(grid(5)));
    set.send(&lut).unwrap();
    assert_eq!(set.shown(), lut);
    set.grade(&cdl(0.5));
    assert_eq!(set.shown(), cdl(0.5).bake(grid(5)));
    assert_eq!(set.channels.newest(&id()).unwrap().unwrap().source, LutSource::Cdl);
}

#[test]
fn values_and_luts_go_together_in_whatever_order_they_come() {
    for order in EntryOrder::ALL {
        for mode in [CdlMode::Before, CdlMode::After] {
            let set = set(small(mode), order);
            let together = |cdl: Cdl, lut: &Lut3d| match mode {
                CdlMode::Before => CdlGrade { cdl, ..CdlGrade::default() }.before(lut, grid(5)),
                _ => CdlGrade { cdl, ..CdlGrade::default() }.after(lut),
            };
            let luts = [moving_grade(grid(4), 0.2), moving_grade(grid(7), 0.6)];
            // Without a LUT, as if there were one that does nothing.
            set.grade(&cdl(1.5));
            assert_eq!(set.shown(), cdl(1.5).bake(grid(5)), "{mode}");
            set.send(&luts[0]).unwrap();
            assert_eq!(set.shown(), together(cdl(1.5), &luts[0]), "{mode}");
            // The values take the place of those before: they do not add up.
            set.grade(&cdl(0.5));
            assert_eq!(set.shown(), together(cdl(0.5), &luts[0]), "{mode}");
            set.send(&luts[1]).unwrap();
            assert_eq!((set.shown(), set.graded()), (together(cdl(0.5), &luts[1]), together(cdl(0.5), &luts[1])));
            assert_eq!(set.received(), luts[1], "what was received stays as it was");
        }
    }
}

#[test]
fn a_lut_sent_before_any_values_is_on_the_stream_as_it_is() {
    let set = of(CdlMode::After);
    let lut = Lut3d::from_fn(grid(3), |_| [-0.0, 1e38, f32::from_bits(1)]);
    set.send(&lut).unwrap();
    let bits = |lut: Lut3d| lut.into_entries().into_iter().map(|e| e.map(f32::to_bits)).collect::<Vec<_>>();
    assert_eq!(bits(set.shown()), bits(lut));
}

#[test]
fn a_bypass_and_a_hold_go_before_the_values() {
    let set = of(CdlMode::After);
    let lut = moving_grade(grid(4), 0.2);
    set.send(&lut).unwrap();
    set.grade(&cdl(1.5));
    let shown = set.shown();
    set.channels.set_hold(&id(), true).unwrap();
    set.grade(&cdl(0.5));
    assert_eq!(set.shown(), shown);
    set.channels.set_bypass(&id(), true).unwrap();
    assert_eq!(set.shown(), Lut3d::identity(grid(4)));
    set.channels.set_bypass(&id(), false).unwrap();
    assert_eq!(set.shown(), shown);
    set.channels.set_hold(&id(), false).unwrap();
    assert_eq!(set.shown(), CdlGrade { cdl: cdl(0.5), ..CdlGrade::default() }.after(&lut));
    assert_eq!(set.received(), lut);
}

#[test]
fn values_that_would_make_infinity_are_refused_and_nothing_changes() {
    for mode in [CdlMode::Bake, CdlMode::Before, CdlMode::After] {
        let set = set(CdlSettings { style: CdlStyle::NoClamp, ..small(mode) }, EntryOrder::BlueFastest);
        let huge = Cdl::new([1e300; 3], [0.0; 3], [1.0; 3], 1.0).unwrap();
        assert!(set.channels.set_cdl(&id(), &huge).is_err());
        assert!(set.channels.status().is_empty(), "{mode}: a channel without a LUT is forgotten");
        set.send(&moving_grade(grid(4), 0.2)).unwrap();
        let before = set.shown();
        // A cube that is not constant, so that the CDL matters wherever it stands.
        if mode != CdlMode::Before {
            assert!(matches!(set.channels.set_cdl(&id(), &huge), Err(Refusal::NotFinite(_))), "{mode}");
            assert_eq!((set.shown(), set.channels.status()[0].cdl), (before, None), "{mode}");
        }
        if mode == CdlMode::After {
            let bright = Cdl::new([1e10; 3], [0.0; 3], [1.0; 3], 1.0).unwrap();
            set.grade(&bright);
            let shown = set.shown();
            let refused = set.send(&Lut3d::from_fn(grid(3), |_| [1e38; 3]));
            assert!(matches!(refused, Err(Refusal::NotFinite(_))));
            assert_eq!(set.shown(), shown);
        }
    }
}

#[test]
fn every_layout_takes_values_before_a_lut() {
    let backend = MemoryBackend::default();
    let settings = ChannelSettings { layout: Layout::HaldClut, cdl: small(CdlMode::Before), ..Default::default() };
    let set = Set { channels: ChannelSet::new(Arc::new(backend.clone()), settings), backend };
    set.send(&moving_grade(grid(4), 0.2)).unwrap();
    set.grade(&cdl(1.5));
    assert_eq!(set.shown().size(), grid(4), "there is no Hald CLUT of 5³");
}

#[test]
fn single_channels_may_be_set_otherwise() {
    let backend = MemoryBackend::default();
    let cdl_of_channels = [(id(), small(CdlMode::Bake))].into();
    let settings = ChannelSettings { cdl_of_channels, ..ChannelSettings::default() };
    let channels = ChannelSet::new(Arc::new(backend), settings);
    assert_eq!(channels.cdl_settings(&id()).mode, CdlMode::Bake);
    assert_eq!(channels.cdl_settings(&ChannelId::new("b")), CdlSettings::default());
    for mode in [CdlMode::Record, CdlMode::Bake, CdlMode::Before, CdlMode::After] {
        assert_eq!(mode.to_string().parse(), Ok(mode));
    }
    assert!("Bake".parse::<CdlMode>().is_err());
}

#[test]
fn another_mode_counts_from_the_next_values_on() {
    let set = of(CdlMode::After);
    let lut = moving_grade(grid(4), 0.2);
    let together = |slope, mode| small(mode).together(cdl(slope), &lut, Layout::Vglb).unwrap().texels;
    let shown = || hald_texels(&set.shown());
    set.send(&lut).unwrap();
    set.grade(&cdl(1.5));
    let change = |mode| {
        set.channels.reconfigure(ChannelSettings { cdl: small(mode), ..ChannelSettings::default() });
    };
    change(CdlMode::Record);
    set.send(&lut).unwrap();
    assert!(shown() == together(1.5, CdlMode::After), "the values in force stay as they are");
    set.grade(&cdl(2.0));
    assert_eq!((set.shown(), set.received(), set.graded()), (lut.clone(), lut.clone(), lut.clone()));
    set.send(&lut).unwrap();
    assert_eq!(set.shown(), lut);
    change(CdlMode::After);
    set.grade(&cdl(0.5));
    assert!(shown() == together(0.5, CdlMode::After));
    change(CdlMode::Bake);
    set.grade(&cdl(0.5));
    assert_eq!(set.shown(), small(CdlMode::Bake).grade(cdl(0.5)).bake(grid(5)));
    assert_eq!(set.received(), set.shown());
}

/// A LUT as it lies in a texture.
fn hald_texels(lut: &Lut3d) -> Vec<Texel> {
    let shape = TextureShape::new(lut.size(), Layout::Vglb).unwrap();
    let mut texels = vec![Texel::default(); shape.texels()];
    Placement::write_lut(shape, lut, &mut texels);
    texels
}
