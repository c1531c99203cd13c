//! The user's files, loaded: plugins first, for they bring modules and inventory forms.

use std::path::PathBuf;
use std::sync::Arc;

use sasrun_load::{
    Evaluate, EvaluationError, Loader, Need, SyntaxProblem, TemplateSyntax, VaultDecrypt,
};
use sasrun_model::{Diagnostic, Inventory, Name, Node, Playbook, Value, Variables};
use sasrun_report::{Mask, render_diagnostics};
use sasrun_template::{Binding, Scope, Templates, Truth, VariableScope};

use crate::args::SourceArguments;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::plugins::{self, Loaded};
use crate::scripts::Scripts;
use crate::{exit_code, output, settings, vault, world};

/// What every command that reads the user's files starts from.
pub(crate) struct Sources {
    pub loader: Arc<Loader>,
    pub vault: Arc<dyn VaultDecrypt>,
    pub loaded: Loaded,
    pub templates: Templates,
    pub mask: Mask,
    pub inventories: Vec<String>,
    /// Inventory scripts, and what they printed.
    pub scripts: Scripts,
}

/// Problems of the user's files were shown; the command ends with this code.
pub(crate) struct Refused(pub u8);

impl Sources {
    /// Starts the plugins and makes a loader that knows what they bring.
    pub(crate) fn open(arguments: &SourceArguments, playbooks: &[PathBuf]) -> anyhow::Result<Self> {
        let config = Config::load();
        let inventories = settings::inventories(arguments, &config);
        let keyring = vault::keyring(&arguments.vault, &config, vault::Purpose::Reading)?;
        let beside = settings::plugin_neighbours(playbooks, &inventories);
        let loaded = plugins::load(&plugins::folders(&arguments.plugins, &beside))?;
        let vault: Arc<dyn VaultDecrypt> = Arc::new(vault::Unsealing::new(keyring));
        let templates = Templates::new(
            world::controller(Arc::clone(&vault), config.clone()),
            loaded.extensions.clone(),
        )
        .taking_any_condition(
            config
                .flag(
                    "ANSIBLE_ALLOW_BROKEN_CONDITIONALS",
                    "defaults",
                    "allow_broken_conditionals",
                )
                .unwrap_or(false),
        );
        let scripts = Scripts::default();
        let loader = Loader::new(Arc::new(Catalogue(Arc::clone(&loaded.registry))))
            .with_settings(settings::loader_settings(arguments, &config))
            .with_vault(Arc::clone(&vault))
            .with_template_syntax(Arc::new(Syntax(templates.clone())))
            .with_evaluation(Arc::new(Evaluation(templates.clone())))
            .with_inventory_sources(Arc::clone(&loaded.sources) as _)
            .with_inventory_scripts(Arc::new(scripts.clone()));
        for error in &loaded.broken {
            output::error_line(&format!("sasrun: warning: a plugin is left out: {error}"));
        }
        Ok(Self {
            loader: Arc::new(loader),
            vault,
            loaded,
            templates,
            mask: Mask::default(),
            inventories,
            scripts,
        })
    }

    /// Loads the inventory and every playbook; shows all problems of all of them at once.
    pub(crate) fn load(
        &self,
        playbooks: &[PathBuf],
    ) -> Result<(Inventory, Vec<Playbook>), Refused> {
        let mut problems = Vec::new();
        let mut inventory = self
            .loader
            .load_inventory(&self.inventories)
            .unwrap_or_else(|found| {
                problems.extend(found);
                Inventory::default()
            });
        let mut loaded = Vec::new();
        for path in playbooks {
            match self.loader.load_playbook(path) {
                Ok(playbook) => loaded.push(playbook),
                Err(found) => problems.extend(found),
            }
            if let Err(found) = self
                .loader
                .add_variables_beside_playbook(&mut inventory, path)
            {
                problems.extend(found);
            }
        }
        self.show_warnings();
        self.learn_secrets();
        if problems.is_empty() {
            Ok((inventory, loaded))
        } else {
            Err(self.refuse(&problems))
        }
    }

    /// Lets the mask know what was encrypted in the files that were read.
    pub(crate) fn learn_secrets(&self) {
        for secret in self.loader.take_secrets() {
            self.mask.register(&secret);
        }
    }

    /// Hosts that a limit leaves.
    pub(crate) fn limit(
        &self,
        limit: Option<&str>,
        inventory: &Inventory,
    ) -> Result<Option<Vec<Name>>, Refused> {
        let is_empty = |text: &&str| text.split(',').all(|part| part.trim().is_empty());
        let Some(text) = limit.filter(|text| !is_empty(text)) else {
            return Ok(None);
        };
        let pattern = self.loader.load_limit(text);
        let selection = pattern
            .map_err(|problems| self.refuse(&problems))?
            .select(inventory);
        let problem = match selection.unmatched.first() {
            None => return Ok(Some(selection.hosts)),
            Some((part, Some(near))) => {
                format!("nothing is called \"{part}\"; did you mean \"{near}\"?")
            }
            Some((part, None)) => format!("nothing is called \"{part}\""),
        };
        output::error_line(&format!("sasrun: --limit {text}: {problem}"));
        Err(Refused(exit_code::INPUT))
    }

    /// Shows problems.
    pub(crate) fn refuse(&self, problems: &[Diagnostic]) -> Refused {
        let text = render_diagnostics(problems, output::error_style("auto"));
        output::error_line(&self.mask.apply(text.trim_end()));
        let count = problems.len();
        let plural = if count == 1 { "" } else { "s" };
        output::error_line(&format!(
            "\n{count} problem{plural}; nothing was contacted."
        ));
        Refused(exit_code::INPUT)
    }

    fn show_warnings(&self) {
        let warnings = self.loader.take_warnings();
        if !warnings.is_empty() {
            let text = render_diagnostics(&warnings, output::error_style("auto"));
            output::error_line(&self.mask.apply(text.trim_end()));
        }
    }
}

/// Checks templates where they are loaded.
struct Syntax(Templates);

impl TemplateSyntax for Syntax {
    fn check_template(&self, text: &str) -> Result<(), SyntaxProblem> {
        self.0.check_template(text).map_err(problem)
    }

    fn check_expression(&self, text: &str) -> Result<(), SyntaxProblem> {
        self.0.check_expression(text).map_err(problem)
    }

    fn needed_by_template(&self, text: &str) -> Vec<Need> {
        needs(self.0.needed_by_template(text))
    }

    fn needed_by_expression(&self, text: &str) -> Vec<Need> {
        needs(self.0.needed_by_expression(text))
    }

    fn lookups(&self) -> Vec<Name> {
        sasrun_template::lookup_names().map(Name::from).collect()
    }
}

/// Evaluates what inventories construct.
struct Evaluation(Templates);

impl Evaluate for Evaluation {
    fn expression(&self, text: &str, variables: &Variables) -> Result<Value, EvaluationError> {
        known(
            self.0
                .expression(text, &scope(variables))
                .map_err(evaluation)?,
        )
    }

    fn condition(&self, node: &Node, variables: &Variables) -> Result<bool, EvaluationError> {
        match self
            .0
            .condition(node, &scope(variables))
            .map_err(evaluation)?
        {
            Truth::True => Ok(true),
            Truth::False => Ok(false),
            Truth::CannotKnow(reason) => Err(EvaluationError {
                cause: reason.to_string(),
            }),
        }
    }

    fn template(&self, node: &Node, variables: &Variables) -> Result<Value, EvaluationError> {
        known(
            self.0
                .resolve(node, &scope(variables))
                .map_err(evaluation)?,
        )
    }
}

fn known(value: Value) -> Result<Value, EvaluationError> {
    match value.cannot_know() {
        Some(reason) => Err(EvaluationError {
            cause: reason.to_string(),
        }),
        None => Ok(value),
    }
}

fn evaluation(error: sasrun_template::TemplateError) -> EvaluationError {
    EvaluationError {
        cause: error.to_string(),
    }
}

fn scope(variables: &Variables) -> Arc<dyn Scope> {
    let bindings = variables
        .iter()
        .map(|(name, node)| (Arc::clone(name), Binding::Written(Arc::clone(node))));
    Arc::new(bindings.collect::<VariableScope>())
}

fn needs(needed: Vec<sasrun_template::Needed>) -> Vec<Need> {
    let need = |needed: sasrun_template::Needed| Need {
        name: needed.name,
        keys: needed.keys,
        line: needed.line,
        column: needed.column,
    };
    needed.into_iter().map(need).collect()
}

fn problem(problem: sasrun_template::SyntaxProblem) -> SyntaxProblem {
    SyntaxProblem {
        message: problem.message,
        line: problem.line,
        column: problem.column,
    }
}
