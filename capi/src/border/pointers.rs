//! Pointers from C: followed here and nowhere else.

use super::VglbStatus;
use crate::failure::Failure;
use std::ffi::{CStr, c_char};

/// A structure whose first field is its size, as the program that uses it knows it.
///
/// # Safety
/// It is `repr(C)`, begins with that field as a `u32`, and any bytes at all make a valid one.
pub unsafe trait Sized32: Copy {
    /// Its name in C.
    const NAME: &'static str;
    /// Puts its size in.
    fn sized(self, size: u32) -> Self;
}

fn null(what: &str) -> Failure {
    Failure::argument(format!("{what} is NULL"))
}

/// A text that ends in NUL.
///
/// # Safety
/// `text` is null, or points to a text that ends in NUL and stays as it is during the call.
pub unsafe fn text<'a>(what: &str, text: *const c_char) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(null(what));
    }
    // SAFETY: the caller's.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Failure::argument(format!("{what} {text:?} is not UTF-8")))
}

/// A place for a result. `out` is cleared, so that a call that fails leaves no old value there.
///
/// # Safety
/// `out` is null, or points to a `T` that may be written.
pub unsafe fn place<T: Copy>(what: &str, out: *mut T, cleared: T) -> Result<Place<T>, Failure> {
    if out.is_null() {
        return Err(null(what));
    }
    let place = Place(out);
    place.set(cleared);
    Ok(place)
}

/// Where a call's result goes. It does not outlive the call.
pub struct Place<T>(*mut T);

impl<T: Copy> Place<T> {
    pub fn set(&self, value: T) {
        // SAFETY: `place` and `structure` make these of pointers that their callers vouch for, for the length of the
        // call. Alignment is asked of nobody.
        unsafe { self.0.write_unaligned(value) }
    }
}

/// A structure to be filled.
///
/// # Safety
/// `out` is null, or points to at least the four bytes of a size, and to as many bytes, to be written, as these say.
pub unsafe fn structure<T: Sized32>(out: *mut T) -> Result<Place<T>, Failure> {
    // SAFETY: the caller's.
    unsafe { check_size(out) }?;
    Ok(Place(out))
}

/// A structure that the program has filled; `None` where it gives none.
///
/// # Safety
/// As [`structure`], to be read.
pub unsafe fn given<T: Sized32>(given: *const T) -> Result<Option<T>, Failure> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's; after the check there are as many bytes as a `T` has, and any bytes make one.
    unsafe {
        check_size(given)?;
        Ok(Some(given.read_unaligned()))
    }
}

/// # Safety
/// `pointer` is null, or points to the four bytes of a size.
unsafe fn check_size<T: Sized32>(pointer: *const T) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(null(T::NAME));
    }
    // SAFETY: the caller's; the size is the first field.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() };
    if size as usize == size_of::<T>() {
        return Ok(());
    }
    let sentence = format!(
        "{}.struct_size is {size}; this library's is {}: set it to sizeof({}), and compile with the header of this version",
        T::NAME,
        size_of::<T>(),
        T::NAME
    );
    Err(Failure::new(VglbStatus::ErrorStructSize, sentence))
}

impl<T: Sized32> Place<T> {
    /// Fills a structure.
    pub fn fill(&self, value: T) {
        self.set(value.sized(size_of::<T>() as u32));
    }
}
