//! `community.general.modprobe`: modules of the kernel.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};

use crate::answers::succeeded;
use crate::changing::{carry_out, fields, outcome};
use crate::describe::{example, needed, of_collection, presence, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        returns: returns(&[
            ("name", "str", "The module."),
            ("state", "str", "What it was asked to be."),
        ]),
        examples: vec![example(
            "Load a module now and at every start",
            "community.general.modprobe:\n  name: br_netfilter\n  persistent: present",
        )],
        ..of_collection(
            "community.general",
            "modprobe",
            "Loads and unloads modules of the kernel.",
            vec![
                needed(text("name", "The module.")),
                presence(),
                text("params", "Parameters of the module.").defaults_to(""),
                text("persistent", "Whether it is loaded when the system starts.")
                    .choices(&["absent", "disabled", "present"])
                    .defaults_to("disabled"),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let (name, params) = (
        arguments.text_or_empty("name"),
        arguments.text_or_empty("params"),
    );
    let is_present = arguments.text("state") != Some("absent");
    let load = format!("/etc/modules-load.d/{name}.conf");
    let options = format!("/etc/modprobe.d/{name}.conf");
    let (load_line, option_line) = (name.to_owned(), format!("options {name} {params}"));
    let script = format!(
        "m={}; u=`echo \"$m\" | tr - _`\n\
         if grep \"^$u \" /proc/modules >/dev/null 2>&1; then echo loaded; fi\n\
         if grep \"/$m\\.ko\\|/$u\\.ko\" /lib/modules/`uname -r`/modules.builtin >/dev/null 2>&1; then echo loaded; fi\n\
         if grep -x {} {} >/dev/null 2>&1; then echo kept; fi\n\
         if grep -x {} {} >/dev/null 2>&1; then echo options; fi\n:",
        Host::quote(name),
        Host::quote(&load_line),
        crate::paths::word(&load),
        Host::quote(&option_line),
        crate::paths::word(&options),
    );
    let found = succeeded(host.read_script(script).await?, "looking for the module")?.stdout;
    let has = |word: &str| found.lines().any(|line| line == word);
    let mut steps = Vec::new();
    if is_present != has("loaded") {
        let word = Host::quote(name);
        steps.push(if is_present {
            format!("modprobe {word}{}", quoted(params)?)
        } else {
            format!("modprobe -r {word}")
        });
    }
    let (load, options) = (crate::paths::word(&load), crate::paths::word(&options));
    match arguments.text_or_empty("persistent") {
        "present" => {
            if !has("kept") {
                let line = Host::quote(&load_line);
                steps.push(format!(
                    "mkdir -p /etc/modules-load.d && echo {line} > {load}"
                ));
            }
            if !params.is_empty() && !has("options") {
                let line = Host::quote(&option_line);
                steps.push(format!(
                    "mkdir -p /etc/modprobe.d && echo {line} > {options}"
                ));
            }
        }
        "absent" if has("kept") || has("options") => steps.push(format!("rm -f {load} {options}")),
        _ => {}
    }
    let result = fields([
        ("name", name.into()),
        ("params", params.into()),
        ("state", arguments.text_or_empty("state").into()),
    ]);
    if steps.is_empty() {
        return Ok(outcome(false, result));
    }
    let verb = if is_present { "load" } else { "unload" };
    carry_out(
        &host,
        format!("{verb} the module {name}"),
        None,
        steps.join(" && "),
        result,
    )
    .await
}

/// Writes parameters as words of the shell.
fn quoted(params: &str) -> Result<String, Failure> {
    let words = crate::words::split(params).map_err(|error| Failure::new(error.to_string()))?;
    Ok(words
        .iter()
        .map(|word| format!(" {}", Host::quote(word)))
        .collect())
}
