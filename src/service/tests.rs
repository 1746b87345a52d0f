use super::*;

fn service(arguments: &[&str]) -> Service {
    Service { program: "/opt/LUT box/vglb".into(), arguments: words(arguments), system: None }
}

fn linux() -> Platform {
    Platform::Linux { settings: "/home/a/.config".into() }
}

fn windows() -> Platform {
    Platform::Windows { data: "C:\\Users\\a\\AppData\\Local".into(), user: "STAGE\\a & b".into() }
}

const HOSTILE: [&str; 4] = ["--stream-name", "a \"b\" $HOME 50% \\", "--export", "<x>&'y'"];

#[test]
fn a_systemd_unit_runs_these_words_and_replaces_nothing_in_them() {
    let plan = Plan::new(&linux(), &service(&HOSTILE)).unwrap();
    let unit = &plan.files[0];
    assert_eq!(unit.path, PathBuf::from("/home/a/.config/systemd/user/virtual-gpu-lut-box.service"));
    let wanted = r#"ExecStart="/opt/LUT box/vglb" serve --stream-name "a \"b\" $$HOME 50%% \\" --export "<x>&'y'""#;
    assert!(unit.text.lines().any(|line| line == wanted), "{}", unit.text);
    assert!(
        !unit.text.contains('@') || unit.text.lines().all(|l| !l.contains('@') || l.starts_with("SystemCallFilter"))
    );
    assert_eq!(plan.install[0].join(" "), "systemctl --user daemon-reload");
}

#[test]
fn a_service_of_the_system_has_a_user_and_shares_with_a_group() {
    let account = |user: &str, group: &str| Some(Account { user: user.into(), group: group.into() });
    let plan = |arguments: &[&str], system| Plan::new(&linux(), &Service { system, ..service(arguments) });
    let quiet = plan(&[], account("lutbox", "video-wall")).unwrap();
    let unit = &quiet.files[1].text;
    assert!(unit.contains("\nUser=lutbox\nGroup=video-wall\n") && unit.contains("\nPrivateDevices=yes\n"), "{unit}");
    assert!(unit.contains(" serve --socket-group video-wall --gpu off\n"), "{unit}");
    assert!(quiet.files[0].text.ends_with("g video-wall -\nu lutbox -:video-wall \"Virtual GPU LUT Box\"\n"));
    let graphics = plan(&["--gpu=auto", "--socket-group", "x"], account("lutbox", "x")).unwrap().files.remove(1).text;
    assert!(graphics.contains("DeviceAllow=char-drm rw") && !graphics.contains("PrivateDevices"), "{graphics}");
    assert_eq!(graphics.matches("--socket-group").count(), 1);
    for wrong in ["", "a b", "1a", "a\nUser=root", "a%n"] {
        assert_eq!(plan(&[], account(wrong, "x")), Err(ServiceError::AccountName(wrong.into())));
        assert_eq!(plan(&[], account("x", wrong)), Err(ServiceError::AccountName(wrong.into())));
    }
}

#[test]
fn a_launch_agent_has_the_words_as_they_are() {
    let mac = Platform::MacOs { home: "/Users/a&b".into() };
    let plan = Plan::new(&mac, &service(&HOSTILE)).unwrap();
    let agent = plist::Value::from_reader_xml(plan.files[0].bytes().as_slice()).unwrap().into_dictionary().unwrap();
    let words: Vec<_> = agent["ProgramArguments"].as_array().unwrap().iter().map(|w| w.as_string().unwrap()).collect();
    assert_eq!(words, [&["/opt/LUT box/vglb", "serve"], &HOSTILE[..]].concat());
    assert_eq!(agent["LimitLoadToSessionType"].as_string(), Some("Aqua"), "in the session of the user at the screen");
    assert_eq!(agent["StandardErrorPath"].as_string(), Some("/Users/a&b/Library/Logs/virtual-gpu-lut-box.log"));
}

#[test]
fn a_task_is_in_utf_16_and_quotes_words_as_windows_programs_take_them_apart() {
    let plan = Plan::new(&windows(), &service(&HOSTILE)).unwrap();
    let bytes = plan.files[0].bytes();
    assert_eq!(bytes[..2], [0xff, 0xfe]);
    let units: Vec<u16> = bytes[2..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.contains("<UserId>STAGE\\a &amp; b</UserId>"), "{text}");
    let words = r#"serve --stream-name "a \"b\" $HOME 50% \\" --export <x>&'y'"#;
    assert!(text.contains(&format!("<Arguments>{}</Arguments>", xml(words))), "{text}");
    assert!(text.contains("<LogonType>InteractiveToken</LogonType>"), "in the user's own session");
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    assert_eq!(Plan::new(&linux(), &service(&["a\nb"])), Err(ServiceError::Argument("a\nb".into())));
    let system = Some(Account { user: "x".into(), group: "x".into() });
    let e = Plan::new(&windows(), &Service { system, ..service(&[]) }).unwrap_err().to_string();
    assert!(e.contains("on Windows textures are shared within the user's login session"), "{e}");
}
