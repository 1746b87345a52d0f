//! Graphics adapters: which there are, and which one the user means.
#![allow(unsafe_code)]

use windows::Win32::Graphics::Dxgi::{CreateDXGIFactory1, IDXGIAdapter1, IDXGIFactory1};
use windows::core::Result;

/// A graphics adapter and its name.
pub struct Adapter {
    pub name: String,
    pub adapter: IDXGIAdapter1,
}

/// All graphics adapters, in the system's order.
pub fn all() -> Result<Vec<Adapter>> {
    // SAFETY: makes an object, with no argument.
    let factory: IDXGIFactory1 = unsafe { CreateDXGIFactory1() }?;
    // SAFETY: any number may be asked for; the first too large gives an error.
    let adapters = (0..).map_while(|number| unsafe { factory.EnumAdapters1(number) }.ok());
    Ok(adapters.map(|adapter| Adapter { name: name(&adapter), adapter }).collect())
}

fn name(adapter: &IDXGIAdapter1) -> String {
    // SAFETY: asks an adapter for a copy of its description.
    let description = unsafe { adapter.GetDesc1() }.map(|desc| desc.Description).unwrap_or([0; 128]);
    let text = description.split(|unit| *unit == 0).next().unwrap_or_default();
    String::from_utf16_lossy(text).trim().to_owned()
}

/// Which of the adapters called `names` is meant by `wanted`: its number, its name, or a part of only one name.
pub fn find(names: &[String], wanted: &str) -> std::result::Result<usize, String> {
    let wanted_text = wanted.trim().to_lowercase();
    let numbered = || names.iter().enumerate().map(|(i, n)| format!("{i}: {n}")).collect::<Vec<_>>().join(", ");
    let none = || format!("no graphics adapter is {wanted:?}; there are {}, and warp (software)", numbered());
    if let Ok(number) = wanted_text.parse::<usize>() {
        return if number < names.len() { Ok(number) } else { Err(none()) };
    }
    if let Some(exact) = names.iter().position(|name| name.to_lowercase() == wanted_text) {
        return Ok(exact);
    }
    let matching: Vec<_> = (0..names.len()).filter(|i| names[*i].to_lowercase().contains(&wanted_text)).collect();
    match matching[..] {
        [one] => Ok(one),
        [] => Err(none()),
        _ => {
            Err(format!("{} graphics adapters are {wanted:?}; say which by its number: {}", matching.len(), numbered()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_is_found_by_number_name_or_part_of_a_name() {
        let names = ["NVIDIA RTX A4000", "NVIDIA RTX A4000", "Intel(R) UHD Graphics"].map(str::to_owned);
        assert_eq!(find(&names, "1"), Ok(1));
        assert_eq!(find(&names, "intel"), Ok(2));
        assert_eq!(find(&names, " nvidia rtx a4000 "), Ok(0), "the whole name means the first of that name");
        assert!(
            find(&names, "rtx").unwrap_err().starts_with("2 graphics adapters are \"rtx\"; say which by its number")
        );
        for wanted in ["3", "radeon"] {
            let e = find(&names, wanted).unwrap_err();
            assert!(e.contains("0: NVIDIA RTX A4000, 1: NVIDIA RTX A4000, 2: Intel(R) UHD Graphics, and warp"), "{e}");
        }
    }
}
