//! Loads a plugin library into this process and calls it over the C interface.
#![expect(unsafe_code, reason = "a library is foreign code behind a C interface")]

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::path::Path;

use sasrun_plugin::abi::{ENTRY_SYMBOL, Entry, OwnedBytes, PluginTable};
use sasrun_plugin::wire::{Ask, Backend, PROTOCOL, Reply};

/// A library that was loaded. It stays loaded as long as the process lives.
pub(crate) struct LoadedLibrary {
    table: &'static PluginTable,
    instance: *mut c_void,
    _library: ManuallyDrop<libloading::Library>,
}

// SAFETY: the interface demands that its functions may be called from any thread, several at once.
unsafe impl Send for LoadedLibrary {}
// SAFETY: as above.
unsafe impl Sync for LoadedLibrary {}

/// Why a library cannot be used, for the other side of the wire.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("it cannot be loaded: {0}")]
    Load(libloading::Error),
    #[error("it is no sasrun plugin: it exports no `sasrun_plugin`")]
    NoEntry,
    #[error("it cannot serve version {PROTOCOL} of the plugin protocol")]
    NotServed,
    #[error("its table is too short: {0} bytes")]
    ShortTable(usize),
    #[error("protocol {0}")]
    Version(u32),
    #[error("it failed to set itself up")]
    NotOpened,
}

impl LoadedLibrary {
    /// Loads the library, checks its version and opens it.
    pub(crate) fn load(path: &Path) -> Result<Self, LoadError> {
        // SAFETY: loading runs the library's initialisers; that is what the user asked for, and
        // this process exists to take the consequences.
        let library = unsafe { libloading::Library::new(path) }.map_err(LoadError::Load)?;
        let library = ManuallyDrop::new(library);
        // SAFETY: the symbol has this type by the contract.
        let entry =
            unsafe { library.get::<Entry>(ENTRY_SYMBOL) }.map_err(|_| LoadError::NoEntry)?;
        // SAFETY: it may be called with any version.
        let table = unsafe { entry(PROTOCOL) };
        if table.is_null() {
            return Err(LoadError::NotServed);
        }
        // SAFETY: every table begins with its size and protocol, which are read before the rest.
        let (size, protocol) = unsafe { ((*table).size, (*table).protocol) };
        if protocol != PROTOCOL {
            return Err(LoadError::Version(protocol));
        }
        if size < size_of::<PluginTable>() {
            return Err(LoadError::ShortTable(size));
        }
        // SAFETY: the table is as long as ours and lives as long as the library, that is for ever.
        let table: &'static PluginTable = unsafe { &*table };
        // SAFETY: a function of the table.
        let instance = unsafe { (table.open)() };
        if instance.is_null() {
            return Err(LoadError::NotOpened);
        }
        Ok(Self {
            table,
            instance,
            _library: library,
        })
    }

    fn take(&self, bytes: OwnedBytes) -> Reply {
        let reply = if bytes.pointer.is_null() {
            Reply::Error("the plugin answered nothing".into())
        } else {
            // SAFETY: the library promises `length` readable bytes until they are released.
            let text = unsafe { std::slice::from_raw_parts(bytes.pointer, bytes.length) };
            serde_json::from_slice(text).unwrap_or_else(|error| {
                Reply::Error(format!("the plugin's answer cannot be read: {error}"))
            })
        };
        // SAFETY: the bytes go back once, as they came.
        unsafe { (self.table.release)(bytes) };
        reply
    }

    fn call<T: serde::Serialize>(
        &self,
        argument: &T,
        function: impl FnOnce(*const u8, usize) -> OwnedBytes,
    ) -> Reply {
        match serde_json::to_vec(argument) {
            Ok(bytes) => self.take(function(bytes.as_ptr(), bytes.len())),
            Err(error) => Reply::Error(format!("the message cannot be written: {error}")),
        }
    }
}

impl Backend for LoadedLibrary {
    fn reply(&self, id: u64, ask: Ask) -> Option<Reply> {
        let (table, instance) = (self.table, self.instance);
        // SAFETY, for every call below: a function of the table, with the instance it opened and
        // bytes that live during the call.
        Some(match &ask {
            Ask::Describe(_) => self.take(unsafe { (table.describe)(instance) }),
            Ask::Start(call) => self.call(call, |bytes, length| unsafe {
                (table.start)(instance, id, bytes, length)
            }),
            Ask::Answer(answer) => self.call(answer, |bytes, length| unsafe {
                (table.resume)(instance, id, bytes, length)
            }),
            Ask::Free(_) => {
                unsafe { (table.free)(instance, id) };
                return None;
            }
            _ => self.call(&ask, |bytes, length| unsafe {
                (table.apply)(instance, bytes, length)
            }),
        })
    }
}
