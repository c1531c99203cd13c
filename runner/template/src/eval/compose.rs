//! Whole programs, and templates that include, import or extend others.

use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::calls::SuperCall;
use super::{Env, Frame, PlacedBlock, Sink};
use crate::error::Problem;
use crate::syntax::{Block, Expr, Program, Reading, Statement, StatementKind};
use crate::values::{Eval, Fault, Function, Module, Val};

impl Env {
    /// Runs the program of this place.
    pub(crate) fn run(&self, sink: &mut Sink) -> Eval<()> {
        let Some(parent) = self.parent_of_program()? else {
            self.run_all(&self.program.body, sink)?;
            return Ok(());
        };
        self.session.deeper(|| parent.run(sink))
    }

    /// Runs what a derived template says besides its blocks, and gives its parent; None if it extends nothing.
    fn parent_of_program(&self) -> Eval<Option<Env>> {
        let program = Arc::clone(&self.program);
        let extends = program
            .body
            .iter()
            .find_map(|statement| match &statement.kind {
                StatementKind::Extends(name) => Some(name),
                _ => None,
            });
        let Some(name) = extends else {
            if !self.family.blocks.borrow().is_empty() {
                self.declare_blocks(&program.body);
            }
            return Ok(None);
        };
        self.declare_blocks(&program.body);
        let mut discarded = Sink::text();
        for statement in &program.body {
            if !matches!(
                statement.kind,
                StatementKind::Block(_) | StatementKind::Extends(_)
            ) {
                self.run_all(std::slice::from_ref(statement), &mut discarded)?;
            }
        }
        let name = self.eval(name)?;
        let name = self.session.text_of(&name)?;
        let parent = self.load(&name)?;
        Ok(Some(self.with_program(&parent)))
    }

    fn declare_blocks(&self, statements: &[Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Block(block) => {
                    self.family
                        .blocks
                        .borrow_mut()
                        .entry(Arc::clone(&block.name))
                        .or_default()
                        .push((Arc::clone(block), Arc::clone(&self.program)));
                    self.declare_blocks(&block.body);
                }
                StatementKind::If {
                    then, otherwise, ..
                } => {
                    self.declare_blocks(then);
                    self.declare_blocks(otherwise);
                }
                StatementKind::For(node) => self.declare_blocks(&node.body),
                StatementKind::Group(body) | StatementKind::With { body, .. } => {
                    self.declare_blocks(body);
                }
                _ => {}
            }
        }
    }

    pub(super) fn run_block(&self, block: &Arc<Block>, sink: &mut Sink) -> Eval<()> {
        let chain = self.family.blocks.borrow().get(&block.name).cloned();
        let chain = chain.unwrap_or_else(|| vec![(Arc::clone(block), Arc::clone(&self.program))]);
        self.run_block_chain(&chain, sink)
    }

    /// Runs the first block of a chain; `super()` in it runs the next.
    pub(super) fn run_block_chain(&self, chain: &[PlacedBlock], sink: &mut Sink) -> Eval<()> {
        let Some(((block, program), parents)) = chain.split_first() else {
            return Err(Fault::operation("there is no parent block"));
        };
        let inner = self.with_program(program).nested();
        let super_call = SuperCall {
            env: self.clone(),
            chain: parents.to_vec(),
        };
        inner.set(
            &"super".into(),
            Val::Function(Function::Super(Rc::new(super_call))),
        );
        self.session.deeper(|| inner.run_all(&block.body, sink))?;
        Ok(())
    }

    pub(super) fn include(&self, name: &Expr, ignore_missing: bool, sink: &mut Sink) -> Eval<()> {
        let value = self.eval(name)?;
        value.known()?;
        let names = if value.is_sequence() {
            self.session.iterate(&value)?
        } else {
            vec![value]
        };
        let mut missing = None;
        for name in names {
            let name = self.session.text_of(&name)?;
            let Some(path) = self.find_template(&name)? else {
                missing.get_or_insert(name);
                continue;
            };
            let program = self.load_path(&path)?;
            let inner = self.with_program(&program).nested();
            return inner.run(sink);
        }
        match missing {
            Some(name) if !ignore_missing => Err(not_found(&name)),
            _ => Ok(()),
        }
    }

    pub(super) fn import(&self, source: &Expr) -> Eval<Rc<Module>> {
        let name = self.eval(source)?;
        let name = self.session.text_of(&name)?;
        let program = self.load(&name)?;
        let inner = Env {
            frame: Rc::new(Frame {
                variables: std::cell::RefCell::default(),
                parent: Some(Rc::clone(&self.frame)),
            }),
            ..self.with_program(&program)
        };
        let mut sink = Sink::text();
        inner.run(&mut sink)?;
        let text = sink.into_text(&self.session)?;
        let exports: IndexMap<_, _> = inner
            .frame
            .variables
            .borrow()
            .iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .map(|(name, value)| (Arc::clone(name), value.clone()))
            .collect();
        Ok(Rc::new(Module { exports, text }))
    }

    pub(super) fn import_names(&self, source: &Expr, names: &[(Arc<str>, Arc<str>)]) -> Eval<()> {
        let module = self.import(source)?;
        for (name, alias) in names {
            let value = module.exports.get(name).cloned().unwrap_or_else(|| {
                Val::undefined(&**name, format!("the imported template has no '{name}'"))
            });
            self.set(alias, value);
        }
        Ok(())
    }

    fn load(&self, name: &str) -> Eval<Arc<Program>> {
        match self.find_template(name)? {
            Some(path) => self.load_path(&path),
            None => Err(not_found(name)),
        }
    }

    fn find_template(&self, name: &str) -> Eval<Option<String>> {
        let is_file = |path: &str| {
            self.session
                .world()
                .path_kind(path)
                .is_some_and(|kind| kind.is_file)
        };
        if name.starts_with('/') {
            return Ok(is_file(name).then(|| name.to_owned()));
        }
        let own_paths = &self.family.options.search_path;
        let paths = if own_paths.is_empty() {
            self.search_path("templates")?
        } else {
            own_paths.clone()
        };
        Ok(paths
            .iter()
            .map(|directory| format!("{}/{name}", directory.trim_end_matches('/')))
            .find(|path| is_file(path)))
    }

    fn load_path(&self, path: &str) -> Eval<Arc<Program>> {
        let shared = &self.session.shared;
        let content = shared
            .world
            .read_file(path)
            .map_err(|err| Fault::operation(format!("cannot read template {path}: {err}")))?;
        let text: Arc<str> = String::from_utf8_lossy(&content).into();
        let mut options = self.family.options.clone();
        options.name = Some(path.into());
        options.search_path = Vec::new();
        shared
            .programs
            .program(&text, &Reading::File(Box::new(options)), &shared.extensions)
            .map_err(|problem| Fault::problem(Problem::Syntax(problem)))
    }
}

fn not_found(name: &str) -> Fault {
    Fault::operation(format!("template '{name}' was not found"))
}
