//! What is asked for and given when steps are loaded at run time; nouns of the model, for the engine
//! knows them too.

pub use sasrun_model::{IncludeContext, LoadedRole, LoadedSteps, RoleRequest};
