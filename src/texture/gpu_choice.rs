//! Which graphics device: what a user may say, on every platform.

use std::fmt;
use std::str::FromStr;

/// Which graphics devices textures are shared through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GpuChoice {
    /// A sender uses the device that each receiver is on, where the platform leaves that open; otherwise, and for a
    /// receiver, the most capable one.
    #[default]
    Auto,
    /// No graphics card.
    Off,
    /// The device with this number, as `vglb info` lists them.
    Index(usize),
    /// The first device whose name contains this text; case does not matter.
    Name(String),
}

/// A text that chooses no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no choice of graphics device; it can be auto, off, a device's number, or a part of its name")]
pub struct NoChoice(String);

impl FromStr for GpuChoice {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        match text.trim() {
            "" => Err(NoChoice(text.to_owned())),
            "auto" => Ok(GpuChoice::Auto),
            "off" => Ok(GpuChoice::Off),
            number if number.bytes().all(|b| b.is_ascii_digit()) => {
                number.parse().map(GpuChoice::Index).map_err(|_| NoChoice(text.to_owned()))
            }
            name => Ok(GpuChoice::Name(name.to_owned())),
        }
    }
}

impl fmt::Display for GpuChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GpuChoice::Auto => f.write_str("auto"),
            GpuChoice::Off => f.write_str("off"),
            GpuChoice::Index(index) => index.fmt(f),
            GpuChoice::Name(name) => f.write_str(name),
        }
    }
}

impl GpuChoice {
    /// Whether a sender that was told so may use the device with this number and name.
    pub fn allows(&self, number: usize, device: &str) -> bool {
        match self {
            GpuChoice::Auto => true,
            GpuChoice::Off => false,
            GpuChoice::Index(index) => *index == number,
            GpuChoice::Name(name) => device.to_lowercase().contains(&name.to_lowercase()),
        }
    }

    /// Whether it means one device, and not whichever there is.
    pub fn is_definite(&self) -> bool {
        matches!(self, GpuChoice::Index(_) | GpuChoice::Name(_))
    }

    /// The choice as [`SpoutBackend::with_adapter`](crate::texture::spout::SpoutBackend) takes it: Direct3D has a
    /// device in every case, and without a card that is the one in software.
    pub fn adapter(&self) -> Option<String> {
        match self {
            GpuChoice::Auto => None,
            GpuChoice::Off => Some("warp".into()),
            definite => Some(definite.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_says_comes_back_as_he_said_it() {
        for (text, choice) in [
            ("auto", GpuChoice::Auto),
            ("off", GpuChoice::Off),
            ("0", GpuChoice::Index(0)),
            ("12", GpuChoice::Index(12)),
            ("llvmpipe", GpuChoice::Name("llvmpipe".into())),
            ("RTX 6000", GpuChoice::Name("RTX 6000".into())),
            ("6000 Ada", GpuChoice::Name("6000 Ada".into())),
        ] {
            assert_eq!(text.parse(), Ok(choice.clone()));
            assert_eq!(choice.to_string(), text);
        }
        for text in ["", "  ", "99999999999999999999999"] {
            let e = text.parse::<GpuChoice>().unwrap_err().to_string();
            assert!(e.contains(&format!("{text:?} is no choice")) && e.contains("auto, off"), "{e}");
        }
    }

    #[test]
    fn a_choice_allows_the_devices_it_means() {
        let allowed = |text: &str| {
            let choice: GpuChoice = text.parse().unwrap();
            [choice.allows(0, "NVIDIA H200"), choice.allows(1, "llvmpipe (LLVM 15)")]
        };
        assert_eq!(allowed("auto"), [true, true]);
        assert_eq!(allowed("off"), [false, false]);
        assert_eq!(allowed("1"), [false, true]);
        assert_eq!(allowed("7"), [false, false]);
        assert_eq!(allowed("nvidia"), [true, false]);
        assert_eq!(allowed("LLVMpipe"), [false, true]);
    }

    #[test]
    fn direct3d_takes_it_as_an_adapter() {
        let adapter = |text: &str| text.parse::<GpuChoice>().unwrap().adapter();
        assert_eq!(adapter("auto"), None);
        assert_eq!(["off", "1", "GeForce"].map(|t| adapter(t).unwrap()), ["warp", "1", "GeForce"]);
    }
}
