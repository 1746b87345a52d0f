use super::*;
use crate::cli::serve::{ChannelArgs, Serve};
use clap::{Args, Command};
use std::path::Path;

fn command() -> Command {
    Serve::augment_args(Command::new("serve").disable_help_flag(true))
}

fn schema() -> Schema {
    Schema::new(command(), ChannelArgs::augment_args(Command::new("channel").disable_help_flag(true)))
}

/// A file that goes with the value.
struct Written(tempfile::NamedTempFile);

impl Written {
    fn new(text: &str) -> Written {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Written(file)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn line(&self, line: usize) -> Origin {
        Origin::File { path: Arc::new(self.path().to_owned()), line }
    }
}

fn resolved(flags: &[&str], file: &Written, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    resolve(&schema(), &Given::only(flags, Some(file.path()), variables))
}

/// What is said about the only fault.
fn fault(text: &str, variables: &[(&str, &str)]) -> String {
    let file = Written::new(text);
    let said = resolved(&[], &file, variables).unwrap_err().to_string();
    said.replace(&file.path().display().to_string(), "FILE")
}

fn texts(arguments: &[OsString]) -> Vec<&str> {
    arguments.iter().map(|argument| argument.to_str().unwrap()).collect()
}

#[test]
fn every_long_flag_of_the_server_is_a_key_and_a_variable() {
    let keys = Keys::of(&command());
    let of_flags = |arg: &clap::Arg| arg.get_long().is_some_and(|name| name != FILE && name != NO_FILE);
    assert_eq!(keys.iter().count(), command().get_arguments().filter(|arg| of_flags(arg)).count());
    assert_eq!(keys.get("max-connections-per-address").unwrap().variable(), "VGLB_MAX_CONNECTIONS_PER_ADDRESS");
    assert_eq!(keys.get("no-state").unwrap().kind, Kind::Switch);
    assert_eq!(keys.get("port").unwrap().kind, Kind::One);
    assert_eq!(keys.get("allow").unwrap().kind, Kind::Many);
    assert!(keys.get("config").is_none() && keys.get("no-config").is_none());
}

#[test]
fn flags_come_before_variables_and_variables_before_the_file() {
    let file = Written::new("host = \"a\"\nport = 1\nlayout = \"unity\"\n");
    let settings = resolved(&["host"], &file, &[("VGLB_HOST", "b"), ("VGLB_PORT", "2")]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--port=2", "--layout=unity"]);
    assert_eq!(settings.origin("host"), Origin::Flag("host".into()));
    assert_eq!(settings.origin("port"), Origin::Variable("VGLB_PORT".into()));
    assert_eq!(settings.origin("layout"), file.line(3));
    assert_eq!(settings.origin("gpu"), Origin::Default);
}

#[test]
fn values_of_every_kind_become_arguments() {
    let file = Written::new(
        "port = 0x1F98\nexport-rate = 0.5\nstream-name = \"--odd name\"\nverbose = true\ninfo-logging = false\n\
         allow = [\n  \"10.0.0.0/8\", # the stage\n  \"fd00::/8\",\n]\ndeny = \"10.0.0.9\"\n",
    );
    let settings = resolved(&[], &file, &[]).unwrap();
    let wanted = [
        "--port=8088",
        "--export-rate=0.5",
        "--stream-name=--odd name",
        "--verbose",
        "--allow=10.0.0.0/8",
        "--allow=fd00::/8",
        "--deny=10.0.0.9",
    ];
    assert_eq!(texts(&settings.arguments), wanted);
    assert_eq!(settings.origin("deny"), file.line(10));
}

#[test]
fn variables_hold_lists_with_commas_or_as_toml() {
    let none = Written::new("");
    let settings = resolved(&[], &none, &[("VGLB_ALLOW", "10.0.0.0/8, fd00::/8"), ("VGLB_DENY", "")]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--allow=10.0.0.0/8", "--allow=fd00::/8"]);
    let settings = resolved(&[], &none, &[("VGLB_SOURCE", "['cam=a,b.cube']")]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--source=cam=a,b.cube"]);
    assert!(fault("", &[("VGLB_SOURCE", "['cam=a.cube'")]).starts_with("VGLB_SOURCE: source is a list: "));
    assert_eq!(fault("", &[("VGLB_VERBOSE", "yes")]), "VGLB_VERBOSE: verbose is true or false, and not \"yes\"");
}

#[test]
fn a_later_place_turns_off_what_it_contradicts_and_what_is_on() {
    let file = Written::new("state-dir = \"/a\"\nverbose = true\n");
    assert_eq!(texts(&resolved(&["no-state"], &file, &[]).unwrap().arguments), ["--verbose"]);
    let settings = resolved(&[], &file, &[("VGLB_NO_STATE", "true"), ("VGLB_VERBOSE", "false")]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--no-state"]);
    assert_eq!(settings.origin("state-dir"), Origin::Default);
    // What is off contradicts nothing.
    let settings = resolved(&[], &file, &[("VGLB_NO_STATE", "0")]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--state-dir=/a", "--verbose"]);
}

#[test]
fn faults_name_their_place_and_what_would_be_right() {
    for (text, says) in [
        ("\n\nprot = 1", "FILE:3: there is no setting \"prot\"; the nearest is port"),
        ("stream_name = 'a'", "FILE:1: there is no setting \"stream_name\"; the nearest is stream-name"),
        ("frobnicate = 1", "FILE:1: there is no setting \"frobnicate\""),
        ("config = 'a'", "FILE:1: there is no setting \"config\""),
        ("[server]\nport = 1", "FILE:1: there is no setting \"server\""),
        ("port = [1]", "FILE:1: port has one value, a text or a number, and not a list"),
        ("verbose = 1", "FILE:1: verbose is true or false, and not 1"),
        ("host = true", "FILE:1: host has one value, a text or a number, and not true"),
        ("port = 99999", "FILE:1: port can't be \"99999\": 99999 is not in 0..=65535"),
        ("layout = 'spiral'", "FILE:1: layout can't be \"spiral\": \"spiral\" is no layout; it can be "),
        ("allow = ['10.0.0.0/8',\n '10.0.0.1/8']", "FILE:1: allow can't be \"10.0.0.1/8\": "),
        ("port = 1\nport = 2", "FILE:2: column 1: this is no TOML: duplicate key"),
        ("port 1", "FILE:1: column 6: this is no TOML: "),
        (
            "no-state = true\nport = 1\nstate-dir = '/a'",
            "FILE:3: state-dir contradicts no-state, which is set by FILE:1; only one of them can be",
        ),
    ] {
        let said = fault(text, &[]);
        assert!(said.starts_with(says), "{text:?} says {said}");
    }
    let said = fault("", &[("VGLB_MAX_CHANELS", "3")]);
    assert_eq!(
        said,
        "there is no setting for the environment variable VGLB_MAX_CHANELS; the nearest is VGLB_MAX_CHANNELS"
    );
    assert_eq!(fault("", &[("VGLB_PORT", "-1")]), "VGLB_PORT: port can't be \"-1\": -1 is not in 0..=65535");
}

#[test]
fn a_fault_is_told_even_where_a_later_place_comes_before_it() {
    let file = Written::new("port = 99999");
    assert!(resolved(&["port"], &file, &[]).is_err());
}

#[test]
fn what_is_missing_beside_a_setting_may_stand_elsewhere() {
    let file = Written::new("http-cdl-channel = ['cam']");
    let settings = resolved(&["http-cdl"], &file, &[]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--http-cdl-channel=cam"]);
}

#[test]
fn variables_that_are_no_settings_are_left_alone() {
    let none = Written::new("");
    let others =
        [("VGLB_RUNTIME_DIR", "/a"), ("VGLB_TEST_GPU", "0"), ("VGLB_BIN", "b"), ("PATH", "/"), ("VGLB_PORT", "")];
    assert!(resolved(&[], &none, &others).unwrap().arguments.is_empty());
}

#[test]
fn a_file_of_a_windows_editor_is_read() {
    let file = Written::new("\u{feff}host = \"a\"\r\nport = 1\r\n");
    let settings = resolved(&[], &file, &[]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--host=a", "--port=1"]);
    assert_eq!(settings.origin("port"), file.line(2));
}

#[test]
fn files_that_are_none_are_refused() {
    let file = Written::new("");
    std::fs::write(file.path(), b"host = \"\xff\"").unwrap();
    assert!(resolved(&[], &file, &[]).unwrap_err().to_string().contains("can't be read: invalid utf-8"));
    std::fs::write(file.path(), vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(resolved(&[], &file, &[]).unwrap_err().to_string().ends_with("is larger than 1048576 bytes"));
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("none.toml");
    let error = resolve(&schema(), &Given::only(&[], Some(&gone), &[])).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }), "{error}");
}

#[test]
fn the_file_is_where_a_flag_a_variable_or_the_platform_says() {
    let (first, second) = (Written::new("port = 1"), Written::new("port = 2"));
    let second_path = second.path().to_str().unwrap();
    let schema = schema();
    let read = |flag: Option<&Path>, variables: &[(&str, &str)]| {
        resolve(&schema, &Given::only(&[], flag, variables)).unwrap().file
    };
    assert_eq!(read(Some(first.path()), &[("VGLB_CONFIG", second_path)]).as_deref(), Some(first.path()));
    assert_eq!(read(Some(first.path()), &[("VGLB_NO_CONFIG", "1")]).as_deref(), Some(first.path()));
    assert_eq!(read(None, &[("VGLB_CONFIG", second_path)]).as_deref(), Some(second.path()));
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("virtual-gpu-lut-box").join("config.toml");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "port = 3").unwrap();
    // `APPDATA` on Windows; on a Mac it is the home folder that counts, and `Given::only` has none.
    let place =
        [if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" }; 1].map(|n| (n, folder.path().to_str().unwrap()));
    if !cfg!(target_os = "macos") {
        assert_eq!(read(None, &place), Some(own));
        assert_eq!(read(None, &[&place[..], &[("VGLB_NO_CONFIG", "true")]].concat()), None);
    }
}

#[test]
fn a_token_of_another_kind_is_not_shown() {
    for (text, kind) in
        [("dashboard-token = 1979-05-27", "one value"), ("dashboard-token = [\"hush-hush\"]", "one value")]
    {
        let said = fault(text, &[]);
        assert!(said.contains(kind) && !said.contains("1979") && !said.contains("hush"), "{said}");
    }
}

#[test]
fn secrets_are_known_by_their_names() {
    let command = Command::new("a").args(
        ["panel-token", "token-file", "mqtt-password", "tokens", "host"].map(|name| clap::Arg::new(name).long(name)),
    );
    let secret: Vec<_> = Keys::of(&command).iter().filter(|key| key.is_secret()).map(|key| key.name.clone()).collect();
    assert_eq!(secret, ["panel-token", "mqtt-password"]);
}

#[test]
fn the_page_on_configuration_lists_every_key_and_no_other() {
    let page = include_str!("../../docs/configuration.md");
    let (server, channels) = page.split_once("\n## One channel").unwrap();
    let keys_of = |part: &str| -> Vec<String> {
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).map(|(key, _)| key);
        let mut listed: Vec<_> = rows.filter(|key| !key.starts_with("--")).map(str::to_owned).collect();
        listed.sort_unstable();
        listed
    };
    let names = |keys: &Keys| {
        let mut names: Vec<_> = keys.iter().map(|key| key.name.clone()).collect();
        names.sort_unstable();
        names
    };
    let schema = schema();
    assert_eq!(keys_of(server), names(schema.keys()), "docs/configuration.md has a table of all keys");
    assert_eq!(keys_of(channels), names(schema.channel_keys()), "and one of all keys of a channel");
}

#[test]
fn a_channel_has_settings_of_its_own() {
    let file = Written::new(
        "port = 1\n[channel.cam1]\nlayout = 'unity'\nexport = false\n\n[channel.\"\"]\nstream-name = 'A'\n\
         [channel.\"Main Wall\"]\ncdl-size = 17\n",
    );
    let settings = resolved(&[], &file, &[]).unwrap();
    assert_eq!(texts(&settings.arguments), ["--port=1"]);
    let said: Vec<_> = settings.channels.iter().map(|(name, section)| (&**name, texts(&section.arguments))).collect();
    let wanted = [
        ("", vec!["--stream-name=A"]),
        ("Main Wall", vec!["--cdl-size=17"]),
        ("cam1", vec!["--layout=unity", "--export=false"]),
    ];
    assert_eq!(said, wanted);
    assert_eq!(settings.channels["cam1"].origins["export"], file.line(4));
    for (text, says) in [
        ("[channel.a]\nlayuot = 'unity'", "FILE:2: there is no setting \"layuot\"; the nearest is layout"),
        ("[channel.a]\nport = 1", "FILE:2: there is no setting \"port\""),
        ("[channel.a]\nlayout = 'spiral'", "FILE:2: layout can't be \"spiral\": "),
        ("[channel.a]\nexport = 'maybe'", "FILE:2: export can't be \"maybe\": "),
        ("[channel.a]\nexport = 2", "FILE:2: export can't be \"2\": "),
        ("[channel]\nlayout = 'unity'", "FILE:2: channel has a table for each channel, as [channel.cam1], and not "),
        ("channel = 1", "FILE:1: there is no setting \"channel\""),
    ] {
        let said = fault(text, &[]);
        assert!(said.starts_with(says), "{text:?} says {said}");
    }
}

#[test]
fn the_sample_is_in_order() {
    let sample = include_str!("../../docs/config.toml");
    let settings = resolved(&[], &Written::new(sample), &[]).unwrap();
    assert!(texts(&settings.arguments).contains(&"--allow=192.168.10.0/24"), "{:?}", settings.arguments);
}
