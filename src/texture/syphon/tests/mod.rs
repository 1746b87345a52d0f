//! The whole back end, between programs on a computer that is made up.

mod fake_mac;
mod foreign_client;
mod servers;
mod streams;
