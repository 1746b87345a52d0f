use super::*;

fn description() -> Description {
    Description {
        id: "info.v002.Syphon.68753A44-4D6F-1226-9C60-0050E4C00067".into(),
        name: "vglb-lut-Kamera Ä".into(),
        application: "virtual-gpu-lut-box".into(),
        cdl: None,
    }
}

/// The same bytes are read by Python's plistlib in `tests/python/test_syphon_archives.py`.
#[test]
fn a_description_is_the_bytes_that_plistlib_was_shown() {
    let bytes = include_bytes!("../../../../tests/fixtures/syphon/description.plist");
    assert_eq!(description().write(), bytes);
    assert_eq!(Description::read(bytes), Ok(description()));
}

#[test]
fn cdl_values_come_along_bit_for_bit() {
    let cdl = Cdl::new([0.1, 1.0 / 3.0, 2.0], [-1e-12, 0.0, 1e9], [0.7, 1.0, 3.0], 0.1 + 0.2).unwrap();
    let graded = Description { cdl: Some(cdl), ..description() };
    assert_eq!(Description::read(&graded.write()), Ok(graded));
    for text in ["", "1 1 1 0 0 0 1 1 1", "1 1 1 0 0 0 1 1 1 1 1", "1 1 1 0 0 0 1 1 1 -1", "a b c d e f g h i j"] {
        let other = changed(|entries| entries.push((CDL_KEY.into(), Value::Text(text.into()))));
        assert_eq!(Description::read(&other), Ok(description()), "{text:?}");
    }
}

/// What is left of the description after GNUstep's notification server has carried it: see `tests/gnustep`.
#[test]
fn a_description_that_another_foundation_has_carried_is_read() {
    let bytes = include_bytes!("../../../../tests/fixtures/syphon/gnustep/description.plist");
    assert_eq!(Description::read(bytes), Ok(description()));
}

/// A description with `change` made to its entries.
fn changed(change: impl FnOnce(&mut Vec<(String, Value)>)) -> Vec<u8> {
    let mut value = Value::read(&description().write()).unwrap();
    let Value::Dictionary(entries) = &mut value else { panic!("a dictionary") };
    change(entries);
    value.write()
}

fn with(key: &str, value: Value) -> Vec<u8> {
    changed(|entries| entries.iter_mut().filter(|(k, _)| k == key).for_each(|(_, v)| *v = value.clone()))
}

fn without(key: &str) -> Vec<u8> {
    changed(|entries| entries.retain(|(k, _)| k != key))
}

#[test]
fn keys_that_are_not_known_are_passed_over() {
    let icon = ("SyphonServerDescriptionIconKey".to_owned(), Value::Other);
    assert_eq!(Description::read(&changed(|entries| entries.push(icon))), Ok(description()));
    let surfaces = |value: &Value| value.get(SURFACES_KEY).cloned();
    let Some(Value::List(mut list)) = surfaces(&Value::read(&description().write()).unwrap()) else { panic!("a list") };
    list.insert(0, Value::Dictionary(vec![(SURFACE_TYPE_KEY.into(), Value::Text("of tomorrow".into()))]));
    assert_eq!(Description::read(&with(SURFACES_KEY, Value::List(list))), Ok(description()));
}

#[test]
fn servers_without_a_name_are_servers() {
    let nameless = Description { name: String::new(), application: String::new(), ..description() };
    let bytes = changed(|entries| entries.retain(|(k, _)| k != NAME_KEY && k != APPLICATION_KEY));
    assert_eq!(Description::read(&bytes), Ok(nameless));
}

#[test]
fn what_cannot_be_received_is_refused() {
    assert_eq!(Description::read(&without(VERSION_KEY)), Err(DescriptionError::Version));
    assert_eq!(Description::read(&with(VERSION_KEY, Value::Integer(1))), Err(DescriptionError::Version));
    assert_eq!(Description::read(&without(ID_KEY)), Err(DescriptionError::NoId));
    assert_eq!(Description::read(&with(ID_KEY, Value::Text(String::new()))), Err(DescriptionError::NoId));
    let no_surface = Err(DescriptionError::NoSurface(description().id));
    assert_eq!(Description::read(&without(SURFACES_KEY)), no_surface);
    assert_eq!(Description::read(&with(SURFACES_KEY, Value::List(vec![]))), no_surface);
    assert!(matches!(Description::read(b"nonsense"), Err(DescriptionError::PropertyList(_))));
}

#[test]
fn the_end_of_a_server_is_known_by_its_identity_alone() {
    let short = Value::Dictionary(vec![(ID_KEY.into(), Value::Text("info.v002.Syphon.1".into()))]);
    assert_eq!(Description::id_of(&short.write()).as_deref(), Some("info.v002.Syphon.1"));
    assert_eq!(Description::id_of(&description().write()), Some(description().id));
    assert_eq!(Description::id_of(b""), None);
}
