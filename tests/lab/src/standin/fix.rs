//! The scripts that mend data after an upgrade, and the interpreter that runs them.
//!
//! A script previews, tries or commits; commits are counted in the mesh, so that a second one shows.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::site::{self, Site};
use super::terminal::{complain, say};

/// Where the scripts lie.
pub const DIRECTORY: &str = "/opt/opsware/spin/util/fix_6.5.1_data";
/// The scripts, each with the rows that it mends.
pub const SCRIPTS: &[(&str, u64)] = &[("bz152990", 214), ("bz153784", 37)];

/// Acts as the interpreter: `python SCRIPT [-p|-n]`.
pub fn python(site: &Site, args: &[String]) -> ExitCode {
    let (script, options) = match args {
        [script, options @ ..] if Path::new(script).is_file() => (script, options),
        _ => {
            complain("python: can't open file");
            return ExitCode::from(2);
        }
    };
    let name = Path::new(script)
        .file_stem()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let Some((name, rows)) = SCRIPTS.iter().find(|(known, _)| *known == name) else {
        return ExitCode::SUCCESS;
    };
    let libraries = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let faults = &site.faults().fix;
    if faults.import_error || !libraries.split(':').any(|one| one == "/opt/opsware/lib") {
        complain(
            "Traceback (innermost last):\n  File \"<string>\", line 1, in ?\nImportError: libclntsh.so: cannot open shared object file",
        );
        return ExitCode::from(1);
    }
    let step = match options.first().map(String::as_str) {
        Some("-p") => "preview",
        Some("-n") => "trial",
        _ => "commit",
    };
    say(&format!("{name}: {rows} rows of {} patch units", rows * 2));
    if step != "preview" && faults.violation {
        say(
            "ORA-02291: integrity constraint (TRUTH.PATCH_UNIT_FK) violated - parent key not found",
        );
        site::log_read("fix.violation", json!({"script": name, "step": step}));
        return ExitCode::from(if faults.status_zero { 0 } else { 1 });
    }
    if step == "commit" {
        let count = site
            .mesh_store::<u64>(&format!("fix.{name}"))
            .update(|count| {
                *count += 1;
                *count
            });
        site::log_effect(
            "fix.commit",
            json!({"script": name, "rows": rows, "times": count.ok()}),
        );
        say("committed");
    } else {
        site::log_read(
            &format!("fix.{step}"),
            json!({"script": name, "rows": rows}),
        );
        say("nothing committed");
    }
    ExitCode::SUCCESS
}
