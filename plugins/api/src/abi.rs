//! The C interface of plugin libraries: one symbol, one table of functions, bytes in and out.
//!
//! The bytes are the JSON of [`crate::wire`], so a library means by them what an executable does.
//! No Rust type crosses the line, no panic does, and each side frees what it allocated. All
//! functions may be called from any thread, several at once. A library is never unloaded.
//!
//! Use [`export_plugin!`](crate::export_plugin); the rest is for the host and for other languages.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use serde::de::DeserializeOwned;

use crate::Library;
use crate::wire::{Ask, Backend, Nothing, Offering, PROTOCOL, Reply};

/// Name of the one symbol that a library exports: an [`Entry`].
pub const ENTRY_SYMBOL: &[u8] = b"sasrun_plugin\0";

/// The exported function. It gets the host's protocol version and returns its table, which lives
/// as long as the process; a library that cannot serve that version may return null.
pub type Entry = unsafe extern "C" fn(protocol: u32) -> *const PluginTable;

/// Bytes that the library allocated; the host hands them back to `release`.
#[repr(C)]
pub struct OwnedBytes {
    pub pointer: *mut u8,
    pub length: usize,
    pub capacity: usize,
}

/// What a library can do. Fields are only ever added at the end.
#[repr(C)]
pub struct PluginTable {
    /// Size of the library's table in bytes.
    pub size: usize,
    /// Protocol version that it speaks.
    pub protocol: u32,
    /// Builds an instance; null if that failed.
    pub open: unsafe extern "C" fn() -> *mut c_void,
    /// Describes the instance. Reply: `description`.
    pub describe: unsafe extern "C" fn(*mut c_void) -> OwnedBytes,
    /// Begins the conversation with that number; the bytes are a call. Reply: `step`.
    pub start: unsafe extern "C" fn(*mut c_void, u64, *const u8, usize) -> OwnedBytes,
    /// Goes on with it; the bytes are an answer. Reply: `step`.
    pub resume: unsafe extern "C" fn(*mut c_void, u64, *const u8, usize) -> OwnedBytes,
    /// Drops the conversation.
    pub free: unsafe extern "C" fn(*mut c_void, u64),
    /// Applies a filter or test or reads an inventory; the bytes are an ask without an id.
    /// Reply: `value`, `inventory` or `error`.
    pub apply: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> OwnedBytes,
    /// Takes back bytes that one of the above returned.
    pub release: unsafe extern "C" fn(OwnedBytes),
    /// Drops the instance.
    pub close: unsafe extern "C" fn(*mut c_void),
}

/// Exports a plugin library: takes the path of a `fn() -> Library`.
///
/// All libraries export the same symbol, so at most one of them can be linked into a program;
/// tests that need several load them.
///
/// ```
/// use sasrun_plugin::Library;
///
/// fn library() -> Library {
///     Library::new("hello", "1.0")
/// }
///
/// sasrun_plugin::export_plugin!(library);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($library:path) => {
        #[cfg(panic = "abort")]
        compile_error!(
            "a plugin must be built with panic = \"unwind\": a panic has to end one task, not all"
        );

        const _: () = {
            unsafe extern "C" fn open() -> *mut ::core::ffi::c_void {
                $crate::abi::open($library)
            }

            static TABLE: $crate::abi::PluginTable = $crate::abi::table(open);

            #[unsafe(no_mangle)]
            extern "C" fn sasrun_plugin(_protocol: u32) -> *const $crate::abi::PluginTable {
                &TABLE
            }
        };
    };
}

/// The table of a library written with this kit; for [`export_plugin!`](crate::export_plugin).
pub const fn table(open: unsafe extern "C" fn() -> *mut c_void) -> PluginTable {
    PluginTable {
        size: size_of::<PluginTable>(),
        protocol: PROTOCOL,
        open,
        describe,
        start,
        resume,
        free,
        apply,
        release,
        close,
    }
}

/// Builds an instance; for [`export_plugin!`](crate::export_plugin).
pub fn open(library: fn() -> Library) -> *mut c_void {
    match catch_unwind(|| Offering::new(library())) {
        Ok(offering) => Box::into_raw(Box::new(offering)).cast(),
        Err(_) => ptr::null_mut(),
    }
}

#[expect(unsafe_code, reason = "C interface")]
unsafe extern "C" fn describe(instance: *mut c_void) -> OwnedBytes {
    // SAFETY: the host passes what `open` returned and has not closed it.
    unsafe { answer(instance, 0, Ok(Ask::Describe(Nothing {}))) }
}

#[expect(unsafe_code, reason = "C interface")]
unsafe extern "C" fn start(
    instance: *mut c_void,
    id: u64,
    bytes: *const u8,
    length: usize,
) -> OwnedBytes {
    // SAFETY: as `describe`; the host's bytes live during the call.
    unsafe { answer(instance, id, parsed(bytes, length).map(Ask::Start)) }
}

#[expect(unsafe_code, reason = "C interface")]
unsafe extern "C" fn resume(
    instance: *mut c_void,
    id: u64,
    bytes: *const u8,
    length: usize,
) -> OwnedBytes {
    // SAFETY: as `start`.
    unsafe { answer(instance, id, parsed(bytes, length).map(Ask::Answer)) }
}

#[expect(unsafe_code, reason = "C interface")]
unsafe extern "C" fn free(instance: *mut c_void, id: u64) {
    // SAFETY: as `describe`.
    let offering = unsafe { &*instance.cast::<Offering>() };
    offering.free(id);
}

#[expect(unsafe_code, reason = "C interface")]
unsafe extern "C" fn apply(instance: *mut c_void, bytes: *const u8, length: usize) -> OwnedBytes {
    // SAFETY: as `start`.
    unsafe { answer(instance, 0, parsed(bytes, length)) }
}

#[expect(unsafe_code, reason = "C interface")]
unsafe extern "C" fn release(bytes: OwnedBytes) {
    if !bytes.pointer.is_null() {
        // SAFETY: the host hands back unchanged what `owned` made of a vector.
        drop(unsafe { Vec::from_raw_parts(bytes.pointer, bytes.length, bytes.capacity) });
    }
}

#[expect(unsafe_code, reason = "C interface")]
unsafe extern "C" fn close(instance: *mut c_void) {
    if !instance.is_null() {
        // SAFETY: the host passes what `open` returned, once.
        let offering = unsafe { Box::from_raw(instance.cast::<Offering>()) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(offering)));
    }
}

#[expect(unsafe_code, reason = "C interface")]
unsafe fn answer(instance: *mut c_void, id: u64, ask: Result<Ask, String>) -> OwnedBytes {
    // SAFETY: as `describe`.
    let offering = unsafe { &*instance.cast::<Offering>() };
    let reply = match ask {
        Ok(ask) => offering
            .reply(id, ask)
            .unwrap_or_else(|| Reply::Error("that has no reply".into())),
        Err(message) => Reply::Error(message),
    };
    owned(serde_json::to_vec(&reply).unwrap_or_default())
}

#[expect(unsafe_code, reason = "C interface")]
unsafe fn parsed<T: DeserializeOwned>(bytes: *const u8, length: usize) -> Result<T, String> {
    if bytes.is_null() {
        return Err("there are no bytes".into());
    }
    // SAFETY: the host promises `length` readable bytes during the call.
    let bytes = unsafe { slice::from_raw_parts(bytes, length) };
    serde_json::from_slice(bytes).map_err(|error| format!("the message cannot be read: {error}"))
}

fn owned(bytes: Vec<u8>) -> OwnedBytes {
    let mut bytes = std::mem::ManuallyDrop::new(bytes);
    OwnedBytes {
        pointer: bytes.as_mut_ptr(),
        length: bytes.len(),
        capacity: bytes.capacity(),
    }
}
