//! The levels around a task: blocks, roles, includes and branches, innermost first.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sasrun_model::{Block, Keyword, Name, Node, Parallel, Play, Role, Task, Variables};

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
    /// Steps loaded at run time.
    Include(Box<Included>),
    /// A branch of a `parallel`, with what was set inside it.
    Branch {
        name: Name,
        overlay: Arc<Overlay>,
    },
}

/// What an include gives the steps that it loads.
#[derive(Debug)]
pub(crate) struct Included {
    /// The including task.
    pub(crate) task: Arc<Task>,
    /// Which turn of its loop it is, if it has one.
    pub(crate) turn: Option<Turn>,
    /// Variables of the task and of its loop.
    pub(crate) parameters: Made,
    /// Variables that look at something not there yet: rendered when they are looked at.
    pub(crate) written: Variables,
}

/// A turn of a loop of includes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    pub(crate) index: usize,
    /// The loop's variables.
    pub(crate) variables: Made,
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

impl Included {
    /// Whether the steps see the same, whichever turn of the loop it is.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.parameters == other.parameters && self.written == other.written
    }

    /// What it gives handlers: all hosts share them, so variables of the task are rendered for each when it is their turn.
    fn of_handlers(&self) -> Self {
        let turn = self.turn.clone();
        let variables = turn.as_ref().map(|turn| turn.variables.clone());
        Self {
            task: Arc::clone(&self.task),
            turn,
            parameters: variables.unwrap_or_default(),
            written: self.task.variables.clone(),
        }
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

    /// A level whose failures are caught although nothing around it says so: handlers that run where a
    /// rescue stands around.
    pub(crate) fn caught(around: &Arc<Level>) -> Arc<Self> {
        Arc::new(Self {
            parent: Some(Arc::clone(around)),
            kind: LevelKind::Block(Arc::default()),
            catches: true,
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
        self.keywords(keyword).next()
    }

    /// Values of a keyword at all levels, innermost first.
    pub(crate) fn keywords(self: &Arc<Self>, keyword: Keyword) -> impl Iterator<Item = &Node> {
        self.outward()
            .filter_map(move |level| level.own_keyword(keyword))
    }

    /// Values of a keyword at all levels, outermost first.
    pub(crate) fn keyword_at_all(self: &Arc<Self>, keyword: Keyword) -> Vec<&Node> {
        let mut values: Vec<&Node> = self.keywords(keyword).collect();
        values.reverse();
        values
    }

    fn own_keyword(&self, keyword: Keyword) -> Option<&Node> {
        match &self.kind {
            LevelKind::Play(play) => play.keywords.get(keyword),
            LevelKind::Block(block) => block.keywords.get(keyword),
            LevelKind::Parallel(parallel) => parallel.keywords.get(keyword),
            LevelKind::Include(_) | LevelKind::Branch { .. } => None,
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
            .filter(|level| matches!(level.kind, LevelKind::Include(_)))
            .count()
    }

    /// Turns of the loops of includes around, outermost first.
    pub(crate) fn turns(self: &Arc<Self>) -> Vec<&Turn> {
        let mut turns: Vec<&Turn> = self
            .outward()
            .filter_map(|level| match &level.kind {
                LevelKind::Include(inclusion) => inclusion.turn.as_ref(),
                _ => None,
            })
            .collect();
        turns.reverse();
        turns
    }

    /// The levels around handlers that steps at this level bring. They have its keywords and variables; its conditions
    /// decided whether the steps were come to, and its branches and rescues are over when handlers run.
    pub(crate) fn of_handlers(self: &Arc<Self>) -> Arc<Self> {
        let parent = self.parent.as_ref().map(Self::of_handlers);
        let kind = match &self.kind {
            LevelKind::Play(play) => LevelKind::Play(Arc::clone(play)),
            LevelKind::Block(block) => LevelKind::Block(Arc::new(Block {
                path: Arc::clone(&block.path),
                span: block.span,
                keywords: block.keywords.clone(),
                variables: block.variables.clone(),
                role: block.role.clone(),
                ..Block::default()
            })),
            LevelKind::Parallel(parallel) => LevelKind::Block(Arc::new(Block {
                path: Arc::clone(&parallel.path),
                span: parallel.span,
                keywords: parallel.keywords.clone(),
                variables: parallel.variables.clone(),
                ..Block::default()
            })),
            LevelKind::Include(inclusion) => LevelKind::Include(Box::new(inclusion.of_handlers())),
            LevelKind::Branch { .. } => return parent.unwrap_or_else(|| Arc::clone(self)),
        };
        Self::new(parent.as_ref(), kind)
    }

    /// The branch around, innermost.
    pub(crate) fn branch(self: &Arc<Self>) -> Option<(&Name, &Arc<Overlay>)> {
        self.outward().find_map(|level| match &level.kind {
            LevelKind::Branch { name, overlay } => Some((name, overlay)),
            _ => None,
        })
    }
}
