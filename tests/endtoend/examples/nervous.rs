//! A plugin library whose module panics.

use sasrun_plugin::{Call, FunctionModule, Host, Library, ModuleResult, ModuleSpec};

fn library() -> Library {
    let spec = ModuleSpec {
        name: "nervous".into(),
        summary: "Panics.".into(),
        ..ModuleSpec::default()
    };
    Library::new("nervous", "1").module(FunctionModule::boxed(spec, nervous))
}

sasrun_plugin::export_plugin!(library);

async fn nervous(_: Call, _: Host) -> ModuleResult {
    panic!("the module lost its nerve")
}
