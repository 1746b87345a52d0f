use super::*;

fn near(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{got}, not {want}");
}

/// The monitor curve of sRGB, whose numbers are known.
#[test]
fn srgb_is_a_monitor_curve() {
    let curve = ExponentCurve::Monitor { exponent: 2.4, offset: 0.055 };
    let decode = Exponent { curve, reverse: false, below_zero: BelowZero::Natural };
    for (v, want) in [(1.0, 1.0), (0.5, 0.214_041_140_482_232_55), (0.0, 0.0)] {
        near(decode.apply(v), want);
    }
    assert!((decode.apply(0.02) - 0.02 / 12.923_210_18).abs() < 1e-9, "{}", decode.apply(0.02));
    assert!((decode.apply(-0.02) + 0.02 / 12.923_210_18).abs() < 1e-9, "the line goes on");
}

#[test]
fn every_exponent_is_undone_by_its_reverse() {
    let basic = ExponentCurve::Basic { exponent: 2.2 };
    let monitor = ExponentCurve::Monitor { exponent: 2.4, offset: 0.055 };
    let steep = ExponentCurve::Monitor { exponent: 1.0, offset: 0.0 };
    for curve in [basic, monitor, steep] {
        for below_zero in [BelowZero::Natural, BelowZero::Mirrored, BelowZero::Kept] {
            let both = [false, true].map(|reverse| Exponent { curve, reverse, below_zero });
            for v in [0.0, 1e-4, 0.03, 0.04045, 0.5, 1.0, 7.0] {
                near(both[1].apply(both[0].apply(v)), v);
                match below_zero {
                    BelowZero::Mirrored => near(both[0].apply(-v), -both[0].apply(v)),
                    BelowZero::Kept => near(both[0].apply(-v), -v),
                    BelowZero::Natural if curve == basic => near(both[0].apply(-v), 0.0),
                    BelowZero::Natural => near(both[1].apply(both[0].apply(-v)), -v),
                }
            }
            assert_eq!(both[0].apply(f64::NAN), both[0].apply(0.0));
        }
    }
}

/// ACEScct, as a camera's curve.
#[test]
fn a_camera_s_curve_is_smooth_at_its_break_and_undone_by_its_reverse() {
    let camera = |slope, reverse| Log {
        base: 2.0,
        log_slope: 1.0 / 17.52,
        log_offset: 9.72 / 17.52,
        linear_slope: 1.0,
        linear_offset: 0.0,
        toe: Some((0.007_812_5, slope)),
        reverse,
    };
    for slope in [None, Some(10.540_237_741_654_5)] {
        let (log, linear) = (camera(slope, false), camera(slope, true));
        assert!(log.is_sound());
        near(log.apply(0.18), ((0.18f64).log2() + 9.72) / 17.52);
        assert!((log.apply(0.0) - 0.072_905_534_195_835_5).abs() < 1e-6, "{}", log.apply(0.0));
        for v in [-0.01, 0.0, 0.007, 0.007_812_5, 0.008, 0.18, 1.0, 65504.0] {
            near(linear.apply(log.apply(v)), v);
        }
    }
}

#[test]
fn a_logarithm_of_nothing_is_that_of_the_smallest_number() {
    let log = Log::plain(10.0, false);
    near(log.apply(0.0), f64::from(f32::MIN_POSITIVE).log10());
    assert_eq!(log.apply(-1.0), log.apply(0.0));
    assert_eq!(log.apply(f64::NAN), log.apply(0.0));
    near(Log::plain(2.0, true).apply(Log::plain(2.0, false).apply(0.3)), 0.3);
}

#[test]
fn numbers_that_make_no_logarithm_are_known() {
    let sound = Log { linear_offset: 0.5, toe: Some((0.1, None)), ..Log::plain(2.0, false) };
    assert!(sound.is_sound());
    for wrong in [
        Log { base: 1.0, ..sound },
        Log { base: -2.0, ..sound },
        Log { log_slope: 0.0, ..sound },
        Log { linear_slope: 0.0, ..sound },
        Log { linear_offset: f64::INFINITY, ..sound },
        Log { toe: Some((-1.0, None)), ..sound },
        Log { toe: Some((0.1, Some(0.0))), ..sound },
    ] {
        assert!(!wrong.is_sound(), "{wrong:?}");
    }
}
