//! What `serve` takes of its clients at most.

use crate::channel::ChannelSettings;
use crate::lut::GridSize;
use crate::memory_limit::MemoryLimit;
use crate::server::ServerConfig;
use crate::wire::WireLimits;
use clap::{Args, value_parser};
use std::time::Duration;

/// What a server and a node of a cluster both limit.
#[derive(Args, Debug)]
pub struct SizeArgs {
    /// Largest LUT, as the number of entries along an axis; a strip texture holds at most 128
    #[arg(long, default_value = "128", value_name = "N", value_parser = crate::cli::grid_size)]
    max_lut_size: GridSize,
    /// Most memory of textures, buffers and HTTP requests, in bytes or as 2GiB; what does not fit is refused (default: no
    /// limit)
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    memory_limit: Option<u64>,
}

impl SizeArgs {
    /// What memory counts against: one limit for all parts of a program.
    pub(in crate::cli) fn memory(&self) -> MemoryLimit {
        MemoryLimit::counting(self.memory_limit)
    }

    /// The largest LUT that is taken.
    pub(in crate::cli) fn largest_lut(&self) -> GridSize {
        self.max_lut_size
    }
}

/// The limits of `serve`.
#[derive(Args, Debug)]
pub struct LimitArgs {
    /// Most connections at once; the last eighth of them is for addresses that have none
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_connections: u16,
    /// Most connections at once from one address
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_connections_per_address: u16,
    /// Most channels at once; the last eighth of them is for addresses that have made none
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_channels: u16,
    /// Most channels that clients from one address may make
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    max_channels_per_address: u16,
    #[command(flatten)]
    sizes: SizeArgs,
    /// Longest message, in bytes or as 64MiB (default: what a LUT of 128³, or the largest where that is larger, needs)
    #[arg(long, value_name = "BYTES", value_parser = message_size)]
    max_message_size: Option<usize>,
    /// Seconds that a client may be silent in the middle of a message
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    message_silence: Duration,
    /// Seconds that one message may take in all
    #[arg(long, default_value = "300", value_name = "SECONDS", value_parser = seconds)]
    message_time: Duration,
    /// Seconds that a client may be silent between messages (default: for ever, as grading programs may be)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    max_idle: Option<Duration>,
}

impl LimitArgs {
    /// What memory counts against: one limit for all parts of a server.
    pub(super) fn memory(&self) -> MemoryLimit {
        self.sizes.memory()
    }

    /// The largest LUT that is taken.
    pub(super) fn largest_lut(&self) -> GridSize {
        self.sizes.largest_lut()
    }

    pub(super) fn memory_limit(&self) -> Option<u64> {
        self.sizes.memory_limit
    }

    pub(super) fn channels(&self, settings: ChannelSettings) -> ChannelSettings {
        ChannelSettings {
            max_channels: self.max_channels.into(),
            max_channels_per_address: self.max_channels_per_address.into(),
            ..settings
        }
    }

    pub(super) fn server(&self, config: ServerConfig, memory: &MemoryLimit) -> ServerConfig {
        ServerConfig {
            max_connections: self.max_connections.into(),
            max_connections_per_address: self.max_connections_per_address.into(),
            limits: self.wire(),
            memory: memory.clone(),
            ..config
        }
    }

    fn wire(&self) -> WireLimits {
        let limits = WireLimits::default();
        let largest = self.largest_lut().rgba_bytes() + (64 << 10);
        WireLimits {
            message_bytes: self.max_message_size.unwrap_or(limits.message_bytes.max(largest)),
            lut_size: self.largest_lut(),
            silence: self.message_silence,
            message_time: self.message_time,
            idle: self.max_idle,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=1e6).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("it is a number of seconds from 0.1 to 1000000".into()),
    }
}

/// A number of bytes on the command line.
fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).unwrap_or((text, 1));
    let bytes = number.trim_end().parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    bytes.filter(|bytes| *bytes >= 1 << 20).ok_or("it is a number of bytes from 1MiB up, as 536870912 or 512MiB".into())
}

/// A BSON document says its length in 32 bits with a sign.
fn message_size(text: &str) -> Result<usize, String> {
    const RIGHT: &str = "it is a number of bytes from 1KiB to 2GiB, as 33619968 or 64MiB";
    let size = text.parse::<u64>().or_else(|_| bytes(text)).map_err(|_| RIGHT)?;
    usize::try_from(size).ok().filter(|size| (1 << 10..=i32::MAX as usize).contains(size)).ok_or(RIGHT.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};

    fn parse(words: &[&str]) -> Result<LimitArgs, String> {
        let command = LimitArgs::augment_args(Command::new("serve"));
        let matches = command.try_get_matches_from([&["serve"], words].concat()).map_err(|e| e.to_string())?;
        LimitArgs::from_arg_matches(&matches).map_err(|e| e.to_string())
    }

    #[test]
    fn sizes_have_units_and_bounds() {
        assert_eq!(bytes("512MiB"), Ok(512 << 20));
        assert_eq!(bytes("2 GB"), Ok(2_000_000_000));
        assert_eq!(bytes("1048576"), Ok(1 << 20));
        for wrong in ["", "MiB", "1.5GiB", "-1", "1048575", "99999999999GiB", "512 mib"] {
            assert!(bytes(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!((message_size("1024"), message_size("64MiB")), (Ok(1024), Ok(64 << 20)));
        assert!(message_size("1023").is_err() && message_size("2GiB").is_err());
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("0").is_err() && seconds("nan").is_err() && seconds("1e9").is_err());
    }

    #[test]
    fn a_message_may_be_as_long_as_the_largest_lut_needs() {
        let size = |words: &[&str]| parse(words).unwrap().wire().message_bytes;
        assert_eq!(size(&[]), 33_619_968);
        assert_eq!(size(&["--max-lut-size", "33"]), 33_619_968, "then a LUT is refused, and not its connection closed");
        assert_eq!(size(&["--max-lut-size", "256"]), 256 * 256 * 256 * 16 + 65536);
        assert_eq!(size(&["--max-lut-size", "256", "--max-message-size", "1MiB"]), 1 << 20);
    }

    #[test]
    fn a_limit_that_makes_no_sense_is_refused() {
        for wrong in [["--max-lut-size", "257"], ["--max-connections", "0"], ["--max-channels-per-address", "0"]] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
        assert!(parse(&["--memory-limit", "1KiB"]).unwrap_err().contains("from 1MiB up"));
    }
}
