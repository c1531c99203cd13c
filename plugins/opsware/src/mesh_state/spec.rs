//! The description of `opsware_mesh_state`.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, CheckSupport, Example, ModuleSpec, Repetition, Returned,
};

/// Describes the module.
pub(super) fn spec() -> ModuleSpec {
    use ArgumentType::{Boolean, Float, Integer, Path, String, StringList};
    ModuleSpec {
        name: "opsware_mesh_state".into(),
        summary: "Waits until every transaction between the cores is black.".into(),
        description: vec![
            "Looks at the Mesh State page of the Data Access Engine until every entry is black in `polls` looks in a row. \
             A red entry is a conflict and ends the wait at once, and so does a refused certificate. A page that cannot be \
             fetched or understood, or that lacks a facility of the mesh, counts as not black."
                .into(),
            "Past `limit` the task fails and names the roads on which nothing moves.".into(),
        ],
        arguments: vec![
            ArgumentSpec::optional("url", String, "Address of the page as the server itself reaches it.")
                .defaults_to("https://spin:1004/mesh_state"),
            ArgumentSpec::optional("certificate", Path, "Client certificate on the server.")
                .defaults_to("/var/opt/opsware/crypto/spin/spin.srv"),
            ArgumentSpec::optional("client", Path, "The product's own client on the server.")
                .defaults_to("/opt/opsware/oi_util/curl/bin/curl"),
            ArgumentSpec::optional("facilities", StringList, "Short names of facilities that the page must have.")
                .defaults_to(serde_json::json!([])),
            ArgumentSpec::optional("polls", Integer, "Looks in a row that must be black.").defaults_to(3),
            ArgumentSpec::optional("interval", Float, "Seconds between two looks.").defaults_to(60),
            ArgumentSpec::optional("limit", Float, "Seconds to wait at most.").defaults_to(43200),
            ArgumentSpec::optional("timeout", Float, "Seconds that one look may take.").defaults_to(30),
            ArgumentSpec::optional(
                "traffic_begins",
                Boolean,
                "Whether this run makes the traffic that is waited for; then check mode cannot know when it is over.",
            )
            .defaults_to(false),
        ],
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Read,
        returns: vec![
            Returned::new("polls", "int", "Looks that were taken."),
            Returned::new("waited_s", "int", "Seconds that were waited."),
            Returned::new("entries", "list", "Entries of the last look: `from`, `to`, `count`, `colour`."),
            Returned::new("stuck", "list", "On failure: roads on which nothing moves."),
        ],
        examples: vec![Example {
            title: "Wait for black".into(),
            yaml: "- opsware_mesh_state:\n    facilities: [HAM, LIS]\n    polls: 3\n    interval: 60\n    limit: 43200\n".into(),
        }],
        ..ModuleSpec::default()
    }
}
