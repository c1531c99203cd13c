//! `lofiadm`: image files as devices, on hosts like Solaris.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::standin::site::{self, Site};
use crate::standin::store::Store;
use crate::standin::terminal::{complain, say};

/// Files by the number of their device, from 1.
fn store(site: &Site) -> Store<Vec<String>> {
    site.store("lofi")
}

fn device(at: usize) -> String {
    format!("/dev/lofi/{}", at + 1)
}

/// The file behind a device of this kind.
pub fn file(site: &Site, source: &str) -> Option<PathBuf> {
    let number: usize = source.strip_prefix("/dev/lofi/")?.parse().ok()?;
    let files = store(site).read().ok()?;
    files.get(number.checked_sub(1)?).map(PathBuf::from)
}

/// The command: lists, tells the device of a file, or makes one.
pub fn run(site: &Site, args: &[String]) -> ExitCode {
    let files = store(site).read().unwrap_or_default();
    let told = match args {
        [] => {
            say("Block Device             File");
            for (at, file) in files.iter().enumerate() {
                say(&format!("{:<24} {file}", device(at)));
            }
            return ExitCode::SUCCESS;
        }
        [option, file] if option == "-a" && Path::new(file).is_file() && !files.contains(file) => {
            let made = store(site).update(|files| {
                files.push(file.clone());
                files.len() - 1
            });
            site::log_effect("lofiadm.add", json!({"file": file}));
            made.ok().map(device)
        }
        [file] => files.iter().position(|known| known == file).map(device),
        _ => None,
    };
    match told {
        Some(device) => {
            say(&device);
            ExitCode::SUCCESS
        }
        None => {
            complain("lofiadm: could not find or map the file");
            ExitCode::FAILURE
        }
    }
}
