//! `opsware_capacity`: the load on the remaining cores while others are down (ROLL-0.4).
//!
//! Pure arithmetic over the inventory's figures, as the guide prints it: what the missing cores served is shared
//! evenly among the rest.

use std::collections::BTreeSet;

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Effect, Example, Failure, Host,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Repetition, Returned,
};
use serde_json::{Value, json};

/// From this factor on the table says so.
const NOTEWORTHY: f64 = 2.0;

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    use ArgumentType::{Boolean, Dictionary, Float, List};
    ModuleSpec {
        name: "opsware_capacity".into(),
        summary: "Computes the load on the remaining cores while others are down.".into(),
        description: vec![
            "Each wave is a list of cores that go down together. A remaining core then serves its own agents and an even \
             share of theirs; the factor is that number by its own. Real load need not spread evenly."
                .into(),
            "A factor above `limit`, or a number above a core's `capacity`, is a refusal, unless accepted. A wave that \
             leaves no core up is always refused."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::required("mesh", Dictionary, "The mesh, as the inventory gives it."),
            ArgumentSpec::required("waves", List, "Lists of the cores that go down together."),
            ArgumentSpec::optional("limit", Float, "Greatest factor that is taken without consent.").defaults_to(5),
            ArgumentSpec::optional("accepted", Boolean, "What is above the limits is accepted, and told.").defaults_to(false),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        controller_only: true,
        returns: vec![
            Returned::new("rows", "list", "By wave and remaining core: `down`, `core`, `own`, `new`, `factor`."),
            Returned::new("lines", "list", "The table for people."),
            Returned::new("refusals", "list", "Why the waves must not go down."),
        ],
        examples: vec![Example {
            title: "One core after the other".into(),
            yaml: "- opsware_capacity:\n    mesh: \"{{ mesh }}\"\n    waves: [[core_a], [core_b], [core_c]]\n  register: capacity\n"
                .into(),
        }],
        ..ModuleSpec::default()
    }
}

/// What a core serves.
#[derive(Debug, Clone, PartialEq)]
struct Load {
    core: String,
    agents: f64,
    capacity: Option<f64>,
}

/// A remaining core in one wave.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    core: String,
    own: f64,
    new: f64,
    /// None where the core has no agents of its own.
    factor: Option<f64>,
    capacity: Option<f64>,
}

/// Remaining cores of a wave with their new load.
fn wave(loads: &[Load], down: &[String]) -> Vec<Row> {
    let is_down = |load: &&Load| down.contains(&load.core);
    let moved: f64 = loads.iter().filter(is_down).map(|load| load.agents).sum();
    let rest: Vec<&Load> = loads.iter().filter(|load| !is_down(load)).collect();
    let share = moved / rest.len().max(1) as f64;
    rest.into_iter()
        .map(|load| {
            let new = load.agents + share;
            Row {
                core: load.core.clone(),
                own: load.agents,
                new,
                factor: (load.agents > 0.0).then(|| new / load.agents),
                capacity: load.capacity,
            }
        })
        .collect()
}

async fn run(call: Call, _host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let mesh = arguments.dictionary("mesh").cloned().unwrap_or_default();
    let loads = loads(&mesh);
    let limit = arguments.number("limit").unwrap_or(5.0);
    let (mut rows, mut lines, mut refusals) = (Vec::new(), Vec::new(), BTreeSet::new());
    for down in arguments.list("waves") {
        let down: Vec<String> = match down {
            Value::String(name) => vec![name.clone()],
            other => other
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
        };
        if let Some(unknown) = down
            .iter()
            .find(|name| loads.iter().all(|load| load.core != **name))
        {
            return Err(Failure::new(format!("the mesh has no core `{unknown}`")));
        }
        let remaining = wave(&loads, &down);
        let names = down.join(", ");
        if remaining.is_empty() {
            refusals.insert(format!("ROLL-0.4: with {names} down no core is left"));
        }
        for row in remaining {
            lines.push(line(&names, &row));
            if let Some(reason) = excess(&row, limit) {
                refusals.insert(format!("ROLL-0.4: with {names} down {reason}"));
            }
            rows.push(json!({"down": down, "core": row.core, "own": row.own, "new": row.new, "factor": row.factor}));
        }
    }
    let mut outcome = Outcome::unchanged().with("rows", rows).with("lines", lines);
    let mut left: Vec<String> = refusals.into_iter().collect();
    if arguments.flag("accepted") {
        let (final_ones, accepted) = left
            .into_iter()
            .partition(|reason| reason.ends_with("no core is left"));
        left = final_ones;
        let accepted: Vec<String> = accepted;
        outcome
            .effects
            .extend(accepted.into_iter().map(|sentence| Effect::Finding {
                id: "ROLL-0.4".into(),
                sentence: format!("{sentence}; accepted by name"),
            }));
    }
    Ok(outcome.with("refusals", left))
}

fn loads(mesh: &Object) -> Vec<Load> {
    let cores = mesh.get("cores").and_then(Value::as_object);
    let number = |core: &Value, key: &str| {
        core.get("facility")
            .and_then(|one| one.get(key))
            .and_then(Value::as_f64)
    };
    cores
        .into_iter()
        .flatten()
        .map(|(name, core)| Load {
            core: name.clone(),
            agents: number(core, "agents").unwrap_or(0.0),
            capacity: number(core, "capacity"),
        })
        .collect()
}

/// A number of agents for people: whole, with commas.
fn shown(number: f64) -> String {
    let digits = format!("{:.0}", number.round());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn line(down: &str, row: &Row) -> String {
    let factor = match row.factor {
        Some(factor) => format!("{factor:.1} times its own {}", shown(row.own)),
        None => "it has no agents of its own".to_owned(),
    };
    let mark = match row.factor {
        Some(factor) if factor >= NOTEWORTHY => ", noteworthy",
        _ => "",
    };
    format!(
        "{down} down: {} serves {} agents, {factor}{mark}",
        row.core,
        shown(row.new)
    )
}

fn excess(row: &Row, limit: f64) -> Option<String> {
    let reason = match (row.factor, row.capacity) {
        (_, Some(capacity)) if row.new > capacity => {
            format!(
                "{} would serve {} agents, more than its capacity of {}",
                row.core,
                shown(row.new),
                shown(capacity)
            )
        }
        (Some(factor), _) if factor > limit => format!(
            "{} would serve {} agents, {factor:.1} times its own, more than the limit of {limit}",
            row.core,
            shown(row.new)
        ),
        _ => return None,
    };
    Some(reason)
}

#[cfg(test)]
mod tests {
    use sasrun_plugin::rehearsal::{End, call, here, rehearse};

    use super::*;

    fn result(agents: [u64; 3], waves: Value, extra: Value) -> Object {
        let cores: Object = ["a", "b", "c"]
            .iter()
            .zip(agents)
            .map(|(name, agents)| ((*name).to_owned(), json!({"facility": {"agents": agents}})))
            .collect();
        let mut arguments = json!({"mesh": {"cores": cores}, "waves": waves});
        for (key, value) in extra.as_object().unwrap() {
            arguments[key] = value.clone();
        }
        match rehearse(module().as_ref(), call(arguments), here).end {
            End::Done(outcome) => outcome.result,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_guides_example_has_the_guides_figures() {
        let done = result([10_000, 500, 500], json!([["a"]]), json!({}));
        assert_eq!(
            done["lines"][0],
            "a down: b serves 5,500 agents, 11.0 times its own 500, noteworthy"
        );
        assert_eq!(done["refusals"].as_array().unwrap().len(), 2);
        let accepted = result(
            [10_000, 500, 500],
            json!([["a"]]),
            json!({"accepted": true}),
        );
        assert_eq!(accepted["refusals"], json!([]));
        let generous = result([10_000, 500, 500], json!([["a"]]), json!({"limit": 11}));
        assert_eq!(generous["refusals"], json!([]));
    }

    #[test]
    fn no_core_left_is_always_refused_and_no_own_agents_have_no_factor() {
        let all = result(
            [5, 5, 5],
            json!([["a", "b", "c"]]),
            json!({"accepted": true}),
        );
        assert_eq!(
            all["refusals"],
            json!(["ROLL-0.4: with a, b, c down no core is left"])
        );
        let none = result([100, 0, 0], json!(["a"]), json!({}));
        assert_eq!(none["rows"][0]["factor"], Value::Null);
        assert_eq!(none["refusals"], json!([]));
    }
}
