//! The description of `opsware_installer`.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, CheckSupport, Example, ModuleSpec, Repetition, Returned,
};
use serde_json::json;

/// Describes the module.
pub(super) fn spec() -> ModuleSpec {
    ModuleSpec {
        name: "opsware_installer".into(),
        summary: "Drives the interactive installer: upgrades components, or holds its interview.".into(),
        description: vec![
            "Answers the installer on a terminal, by the words of its questions. Items of the component menu are found by \
             label, and `c` is pressed only when the marks that were read are the marks wanted. A question that is not \
             known is never answered: after `question_wait` the installer is interrupted and the task fails with the \
             transcript."
                .into(),
            "Components that are at the target release already are left out; if none is left, the installer is not \
             started at all. Whether an upgrade succeeded is decided by the installer's words, its status and the \
             versions afterwards: all three must be good."
                .into(),
            "In check mode the versions decide: what is at the target is unchanged, anything else would change.".into(),
        ],
        arguments: arguments(),
        check_mode: CheckSupport::Full,
        diff: true,
        repetition: Repetition::Once,
        jobs_only: true,
        required_if: vec![
            ("action".into(), json!("upgrade"), vec!["components".into()]),
            ("action".into(), json!("interview"), vec!["type".into()]),
        ],
        returns: vec![
            Returned::new("components", "list", "Components that were upgraded."),
            Returned::new("versions", "dict", "Versions by component at the end."),
            Returned::new("response_file", "str", "Path of the response file that the interview saved."),
            Returned::new("defaults_taken", "list", "Parameters for which the installer's default was taken."),
            Returned::new("findings", "list", "What is worth reporting besides."),
            Returned::new("communication_timeout", "bool", "On failure: whether communication took too long."),
            Returned::new("conflicts_in", "str", "On failure: database in which the installer found conflicts."),
            Returned::new("transcript", "str", "What the terminal showed, secrets left out."),
        ],
        examples: vec![
            Example {
                title: "Upgrade one component".into(),
                yaml: "- opsware_installer:\n    medium: /mnt/primary\n    response_file: \"{{ response.path }}\"\n    \
                       components: [spin]\n"
                    .into(),
            },
            Example {
                title: "Hold the interview of the source core".into(),
                yaml: "- opsware_installer:\n    action: interview\n    type: first_core\n    medium: /mnt/primary\n    \
                       response_file: \"{{ response.path }}\"\n  register: interview\n"
                    .into(),
            },
        ],
        ..ModuleSpec::default()
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    use ArgumentType::{Boolean, Dictionary, Float, Path, String, StringList};
    vec![
        ArgumentSpec::optional("action", String, "Whether components are upgraded or the interview is held.")
            .choices(&["upgrade", "interview"])
            .defaults_to("upgrade"),
        ArgumentSpec::required("medium", Path, "Where the medium with the installer is mounted."),
        ArgumentSpec::required("response_file", String, "Absolute path of the response file on the host."),
        ArgumentSpec::optional(
            "components",
            StringList,
            "Canonical ids of the components to be marked, `content` and `stage2` among them.",
        ),
        ArgumentSpec::optional("type", String, "Kind of installation that the interview is for.")
            .choices(&["standalone", "first_core", "additional_core", "satellite"]),
        ArgumentSpec::optional("interview", String, "Length of the interview.")
            .choices(&["simple", "advanced"])
            .defaults_to("simple"),
        ArgumentSpec::optional(
            "interview_defaults",
            String,
            "Whether the installer's default is taken for a parameter that the response file does not give.",
        )
        .choices(&["stop", "accept"])
        .defaults_to("stop"),
        ArgumentSpec::optional(
            "gateway_answers",
            Dictionary,
            "What the gateway's own installer is told on a satellite, by parameter. For what is not given \
             `interview_defaults` decides.",
        )
        .defaults_to(json!({})),
        ArgumentSpec::optional("role", String, "Role of the core; content is never installed on a destination.")
            .choices(&["source", "destination", "standalone"]),
        ArgumentSpec::optional(
            "bare_label_is_truth",
            Boolean,
            "Takes the label `Model Repository Multimaster Component`, without the word vault, as the database if the menu \
             has no line for it.",
        )
        .defaults_to(false),
        ArgumentSpec::optional("target", String, "Release that the upgrade leads to.").defaults_to("6.61"),
        ArgumentSpec::optional("packages", Dictionary, "Package that stands for a component's version, by id.")
            .defaults_to(json!({})),
        ArgumentSpec::optional("limit", Float, "Seconds that the whole run may take.").defaults_to(14400),
        ArgumentSpec::optional(
            "limits",
            Dictionary,
            "Seconds by component, where `limit` is not right; of several the sum.",
        )
        .defaults_to(json!({})),
        ArgumentSpec::optional("question_wait", Float, "Seconds that an unknown question is left alone.").defaults_to(120),
    ]
}
