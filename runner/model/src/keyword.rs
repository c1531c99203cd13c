//! Keywords that plays, blocks, roles and tasks share and inherit.

use crate::Node;

/// A keyword that a task inherits from the blocks, role and play around it.
///
/// `vars`, `when` and `tags` are not here: they add up along the way instead of being replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "each is the playbook's keyword of the same name"
)]
pub enum Keyword {
    AnyErrorsFatal,
    Become,
    BecomeExe,
    BecomeFlags,
    BecomeMethod,
    BecomeUser,
    CheckMode,
    Collections,
    Connection,
    Debugger,
    DelegateFacts,
    DelegateTo,
    Diff,
    DoneWhen,
    Environment,
    IgnoreErrors,
    IgnoreUnreachable,
    Job,
    ModuleDefaults,
    NoLog,
    OnFailure,
    Port,
    RemoteUser,
    Repeatable,
    RunOnce,
    Throttle,
    Timeout,
}

impl Keyword {
    /// Every keyword with its name in playbooks.
    pub const ALL: [(Keyword, &'static str); 27] = [
        (Keyword::AnyErrorsFatal, "any_errors_fatal"),
        (Keyword::Become, "become"),
        (Keyword::BecomeExe, "become_exe"),
        (Keyword::BecomeFlags, "become_flags"),
        (Keyword::BecomeMethod, "become_method"),
        (Keyword::BecomeUser, "become_user"),
        (Keyword::CheckMode, "check_mode"),
        (Keyword::Collections, "collections"),
        (Keyword::Connection, "connection"),
        (Keyword::Debugger, "debugger"),
        (Keyword::DelegateFacts, "delegate_facts"),
        (Keyword::DelegateTo, "delegate_to"),
        (Keyword::Diff, "diff"),
        (Keyword::DoneWhen, "done_when"),
        (Keyword::Environment, "environment"),
        (Keyword::IgnoreErrors, "ignore_errors"),
        (Keyword::IgnoreUnreachable, "ignore_unreachable"),
        (Keyword::Job, "job"),
        (Keyword::ModuleDefaults, "module_defaults"),
        (Keyword::NoLog, "no_log"),
        (Keyword::OnFailure, "on_failure"),
        (Keyword::Port, "port"),
        (Keyword::RemoteUser, "remote_user"),
        (Keyword::Repeatable, "repeatable"),
        (Keyword::RunOnce, "run_once"),
        (Keyword::Throttle, "throttle"),
        (Keyword::Timeout, "timeout"),
    ];

    /// The keyword of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(keyword, _)| *keyword)
    }
}

/// Keywords as written at one level. `environment` and `module_defaults` are lists of levels when
/// merged; all others are taken from the innermost level that has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keywords {
    entries: Vec<(Keyword, Node)>,
}

impl Keywords {
    /// Sets a keyword.
    pub fn set(&mut self, keyword: Keyword, value: Node) {
        self.entries.retain(|(known, _)| *known != keyword);
        self.entries.push((keyword, value));
    }

    /// The value at this level.
    pub fn get(&self, keyword: Keyword) -> Option<&Node> {
        self.entries
            .iter()
            .find(|(known, _)| *known == keyword)
            .map(|(_, node)| node)
    }
}
