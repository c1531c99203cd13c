//! A plugin library for the tests: its table is that of a protocol nobody speaks yet.
#![expect(unsafe_code, reason = "it exports its symbol by hand")]

use std::ffi::c_void;

use sasrun_plugin::abi::{PluginTable, table};

unsafe extern "C" fn open() -> *mut c_void {
    std::ptr::null_mut()
}

static TABLE: PluginTable = PluginTable {
    protocol: 99,
    ..table(open)
};

#[unsafe(no_mangle)]
extern "C" fn sasrun_plugin(_protocol: u32) -> *const PluginTable {
    &TABLE
}
