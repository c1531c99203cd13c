//! `dpkg_selections`: what dpkg shall do with a package, such as hold it.

use sasrun_plugin::{
    Arguments, Call, Diff, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};

use crate::answers::succeeded;
use crate::changing::{carry_out, fields, outcome};
use crate::describe::{core, example, needed, returns, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("before", "str", "What it was."),
            ("after", "str", "What it is."),
        ]),
        examples: vec![example(
            "Hold a package",
            "ansible.builtin.dpkg_selections:\n  name: linux-image-amd64\n  selection: hold",
        )],
        ..core(
            "dpkg_selections",
            "Sets what dpkg shall do with a package.",
            vec![
                needed(text("name", "The package.")),
                needed(text("selection", "What shall be done.").choices(&[
                    "deinstall",
                    "hold",
                    "install",
                    "purge",
                ])),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let (name, wanted) = (
        arguments.text_or_empty("name"),
        arguments.text_or_empty("selection"),
    );
    let word = Host::quote(name);
    let shown = succeeded(
        host.read_script(format!("dpkg --get-selections {word}"))
            .await?,
        "dpkg",
    )?;
    let before = shown
        .stdout
        .split_whitespace()
        .nth(1)
        .unwrap_or("not present")
        .to_owned();
    let result = fields([("before", before.as_str().into()), ("after", wanted.into())]);
    if before == wanted {
        return Ok(outcome(false, result));
    }
    let side = |selection: &str| format!("{name} {selection}\n");
    let diff = Diff {
        before: side(&before),
        after: side(wanted),
        ..Diff::default()
    };
    let line = Host::quote(&format!("{name} {wanted}"));
    // A package that dpkg has never heard of is taken note of first.
    let script = if before == "not present" {
        format!(
            "avail=`mktemp` && apt-cache dumpavail > \"$avail\" && dpkg --merge-avail \"$avail\" >/dev/null; rm -f \"$avail\"; echo {line} | dpkg --set-selections"
        )
    } else {
        format!("echo {line} | dpkg --set-selections")
    };
    carry_out(
        &host,
        format!("{wanted} {name}"),
        Some(diff),
        script,
        result,
    )
    .await
}
