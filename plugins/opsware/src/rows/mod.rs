//! `opsware_response_rows`: judges the rows of the response file that a server can answer.
//!
//! What a row is compared with is data (`rows.json`). Only reads: the logons are `oracle_login`'s,
//! the connect names `oracle_names`'; [`table`] brings all of them together.

mod compare;
mod judge;
mod look;
mod rule;
mod site;
mod table;
mod take;
mod verdict;

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Example, Failure, Host, Module,
    ModuleResult, ModuleSpec, Outcome, Repetition, Returned,
};
use serde_json::Value;

use crate::response;
use judge::Judge;
use look::Look;
use rule::Row;
use site::Site;

pub(crate) use table::module as table_module;

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    use ArgumentType::{Boolean, Dictionary, Path, String};
    ModuleSpec {
        name: "opsware_response_rows".into(),
        summary: "Judges the parameters of a response file whose truth lies on this server.".into(),
        description: vec![
            "Each of the fifty parameters is compared with what the product's own files, users and directories on the server \
             say. A verdict is a result, not a failure. Values of secrets are never shown, not even in a reason."
                .into(),
            "Passwords of database accounts, connect names, and what only a person can see are answered `not_checked` here; \
             `opsware_response_table` takes them from elsewhere."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::required("path", Path, "The response file."),
            ArgumentSpec::required("mesh", Dictionary, "The mesh, as the inventory gives it."),
            ArgumentSpec::required("core", String, "Core whose file this is."),
            ArgumentSpec::optional("satellite", Boolean, "The file is that of a satellite of the core.").defaults_to(false),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        variables: vec!["components".into()],
        returns: vec![
            Returned::new("host", "str", "The server."),
            Returned::new("rows", "list", "By row: `id`, `verdict`, `finding`, `reason`."),
        ],
        examples: vec![Example {
            title: "What this server says of the response file".into(),
            yaml: "- opsware_response_rows:\n    path: \"{{ response.path }}\"\n    mesh: \"{{ mesh }}\"\n    core: \"{{ core \
                   }}\"\n  register: judged\n"
                .into(),
        }],
        ..ModuleSpec::default()
    }
}

/// The rows, which are part of this program.
fn rows() -> Result<Vec<Row>, Failure> {
    rule::all().map_err(|error| Failure::new(format!("the table of rows is damaged: {error}")))
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let mesh = arguments.dictionary("mesh").cloned().unwrap_or_default();
    let satellite = arguments.flag("satellite");
    let site = Site::read(&mesh, arguments.text_or_empty("core"), satellite)?;
    let carried: Vec<&str> = match call.variables.get("components").and_then(Value::as_array) {
        Some(ids) => ids.iter().filter_map(Value::as_str).collect(),
        // A satellite carries what a satellite can.
        None => vec!["gateway", "media", "boot"],
    };
    let all = rows()?;
    let has = |id: &str| site.has(id);
    let here: Vec<&Row> = all
        .iter()
        .filter(|row| carried.contains(&row.on.as_str()) && row.applies(site.target, &has))
        .collect();
    let file = response::read_on(&host, arguments.text_or_empty("path")).await?;
    let mut look = Look::at(&host, &here, &file).await?;
    let judge = |look: &Look| -> (std::collections::BTreeSet<String>, Vec<Value>) {
        let judge = Judge {
            file: &file,
            look,
            site: &site,
        };
        let shown = here.iter().map(|row| judge.row(row).shown(&row.id));
        (judge.names(&here), shown.collect())
    };
    let (names, mut shown) = judge(&look);
    if !names.is_empty() {
        look.resolve(&host, &names).await?;
        (_, shown) = judge(&look);
    }
    Ok(Outcome::unchanged()
        .with("host", call.host)
        .with("rows", shown))
}
