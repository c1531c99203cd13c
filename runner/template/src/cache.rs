//! What is worth keeping between calls: compiled programs, and data made of written values.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sasrun_model::{Node, NodeKind, Value};

use crate::error::SyntaxProblem;
use crate::extensions::Extensions;
use crate::syntax::{Program, Reading, compile};

/// Programs by their text, and data made of written values without templates. Both are dropped when they grow large.
#[derive(Default)]
pub(crate) struct ProgramCache {
    programs: Mutex<HashMap<Reading, ProgramsByText>>,
    statics: Mutex<HashMap<usize, StaticValue>>,
}

type ProgramsByText = HashMap<Arc<str>, Arc<Program>>;

/// A written value, and what it is as data; None if it holds templates.
type StaticValue = (Weak<Node>, Option<Value>);

/// Entries kept before a cache starts again.
const MAX_CACHED: usize = 20_000;

impl ProgramCache {
    /// The program of a text.
    pub(crate) fn program(
        &self,
        text: &Arc<str>,
        reading: &Reading,
        extensions: &Extensions,
    ) -> Result<Arc<Program>, SyntaxProblem> {
        {
            let programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(program) = programs
                .get(reading)
                .and_then(|programs| programs.get(text))
            {
                return Ok(Arc::clone(program));
            }
        }
        let program = Arc::new(compile(text, reading, extensions)?);
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if programs.values().map(HashMap::len).sum::<usize>() >= MAX_CACHED {
            programs.clear();
        }
        programs
            .entry(reading.clone())
            .or_default()
            .insert(Arc::clone(text), Arc::clone(&program));
        Ok(program)
    }

    /// A written value as data, if it holds no template. Containers are converted once.
    pub(crate) fn static_value(&self, node: &Arc<Node>) -> Option<Value> {
        if !matches!(node.kind, NodeKind::List(_) | NodeKind::Map(_)) {
            return node.to_static_value();
        }
        let address = Arc::as_ptr(node) as usize;
        let mut statics = self.statics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, value)) = statics.get(&address)
            && kept.upgrade().is_some_and(|kept| Arc::ptr_eq(&kept, node))
        {
            return value.clone();
        }
        if statics.len() >= MAX_CACHED {
            statics.clear();
        }
        let value = node.to_static_value();
        statics.insert(address, (Arc::downgrade(node), value.clone()));
        value
    }
}
