//! A plugin library for the tests: one module behaves, the others do what a plugin must not.

use std::time::Duration;

use sasrun_plugin::{
    Call, FunctionModule, Host, InventoryGroup, InventoryHost, InventoryRequest, InventoryResult,
    InventorySource, Library, ModuleResult, ModuleSpec, Outcome,
};

fn spec(name: &str) -> ModuleSpec {
    ModuleSpec {
        name: name.into(),
        ..ModuleSpec::default()
    }
}

async fn behaves(call: Call, host: Host) -> ModuleResult {
    let output = host.read_script("hostname").await?;
    Ok(Outcome::unchanged()
        .with("said", output.stdout)
        .with("host", call.host))
}

async fn panics(_: Call, host: Host) -> ModuleResult {
    host.read_script("true").await?;
    panic!("the module lost its nerve")
}

async fn hangs(_: Call, host: Host) -> ModuleResult {
    host.read_script("true").await?;
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

async fn aborts(_: Call, host: Host) -> ModuleResult {
    host.read_script("true").await?;
    std::process::abort()
}

#[expect(clippy::print_stdout, reason = "a plugin that prints must do no harm")]
async fn prints(_: Call, host: Host) -> ModuleResult {
    println!("this is not a message");
    host.read_script("true").await?;
    println!("nor is this");
    Ok(Outcome::changed())
}

struct Lines;

impl InventorySource for Lines {
    fn name(&self) -> &str {
        "lines"
    }

    fn read(&self, request: &InventoryRequest) -> InventoryResult {
        let mut result = InventoryResult::default();
        let mut all = InventoryGroup::default();
        for host in request
            .document
            .get("hosts")
            .map_or(&[][..], |hosts| hosts.elements())
        {
            let name = host.as_str().unwrap_or_default().to_owned();
            all.hosts.push(name.clone());
            result.hosts.insert(name, InventoryHost::default());
        }
        result.groups.insert("all".into(), all);
        result
    }
}

fn library() -> Library {
    Library::new("misbehaving", "1.0")
        .module(FunctionModule::boxed(spec("behaves"), behaves))
        .module(FunctionModule::boxed(spec("panics"), panics))
        .module(FunctionModule::boxed(spec("hangs"), hangs))
        .module(FunctionModule::boxed(spec("aborts"), aborts))
        .module(FunctionModule::boxed(spec("prints"), prints))
        .filter("shout", |value, _| {
            Ok(value.as_str().unwrap_or_default().to_uppercase().into())
        })
        .filter("boom", |_, _| panic!("the filter lost its nerve"))
        .filter("stuck", |_, _| {
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        })
        .test("loud", |value, _| {
            Ok(value
                .as_str()
                .is_some_and(|text| text.to_uppercase() == text))
        })
        .inventory_source(Box::new(Lines))
}

sasrun_plugin::export_plugin!(library);
