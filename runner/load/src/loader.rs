//! The loader: what it is given, and what it remembers between calls.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sasrun_model::{
    Diagnostic, FileId, Inventory, LayeredVariables, ModuleCatalogue, Node, NodeKind, Place,
    Playbook, Sources, Span, Strategy, Value, Variables,
};

use crate::files::ReadFile;
use crate::session::Session;
use crate::{
    Evaluate, HostPattern, InvalidGroupNames, InventoryScripts, InventorySources, TemplateSyntax,
    VaultDecrypt, VaultError,
};

/// Where things are looked for besides the playbook's own folder.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Folders of roles.
    pub roles_paths: Vec<PathBuf>,
    /// Folders that hold `ansible_collections/`.
    pub collections_paths: Vec<PathBuf>,
    /// Strategy of plays that name none.
    pub strategy: Strategy,
    /// What an inventory source that cannot be read means.
    pub unparsed: Unparsed,
    /// Whether variables of roles are seen by their own tasks alone; where that is not said, those
    /// of roles that are loaded before the run are seen by the whole play, and others are not.
    pub private_role_vars: Option<bool>,
    /// Whether a dictionary of a later inventory source is laid over that of an earlier one.
    pub merges_dictionaries: bool,
    /// What is done with names of groups that could not be names of variables.
    pub invalid_group_names: InvalidGroupNames,
}

/// What inventory sources that cannot be read mean, as Ansible's settings of that name have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unparsed {
    /// Any such source refuses the run (`inventory.any_unparsed_is_failed`).
    pub any_is_failed: bool,
    /// The run is refused when no source could be read (`inventory.unparsed_is_failed`). Where that
    /// is not said, it is when a source that was named is not there.
    pub all_is_failed: Option<bool>,
}

/// Reads the user's files. Its calls may come from several threads.
pub struct Loader {
    pub(crate) settings: Settings,
    pub(crate) catalogue: Arc<dyn ModuleCatalogue>,
    pub(crate) syntax: Option<Arc<dyn TemplateSyntax>>,
    pub(crate) evaluate: Option<Arc<dyn Evaluate>>,
    pub(crate) inventory_sources: Option<Arc<dyn InventorySources>>,
    pub(crate) inventory_scripts: Option<Arc<dyn InventoryScripts>>,
    pub(crate) vault: Option<Arc<dyn VaultDecrypt>>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sources: Sources,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) secrets: Vec<Arc<str>>,
    /// Extra variables, for inventories that look at them.
    pub(crate) extra: Variables,
    /// Files that were read, to be read again only when they changed.
    pub(crate) files: HashMap<PathBuf, Arc<ReadFile>>,
}

impl Loader {
    /// Makes a loader that knows the modules of a catalogue.
    pub fn new(catalogue: Arc<dyn ModuleCatalogue>) -> Self {
        Self {
            settings: Settings::default(),
            catalogue,
            syntax: None,
            evaluate: None,
            inventory_sources: None,
            inventory_scripts: None,
            vault: None,
            state: Mutex::default(),
        }
    }

    /// Sets where roles and collections are looked for.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets what checks the syntax of templates; without it they are not checked.
    #[must_use]
    pub fn with_template_syntax(mut self, syntax: Arc<dyn TemplateSyntax>) -> Self {
        self.syntax = Some(syntax);
        self
    }

    /// Sets what evaluates the expressions of inventories; without it such inventories are refused.
    #[must_use]
    pub fn with_evaluation(mut self, evaluate: Arc<dyn Evaluate>) -> Self {
        self.evaluate = Some(evaluate);
        self
    }

    /// Sets the inventory forms that plugins bring.
    #[must_use]
    pub fn with_inventory_sources(mut self, sources: Arc<dyn InventorySources>) -> Self {
        self.inventory_sources = Some(sources);
        self
    }

    /// Sets what runs inventory scripts; without it they are refused.
    #[must_use]
    pub fn with_inventory_scripts(mut self, scripts: Arc<dyn InventoryScripts>) -> Self {
        self.inventory_scripts = Some(scripts);
        self
    }

    /// Sets what opens encrypted values; without it they are refused.
    #[must_use]
    pub fn with_vault(mut self, vault: Arc<dyn VaultDecrypt>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Loads a playbook with all that it imports.
    ///
    /// # Errors
    /// Every problem of every file, with its place.
    pub fn load_playbook(&self, path: &Path) -> Result<Playbook, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let playbook = session.playbook(path);
        session.finish(playbook)
    }

    /// Loads a playbook from its text; `path` says where it would stand.
    ///
    /// # Errors
    /// Every problem of the text and of every file it names.
    pub fn load_playbook_text(&self, path: &Path, text: &str) -> Result<Playbook, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let playbook = session.playbook_of_text(path, text);
        session.finish(playbook)
    }

    /// Loads inventory sources: paths of files and folders, or hosts separated by commas.
    ///
    /// # Errors
    /// Every problem of every source.
    pub fn load_inventory<S: AsRef<str>>(
        &self,
        sources: &[S],
    ) -> Result<Inventory, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let inventory = session.inventory(sources);
        session.finish(inventory)
    }

    /// Adds the variables of `group_vars/` and `host_vars/` beside a playbook.
    ///
    /// # Errors
    /// Every problem of every file there.
    pub fn add_variables_beside_playbook(
        &self,
        inventory: &mut Inventory,
        playbook: &Path,
    ) -> Result<(), Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let directory = crate::files::directory_of(playbook);
        session.variables_beside_playbook(inventory, &directory);
        session.finish(())
    }

    /// Loads the variables of a group that the inventory does not have.
    ///
    /// # Errors
    /// Every problem of every file of that name.
    pub fn variables_of_group(
        &self,
        name: &str,
        inventory: &Inventory,
        playbook: &Path,
    ) -> Result<LayeredVariables, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let variables = session.variables_named("group_vars", name, inventory, playbook);
        session.finish(variables)
    }

    /// Loads the variables of a host that the inventory does not have.
    ///
    /// # Errors
    /// Every problem of every file of that name.
    pub fn variables_of_host(
        &self,
        name: &str,
        inventory: &Inventory,
        playbook: &Path,
    ) -> Result<LayeredVariables, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let variables = session.variables_named("host_vars", name, inventory, playbook);
        session.finish(variables)
    }

    /// Loads a file of variables.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn load_variables(&self, path: &Path) -> Result<Variables, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let variables = session.variables_file(path, Span::default());
        session.finish(variables.unwrap_or_default())
    }

    /// Reads extra variables as flags give them: `k=v` pairs, YAML or JSON in braces, `@file`.
    ///
    /// # Errors
    /// Every problem of every argument.
    pub fn load_extra_variables<S: AsRef<str>>(
        &self,
        arguments: &[S],
    ) -> Result<Variables, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let mut variables = Variables::new();
        for argument in arguments {
            session.extra_variables(argument.as_ref(), &mut variables);
        }
        self.state().extra.clone_from(&variables);
        session.finish(variables)
    }

    /// Parses a limit: host patterns, and files of them as `@file`.
    ///
    /// # Errors
    /// A pattern or file is wrong.
    pub fn load_limit(&self, text: &str) -> Result<HostPattern, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let pattern = session.limit(text);
        session.finish(pattern.unwrap_or_default())
    }

    /// Turns a span into a place that can be shown.
    pub fn place(&self, span: Span) -> Option<Place> {
        self.state().sources.place(span)
    }

    /// Every file that was read so far.
    pub fn sources(&self) -> Sources {
        self.state().sources.clone()
    }

    /// Takes the warnings of the calls so far.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.state().warnings)
    }

    /// Takes the texts that were encrypted in what was read since the last call: to be masked wherever they would be shown.
    pub fn take_secrets(&self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.state().secrets)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // What is kept is whole after each statement, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_source(&self, path: &Path, text: Arc<str>) -> FileId {
        self.state().sources.add(path, text)
    }

    /// Opens an encrypted text and remembers it as a secret.
    pub(crate) fn unseal(&self, envelope: &str) -> Result<String, VaultError> {
        let text = self.open(envelope)?;
        self.state().secrets.push(text.as_str().into());
        Ok(text)
    }

    /// Opens an encrypted text.
    pub(crate) fn open(&self, envelope: &str) -> Result<String, VaultError> {
        let Some(vault) = &self.vault else {
            return Err(VaultError::NoSecret);
        };
        let bytes = vault.decrypt(envelope)?;
        String::from_utf8(bytes).map_err(|_| VaultError::NotText)
    }

    /// Remembers all values of a file that was encrypted as a whole as secrets.
    pub(crate) fn hide(&self, documents: &[Node]) {
        let mut found = Vec::new();
        for document in documents {
            values_of(document, &mut found);
        }
        self.state().secrets.extend(found);
    }
}

/// Values that are shorter stand for too much besides what was encrypted: words as `tcp`, ports.
const SHORTEST_TEXT_CHARS: usize = 4;
const SHORTEST_NUMBER_CHARS: usize = 6;

fn values_of(node: &Node, found: &mut Vec<Arc<str>>) {
    let number = |text: String, found: &mut Vec<Arc<str>>| {
        if text.len() >= SHORTEST_NUMBER_CHARS {
            found.push(text.into());
        }
    };
    match &node.kind {
        NodeKind::Text(text) if !text.is_template => hide_text(&text.text, found),
        NodeKind::Data(Value::Text(text)) => hide_text(text, found),
        NodeKind::Int(value) => number(value.to_string(), found),
        NodeKind::Float(value) => number(value.to_string(), found),
        NodeKind::List(items) => items.iter().for_each(|item| values_of(item, found)),
        NodeKind::Map(entries) => {
            for entry in entries {
                values_of(&entry.value, found);
            }
        }
        _ => {}
    }
}

fn hide_text(text: &Arc<str>, found: &mut Vec<Arc<str>>) {
    if text.chars().count() >= SHORTEST_TEXT_CHARS {
        found.push(Arc::clone(text));
    }
}
