//! `opsware_installer`: the installer's dialogue as a module.
//!
//! The dialogue itself is a pure state machine; here it meets the host's terminal.

mod dialogue;
mod interview;
mod menu;
mod order;
mod prompt;
mod screen;
mod session;
mod situation;
mod spec;
mod upgrade;
mod verdict;

use sasrun_plugin::{Arguments, Call, Host, Module, ModuleResult};

use order::Order;

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec::spec(), run)
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let order = Order::of(&arguments)?;
    let is_interview = arguments.text("action") == Some("interview");
    // What this very step began before its run was cut off is gone on with, never begun twice.
    let begun = match call.check_mode {
        true => None,
        false => host.adopt().await?,
    };
    match (begun, is_interview) {
        (Some(screen), true) => interview::go_on(&arguments, &order, screen, &host).await,
        (Some(screen), false) => upgrade::go_on(&order, screen, &host).await,
        (None, _) => {
            let situation = situation::look(&order, &host).await?;
            if is_interview {
                return interview::hold(&arguments, &order, &situation, call.check_mode, &host)
                    .await;
            }
            upgrade::upgrade(&order, &situation, call.check_mode, &host).await
        }
    }
}
