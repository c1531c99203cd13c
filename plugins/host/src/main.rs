//! Serves one plugin library on standard input and output: `sasrun-plugin-host plugin-host FILE`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(verb), Some(file), None) if verb == "plugin-host" => {
            sasrun_plugin_host::serve(Path::new(&file))
        }
        _ => ExitCode::from(3),
    }
}
