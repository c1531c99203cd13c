//! Includes that are reached while a playbook runs.

use std::sync::Arc;

use sasrun_model::{Block, Node, NodeKind, Step};

use super::handlers::framed;
use super::role::{Origin, RoleFiles, RoleUse};
use super::{Around, IncludeContext, LoadedRole, LoadedSteps, Reader, RoleRequest};

impl Reader<'_, '_> {
    /// The block that `apply` makes around what is included.
    pub(super) fn apply_frame(&mut self, apply: &Node, path: &str) -> Block {
        let mut frame = Block {
            path: path.into(),
            span: apply.span,
            ..Block::default()
        };
        match &apply.kind {
            NodeKind::Map(entries) => self.block_keywords(entries, &mut frame),
            NodeKind::Text(text) if text.is_template => {}
            _ => self
                .session
                .wrong_kind(apply, "`apply`", "a mapping of keywords"),
        }
        frame
    }

    /// What an `include_tasks` brings that is reached.
    pub(super) fn included_tasks(&mut self, file: &str, context: &IncludeContext) -> LoadedSteps {
        let around = around_of(context, file);
        let what = Node {
            span: context.span,
            kind: NodeKind::Text(sasrun_model::Text {
                text: file.into(),
                is_template: false,
            }),
        };
        let Some(path) = self.task_file(&what, &around) else {
            return LoadedSteps::default();
        };
        let steps = self.tasks_of(&path, context.span, &around);
        let handlers = std::mem::take(&mut self.gathered.imported_handlers);
        self.applied(LoadedSteps { steps, handlers }, context, &around)
    }

    /// What an `include_role` brings that is reached.
    pub(super) fn included_role(
        &mut self,
        request: &RoleRequest,
        context: &IncludeContext,
    ) -> LoadedRole {
        let around = around_of(context, &request.name);
        let files = RoleFiles {
            tasks: request.tasks_from.clone(),
            vars: request.vars_from.clone(),
            defaults: request.defaults_from.clone(),
            handlers: request.handlers_from.clone(),
            is_known: true,
        };
        let usage = RoleUse {
            parameters: request.parameters.clone(),
            allow_duplicates: request.allow_duplicates,
            is_public: request.is_public,
            validates: request.validates,
            ..RoleUse::new(&request.name, context.span, Origin::Include, files)
        };
        let Some(loaded) = self.role(usage, &around, &[]) else {
            return LoadedRole::default();
        };
        let mut handlers = loaded.handlers;
        handlers.append(&mut self.gathered.imported_handlers);
        let steps = loaded.step.into_iter().collect();
        let LoadedSteps { steps, handlers } =
            self.applied(LoadedSteps { steps, handlers }, context, &around);
        LoadedRole {
            role: loaded.role,
            steps,
            handlers,
        }
    }

    fn applied(
        &mut self,
        loaded: LoadedSteps,
        context: &IncludeContext,
        around: &Around,
    ) -> LoadedSteps {
        let Some(apply) = &context.apply else {
            return loaded;
        };
        let mut frame = self.apply_frame(apply, &around.path);
        let handlers = framed(&frame, loaded.handlers);
        frame.block = loaded.steps;
        LoadedSteps {
            steps: vec![Step::Block(Arc::new(frame))],
            handlers,
        }
    }
}

fn around_of(context: &IncludeContext, what: &str) -> Around {
    Around {
        path: format!("{}/{what}", context.path),
        directory: context.directory.clone(),
        role: context.role.clone(),
        catches: context.catches_failures,
        is_handler: context.is_handler,
        is_conditional: false,
        // What stands around at run time is not known here.
        has_defaults: true,
        collections: Vec::new(),
    }
}
