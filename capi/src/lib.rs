//! The C interface: lists streams, opens one, waits for its textures, and hands them out as pixels or as images of a
//! graphics device.
//!
//! `include/vglb.h` is written from this package by `cargo xtask header`; `docs/c-interface.md` is for its users.
//!
//! # Layout
//!
//! | module | job |
//! | --- | --- |
//! | [`border`] | all that C sees: functions, structures, codes. The only module with unsafe code |
//! | `failure` | what went wrong, as a code and a sentence |
//! | `handles` | handles that can't be forged, nor used after they were given back |
//! | `streams` | the streams of this computer |
//! | `receiver` | one stream being received |
//! | `platform` | which platforms hand out images of graphics devices |
//!
//! # Unsafe code
//!
//! What C hands in can't be checked by the compiler: it is pointers. They are followed in [`border`] alone, whose
//! functions turn them into values first and call safe code then. Handles are no such pointers: they are numbers that
//! are looked up, so a wrong one is an error and nothing worse.

pub mod border;
mod failure;
mod handles;
mod platform;
mod receiver;
mod streams;
