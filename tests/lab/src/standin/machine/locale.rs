//! `locale`: lists the locales that the scenario gives a host.

use std::process::ExitCode;

use serde_json::json;

use crate::standin::site::{self, Site};
use crate::standin::terminal::say;

/// Locales of a host whose scenario names none.
const USUAL: &[&str] = &[
    "C",
    "POSIX",
    "de_DE.utf8",
    "en_US.iso88591",
    "en_US.utf8",
    "ja_JP.utf8",
];
/// The same as Solaris spells them.
const USUAL_SOLARIS: &[&str] = &[
    "C",
    "POSIX",
    "de_DE.UTF-8",
    "en_US.ISO8859-1",
    "en_US.UTF-8",
    "ja_JP.UTF-8",
];

/// Lists the locales for `-a`, shows the current one otherwise.
pub fn run(site: &Site, args: &[String]) -> ExitCode {
    site::log_read("locale", json!({"argv": args}));
    if args
        .first()
        .is_some_and(|arg| arg == "-a" || arg == "--all-locales")
    {
        let staged = &site.faults().locales;
        if staged.is_empty() {
            let usual = if site.is_solaris() {
                USUAL_SOLARIS
            } else {
                USUAL
            };
            usual.iter().for_each(|name| say(name));
        } else {
            staged.iter().for_each(|name| say(name));
        }
    } else {
        say("LANG=C");
        say("LC_ALL=");
    }
    ExitCode::SUCCESS
}
