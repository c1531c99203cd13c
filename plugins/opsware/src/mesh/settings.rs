//! Media, policies, recorded answers of gates and the other settings of a mesh, with defaults.

use sasrun_plugin::{Marked, MarkedValue, Object};
use serde_json::{Value, json};

use super::document::Problems;
use crate::component::{CORE_IDS, UPLOAD_IDS};
use crate::spelling;

/// Media that a mesh may name.
const MEDIA: &[&str] = &["primary", "upload", "satellite", "satellite_osprov"];

/// Steps that only a person can take or see, by their ids.
const GATES: &[&str] = &[
    "PREP-ALL-7",
    "PREP-VP-1",
    "PREP-VP-2",
    "PREP-WIN-2",
    "STD-9",
    "TRAP-56",
    "MM-13",
    "MM-14",
    "ROLL-4",
    "FIX-152990.1",
    "FIX-152990.2",
    "FIX-152990.3",
    "FIX-153784.1",
];

/// Things that may be accepted by name.
const CONSENTS: &[&str] = &[
    "TRAP-12",
    "TRAP-29",
    "RESP-VERIFY",
    "MM-5.2",
    "PREP-WIN-2",
    "ROLL-0.4",
    "SAT-0",
];

/// Reads where the software lies.
pub(super) fn media(value: &Marked, problems: &mut Problems) -> Object {
    let mut media = Object::new();
    let fields = problems.fields(value, "`media`", MEDIA);
    for name in ["primary", "upload"] {
        fields.require(name, "`media`", problems);
    }
    for name in MEDIA {
        let Some(place) = fields.get(name) else {
            continue;
        };
        let what = format!("medium `{name}`");
        let fields = problems.fields(place, &what, &["kind", "source", "mount", "label"]);
        let kind = fields
            .require("kind", &what, problems)
            .and_then(|kind| problems.choice(kind, "`kind`", &["dvd", "image", "nfs", "bind"]));
        let source = fields
            .require("source", &what, problems)
            .and_then(|source| problems.text(source, "`source`"));
        let mount = fields
            .require("mount", &what, problems)
            .and_then(|mount| problems.path(mount, "`mount`"));
        let label = fields
            .get("label")
            .and_then(|label| problems.text(label, "`label`"));
        if let (Some(kind), Some(source), Some(place)) = (&kind, &source, fields.get("source")) {
            judge_source(kind, source, place, problems);
        }
        media.insert(
            (*name).to_owned(),
            json!({"kind": kind, "source": source, "mount": mount, "label": label}),
        );
    }
    media
}

fn judge_source(kind: &str, source: &str, place: &Marked, problems: &mut Problems) {
    match kind {
        "nfs" if !source.contains(":/") => {
            problems.hinted(
                place,
                format!("`{source}` is no NFS export"),
                "write it as SERVER:/PATH",
            );
        }
        "dvd" | "image" | "bind" if !source.starts_with('/') => {
            problems.hinted(
                place,
                format!("the source of a {kind} must be an absolute path, not `{source}`"),
                "begin it with `/`",
            );
        }
        _ => {}
    }
}

/// Reads what is special to the Global Shell's servers.
pub(super) fn ogfs(value: Option<&Marked>, problems: &mut Problems) -> Object {
    let mut ogfs = Object::new();
    ogfs.insert("locales".to_owned(), json!(["en_US.UTF-8"]));
    let Some(value) = value else { return ogfs };
    let fields = problems.fields(value, "`ogfs`", &["locales"]);
    if let Some(place) = fields.get("locales") {
        let locales = problems.words(place, "`locales`");
        ogfs.insert(
            "locales".to_owned(),
            super::words(locales.iter().map(|(locale, _)| locale.as_str())),
        );
    }
    ogfs
}

/// Reads the site's decisions; what is left out has the cautious default.
pub(super) fn policies(value: Option<&Marked>, problems: &mut Problems) -> Object {
    let mut policies = defaults();
    let Some(value) = value else { return policies };
    let known: Vec<String> = policies.keys().cloned().collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let fields = problems.fields(value, "`policies`", &known);
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            policies.insert(key.to_owned(), value);
        }
    };
    for (key, words) in [
        ("interview", ["simple", "advanced"]),
        ("destinations", ["serial", "parallel"]),
        ("interview_defaults", ["stop", "accept"]),
    ] {
        let place = fields.get(key);
        set(
            key,
            place
                .and_then(|place| problems.choice(place, &format!("`{key}`"), &words))
                .map(Value::from),
        );
    }
    for key in [
        "component_limit",
        "service_limit",
        "question_wait",
        "umount_limit",
        "mount_limit",
        "tunnel_limit",
        "spin_limit",
    ] {
        let place = fields.get(key);
        set(
            key,
            place
                .and_then(|place| problems.seconds(place, &format!("`{key}`")))
                .map(Value::from),
        );
    }
    if let Some(place) = fields.get("standalone_stage2") {
        set("standalone_stage2", wish(place, problems).map(Value::from));
    }
    if let Some(place) = fields.get("capacity_limit") {
        let limit = problems.integer(place, "`capacity_limit`", 1, 1000);
        set("capacity_limit", limit.map(Value::from));
    }
    if let Some(place) = fields.get("free_space_mb") {
        let space = problems.integer(place, "`free_space_mb`", 0, 10_000_000);
        set("free_space_mb", space.map(Value::from));
    }
    for key in ["isolate_secondaries", "remount_stale"] {
        if let Some(place) = fields.get(key) {
            let is_wanted = problems.boolean(place, &format!("`{key}`"));
            set(key, is_wanted.map(Value::from));
        }
    }
    if let Some(place) = fields.get("waves") {
        set("waves", Some(waves(place, problems)));
    }
    if let Some(place) = fields.get("mesh_state") {
        set("mesh_state", Some(mesh_state(place, problems)));
    }
    if let Some(place) = fields.get("component_limits") {
        set(
            "component_limits",
            Some(Value::Object(component_limits(place, problems))),
        );
    }
    if let Some(place) = fields.get("accept") {
        set("accept", Some(consents(place, problems)));
    }
    policies
}

fn defaults() -> Object {
    let defaults = json!({
        "interview": "simple",
        "destinations": "serial",
        "interview_defaults": "stop",
        "mesh_state": {"polls": 3, "interval": 60, "limit": 43200},
        "component_limit": 14400,
        "component_limits": {},
        "service_limit": 600,
        "question_wait": 120,
        "umount_limit": 60,
        "mount_limit": 60,
        "spin_limit": 3600,
        "free_space_mb": 1024,
        "remount_stale": false,
        "waves": [],
        "standalone_stage2": "ask",
        "capacity_limit": 5,
        "tunnel_limit": 300,
        "isolate_secondaries": false,
        "accept": [],
    });
    match defaults {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// Cores that go down together, wave by wave.
fn waves(place: &Marked, problems: &mut Problems) -> Value {
    let MarkedValue::List(elements) = &place.value else {
        problems.hinted(
            place,
            "`waves` is a list of waves, each a list of cores".to_owned(),
            "write it as [[core_a], [core_b, core_c]]",
        );
        return json!([]);
    };
    let waves = elements.iter().map(|wave| {
        let names = problems.words(wave, "a wave");
        super::words(names.iter().map(|(name, _)| name.as_str()))
    });
    Value::Array(waves.collect())
}

/// Yes, no or ask; a bare yes or no counts as the word.
fn wish(place: &Marked, problems: &mut Problems) -> Option<String> {
    let word = answer(place, problems)?;
    if ["yes", "no", "ask"].contains(&word.as_str()) {
        return Some(word);
    }
    problems.hinted(
        place,
        format!("`standalone_stage2` cannot be `{word}`"),
        "write yes, no or ask",
    );
    None
}

fn mesh_state(place: &Marked, problems: &mut Problems) -> Value {
    let fields = problems.fields(place, "`mesh_state`", &["polls", "interval", "limit"]);
    let polls = fields
        .get("polls")
        .and_then(|place| problems.integer(place, "`polls`", 1, 1000));
    let interval = fields
        .get("interval")
        .and_then(|place| problems.seconds(place, "`interval`"));
    let limit = fields
        .get("limit")
        .and_then(|place| problems.seconds(place, "`limit`"));
    json!({"polls": polls.unwrap_or(3), "interval": interval.unwrap_or(60.0), "limit": limit.unwrap_or(43_200.0)})
}

fn component_limits(place: &Marked, problems: &mut Problems) -> Object {
    let known: Vec<&str> = CORE_IDS.iter().chain(UPLOAD_IDS).copied().collect();
    let fields = problems.fields(place, "`component_limits`", &known);
    let mut limits = Object::new();
    for id in known {
        if let Some(seconds) = fields
            .get(id)
            .and_then(|place| problems.seconds(place, &format!("the limit of `{id}`")))
        {
            limits.insert(id.to_owned(), Value::from(seconds));
        }
    }
    limits
}

fn consents(place: &Marked, problems: &mut Problems) -> Value {
    let mut consents = Vec::new();
    for (id, element) in problems.words(place, "`accept`") {
        if CONSENTS.contains(&id.as_str()) || id.starts_with("RESP-") {
            consents.push(Value::from(id));
        } else {
            problems.hinted(
                element,
                format!("`{id}` is nothing that can be accepted by name"),
                spelling::hint(&id, CONSENTS),
            );
        }
    }
    Value::Array(consents)
}

/// Reads the recorded answers of manual gates.
pub(super) fn gates(value: &Marked, problems: &mut Problems) -> Object {
    let mut gates = Object::new();
    for (id, entry) in problems.entries(value, "`gates`") {
        if !GATES.contains(&id) && !id.starts_with("RESP-") {
            problems.hinted(
                &entry.key,
                format!("there is no gate `{id}`"),
                spelling::hint(id, GATES),
            );
            continue;
        }
        let mut gate = Object::new();
        if let MarkedValue::Map(_) = entry.value.value {
            let what = format!("gate `{id}`");
            let fields = problems.fields(&entry.value, &what, &["answer", "by", "note"]);
            if let Some(place) = fields.require("answer", &what, problems) {
                gate.insert(
                    "answer".to_owned(),
                    Value::from(answer(place, problems).unwrap_or_default()),
                );
            }
            for key in ["by", "note"] {
                if let Some(text) = fields
                    .get(key)
                    .and_then(|place| problems.text(place, &format!("`{key}`")))
                {
                    gate.insert(key.to_owned(), Value::from(text));
                }
            }
        } else {
            gate.insert(
                "answer".to_owned(),
                Value::from(answer(&entry.value, problems).unwrap_or_default()),
            );
        }
        gates.insert(id.to_owned(), Value::Object(gate));
    }
    gates
}

/// An answer is a word; a bare yes or no counts as one.
fn answer(place: &Marked, problems: &mut Problems) -> Option<String> {
    match place.value {
        MarkedValue::Bool(true) => Some("yes".to_owned()),
        MarkedValue::Bool(false) => Some("no".to_owned()),
        _ => problems.text(place, "the answer"),
    }
}

/// Reads which package stands for a component's version on this site.
pub(super) fn packages(value: &Marked, problems: &mut Problems) -> Object {
    let known: Vec<&str> = CORE_IDS.iter().chain(UPLOAD_IDS).copied().collect();
    let fields = problems.fields(value, "`packages`", &known);
    let mut packages = Object::new();
    for id in known {
        if let Some(name) = fields
            .get(id)
            .and_then(|place| problems.text(place, &format!("the package of `{id}`")))
        {
            packages.insert(id.to_owned(), Value::from(name));
        }
    }
    packages
}
