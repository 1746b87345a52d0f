//! Requests: which field is which, and what types it may have.

use super::message::{Element, Message};
use super::{Malformed, WireError};
use crate::hald::Texel;
use std::fmt::Write as _;
use std::io::Read;

/// The longest channel name in bytes; what the platform's texture sharing can carry may be less.
pub const LONGEST_CHANNEL: usize = 1024;
/// The longest command that is shown.
const LONGEST_COMMAND: usize = 64;
/// The longest value of other fields that is kept.
const LONGEST_METADATA_VALUE: usize = 128;
/// Metadata kept of one request, in bytes.
const LONGEST_METADATA: usize = 1024;

/// What a request says, apart from its `lutData`. Used again for each request of a connection, so that reading one
/// allocates nothing once its buffers have grown.
#[derive(Debug, Default)]
pub struct Request {
    command: Text,
    instance: Text,
    arguments: bool,
    /// `lutSize`, where present.
    pub lut_size: Option<f64>,
    /// Bytes of `lutData`, where present.
    pub lut_bytes: Option<usize>,
    /// The arguments of `setCDL`.
    pub cdl: CdlArguments,
    /// Every other plain field as `name=value`, for the log.
    pub metadata: String,
    scratch: String,
}

/// The arguments of `setCDL`, as far as they are present.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CdlArguments {
    /// Red, green, blue.
    pub slope: Option<[f64; 3]>,
    /// Red, green, blue.
    pub offset: Option<[f64; 3]>,
    /// Red, green, blue.
    pub power: Option<[f64; 3]>,
    /// One value for all.
    pub saturation: Option<f64>,
    /// The first triplet that does not have three numbers.
    pub incomplete: Option<&'static str>,
}

#[derive(Debug, Default)]
struct Text {
    seen: bool,
    present: bool,
    bytes: usize,
    text: String,
}

/// Takes `lutData` while it arrives.
pub trait Payload {
    /// `lutData` of `bytes` bytes comes next. `so_far` holds the fields that stood before it.
    fn begin(&mut self, so_far: &Request, bytes: usize);
    /// The next entries.
    fn entries(&mut self, entries: &[Texel]);
}

impl Request {
    /// The command, where present.
    pub fn command(&self) -> Option<&str> {
        self.command.present.then_some(&self.command.text)
    }

    /// The channel: `instance`, or the empty name where it is absent.
    pub fn channel(&self) -> &str {
        &self.instance.text
    }

    /// The channel, where it is known already while the request is being read.
    pub fn channel_so_far(&self) -> Option<&str> {
        self.instance.seen.then_some(&self.instance.text)
    }

    /// The length of `instance` in bytes, all of it.
    pub fn channel_bytes(&self) -> usize {
        self.instance.bytes
    }

    fn clear(&mut self) {
        self.command.clear();
        self.instance.clear();
        self.arguments = false;
        self.lut_size = None;
        self.lut_bytes = None;
        self.cdl = CdlArguments::default();
        self.metadata.clear();
    }

    /// Reads a whole request out of `message`, and hands its `lutData` to `payload` as it comes.
    pub fn read<R: Read>(&mut self, message: &mut Message<'_, R>, payload: &mut impl Payload) -> Result<(), WireError> {
        self.clear();
        let end = message.end();
        while let Some(element) = message.element(end)? {
            match element.key() {
                "command" => self.command.read("command", message, &element, end, LONGEST_COMMAND)?,
                "instance" => self.instance.read("instance", message, &element, end, LONGEST_CHANNEL)?,
                "arguments" => {
                    once("arguments", &mut self.arguments)?;
                    match element.kind {
                        0x03 => {
                            let inner = message.enter(end)?;
                            self.read_arguments(message, inner, payload)?;
                        }
                        0x0a => {}
                        _ => return Err(wrong_type("arguments", &element, "a document")),
                    }
                }
                _ => self.read_metadata(message, &element, end)?,
            }
        }
        Ok(())
    }

    fn read_arguments<R: Read>(
        &mut self,
        message: &mut Message<'_, R>,
        end: usize,
        payload: &mut impl Payload,
    ) -> Result<(), WireError> {
        let mut seen = [false; 6];
        while let Some(element) = message.element(end)? {
            match element.key() {
                "lutData" => {
                    once("lutData", &mut seen[0])?;
                    match element.kind {
                        0x05 => {
                            let bytes = message.binary(end)?;
                            self.lut_bytes = Some(bytes);
                            payload.begin(self, bytes);
                            message.entries(bytes, |entries| payload.entries(entries))?;
                        }
                        0x0a => {}
                        _ => return Err(wrong_type("lutData", &element, "binary data")),
                    }
                }
                "lutSize" => {
                    once("lutSize", &mut seen[1])?;
                    self.lut_size = number("lutSize", message, &element, end)?;
                }
                "slope" => {
                    once("slope", &mut seen[2])?;
                    self.cdl.slope = self.cdl.triplet("slope", message, &element, end)?;
                }
                "offset" => {
                    once("offset", &mut seen[3])?;
                    self.cdl.offset = self.cdl.triplet("offset", message, &element, end)?;
                }
                "power" => {
                    once("power", &mut seen[4])?;
                    self.cdl.power = self.cdl.triplet("power", message, &element, end)?;
                }
                "saturation" => {
                    once("saturation", &mut seen[5])?;
                    self.cdl.saturation = number("saturation", message, &element, end)?;
                }
                _ => self.read_metadata(message, &element, end)?,
            }
        }
        Ok(())
    }

    /// Keeps what a plain field says, as far as there is room, and steps over every other field.
    fn read_metadata<R: Read>(
        &mut self,
        message: &mut Message<'_, R>,
        element: &Element,
        end: usize,
    ) -> Result<(), WireError> {
        let key = element.key();
        let room = self.metadata.len() < LONGEST_METADATA && !key.is_empty();
        let gap = if self.metadata.is_empty() { "" } else { " " };
        // Writing into a String cannot fail.
        let _ = match element.kind {
            0x02 if room => {
                message.string(end, LONGEST_METADATA_VALUE, &mut self.scratch)?;
                write!(self.metadata, "{gap}{}={:?}", key.escape_debug(), self.scratch)
            }
            0x01 if room => write!(self.metadata, "{gap}{}={}", key.escape_debug(), message.double(end)?),
            0x10 if room => write!(self.metadata, "{gap}{}={}", key.escape_debug(), message.int32(end)?),
            0x12 if room => write!(self.metadata, "{gap}{}={}", key.escape_debug(), message.int64(end)?),
            _ => {
                message.skip(element, end)?;
                Ok(())
            }
        };
        Ok(())
    }
}

impl Text {
    fn clear(&mut self) {
        self.seen = false;
        self.present = false;
        self.bytes = 0;
        self.text.clear();
    }

    fn read<R: Read>(
        &mut self,
        name: &'static str,
        message: &mut Message<'_, R>,
        element: &Element,
        end: usize,
        longest: usize,
    ) -> Result<(), WireError> {
        once(name, &mut self.seen)?;
        match element.kind {
            0x02 => {
                self.bytes = message.string(end, longest, &mut self.text)?;
                self.present = true;
            }
            0x0a => {}
            _ => return Err(wrong_type(name, element, "a string")),
        }
        Ok(())
    }
}

impl CdlArguments {
    /// Three numbers: an array, or a document with keys r, g, b or x, y, z or red, green, blue.
    fn triplet<R: Read>(
        &mut self,
        name: &'static str,
        message: &mut Message<'_, R>,
        element: &Element,
        end: usize,
    ) -> Result<Option<[f64; 3]>, WireError> {
        match element.kind {
            0x03 | 0x04 => {}
            0x0a => return Ok(None),
            _ => return Err(wrong_type(name, element, "an array or a document of three numbers")),
        }
        let inner = message.enter(end)?;
        let mut values = [None; 3];
        let mut found = 0;
        while let Some(component) = message.element(inner)? {
            let value = number(name, message, &component, inner)?;
            found += 1;
            let place = match component.key() {
                "0" | "r" | "x" | "red" => Some(0),
                "1" | "g" | "y" | "green" => Some(1),
                "2" | "b" | "z" | "blue" => Some(2),
                _ => None,
            };
            if let Some(i) = place {
                values[i] = value;
            }
        }
        match values {
            [Some(r), Some(g), Some(b)] if found == 3 => Ok(Some([r, g, b])),
            _ => {
                self.incomplete.get_or_insert(name);
                Ok(None)
            }
        }
    }
}

/// A number of any of BSON's plain numeric types; `None` for null.
fn number<R: Read>(
    name: &'static str,
    message: &mut Message<'_, R>,
    element: &Element,
    end: usize,
) -> Result<Option<f64>, WireError> {
    Ok(Some(match element.kind {
        0x01 => message.double(end)?,
        0x10 => f64::from(message.int32(end)?),
        0x12 => message.int64(end)? as f64,
        0x0a => return Ok(None),
        _ => return Err(wrong_type(name, element, "a number (int32, int64 or double)")),
    }))
}

fn once(name: &'static str, seen: &mut bool) -> Result<(), WireError> {
    match std::mem::replace(seen, true) {
        true => Err(Malformed::Twice(name).into()),
        false => Ok(()),
    }
}

fn wrong_type(field: &'static str, element: &Element, wanted: &'static str) -> WireError {
    Malformed::WrongType { field, found: element.kind_name(), wanted }.into()
}
