//! The streams of this computer, as C sees them: with names that end in NUL.

use crate::border::VglbCdl;
use crate::failure::Failure;
use std::ffi::CString;
use virtual_gpu_lut_box::texture::{self, StreamInfo};

/// The streams that there were at one moment.
pub struct Streams(Vec<Stream>);

/// One of them.
pub struct Stream {
    pub info: StreamInfo,
    pub name: CString,
    pub sender: Option<CString>,
    pub cdl: Option<Box<VglbCdl>>,
}

impl Streams {
    /// Looks which streams there are now. One whose name holds a NUL can't be named in C, and is left out.
    pub fn now() -> Result<Self, Failure> {
        let all = texture::choose("auto")?.streams()?;
        let named = |info: StreamInfo| {
            let name = CString::new(info.name.as_str()).ok()?;
            let sender = info.sender.as_deref().and_then(|s| CString::new(s).ok());
            let cdl = info.cdl.map(|cdl| {
                let [slope, offset, power] = [cdl.slope(), cdl.offset(), cdl.power()];
                Box::new(VglbCdl { slope, offset, power, saturation: cdl.saturation() })
            });
            Some(Stream { info, name, sender, cdl })
        };
        Ok(Streams(all.into_iter().filter_map(named).collect()))
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn get(&self, index: usize) -> Result<&Stream, Failure> {
        let count = self.0.len();
        self.0.get(index).ok_or_else(|| Failure::argument(format!("stream {index} of {count}, counted from 0")))
    }
}
