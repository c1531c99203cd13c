//! The log files that services leave below `/var/log/opsware`.

use std::io::Write;
use std::path::Path;

use crate::standin::response::timestamp::{Form, now};

/// Appends a line to a service's own log.
pub fn append(service: &str, line: &str) {
    let directory = Path::new("/var/log/opsware").join(service);
    let written = std::fs::create_dir_all(&directory).and_then(|()| {
        let path = directory.join(format!("{service}.log"));
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)?;
        writeln!(file, "{} {line}", Form::Dashed.write(now()))
    });
    // A service goes on without its log, as the real one does on a full disk.
    drop(written);
}
