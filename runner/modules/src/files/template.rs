//! `template`: renders a template of the controller's into a file of the host.

use sasrun_plugin::{
    Arguments, Call, ControllerRequest, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object, SearchIn,
};
use serde_json::Value;

use super::placing::{Source, place};
use crate::describe::{
    choice, core, example, file_arguments, file_returns, needed, path, switch, text, with,
};
use crate::paths;

/// Arguments that say how the template is read.
const OPTIONS: [&str; 10] = [
    "newline_sequence",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "lstrip_blocks",
    "output_encoding",
];

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let mark = |name: &str, default: &str, what: &str| text(name, what).defaults_to(default);
    let own = vec![
        needed(path("src", "The template.")),
        needed(path("dest", "Where the file goes.")),
        switch("backup", "Keeps a copy of the old file beside it."),
        choice("force", "Replaces a file that differs.").defaults_to(true),
        switch(
            "follow",
            "Writes to what a symbolic link at `dest` leads to.",
        ),
        text(
            "validate",
            "Command that must accept the new file, given as `%s`, before it is used.",
        ),
        mark("newline_sequence", "\n", "How lines end in the file.")
            .choices(&["\n", "\r", "\r\n", "\\n", "\\r", "\\r\\n"]),
        mark("block_start_string", "{%", "Mark before a statement."),
        mark("block_end_string", "%}", "Mark after a statement."),
        mark("variable_start_string", "{{", "Mark before an expression."),
        mark("variable_end_string", "}}", "Mark after an expression."),
        text("comment_start_string", "Mark before a comment."),
        text("comment_end_string", "Mark after a comment."),
        choice("trim_blocks", "Removes the newline after a statement.").defaults_to(true),
        switch("lstrip_blocks", "Removes blanks before a statement."),
        mark(
            "output_encoding",
            "utf-8",
            "Encoding of the file; only `utf-8` is known.",
        ),
    ];
    ModuleSpec {
        diff: true,
        lists_diff: true,
        returns: file_returns(),
        examples: vec![example(
            "Write a configuration",
            "ansible.builtin.template:\n  src: app.conf.j2\n  dest: /etc/app.conf\n  mode: '0640'\n  validate: /usr/sbin/app --check %s",
        )],
        ..core(
            "template",
            "Renders a template into a file of the host.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let src = arguments.text_or_empty("src").to_owned();
    let mut options: Object = OPTIONS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), arguments.value(name)?.clone())))
        .collect();
    if let Some(sequence) = options.get_mut("newline_sequence") {
        let plain = sequence
            .as_str()
            .unwrap_or("\n")
            .replace("\\r", "\r")
            .replace("\\n", "\n");
        *sequence = Value::from(plain);
    }
    let mut variables = Object::new();
    variables.insert(
        "template_destpath".into(),
        arguments.text_or_empty("dest").into(),
    );
    let rendered = host
        .controller(ControllerRequest::RenderFile {
            name: src.clone(),
            options,
            variables,
        })
        .await?;
    let Value::String(text) = rendered else {
        return Err(Failure::new(format!(
            "the template {src} did not come out as text"
        )));
    };
    let name = paths::file_name(&src).to_owned();
    let mut source = Source::of_bytes(text.as_bytes(), Some(name));
    if arguments.text("mode") == Some("preserve") {
        let file = host
            .controller_file(&src, SearchIn::Templates, None)
            .await?;
        source.mode = Some(file.mode & 0o7777);
    }
    place(&host, &call, source).await
}
