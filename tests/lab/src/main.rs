//! The `saslab` program: starts, looks at and stops simulated meshes; on a host it acts as every stand-in.

use std::process::ExitCode;

use saslab::account::become_user;
use saslab::host::{init, stage};
use saslab::paths::StateDir;
use saslab::{cli, ssh, standin};

fn main() -> ExitCode {
    // First of all: a process of a service has a command line that could mean anything.
    if let Some(code) = standin::run_if_service() {
        return code;
    }
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let called = words
        .first()
        .and_then(|path| path.rsplit('/').next())
        .unwrap_or_default();
    if let Some(code) = become_user::run(called, args.get(1..).unwrap_or_default()) {
        return code;
    }
    if standin::is_tool(called.trim_start_matches('-')) {
        return standin::run(
            called.trim_start_matches('-'),
            args.get(1..).unwrap_or_default(),
        );
    }
    match words.get(1..).unwrap_or_default() {
        ["stand-in", name, ..] => standin::run(name, args.get(3..).unwrap_or_default()),
        ["host", state, name] => ended(stage::run(&StateDir::new(*state), name)),
        ["init"] => ended(init::run()),
        ["boot"] => ended(init::boot()),
        ["sshd"] => ended(ssh::server::run()),
        _ => cli::run(&args),
    }
}

/// The exit status of a part of the lab; what went wrong goes to its log.
fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        #[expect(
            clippy::print_stderr,
            reason = "stderr of the lab's parts is their log"
        )]
        {
            eprintln!("saslab: {error:#}");
        }
        ExitCode::FAILURE
    })
}
