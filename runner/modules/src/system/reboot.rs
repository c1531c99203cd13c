//! `reboot`: starts the host anew and waits until it is back.

use sasrun_plugin::{
    Answer, Arguments, Call, CheckSupport, Command, Failure, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome, Read, Repetition, Request,
};

use crate::describe::{core, example, integer, returns, text, texts};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        check_mode: CheckSupport::Full,
        repetition: Repetition::Once,
        returns: returns(&[
            ("rebooted", "bool", "Whether it was started anew."),
            ("elapsed", "int", "How long that took, in seconds."),
        ]),
        examples: vec![example(
            "Start anew",
            "ansible.builtin.reboot:\n  reboot_timeout: 1200",
        )],
        ..core(
            "reboot",
            "Starts the host anew and waits until it is back.",
            vec![
                integer("pre_reboot_delay", "Seconds before it goes down.").defaults_to(0),
                integer("post_reboot_delay", "Seconds to wait once it is back.").defaults_to(0),
                integer("reboot_timeout", "Seconds it may take.").defaults_to(600),
                integer("connect_timeout", "Seconds that one try may take."),
                text("msg", "Message to those who are logged in.").defaults_to("Reboot initiated"),
                text("test_command", "Command that must succeed once it is back."),
                texts("search_paths", "Accepted and not used."),
                text(
                    "boot_time_command",
                    "Command whose output is new after each start.",
                ),
                text("reboot_command", "Command that starts it anew."),
            ],
        )
    }
}

/// Prints something that no two starts of a host have in common.
const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id 2>/dev/null || who -b";

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let seconds = |name: &str| u64::try_from(arguments.integer(name).unwrap_or(0)).unwrap_or(0);
    let identify = arguments.text("boot_time_command").unwrap_or(BOOT_ID);
    let before = host.read_script(identify).await?.stdout;
    host.will_change("start the host anew", None, Object::new())
        .await?;
    let delay = seconds("pre_reboot_delay");
    let go = arguments.text("reboot_command").map_or_else(
        || {
            let msg = Host::quote(arguments.text_or_empty("msg"));
            let when = match delay.div_ceil(60) {
                0 => "now".to_owned(),
                minutes => format!("+{minutes}"),
            };
            format!("shutdown -r {when} {msg} || reboot")
        },
        str::to_owned,
    );
    // The host goes down under the command; that the connection is lost is no failure here.
    let script = format!("( sleep 1; {go} ) >/dev/null 2>&1 </dev/null &");
    let change = sasrun_plugin::Change::Command(Command {
        script,
        ..Command::default()
    });
    host.ask(Request::Change {
        changes: vec![change],
    })
    .await;
    let spent = wait(&host, &arguments, identify, &before).await?;
    if seconds("post_reboot_delay") > 0 {
        host.sleep(seconds("post_reboot_delay") * 1000).await?;
    }
    Ok(Outcome {
        effects: vec![sasrun_plugin::Effect::ResetConnection],
        ..Outcome::changed()
    }
    .with("rebooted", true)
    .with("elapsed", spent / 1000))
}

/// Waits until the host answers and is not the one that went down.
async fn wait(
    host: &Host,
    arguments: &Arguments,
    identify: &str,
    before: &str,
) -> Result<u64, Failure> {
    let limit = u64::try_from(arguments.integer("reboot_timeout").unwrap_or(600)).unwrap_or(600);
    let limit = limit.saturating_mul(1000);
    let try_ms = arguments.integer("connect_timeout");
    let try_ms = try_ms.map(|seconds| u64::try_from(seconds).unwrap_or(0).max(1) * 1000);
    let start = std::time::Instant::now();
    let (mut spent, mut pause) = (0_u64, 2_000_u64);
    loop {
        host.sleep(pause).await?;
        let waited = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        spent = (spent + pause).max(waited);
        pause = (pause + 1_000).min(10_000);
        let read = Read::Command(Command {
            script: identify.to_owned(),
            timeout_ms: try_ms,
            ..Command::default()
        });
        if let Answer::Reads { reads } = host.ask(Request::Read { reads: vec![read] }).await
            && let Some(sasrun_plugin::ReadAnswer::Command(output)) = reads.into_iter().next()
            && output.succeeded()
            && output.stdout != before
        {
            break;
        }
        if spent >= limit {
            return Err(Failure {
                unknown: true,
                ..Failure::new("Timed out waiting for the host to be started anew")
            }
            .with("rebooted", false)
            .with("elapsed", spent / 1000));
        }
    }
    if let Some(test) = arguments.text("test_command") {
        let output = host.read_script(test).await?;
        crate::answers::succeeded(output, "the test command after the start")?;
    }
    Ok(spent)
}
