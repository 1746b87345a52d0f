//! Settings from a file, from variables and from the command line, all at once.

use std::ffi::OsString;
use virtual_gpu_lut_box::cli;

/// A file, variables and flags: three parts with a zero between them, a variable or a flag a line.
pub fn seeds() -> Vec<Vec<u8>> {
    let file = "port = 8_089\nhost = \"0.0.0.0\"\nallow = [\"192.168.1.0/24\", '10.0.0.0/8']\nno-state = false\n\
                max-channels = 0x20\nmessage-silence = 2.5 # s\ndashboard-token = \"hush-hush-7\"\n\
                [channel.\"cam 1\"]\nlayout = \"unreal\"\nexport = true\n[channel.b]\nstream-name = \"B\"\n";
    let variables = "VGLB_PORT=8090\nVGLB_ALLOW=[\"10.0.0.0/8\"]\nVGLB_NO_STATE=1\nVGLB_DENY=1.2.3.4,::1\nPATH=/bin";
    let flags = "serve\n--port\n0\n--dashboard\n[::1]:0\n--gpu=off\n--verbose\n--max-lut-size\n65";
    let of = |file: &str, variables: &str, flags: &str| format!("{file}\0{variables}\0{flags}").into_bytes();
    vec![
        of(file, variables, flags),
        of(file, "", "config\ncheck\n--json"),
        of("", variables, ""),
        of("", "", flags),
        of("", "VGLB_CONFIG=a\nVGLB_NO_CONFIG=true", "record\na.vglbrec\n--no-config"),
        of("cdl = \"bake\"\ncdl-for = [\"a=after\"]\nsource = [\"a=a.cube\"]", "", "send\na.cube\n--channel\nb"),
        of("port = 1979-05-27\n[channel]\na = 1", "VGLB_PROT=1", "--help"),
    ]
}

/// Settings make sense, or what is said of them is a sentence and the exit code that of a mistake; and so again.
pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, '\0');
    let mut part = || parts.next().unwrap_or_default();
    let (file, variables, flags) = (part(), part(), part());
    let variables: Vec<(OsString, OsString)> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let arguments: Vec<OsString> = ["vglb"].into_iter().chain(flags.lines()).map(OsString::from).collect();
    let understood = cli::understood(&arguments, &variables, file);
    if let Err((code, said)) = &understood {
        assert!([0, 2].contains(code) && !said.trim().is_empty(), "{code}: {said}");
    }
    assert_eq!(understood, cli::understood(&arguments, &variables, file));
}
