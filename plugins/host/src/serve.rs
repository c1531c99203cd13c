//! The child's side: a library behind the wire.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use sasrun_plugin::wire::{self, FromPlugin, Hello, Reply};

use crate::library::{LoadError, LoadedLibrary};

/// Loads the library and serves it on standard input and output until the input ends: the whole of
/// what the child of [`crate::Plugin::start`] does.
///
/// Whatever the library prints goes to standard error, for the output belongs to the wire.
pub fn serve(library: &Path) -> ExitCode {
    let Ok(mut wire) = take_output() else {
        return ExitCode::FAILURE;
    };
    let served = match LoadedLibrary::load(library) {
        Ok(library) => wire::serve(Arc::new(library), io::stdin().lock(), wire),
        Err(error) => refuse(&mut wire, error),
    };
    // A thread that hangs in the library must not keep the process.
    std::process::exit(i32::from(served.is_err()));
}

/// Keeps the real output for the wire and turns descriptor 1 over to standard error.
fn take_output() -> io::Result<File> {
    let wire = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(File::from(wire))
}

/// Says why instead of a greeting.
fn refuse(wire: &mut File, error: LoadError) -> io::Result<()> {
    let reply = match error {
        LoadError::Version(protocol) => Reply::Hello(Hello { protocol }),
        other => Reply::Error(other.to_string()),
    };
    let mut line = serde_json::to_vec(&FromPlugin { id: None, reply })?;
    line.push(b'\n');
    wire.write_all(&line)
}
