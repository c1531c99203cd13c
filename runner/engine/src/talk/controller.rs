//! Requests about the controller: files, templates, expressions, people.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sasrun_model::{Name, Node, Span, Value};
use sasrun_plugin::{Answer, ControllerRequest, Object, SearchIn};
use sasrun_template::{RenderOptions, Scope, TemplateError, Templates, Truth};

use super::{CANNOT_KNOW, Talking, refused};
use crate::seams::Within;

/// Variable of a template that holds the time of its rendering.
const RUN_DATE: &str = "template_run_date";

/// How the content of a vault begins.
const VAULT: &str = "$ANSIBLE_VAULT;";

impl Talking<'_> {
    pub(super) async fn controller(&mut self, request: ControllerRequest) -> Answer {
        match request {
            ControllerRequest::File {
                name,
                search,
                checksum,
                follow_links,
            } => {
                let files = &self.host_run.run.files;
                let checksum = checksum.as_deref();
                let found = files.find(&name, search, &self.within()).and_then(|path| {
                    if follow_links {
                        files.describe_through_links(&path, checksum)
                    } else {
                        files.describe(&path, checksum)
                    }
                });
                match found {
                    Ok(file) => Answer::ControllerFile { file },
                    Err(message) => refused("not_found", message),
                }
            }
            ControllerRequest::Open { path } => {
                let files = &self.host_run.run.files;
                match files.read_opened(std::path::Path::new(&path)) {
                    Ok(bytes) => Answer::Value {
                        value: STANDARD.encode(bytes).into(),
                    },
                    Err(message) => refused("other", message),
                }
            }
            ControllerRequest::RenderFile {
                name,
                options,
                variables,
            } => self.render_file(&name, &options, variables),
            ControllerRequest::Render { text } => {
                let scope: Arc<dyn Scope> = Arc::clone(&self.scope) as _;
                let node = sasrun_model::Node::text(self.host_run.task.span, text);
                value(self.host_run.templates().resolve(&node, &scope))
            }
            ControllerRequest::Evaluate { expression } => {
                let scope: Arc<dyn Scope> = Arc::clone(&self.scope) as _;
                value(evaluated(self.host_run.templates(), &expression, &scope))
            }
            ControllerRequest::LoadVariables { options } => self.load_variables(&options),
            ControllerRequest::Prompt {
                text,
                echo,
                timeout_ms,
            } => {
                let limit = timeout_ms.map(Duration::from_millis);
                let typed = self.host_run.run.console.ask(&text, echo, limit).await;
                Answer::Value {
                    value: typed.map_or(serde_json::Value::Null, Into::into),
                }
            }
            _ => refused("protocol", "this engine does not know the request"),
        }
    }

    pub(super) fn within(&self) -> Within {
        Within {
            roles: self.host_run.level.role_folders(),
            task_directory: self.host_run.task.directory.clone(),
            play_directory: self.host_run.play.play.directory.clone(),
        }
    }

    fn render_file(&self, name: &str, options: &Object, variables: Object) -> Answer {
        let files = &self.host_run.run.files;
        let path = match files.find(name, SearchIn::Templates, &self.within()) {
            Ok(path) => path,
            Err(message) => return refused("not_found", message),
        };
        let text = match files.read_text(&path) {
            Ok(text) if text.starts_with(VAULT) => match self.opened(&path) {
                Ok(text) => text,
                Err(error) => return refused("template", error.to_string()),
            },
            Ok(text) => text,
            Err(message) => return refused("not_found", message),
        };
        let locals = variables
            .into_iter()
            .map(|(name, value)| (Name::from(name), value.into()));
        let mtime = files.describe(&path, None).map_or(0.0, |file| file.mtime);
        let controller = &self.host_run.run.options.controller_name;
        let owner = files.owner_of(&path).unwrap_or_default();
        let of_template = of_template(&path, controller, &owner, mtime);
        let date = text
            .contains(RUN_DATE)
            .then(|| (Name::from(RUN_DATE), self.now().unwrap_or_default()));
        let scope: Arc<dyn Scope> =
            Arc::new(self.scope.with(locals.chain(of_template).chain(date)));
        let options = render_options(&path, options);
        match self.host_run.templates().render(&text, &scope, &options) {
            Ok(text) => Answer::Value { value: text.into() },
            Err(error) => refused("template", format!("{}: {error}", path.display())),
        }
    }

    /// The time, as a text of the controller's.
    fn now(&self) -> Option<Value> {
        let scope: Arc<dyn Scope> = Arc::clone(&self.scope) as _;
        let templates = self.host_run.templates();
        templates.expression("now() | string", &scope).ok()
    }

    /// Reads a file that is in a vault.
    fn opened(&self, path: &std::path::Path) -> Result<String, TemplateError> {
        let name = serde_json::Value::from(path.display().to_string());
        let expression = format!("lookup('ansible.builtin.unvault', {name}, rstrip=false)");
        let scope: Arc<dyn Scope> = Arc::clone(&self.scope) as _;
        let text = self.host_run.templates().expression(&expression, &scope)?;
        Ok(text.as_str().map(str::to_owned).unwrap_or_default())
    }
}

/// How a template file is read, from the arguments of the module.
fn render_options(path: &std::path::Path, given: &Object) -> RenderOptions {
    let text = |key: &str| {
        given
            .get(key)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    };
    let flag = |key: &str| given.get(key).and_then(serde_json::Value::as_bool);
    let default = RenderOptions::default();
    RenderOptions {
        name: Some(path.display().to_string().into()),
        trim_blocks: flag("trim_blocks").unwrap_or(default.trim_blocks),
        lstrip_blocks: flag("lstrip_blocks").unwrap_or(default.lstrip_blocks),
        newline_sequence: text("newline_sequence").unwrap_or(default.newline_sequence),
        block_start: text("block_start_string").unwrap_or(default.block_start),
        block_end: text("block_end_string").unwrap_or(default.block_end),
        variable_start: text("variable_start_string").unwrap_or(default.variable_start),
        variable_end: text("variable_end_string").unwrap_or(default.variable_end),
        comment_start: text("comment_start_string").unwrap_or(default.comment_start),
        comment_end: text("comment_end_string").unwrap_or(default.comment_end),
        search_path: path
            .parent()
            .map(|p| p.display().to_string())
            .into_iter()
            .collect(),
    }
}

/// Variables that a template sees of itself.
fn of_template(path: &std::path::Path, host: &str, owner: &str, mtime: f64) -> [(Name, Value); 6] {
    let shown = Value::from(path.display().to_string());
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    [
        ("template_host".into(), host.into()),
        ("template_uid".into(), owner.into()),
        ("template_path".into(), shown.clone()),
        ("template_mtime".into(), Value::Float(mtime)),
        ("template_fullpath".into(), shown),
        ("template_name".into(), name.into()),
    ]
}

fn value(result: Result<Value, TemplateError>) -> Answer {
    match result {
        Ok(value) => match value.cannot_know() {
            Some(reason) => cannot_know(reason),
            None => Answer::Value {
                value: (&value).into(),
            },
        },
        Err(error) => match error.cannot_know() {
            Some(reason) => cannot_know(reason),
            None if error.is_undefined() => refused("undefined", error.to_string()),
            None => refused("template", error.to_string()),
        },
    }
}

fn cannot_know(reason: &str) -> Answer {
    refused(CANNOT_KNOW, reason)
}

/// Whether a text only names a variable or a part of one.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.[]'".contains(c))
}

/// The value of an expression. One that stands in template marks as a whole is what its value says,
/// where the user wrote that.
fn evaluated(
    templates: &Templates,
    text: &str,
    scope: &Arc<dyn Scope>,
) -> Result<Value, TemplateError> {
    let trimmed = text.trim();
    if !(trimmed.starts_with("{{") && trimmed.ends_with("}}")) {
        return templates.expression(text, scope);
    }
    let node = Node::text(Span::default(), text);
    match templates.condition(&node, scope) {
        Ok(Truth::True) => Ok(Value::Bool(true)),
        Ok(Truth::False) => Ok(Value::Bool(false)),
        Ok(Truth::CannotKnow(reason)) => Ok(Value::CannotKnow(reason)),
        // Text that is no expression of the user's own is not taken for a truth.
        Err(error) => match templates.resolve(&node, scope)? {
            // The name of a variable, as `var: "{{ item }}"` gives it, does nothing but name it.
            Value::Text(text) if is_name(&text) => templates.expression(&text, scope),
            Value::Text(_) => Err(error),
            value => Ok(value),
        },
    }
}
