//! The levels around a task: blocks, roles, includes and branches, innermost first.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sasrun_model::{Block, Keyword, Name, Node, Parallel, Play, Role, Variables};

use super::Made;

/// One level around a task.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) parent: Option<Arc<Level>>,
    pub(crate) kind: LevelKind,
    /// Whether a failure inside is caught by the rescue of this level.
    pub(crate) catches: bool,
}

/// What a level is.
#[derive(Debug)]
pub(crate) enum LevelKind {
    Play(Arc<Play>),
    Block(Arc<Block>),
    Parallel(Arc<Parallel>),
    /// Steps loaded at run time, with the variables of the include and of its loop.
    Include {
        parameters: Made,
        /// Variables that look at something not there yet: rendered when they are looked at.
        written: Variables,
    },
    /// A branch of a `parallel`, with what was set inside it.
    Branch {
        name: Name,
        overlay: Arc<Overlay>,
    },
}

/// Variables set inside a branch, by host; merged when all branches are done.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    set: Mutex<Vec<(Name, Name, sasrun_model::Value)>>,
}

impl Overlay {
    pub(crate) fn set(&self, host: &Name, name: Name, value: sasrun_model::Value) {
        let mut all = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(h, n, _)| h != host || *n != name);
        all.push((Arc::clone(host), name, value));
    }

    pub(crate) fn get(&self, host: &str, name: &str) -> Option<sasrun_model::Value> {
        let all = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .find(|(h, n, _)| **h == *host && **n == *name)
            .map(|(.., value)| value.clone())
    }

    pub(crate) fn take(&self) -> Vec<(Name, Name, sasrun_model::Value)> {
        std::mem::take(&mut self.set.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Level {
    pub(crate) fn new(parent: Option<&Arc<Level>>, kind: LevelKind) -> Arc<Self> {
        Arc::new(Self {
            parent: parent.cloned(),
            kind,
            catches: false,
        })
    }

    /// The level of a block's main part, whose failures its rescue catches.
    pub(crate) fn catching(parent: &Arc<Level>, block: &Arc<Block>) -> Arc<Self> {
        Arc::new(Self {
            parent: Some(Arc::clone(parent)),
            kind: LevelKind::Block(Arc::clone(block)),
            catches: !block.rescue.is_empty(),
        })
    }

    /// This level and those around it, innermost first.
    pub(crate) fn outward(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Level>> {
        std::iter::successors(Some(self), |level| level.parent.as_ref())
    }

    /// Whether a failure here is caught before it ends the host's play.
    pub(crate) fn is_caught(self: &Arc<Self>) -> bool {
        self.outward().any(|level| level.catches)
    }

    /// The value of a keyword at the innermost level that has it.
    pub(crate) fn keyword(self: &Arc<Self>, keyword: Keyword) -> Option<&Node> {
        self.outward().find_map(|level| level.own_keyword(keyword))
    }

    /// Values of a keyword at all levels, outermost first.
    pub(crate) fn keyword_at_all(self: &Arc<Self>, keyword: Keyword) -> Vec<&Node> {
        let mut values: Vec<&Node> = self
            .outward()
            .filter_map(|level| level.own_keyword(keyword))
            .collect();
        values.reverse();
        values
    }

    fn own_keyword(&self, keyword: Keyword) -> Option<&Node> {
        match &self.kind {
            LevelKind::Play(play) => play.keywords.get(keyword),
            LevelKind::Block(block) => block.keywords.get(keyword),
            LevelKind::Parallel(parallel) => parallel.keywords.get(keyword),
            LevelKind::Include { .. } | LevelKind::Branch { .. } => None,
        }
    }

    /// Conditions of all levels, outermost first.
    pub(crate) fn conditions(self: &Arc<Self>) -> Vec<&Node> {
        let mut levels: Vec<&[Node]> = self
            .outward()
            .map(|level| match &level.kind {
                LevelKind::Block(block) => &block.when[..],
                LevelKind::Parallel(parallel) => &parallel.when[..],
                _ => &[],
            })
            .collect();
        levels.reverse();
        levels.into_iter().flatten().collect()
    }

    /// Tags of all levels.
    pub(crate) fn tags(self: &Arc<Self>) -> Vec<&Node> {
        self.outward()
            .flat_map(|level| match &level.kind {
                LevelKind::Play(play) => &play.tags[..],
                LevelKind::Block(block) => &block.tags[..],
                LevelKind::Parallel(parallel) => &parallel.tags[..],
                _ => &[],
            })
            .collect()
    }

    /// Handlers that blocks around notify.
    pub(crate) fn notifies(self: &Arc<Self>) -> Vec<&Node> {
        self.outward()
            .flat_map(|level| match &level.kind {
                LevelKind::Block(block) => &block.notify[..],
                _ => &[],
            })
            .collect()
    }

    /// Roles around, innermost first.
    pub(crate) fn roles(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Role>> {
        self.outward().filter_map(|level| match &level.kind {
            LevelKind::Block(block) => block.role.as_ref(),
            _ => None,
        })
    }

    /// Folders of the roles around, innermost first.
    pub(crate) fn role_folders(self: &Arc<Self>) -> Vec<PathBuf> {
        self.roles().map(|role| role.path.clone()).collect()
    }

    /// How many includes are around.
    pub(crate) fn depth_of_includes(self: &Arc<Self>) -> usize {
        self.outward()
            .filter(|level| matches!(level.kind, LevelKind::Include { .. }))
            .count()
    }

    /// The branch around, innermost.
    pub(crate) fn branch(self: &Arc<Self>) -> Option<(&Name, &Arc<Overlay>)> {
        self.outward().find_map(|level| match &level.kind {
            LevelKind::Branch { name, overlay } => Some((name, overlay)),
            _ => None,
        })
    }
}
