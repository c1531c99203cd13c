//! The smallest plugin that has one of everything: a module, a filter, a test and an inventory
//! source.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, Content, Diff, Example, FilterError,
    FunctionModule, Host, InventoryGroup, InventoryHost, InventoryProblem, InventoryRequest,
    InventoryResult, InventorySource, Library, ModuleResult, ModuleSpec, Object, Outcome, Returned,
    WriteFile,
};

fn library() -> Library {
    Library::new("hello", env!("CARGO_PKG_VERSION"))
        .module(FunctionModule::boxed(spec(), hello))
        .filter("shout", |value, arguments| {
            let text = value.as_str().ok_or_else(|| FilterError {
                message: format!("only text can be shouted, not {value}"),
            })?;
            let marks = arguments
                .first()
                .and_then(|mark| mark.as_str())
                .unwrap_or("!");
            Ok(format!("{}{marks}", text.to_uppercase()).into())
        })
        .test("greeting", |value, _| {
            Ok(value
                .as_str()
                .is_some_and(|text| text.starts_with("Hello, ")))
        })
        .inventory_source(Box::new(Greeted))
}

sasrun_plugin::export_plugin!(library);

/// Describes the module: its arguments are checked by this before it is called.
fn spec() -> ModuleSpec {
    ModuleSpec {
        name: "hello".into(),
        summary: "Writes a greeting into a file.".into(),
        arguments: vec![
            ArgumentSpec::required("path", ArgumentType::Path, "The file."),
            ArgumentSpec::optional("name", ArgumentType::String, "Whom to greet.")
                .defaults_to("world"),
        ],
        diff: true,
        returns: vec![Returned::new("greeting", "str", "The greeting.")],
        examples: vec![Example {
            title: "Greet somebody".into(),
            yaml: "- hello:\n    path: /tmp/greeting\n    name: you\n".into(),
        }],
        ..ModuleSpec::default()
    }
}

/// Carries the module out: look, say what will change, change it. In check mode the task ends with
/// the saying.
async fn hello(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let path = arguments.text_or_empty("path");
    let greeting = format!("Hello, {}", arguments.text_or_empty("name"));
    let quoted = Host::quote(path);
    let before = host
        .read_script(format!("cat {quoted} 2>/dev/null; exit 0"))
        .await?
        .stdout;
    let after = format!("{greeting}\n");
    if before == after {
        return Ok(Outcome::unchanged().with("greeting", greeting));
    }
    let mut known = Object::new();
    known.insert("greeting".into(), greeting.clone().into());
    let diff = Diff::text(path, before, after.as_str());
    host.will_change(format!("write {path}"), Some(diff), known)
        .await?;
    host.write(WriteFile {
        path: path.to_owned(),
        content: Content::Text(after),
        mode: Some(0o644),
        owner: None,
        group: None,
        backup: false,
        validate: None,
        unsafe_writes: false,
    })
    .await?;
    Ok(Outcome::changed().with("greeting", greeting))
}

/// Reads inventories of the form `{plugin: hello_hosts, greet: [NAME, …]}`.
struct Greeted;

impl InventorySource for Greeted {
    fn name(&self) -> &str {
        "hello_hosts"
    }

    fn read(&self, request: &InventoryRequest) -> InventoryResult {
        let mut result = InventoryResult::default();
        let mut greeted = InventoryGroup::default();
        let Some(names) = request.document.get("greet") else {
            let problem = InventoryProblem::at(&request.document, "the key `greet` is missing");
            result
                .problems
                .push(problem.hint("list the hosts: greet: [web1, web2]"));
            return result;
        };
        for name in names.elements() {
            match name.as_str() {
                Some(host) => {
                    greeted.hosts.push(host.to_owned());
                    result
                        .hosts
                        .insert(host.to_owned(), InventoryHost::default());
                }
                None => result
                    .problems
                    .push(InventoryProblem::at(name, "a host's name must be text")),
            }
        }
        result.groups.insert("greeted".into(), greeted);
        result
    }
}
