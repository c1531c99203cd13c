//! What a task asks of the installer, read from its arguments. Must not look at the host.

use std::collections::BTreeMap;
use std::time::Duration;

use sasrun_plugin::{Arguments, Command, Failure, Host, JobWish, Object};
use serde_json::Value;

use super::dialogue::{Goal, Interview};
use super::session::Manner;
use crate::component;
use crate::probe::{self, Versions};
use crate::release::Release;

/// What a task asks for, read from its arguments.
pub(super) struct Order {
    pub(super) medium: String,
    pub(super) response_file: String,
    components: Vec<String>,
    pub(super) target: Release,
    packages: Object,
    pub(super) limit: Duration,
    pub(super) question_wait: Duration,
    bare_label_is_truth: bool,
    gateway: Interview,
}

impl Order {
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let response_file = arguments.text_or_empty("response_file").to_owned();
        if !response_file.starts_with('/') {
            return Err(Failure::new(format!(
                "the installer wants the response file's full path, not `{response_file}`"
            )));
        }
        let components = arguments.strings("components");
        for id in &components {
            if component::find(id).is_none() {
                let known: Vec<&str> = component::CATALOG.iter().map(|known| known.id).collect();
                return Err(Failure::new(format!(
                    "unknown component `{id}`; {}",
                    crate::spelling::hint(id, &known)
                )));
            }
        }
        if arguments.text("role") == Some("destination")
            && components.iter().any(|id| id == "content")
        {
            return Err(Failure::new(
                "content is installed once per mesh, on the source core; on a destination core it is refused (TRAP-13)",
            ));
        }
        let target = arguments.text_or_empty("target");
        let Some(target) = Release::parse(target) else {
            return Err(Failure::new(format!(
                "`{target}` is no release of the product"
            )));
        };
        let seconds = |name: &str, usual: f64| {
            Duration::from_secs_f64(
                arguments
                    .number(name)
                    .unwrap_or(usual)
                    .clamp(0.1, 10_000_000.0),
            )
        };
        let limits = arguments.dictionary("limits");
        let own: f64 = components
            .iter()
            .filter_map(|id| limits?.get(id)?.as_f64())
            .sum();
        let limit = if own > 0.0 {
            Duration::from_secs_f64(own.min(10_000_000.0))
        } else {
            seconds("limit", 14_400.0)
        };
        Ok(Self {
            medium: arguments
                .text_or_empty("medium")
                .trim_end_matches('/')
                .to_owned(),
            response_file,
            components,
            target,
            packages: arguments
                .dictionary("packages")
                .cloned()
                .unwrap_or_default(),
            limit,
            question_wait: seconds("question_wait", 120.0),
            bare_label_is_truth: arguments.flag("bare_label_is_truth"),
            gateway: Interview {
                answers: gateway_answers(arguments),
                take_defaults: arguments.text("interview_defaults") == Some("accept"),
                ..Interview::default()
            },
        })
    }

    /// Shell text that asks for the versions of the components.
    pub(super) fn version_script(&self) -> String {
        probe::script(self.components.iter().map(String::as_str), &self.packages)
    }

    pub(super) fn versions(&self, output: &str) -> Versions {
        probe::read(
            output,
            self.components.iter().map(String::as_str),
            &self.packages,
        )
    }

    /// Components that are not at the target.
    pub(super) fn outstanding(&self, versions: &Versions) -> Vec<String> {
        let at_target = |id: &String| {
            versions
                .get(id)
                .is_some_and(|installed| installed.is(&self.target))
        };
        self.components
            .iter()
            .filter(|id| !at_target(id))
            .cloned()
            .collect()
    }

    /// The command of INST-1 and INST-2: from the root directory, with the full path.
    pub(super) fn command(&self, installer: &str) -> Command {
        Command {
            script: format!(
                "exec {} -r {}",
                Host::quote(installer),
                Host::quote(&self.response_file)
            ),
            directory: Some("/".to_owned()),
            // It goes on without its connection: a lost one must not end an upgrade half-way.
            job: JobWish::Always,
            ..Command::default()
        }
    }

    /// How to talk with the installer about these components.
    pub(super) fn manner(&self, wanted: &[String]) -> Manner {
        Manner {
            goal: Goal::Components {
                wanted: wanted.to_vec(),
                bare_label_is_truth: self.bare_label_is_truth,
                gateway: self.gateway.clone(),
            },
            limit: self.limit,
            question_wait: self.question_wait,
        }
    }
}

/// What the gateway's own installer is told, by parameter.
fn gateway_answers(arguments: &Arguments) -> BTreeMap<String, String> {
    let given = arguments.dictionary("gateway_answers");
    given
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Null => return None,
                other => other.to_string(),
            };
            Some((name.clone(), value))
        })
        .collect()
}
