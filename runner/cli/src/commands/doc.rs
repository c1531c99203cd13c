//! `sasrun doc`: the modules' own descriptions, on the terminal or as pages.

use std::fs;
use std::path::Path;

use anyhow::Context;
use sasrun_plugin::{ArgumentSpec, ArgumentType, CheckSupport, ModuleSpec};

use crate::args::DocArguments;
use crate::{exit_code, output, plugins};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &DocArguments) -> anyhow::Result<u8> {
    let loaded = plugins::load(&plugins::folders(&arguments.plugins, &[]))?;
    let mut specs: Vec<&ModuleSpec> = loaded
        .registry
        .modules()
        .iter()
        .map(|module| module.spec())
        .collect();
    specs.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(folder) = &arguments.pages {
        write_pages(folder, &specs)?;
        output::line(&format!("{} pages in {}", specs.len(), folder.display()));
        return Ok(0);
    }
    if arguments.modules.is_empty() {
        for spec in &specs {
            output::line(&format!("{:<40} {}", spec.name, spec.summary));
        }
        return Ok(0);
    }
    for name in &arguments.modules {
        let Some(module) = loaded.registry.find(name) else {
            output::error_line(&format!("sasrun: there is no module {name}"));
            return Ok(exit_code::INPUT);
        };
        output::line(&page(module.spec()));
    }
    Ok(0)
}

fn write_pages(folder: &Path, specs: &[&ModuleSpec]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    let mut index = String::from("# Modules\n\nGenerated from the modules' own descriptions.\n\n");
    for spec in specs {
        let path = folder.join(format!("{}.md", spec.name));
        fs::write(&path, page(spec)).with_context(|| format!("{}", path.display()))?;
        index.push_str(&format!(
            "- [`{0}`]({0}.md): {1}\n",
            spec.name, spec.summary
        ));
    }
    let path = folder.join("README.md");
    fs::write(&path, index).with_context(|| format!("{}", path.display()))
}

/// One module's page in Markdown.
fn page(spec: &ModuleSpec) -> String {
    let mut page = format!("# {}\n\n{}\n", spec.name, spec.summary);
    for paragraph in &spec.description {
        page.push_str(&format!("\n{paragraph}\n"));
    }
    let check = match spec.check_mode {
        CheckSupport::Full => "predicts",
        CheckSupport::CannotKnow => "cannot always know",
        CheckSupport::ReadsOnly => "only reads, so it runs as ever",
    };
    let diff = if spec.diff { "yes" } else { "no" };
    page.push_str(&format!("\nCheck mode: {check}. Differences: {diff}.\n"));
    if !spec.arguments.is_empty() {
        page.push_str("\n## Arguments\n\n| name | type | default | what |\n|---|---|---|---|\n");
        for argument in &spec.arguments {
            page.push_str(&argument_row(argument, ""));
        }
    }
    if !spec.returns.is_empty() {
        page.push_str("\n## Result\n\n| field | type | what |\n|---|---|---|\n");
        for field in &spec.returns {
            page.push_str(&format!(
                "| `{}` | {} | {} |\n",
                field.name, field.kind, field.description
            ));
        }
    }
    for example in &spec.examples {
        page.push_str(&format!(
            "\n## Example: {}\n\n```yaml\n{}\n```\n",
            example.title,
            example.yaml.trim_end()
        ));
    }
    page
}

fn argument_row(argument: &ArgumentSpec, prefix: &str) -> String {
    let name = format!("{prefix}{}", argument.name);
    let required = if argument.required { " (required)" } else { "" };
    let default = argument
        .default
        .as_ref()
        .map(|value| format!("`{value}`"))
        .unwrap_or_default();
    let mut what = argument.description.clone();
    if !argument.choices.is_empty() {
        let choices: Vec<String> = argument.choices.iter().map(|c| format!("`{c}`")).collect();
        what.push_str(&format!(" One of {}.", choices.join(", ")));
    }
    if !argument.aliases.is_empty() {
        what.push_str(&format!(" Also called {}.", argument.aliases.join(", ")));
    }
    let what = what.replace('|', "\\|");
    let mut rows = format!(
        "| `{name}`{required} | {} | {default} | {what} |\n",
        kind(argument.kind)
    );
    for inner in &argument.suboptions {
        rows.push_str(&argument_row(inner, &format!("{name}.")));
    }
    rows
}

fn kind(kind: ArgumentType) -> &'static str {
    match kind {
        ArgumentType::String => "text",
        ArgumentType::Path => "path",
        ArgumentType::Boolean => "boolean",
        ArgumentType::Integer => "whole number",
        ArgumentType::Float => "number",
        ArgumentType::List => "list",
        ArgumentType::Dictionary => "mapping",
        ArgumentType::StringList => "list of texts",
        ArgumentType::Bytes => "size",
        ArgumentType::Mode => "permissions",
        ArgumentType::Raw => "anything",
        ArgumentType::Expression => "expression",
        ArgumentType::ExpressionList => "list of expressions",
    }
}
