//! The lookup `config`: settings by Ansible's names, with the values that hold.

mod settings;

use super::LookupCall;
use crate::values::{Eval, Val};
use settings::{Kind, Setting};

pub(super) fn config(call: &LookupCall<'_>) -> Eval<Vec<Val>> {
    let missing = call.option_text("on_missing", "error")?;
    if !matches!(missing.as_str(), "error" | "skip" | "warn") {
        return Err(call.fail(format!(
            "Invalid value '{missing}' for 'on_missing': it is one of error, skip, warn"
        )));
    }
    let of_plugin = match (call.option("plugin_type"), call.option("plugin_name")) {
        (Some(kind), Some(name)) => {
            let session = call.session();
            Some((session.text_of(kind)?, session.text_of(name)?))
        }
        (None, None) => None,
        _ => {
            return Err(call.fail(
                "Both plugin_type and plugin_name are required, cannot use one without the other.",
            ));
        }
    };
    let shows_origin = call.option_flag("show_origin", false)?;
    let mut found = Vec::new();
    for term in call.terms_apart()? {
        let Val::Text(name) = &term else {
            return Err(call.fail(format!(
                "Invalid setting identifier, {} is not text but {}",
                call.session().text_of(&term)?,
                term.type_name()
            )));
        };
        let setting = match &of_plugin {
            None => settings::of_core(name),
            Some((kind, plugin)) => {
                let short = plugin.rsplit('.').next().unwrap_or_default();
                let is_lookup = kind == "lookup" && super::find(plugin).is_some();
                if !is_lookup && !settings::is_plugin(kind, short) {
                    return Err(call.fail(format!("Unable to load {kind} plugin '{plugin}'.")));
                }
                settings::of_plugin(kind, short, name)
            }
        };
        match (setting, call.option("default")) {
            (Some(setting), _) => {
                let (value, origin) = value(call, &setting)?;
                found.push(match shows_origin {
                    true => Val::list(vec![value, Val::from(origin)]),
                    false => value,
                });
            }
            (None, Some(default)) => found.push(default.clone()),
            (None, None) if missing == "error" => {
                let whose = of_plugin
                    .as_ref()
                    .map(|(kind, plugin)| format!(" for '{plugin}' {kind} plugin"))
                    .unwrap_or_default();
                return Err(call.fail(format!("No config definition exists for '{name}'{whose}.")));
            }
            (None, None) => {}
        }
    }
    Ok(found)
}

/// The value that holds, and where it comes from: variables, then the environment, then
/// `ansible.cfg`, where the last name of each that is set wins; else the default.
fn value(call: &LookupCall<'_>, setting: &Setting) -> Eval<(Val, String)> {
    for name in setting.variables.iter().rev() {
        match call.env.variable(&name.as_str().into())? {
            Val::Undefined(_) | Val::Null => {}
            Val::Text(text) => {
                return Ok((setting.kind.value(call, &text), format!("var: {name}")));
            }
            value => return Ok((value, format!("var: {name}"))),
        }
    }
    let world = call.session().world();
    for name in setting.environment.iter().rev() {
        if let Some(text) = world.env(name).filter(|text| !text.is_empty()) {
            return Ok((setting.kind.value(call, &text), format!("env: {name}")));
        }
    }
    for (section, key) in setting.places.iter().rev() {
        // No variable of the environment has this name: only the file is asked.
        if let Some(text) = world.setting("", section, key) {
            return Ok((setting.kind.value(call, &text), "ansible.cfg".to_owned()));
        }
    }
    let default = setting.default.as_deref();
    let value = default.map_or(Val::Null, |text| setting.kind.value(call, text));
    Ok((value, "default".to_owned()))
}

impl Kind {
    /// A setting from the text that sets it; text of another kind stays text.
    fn value(self, call: &LookupCall<'_>, text: &str) -> Val {
        let home = |path: &str| Val::from(call.env.expand_home(path));
        let listed = |sign: char, item: &dyn Fn(&str) -> Val| {
            let items = text.split(sign).map(str::trim);
            Val::list(items.filter(|text| !text.is_empty()).map(item).collect())
        };
        match self {
            Kind::Text => Val::from(text),
            Kind::Flag => sasrun_model::Value::from(text)
                .to_boolean()
                .map_or_else(|| Val::from(text), Val::Bool),
            Kind::Number => text
                .trim()
                .parse()
                .map_or_else(|_| Val::from(text), Val::Int),
            Kind::Path => home(text),
            Kind::Paths => listed(':', &home),
            Kind::PathList => listed(',', &home),
            Kind::List => listed(',', &|item| Val::from(item)),
        }
    }
}
