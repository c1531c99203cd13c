//! The inventory source `opsware_mesh`: a site's description of its mesh becomes groups and
//! variables.
//!
//! Pure: reads a parsed document, reports every problem of it at its place, contacts nothing.

mod cores;
mod document;
mod groups;
mod settings;
mod waves;

use indexmap::IndexMap;
use sasrun_plugin::{InventoryRequest, InventoryResult, InventorySource, Marked, Object};
use serde_json::Value;

use crate::release::{Release, TARGET};
use document::Problems;

/// Keys at the top of a document.
const KEYS: &[&str] = &[
    "plugin",
    "mesh",
    "version",
    "vars",
    "cores",
    "satellites",
    "media",
    "ogfs",
    "policies",
    "gates",
    "packages",
];

/// A mesh as its document describes it.
#[derive(Default)]
struct Mesh {
    name: String,
    from: String,
    to: String,
    /// Whether the release changes the schema; none if the inventory does not say.
    schema_change: Option<bool>,
    vars: Object,
    cores: IndexMap<String, Core>,
    satellites: IndexMap<String, Satellite>,
    media: Object,
    ogfs: Object,
    policies: Object,
    /// Cores that go down together in a rolling upgrade, in order.
    waves: Vec<Vec<String>>,
    gates: Object,
    /// Package that stands for a component's version, where a site's differs from the usual one.
    packages: Object,
}

/// One core.
struct Core {
    source: bool,
    facility: Facility,
    vars: Object,
    /// Response file that wins over discovery.
    response_file: Option<String>,
    hosts: IndexMap<String, Server>,
}

/// The facility of a core.
struct Facility {
    id: i64,
    name: String,
    agents: i64,
    /// Agents that it can serve at most, where the site knows it.
    capacity: Option<i64>,
}

/// One server of a core.
struct Server {
    address: String,
    components: Vec<String>,
    vars: Object,
}

/// One satellite.
struct Satellite {
    address: String,
    core: String,
    os_provisioning: bool,
    vars: Object,
}

impl Satellite {
    /// What it carries, in the order of its upgrade: the boot server before the media server.
    fn components(&self) -> &'static [&'static str] {
        match self.os_provisioning {
            true => &["sat_gateway", "wordcache", "boot", "media"],
            false => &["sat_gateway", "wordcache"],
        }
    }
}

/// The source of inventories that begin `plugin: opsware_mesh`.
pub(crate) struct MeshSource;

impl InventorySource for MeshSource {
    fn name(&self) -> &str {
        "opsware_mesh"
    }

    fn read(&self, request: &InventoryRequest) -> InventoryResult {
        let mut problems = Problems::default();
        let mesh = read(&request.document, &mut problems);
        if problems.0.is_empty() {
            return groups::lay_out(&mesh);
        }
        problems
            .0
            .sort_by_key(|problem| (problem.line, problem.column));
        InventoryResult {
            problems: problems.0,
            ..InventoryResult::default()
        }
    }
}

/// Reads a whole document.
fn read(document: &Marked, problems: &mut Problems) -> Mesh {
    let top = problems.fields(document, "the mesh", KEYS);
    let mut mesh = Mesh::default();
    if let Some(name) = top.require("mesh", "the mesh", problems) {
        mesh.name = problems
            .text(name, "the name of the mesh")
            .unwrap_or_default();
    }
    if let Some(version) = top.require("version", "the mesh", problems) {
        read_version(version, &mut mesh, problems);
    }
    if let Some(vars) = top.get("vars") {
        mesh.vars = variables(vars, "`vars`", problems);
    }
    if let Some(value) = top.require("cores", "the mesh", problems) {
        mesh.cores = cores::read(value, problems);
    }
    if let Some(value) = top.get("satellites") {
        mesh.satellites = cores::read_satellites(value, &mesh.cores, problems);
    }
    cores::judge_addresses(&top, problems);
    if let Some(value) = top.require("media", "the mesh", problems) {
        mesh.media = settings::media(value, problems);
    }
    mesh.ogfs = settings::ogfs(top.get("ogfs"), problems);
    mesh.policies = settings::policies(top.get("policies"), problems);
    mesh.waves = waves::resolve(&mesh, top.get("policies"), problems);
    if let Some(value) = top.get("gates") {
        mesh.gates = settings::gates(value, problems);
    }
    if let Some(value) = top.get("packages") {
        mesh.packages = settings::packages(value, problems);
    }
    mesh
}

/// Reads where the mesh stands and where it shall go.
fn read_version(value: &Marked, mesh: &mut Mesh, problems: &mut Problems) {
    let fields = problems.fields(value, "`version`", &["from", "to", "schema_change"]);
    mesh.schema_change = fields
        .get("schema_change")
        .and_then(|place| problems.boolean(place, "`schema_change`"));
    if let Some(place) = fields.require("from", "`version`", problems)
        && let Some(release) = release(place, "`from`", problems)
    {
        if release.is_supported_start() {
            mesh.from = release.name().to_owned();
        } else {
            problems.hinted(
                place,
                format!("there is no upgrade from {release} to {TARGET}"),
                "start from 6.5.1.x or 6.6",
            );
        }
    }
    if let Some(place) = fields.require("to", "`version`", problems)
        && let Some(release) = release(place, "`to`", problems)
    {
        if release.name() == TARGET {
            mesh.to = TARGET.to_owned();
        } else {
            problems.hinted(
                place,
                format!("the procedures here lead to {TARGET}, not to {release}"),
                format!("write \"{TARGET}\""),
            );
        }
    }
}

/// Reads a release.
fn release(place: &Marked, what: &str, problems: &mut Problems) -> Option<Release> {
    let text = problems.text(place, what)?;
    let release = Release::parse(&text);
    if release.is_none() {
        problems.hinted(
            place,
            format!("{what} is no release of the product: `{text}`"),
            "write it as \"6.5.1.x\", \"6.6\" or \"6.61\"",
        );
    }
    release
}

/// Reads a mapping of variables; what is in them is the site's business.
fn variables(value: &Marked, what: &str, problems: &mut Problems) -> Object {
    let mut variables = Object::new();
    for (name, entry) in problems.entries(value, what) {
        if is_identifier(name) {
            variables.insert(name.to_owned(), entry.value.to_value());
        } else {
            problems.hinted(
                &entry.key,
                format!("`{name}` is no name of a variable"),
                "use letters, digits and `_`, not a digit first",
            );
        }
    }
    variables
}

/// Tells whether a text can name a variable or a group.
fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Mesh {
    /// Name of the source core; empty while the document is not right yet.
    fn source_core(&self) -> &str {
        self.cores
            .iter()
            .find(|(_, core)| core.source)
            .map_or("", |(name, _)| name.as_str())
    }
}

/// Makes a JSON list of words.
fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    words.into_iter().map(Value::from).collect()
}

#[cfg(test)]
mod tests;
