//! `wait_for_connection`: waits until the host can be worked on.

use sasrun_plugin::{
    Answer, Arguments, Call, CheckSupport, Command, Failure, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Outcome, Read, Repetition, Request,
};

use crate::describe::{core, example, integer, returns};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[("elapsed", "float", "How long it took, in seconds.")]),
        examples: vec![example(
            "Wait for a host to come back",
            "ansible.builtin.wait_for_connection:\n  delay: 10\n  timeout: 600",
        )],
        ..core(
            "wait_for_connection",
            "Waits until the host can be worked on.",
            vec![
                integer("connect_timeout", "How long one try may take, in seconds.").defaults_to(5),
                integer(
                    "delay",
                    "How long to wait before the first try, in seconds.",
                )
                .defaults_to(0),
                integer("sleep", "How long to wait between tries, in seconds.").defaults_to(1),
                integer("timeout", "How long to try, in seconds.").defaults_to(600),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let seconds = |name: &str| {
        u64::try_from(arguments.integer(name).unwrap_or(0))
            .unwrap_or(0)
            .saturating_mul(1000)
    };
    let start = std::time::Instant::now();
    if seconds("delay") > 0 {
        host.sleep(seconds("delay")).await?;
    }
    let (pause, limit) = (seconds("sleep").max(100), seconds("timeout"));
    let mut spent = 0_u64;
    let begun = u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
    loop {
        match host.ask(try_shell(seconds("connect_timeout"))).await {
            Answer::Reads { .. } => {
                let elapsed = start.elapsed().as_secs_f64();
                return Ok(Outcome::unchanged().with("elapsed", elapsed.round()));
            }
            Answer::Refused { refusal } if spent >= limit => {
                return Err(Failure {
                    unreachable: true,
                    ..Failure::new(format!(
                        "timed out waiting for the host: {}",
                        refusal.message
                    ))
                });
            }
            Answer::Refused { .. } => {}
            _ => return Err(Failure::new("the wait for the host was ended")),
        }
        host.sleep(pause).await?;
        let waited = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let waited = waited.saturating_sub(begun);
        // A clock that stands still, as in tests, must not make the wait endless.
        spent = (spent + pause).max(waited);
    }
}

fn try_shell(timeout_ms: u64) -> Request {
    Request::Read {
        reads: vec![Read::Command(Command {
            script: ":".to_owned(),
            timeout_ms: Some(timeout_ms.max(1000)),
            ..Command::default()
        })],
    }
}
