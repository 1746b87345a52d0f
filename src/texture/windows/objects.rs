//! Named objects of the logon session, opened with the ANSI functions: Spout names them in the system's code page.
#![allow(unsafe_code)]

use crate::texture::spout::seam::{SharedMemory, SharedMutex, SharedObjects, SharedSemaphore, Waited};
use std::ffi::{CStr, CString};
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use windows::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_FILENAME_EXCED_RANGE, ERROR_INVALID_HANDLE, ERROR_INVALID_NAME, ERROR_PATH_NOT_FOUND,
    ERROR_SUCCESS, HANDLE, INVALID_HANDLE_VALUE, WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows::Win32::System::LibraryLoader::GetModuleFileNameA;
use windows::Win32::System::Memory::{
    CreateFileMappingA, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_BASIC_INFORMATION, MEMORY_MAPPED_VIEW_ADDRESS,
    MapViewOfFile, OpenFileMappingA, PAGE_READWRITE, UnmapViewOfFile, VirtualQuery,
};
use windows::Win32::System::Registry::{HKEY_CURRENT_USER, RRF_RT_REG_DWORD, RegGetValueA};
use windows::Win32::System::Threading::{
    CreateMutexA, CreateSemaphoreA, MUTEX_ALL_ACCESS, ReleaseMutex, ReleaseSemaphore, SEMAPHORE_ALL_ACCESS,
    WaitForSingleObject,
};
use windows::Win32::System::WindowsProgramming::{OpenMutexA, OpenSemaphoreA};
use windows::core::{PCSTR, s};

/// The named objects of this logon session, and the settings of its user.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionObjects;

/// Longer paths than this lose their end; a sender's block has room for 255 bytes.
const PROGRAM_PATH: usize = 1024;

impl SharedObjects for SessionObjects {
    fn create_memory(&self, name: &[u8], size: usize) -> io::Result<Box<dyn SharedMemory>> {
        let name = c_name(name)?;
        let (high, low) = ((size as u64 >> 32) as u32, size as u32);
        // SAFETY: the name is a C string that lives through the call; the other arguments are plain values.
        let mapping =
            unsafe { CreateFileMappingA(INVALID_HANDLE_VALUE, None, PAGE_READWRITE, high, low, pcstr(&name)) };
        Ok(Box::new(View::map(owned(mapping.map_err(os_error)?))?))
    }

    fn open_memory(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedMemory>>> {
        let name = c_name(name)?;
        // SAFETY: the name is a C string that lives through the call.
        let mapping = unsafe { OpenFileMappingA((FILE_MAP_READ | FILE_MAP_WRITE).0, false, pcstr(&name)) };
        let Some(mapping) = if_there(mapping.map_err(os_error))? else { return Ok(None) };
        Ok(Some(Box::new(View::map(owned(mapping))?)))
    }

    fn create_mutex(&self, name: &[u8]) -> io::Result<Box<dyn SharedMutex>> {
        let name = c_name(name)?;
        // SAFETY: the name is a C string that lives through the call.
        let mutex = unsafe { CreateMutexA(None, false, pcstr(&name)) };
        Ok(Box::new(Mutex(owned(mutex.map_err(os_error)?))))
    }

    fn open_mutex(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedMutex>>> {
        let name = c_name(name)?;
        // SAFETY: the name is a C string that lives through the call.
        let mutex = unsafe { OpenMutexA(MUTEX_ALL_ACCESS.0, false, pcstr(&name)) };
        Ok(if_there(not_null(mutex))?.map(|handle| Box::new(Mutex(owned(handle))) as _))
    }

    fn create_semaphore(&self, name: &[u8], initial: u32, maximum: u32) -> io::Result<Box<dyn SharedSemaphore>> {
        let name = c_name(name)?;
        let [initial, maximum] = [initial, maximum].map(|n| i32::try_from(n).unwrap_or(i32::MAX));
        // SAFETY: the name is a C string that lives through the call.
        let semaphore = unsafe { CreateSemaphoreA(None, initial, maximum, pcstr(&name)) };
        Ok(Box::new(Semaphore(owned(semaphore.map_err(os_error)?))))
    }

    fn open_semaphore(&self, name: &[u8]) -> io::Result<Option<Box<dyn SharedSemaphore>>> {
        let name = c_name(name)?;
        // SAFETY: the name is a C string that lives through the call.
        let semaphore = unsafe { OpenSemaphoreA(SEMAPHORE_ALL_ACCESS.0, false, pcstr(&name)) };
        Ok(if_there(not_null(semaphore))?.map(|handle| Box::new(Semaphore(owned(handle))) as _))
    }

    fn setting(&self, name: &str) -> Option<u32> {
        let name = CString::new(name).ok()?;
        let (mut value, mut size) = (0u32, size_of::<u32>() as u32);
        let (key, to) = (s!("Software\\Leading Edge\\Spout"), (&raw mut value).cast());
        // SAFETY: `to` points at as many bytes as `size` says, and only a DWORD is asked for.
        let read = unsafe {
            RegGetValueA(HKEY_CURRENT_USER, key, pcstr(&name), RRF_RT_REG_DWORD, None, Some(to), Some(&mut size))
        };
        (read == ERROR_SUCCESS).then_some(value)
    }

    fn program(&self) -> Vec<u8> {
        let mut path = vec![0; PROGRAM_PATH];
        // SAFETY: the buffer is a slice with its length.
        let length = unsafe { GetModuleFileNameA(None, &mut path) };
        path.truncate(length as usize);
        path
    }
}

fn c_name(name: &[u8]) -> io::Result<CString> {
    CString::new(name).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))
}

fn pcstr(name: &CStr) -> PCSTR {
    PCSTR(name.as_ptr().cast())
}

/// Takes ownership of a handle that a call has just returned.
fn owned(handle: HANDLE) -> OwnedHandle {
    // SAFETY: the callers pass handles that were made for them a moment ago, checked to be valid, and nobody else
    // has them.
    unsafe { OwnedHandle::from_raw_handle(handle.0) }
}

fn handle(owned: &OwnedHandle) -> HANDLE {
    HANDLE(owned.as_raw_handle())
}

fn not_null(handle: HANDLE) -> io::Result<HANDLE> {
    if handle.is_invalid() { Err(io::Error::last_os_error()) } else { Ok(handle) }
}

/// The error with the number that Windows gave, where it came wrapped in an HRESULT.
pub(super) fn os_error(e: windows::core::Error) -> io::Error {
    let code = e.code().0;
    let win32 = (code as u32 >> 16 == 0x8007).then_some(code & 0xffff);
    io::Error::from_raw_os_error(win32.unwrap_or(code))
}

/// `None` where no object of that kind has the name, or can have it.
fn if_there(opened: io::Result<HANDLE>) -> io::Result<Option<HANDLE>> {
    let absent = [
        ERROR_FILE_NOT_FOUND,
        ERROR_PATH_NOT_FOUND,
        ERROR_INVALID_HANDLE,
        ERROR_INVALID_NAME,
        ERROR_FILENAME_EXCED_RANGE,
    ];
    match opened {
        Ok(handle) => Ok(Some(handle)),
        Err(e) if e.raw_os_error().is_some_and(|code| absent.iter().any(|a| a.0 as i32 == code)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// A view of a whole mapping.
struct View {
    address: MEMORY_MAPPED_VIEW_ADDRESS,
    size: usize,
    /// Keeps the name in being; the view alone would only keep the memory.
    _mapping: OwnedHandle,
}

// SAFETY: the address is valid for the whole process, and all access through it is atomic.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

impl View {
    fn map(mapping: OwnedHandle) -> io::Result<Self> {
        // SAFETY: the handle is a mapping's; nothing is assumed of where it will lie.
        let address = unsafe { MapViewOfFile(handle(&mapping), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0) };
        if address.Value.is_null() {
            return Err(io::Error::last_os_error());
        }
        let mut view = View { address, size: 0, _mapping: mapping };
        let mut region = MEMORY_BASIC_INFORMATION::default();
        // SAFETY: the structure to be filled is passed with its size.
        let filled =
            unsafe { VirtualQuery(Some(view.address.Value), &mut region, size_of::<MEMORY_BASIC_INFORMATION>()) };
        if filled == 0 {
            return Err(io::Error::last_os_error());
        }
        view.size = region.RegionSize;
        Ok(view)
    }

    fn bytes(&self) -> &[AtomicU8] {
        // SAFETY: the view maps `size` bytes, readable and writable, until it is dropped. Other processes may change
        // them at any time, which atomics allow.
        unsafe { std::slice::from_raw_parts(self.address.Value.cast(), self.size) }
    }
}

impl SharedMemory for View {
    fn size(&self) -> usize {
        self.size
    }

    fn read(&self, bytes: &mut [u8]) {
        for (to, from) in bytes.iter_mut().zip(self.bytes()) {
            *to = from.load(Ordering::Relaxed);
        }
    }

    fn write(&self, bytes: &[u8]) {
        for (from, to) in bytes.iter().zip(self.bytes()) {
            to.store(*from, Ordering::Relaxed);
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: the address is that of a view, and no reference into it outlives `self`. A failure would leave the
        // memory mapped, which harms nothing.
        let _ = unsafe { UnmapViewOfFile(self.address) };
    }
}

struct Mutex(OwnedHandle);

impl SharedMutex for Mutex {
    fn lock(&self, wait: Duration) -> io::Result<Waited> {
        let milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX - 1);
        // SAFETY: the handle is open for as long as `self` lives.
        let waited = unsafe { WaitForSingleObject(handle(&self.0), milliseconds) };
        match waited {
            WAIT_OBJECT_0 => Ok(Waited::Taken),
            WAIT_ABANDONED => Ok(Waited::Abandoned),
            WAIT_TIMEOUT => Ok(Waited::TimedOut),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn unlock(&self) -> io::Result<()> {
        // SAFETY: the handle is open for as long as `self` lives.
        unsafe { ReleaseMutex(handle(&self.0)) }.map_err(os_error)
    }
}

struct Semaphore(OwnedHandle);

impl SharedSemaphore for Semaphore {
    fn try_take(&self) -> io::Result<bool> {
        // SAFETY: the handle is open for as long as `self` lives.
        match unsafe { WaitForSingleObject(handle(&self.0), 0) } {
            WAIT_OBJECT_0 => Ok(true),
            WAIT_TIMEOUT => Ok(false),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn add(&self, count: u32) -> io::Result<u32> {
        let count = i32::try_from(count).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        let mut before = 0;
        // SAFETY: the handle is open for as long as `self` lives, and `before` is there to be written.
        unsafe { ReleaseSemaphore(handle(&self.0), count, Some(&mut before)) }.map_err(os_error)?;
        Ok(before as u32)
    }
}
