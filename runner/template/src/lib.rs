//! Templates and expressions as Ansible runs Jinja2: values, lazily resolved variables, filters, tests and lookups.
//!
//! The only crate that names minijinja, of which it uses the parser; evaluation is its own, because Ansible's templates
//! need Python's values (lists that can be appended to, `%` formatting, undefined that chains, native results).
//! Nothing here touches a file, the clock, the environment or chance but through [`World`]. It renders only what the
//! user wrote ([`sasrun_model::Node`]); data is never looked at for templates.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cache;
mod error;
mod eval;
mod extensions;
mod filters;
mod lookups;
mod needs;
mod options;
mod page;
mod predicates;
mod python;
mod scope;
mod suggestion;
mod syntax;
mod templates;
mod terms;
mod values;
mod world;

pub use error::{At, Problem, SyntaxKind, SyntaxProblem, TemplateError};
pub use extensions::{ExtensionError, ExtensionFunction, Extensions};
pub use lookups::lookup_names;
pub use needs::Needed;
pub use options::RenderOptions;
pub use page::{PageError, PageRequest};
pub use scope::{Binding, LayeredScope, LazyMap, Scope, VariableScope};
pub use templates::{Templates, Truth};
pub use world::{ClosedWorld, CommandOutput, PathKind, World, WorldError};
