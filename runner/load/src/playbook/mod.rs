//! Playbooks and roles to plays, blocks and tasks.

mod action;
mod arguments;
mod conditions;
mod elsewhere;
mod handlers;
mod include;
mod keywords;
mod loops;
mod parallel;
mod play;
mod plays;
mod reached;
mod request;
mod role;
mod role_check;
mod role_entry;
mod role_files;
mod role_scope;
mod steps;
mod task;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sasrun_model::{Diagnostic, Name, Playbook, Role, Step, Variables};

pub(crate) use keywords::may_be_true;
pub use request::{IncludeContext, LoadedRole, LoadedSteps, RoleRequest};

use crate::files::directory_of;
use crate::loader::Loader;
use crate::session::Session;

/// Reads plays and their steps into a session.
pub(crate) struct Reader<'s, 'l> {
    pub(crate) session: &'s mut Session<'l>,
    /// Folder of the playbook that is read, which may be an imported one.
    pub(crate) playbook_directory: PathBuf,
    /// Folder of the playbook that was asked for.
    pub(crate) root_directory: PathBuf,
    /// Variables that the play being read sets itself.
    pub(crate) play_variables: Variables,
    /// What the play that is being read gathers on the way.
    pub(crate) gathered: Gathered,
    /// Files that are being imported, outermost first.
    pub(crate) open_files: Vec<PathBuf>,
    /// Roles that are being loaded, outermost first.
    pub(crate) open_roles: Vec<Name>,
    /// Files that were looked through for a dynamic include.
    pub(crate) looked_through: HashSet<PathBuf>,
}

/// What is found inside a play and belongs to the whole of it.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Handlers of roles that tasks import.
    pub(crate) imported_handlers: Vec<Step>,
    /// Handlers that are notified by name.
    pub(crate) notified: Vec<sasrun_model::Node>,
    /// Whether something loads steps at run time, which may bring handlers.
    pub(crate) has_includes: bool,
    /// Uses of roles that may run once only.
    pub(crate) used_roles: HashSet<String>,
}

/// Where a list of steps stands.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    /// Path of identity.
    pub(crate) path: String,
    /// Folder of the file.
    pub(crate) directory: PathBuf,
    /// The role that the file belongs to.
    pub(crate) role: Option<Arc<Role>>,
    /// Whether a failure here is caught or ignored.
    pub(crate) catches: bool,
    /// Whether the steps are handlers.
    pub(crate) is_handler: bool,
    /// Whether a condition stands around the steps.
    pub(crate) is_conditional: bool,
    /// Whether `module_defaults` may give arguments that are not written.
    pub(crate) has_defaults: bool,
    /// Collections to look for modules in.
    pub(crate) collections: Vec<Name>,
}

impl Around {
    /// The same, one level further in.
    pub(crate) fn inside(&self, part: &str) -> Self {
        Self {
            path: format!("{}/{part}", self.path),
            ..self.clone()
        }
    }
}

impl<'s, 'l> Reader<'s, 'l> {
    /// A reader of what is included at a place.
    fn at(session: &'s mut Session<'l>, context: &IncludeContext) -> Self {
        Self {
            root_directory: context.root_directory.clone(),
            ..Self::new(session, context.playbook_directory.clone())
        }
    }

    pub(crate) fn new(session: &'s mut Session<'l>, playbook_directory: PathBuf) -> Self {
        Self {
            session,
            root_directory: playbook_directory.clone(),
            playbook_directory,
            play_variables: Variables::new(),
            gathered: Gathered::default(),
            open_files: Vec::new(),
            open_roles: Vec::new(),
            looked_through: HashSet::new(),
        }
    }
}

impl Session<'_> {
    pub(crate) fn playbook(&mut self, path: &Path) -> Playbook {
        let mut reader = Reader::new(self, directory_of(path));
        let plays = reader.plays_of(path, sasrun_model::Span::default());
        Playbook {
            path: path.to_owned(),
            plays: plays.into_iter().map(Arc::new).collect(),
        }
    }

    /// A playbook that stands in no file; `path` says where it would be.
    pub(crate) fn playbook_of_text(&mut self, path: &Path, text: &str) -> Playbook {
        let mut reader = Reader::new(self, directory_of(path));
        let plays = reader.plays_of_text(path, text);
        Playbook {
            path: path.to_owned(),
            plays: plays.into_iter().map(Arc::new).collect(),
        }
    }
}

impl Loader {
    /// Loads a file of tasks, for an `include_tasks` that is reached.
    ///
    /// # Errors
    /// Every problem of the file and of those it imports.
    pub fn load_tasks(
        &self,
        file: &str,
        context: &IncludeContext,
    ) -> Result<LoadedSteps, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let mut reader = Reader::at(&mut session, context);
        let steps = reader.included_tasks(file, context);
        session.finish(steps)
    }

    /// Loads a role, for an `include_role` that is reached.
    ///
    /// # Errors
    /// Every problem of the role, of its dependencies and of what it imports.
    pub fn load_role(
        &self,
        request: &RoleRequest,
        context: &IncludeContext,
    ) -> Result<LoadedRole, Vec<Diagnostic>> {
        let mut session = Session::new(self);
        let mut reader = Reader::at(&mut session, context);
        let role = reader.included_role(request, context);
        session.finish(role)
    }
}
