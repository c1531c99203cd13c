//! Plays, blocks and tasks as written, imports resolved.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Keywords, Name, Node, Span, Variables};

/// A playbook: plays of one file and of those it imports, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Playbook {
    /// Path as given.
    pub path: PathBuf,
    /// Its plays.
    pub plays: Vec<Arc<Play>>,
}

/// A play.
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// Place of identity: file and index, stable over runs (`multimaster.yml/3`).
    pub path: Name,
    /// Where it begins.
    pub span: Span,
    /// Its name, perhaps a template.
    pub name: Option<Node>,
    /// Host pattern: text or a list of them.
    pub hosts: Node,
    /// Keywords for all its tasks.
    pub keywords: Keywords,
    /// Tags for all its tasks.
    pub tags: Vec<Node>,
    /// `when` is not a play keyword in Ansible; kept for roles that are plays' only content.
    pub variables: Variables,
    /// `vars_files`, each a path or a list of candidates.
    pub vars_files: Vec<Node>,
    /// `vars_prompt` entries as written.
    pub vars_prompt: Vec<Node>,
    /// Whether facts are gathered first.
    pub gather_facts: GatherFacts,
    /// How hosts advance.
    pub strategy: Strategy,
    /// `strategy` where it is a template, known only when the play begins.
    pub strategy_template: Option<Node>,
    /// `serial`: batch sizes as written.
    pub serial: Vec<Node>,
    /// `batch_by`: variable whose value makes the batches, one after the other.
    pub batch_by: Option<Node>,
    /// `order` of hosts.
    pub order: Option<Node>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Node>,
    /// `force_handlers`.
    pub force_handlers: Option<Node>,
    /// `preflight`: a failure in this play ends the run as refused before any change.
    pub is_preflight: bool,
    /// Tasks before the roles.
    pub pre_tasks: Vec<Step>,
    /// Roles of the play, each a block with its role.
    pub roles: Vec<Step>,
    /// Tasks.
    pub tasks: Vec<Step>,
    /// Tasks after.
    pub post_tasks: Vec<Step>,
    /// Handlers of the play and of its roles, in the order they run in.
    pub handlers: Vec<Step>,
    /// Directory of the file the play stands in.
    pub directory: PathBuf,
    /// Keywords as written, for facts such as `fact_path` that few use.
    pub others: Vec<(Name, Node)>,
}

/// Whether and what facts are gathered at the start of a play.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GatherFacts {
    /// `gather_facts` as written; absent means yes.
    pub enabled: Option<Node>,
    /// `gather_subset` as written.
    pub subset: Option<Node>,
    /// `gather_timeout` as written.
    pub timeout: Option<Node>,
}

/// How the hosts of a play advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// All hosts finish a task before any begins the next.
    #[default]
    Linear,
    /// Each host goes on as fast as it can.
    Free,
    /// As free, but a host keeps its place among the forks until it is done.
    HostPinned,
}

impl Strategy {
    /// The strategy of a name; a collection's name may stand before it.
    pub fn named(text: &str) -> Option<Self> {
        match text.rsplit('.').next().unwrap_or_default() {
            "linear" | "debug" => Some(Strategy::Linear),
            "free" => Some(Strategy::Free),
            "host_pinned" => Some(Strategy::HostPinned),
            _ => None,
        }
    }
}

/// One entry of a task list.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A task or handler.
    Task(Arc<Task>),
    /// A block, also one that an import or a role makes.
    Block(Arc<Block>),
    /// Branches that run side by side.
    Parallel(Arc<Parallel>),
}

/// A block of steps with what to do when one fails.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// Path of identity.
    pub path: Name,
    /// Where it begins.
    pub span: Span,
    /// Its name.
    pub name: Option<Node>,
    /// Keywords for all inside.
    pub keywords: Keywords,
    /// Conditions that hold for every task inside.
    pub when: Vec<Node>,
    /// Tags for every task inside.
    pub tags: Vec<Node>,
    /// Variables for all inside.
    pub variables: Variables,
    /// Handlers notified by every changed task inside.
    pub notify: Vec<Node>,
    /// Steps.
    pub block: Vec<Step>,
    /// Steps for hosts that failed in `block`.
    pub rescue: Vec<Step>,
    /// Steps for all hosts that were in `block`.
    pub always: Vec<Step>,
    /// The role, when the block is a role's content.
    pub role: Option<Arc<Role>>,
}

/// Branches that run side by side on the same hosts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parallel {
    /// Path of identity.
    pub path: Name,
    /// Where it begins.
    pub span: Span,
    /// Its name.
    pub name: Option<Node>,
    /// Keywords for all inside.
    pub keywords: Keywords,
    /// Conditions that hold for every task inside.
    pub when: Vec<Node>,
    /// Tags for every task inside.
    pub tags: Vec<Node>,
    /// Variables for all inside.
    pub variables: Variables,
    /// The branches, in the order in which their results are merged.
    pub branches: Vec<Branch>,
}

/// One branch of a `parallel`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Branch {
    /// Its name, as shown.
    pub name: Name,
    /// What it does.
    pub block: Arc<Block>,
}

/// A role as loaded for one use.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Role {
    /// Its name as written.
    pub name: Name,
    /// Its folder.
    pub path: PathBuf,
    /// What it brings.
    pub context: RoleContext,
    /// Parameters of this use (`vars:` and extra keys of the entry).
    pub parameters: Variables,
    /// Names of the roles that this one is a dependency of, innermost first.
    pub parents: Vec<Name>,
    /// Roles that must have run before, in order.
    pub dependencies: Vec<Name>,
    /// Whether it may run more than once with the same parameters.
    pub allow_duplicates: bool,
    /// Whether its defaults and variables are seen by the tasks after it.
    pub is_public: bool,
}

impl Role {
    /// Names by which handlers speak of the role: as written, and without its collection.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut parts = self.name.splitn(3, '.').skip(2);
        std::iter::once(&*self.name).chain(parts.next())
    }
}

/// Variables and handlers a role brings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoleContext {
    /// `defaults/`.
    pub defaults: Variables,
    /// `vars/`.
    pub variables: Variables,
    /// Argument specs of its entry point, as written.
    pub argument_specs: Option<Node>,
}

/// A task or handler.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Path of identity: the path of plays, imports, roles and blocks, with an index at each level.
    pub path: Name,
    /// Where it begins.
    pub span: Span,
    /// Its name, perhaps a template.
    pub name: Option<Node>,
    /// What it does.
    pub action: Action,
    /// Arguments of the action, a mapping; free-form text is already split.
    pub arguments: Node,
    /// Keywords of the task.
    pub keywords: Keywords,
    /// Conditions.
    pub when: Vec<Node>,
    /// Tags.
    pub tags: Vec<Node>,
    /// Variables of the task.
    pub variables: Variables,
    /// Its loop.
    pub each: Option<Loop>,
    /// Variable that its result is kept in.
    pub register: Option<Name>,
    /// Conditions that end its retries.
    pub until: Vec<Node>,
    /// How often it is tried again.
    pub retries: Option<Node>,
    /// Seconds between.
    pub delay: Option<Node>,
    /// Conditions that decide whether it changed; none leaves it to the module.
    pub changed_when: Option<Vec<Node>>,
    /// Conditions that decide whether it failed; none leaves it to the module.
    pub failed_when: Option<Vec<Node>>,
    /// Handlers it notifies when changed.
    pub notify: Vec<Node>,
    /// Topics it listens to, as a handler.
    pub listen: Vec<Node>,
    /// `async`: seconds it may run in the background.
    pub async_seconds: Option<Node>,
    /// `poll`: seconds between looks at it.
    pub poll_seconds: Option<Node>,
    /// Whether it is a handler.
    pub is_handler: bool,
    /// Directory of the file it stands in, for the search of files.
    pub directory: PathBuf,
}

/// What a task does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Carries out a module, named canonically.
    Module(Name),
    /// Carries out the module that a template names for each host.
    Chosen(Node),
    /// Changes the course of the play: `flush_handlers`, `end_play`, …
    Meta(Name),
    /// Loads steps when it is reached.
    Include(Include),
}

/// What is loaded when a task is reached. The file or role name is in the task's arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    /// `include_tasks`.
    Tasks,
    /// `include_role`.
    Role,
}

/// A loop of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// What is looped over: the list, or the terms of a lookup.
    pub items: Node,
    /// Lookup of a `with_X` loop; none for `loop`.
    pub lookup: Option<Name>,
    /// How.
    pub control: LoopControl,
}

/// `loop_control`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoopControl {
    /// Variable of the item; `item` when absent.
    pub loop_var: Option<Node>,
    /// Variable of the index.
    pub index_var: Option<Node>,
    /// What is shown of an item.
    pub label: Option<Node>,
    /// Seconds between items.
    pub pause: Option<Node>,
    /// Whether `ansible_loop` is set.
    pub extended: Option<Node>,
    /// Whether `ansible_loop` has `allitems`.
    pub extended_allitems: Option<Node>,
    /// Conditions that end the loop after an item.
    pub break_when: Vec<Node>,
}
