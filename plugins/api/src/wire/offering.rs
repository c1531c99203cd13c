//! A library at work: it answers asks and keeps the conversations that are going on.
//!
//! A panic of the plugin's own code ends here, as a failure of what was asked.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{Application, Ask, Backend, Description, Reply};
use crate::{
    Answer, Call, Conversation, Failure, FilterError, InventoryProblem, InventoryRequest,
    InventoryResult, Library, Step,
};

/// A [`Library`] and the conversations of its modules.
pub struct Offering {
    library: Library,
    conversations: Mutex<HashMap<u64, Slot>>,
}

enum Slot {
    /// It waits for an answer.
    Waiting(Box<dyn Conversation>),
    /// It is being continued on some thread.
    Busy,
    /// It was freed before it could be.
    Freed,
}

impl Offering {
    /// Puts a library to work.
    pub fn new(library: Library) -> Self {
        Self {
            library,
            conversations: Mutex::default(),
        }
    }

    /// Tells what the library offers.
    pub fn describe(&self) -> Description {
        let names = |entries: Vec<&str>| entries.into_iter().map(str::to_owned).collect();
        let library = &self.library;
        Description {
            name: library.name.clone(),
            version: library.version.clone(),
            modules: library
                .modules
                .iter()
                .map(|module| module.spec().clone())
                .collect(),
            filters: names(
                library
                    .filters
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .collect(),
            ),
            tests: names(
                library
                    .tests
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .collect(),
            ),
            inventory_sources: names(library.sources.iter().map(|source| source.name()).collect()),
        }
    }

    /// Begins the conversation `id` and takes its first step.
    pub fn start(&self, id: u64, call: Call) -> Step {
        let module = self
            .library
            .modules
            .iter()
            .find(|module| module.spec().answers_to(&call.module));
        let Some(module) = module else {
            return failed(format!(
                "the plugin {} has no module {}",
                self.library.name, call.module
            ));
        };
        {
            let mut conversations = self.conversations();
            match conversations.get(&id) {
                None => {
                    conversations.insert(id, Slot::Busy);
                }
                Some(Slot::Freed) => {}
                Some(_) => return failed(format!("the conversation {id} has begun already")),
            }
        }
        match guarded(|| module.start(call)) {
            Ok(conversation) => self.continue_with(id, conversation, None),
            Err(panic) => {
                self.conversations().remove(&id);
                failed(panic)
            }
        }
    }

    /// Gives the conversation `id` the answer it waits for.
    pub fn resume(&self, id: u64, answer: Answer) -> Step {
        let slot = self.conversations().insert(id, Slot::Busy);
        match slot {
            Some(Slot::Waiting(conversation)) => self.continue_with(id, conversation, Some(answer)),
            other => {
                let mut conversations = self.conversations();
                match other {
                    Some(slot) => conversations.insert(id, slot),
                    None => conversations.remove(&id),
                };
                failed(format!(
                    "there is no conversation {id} that waits for an answer"
                ))
            }
        }
    }

    /// Forgets the conversation `id`.
    pub fn free(&self, id: u64) {
        let slot = self.conversations().remove(&id);
        match slot {
            Some(Slot::Waiting(conversation)) => {
                // What a destructor panics about helps nobody.
                drop(guarded(|| drop(conversation)));
            }
            _ => {
                self.conversations().insert(id, Slot::Freed);
            }
        }
    }

    /// Applies the filter.
    ///
    /// # Errors
    /// There is no such filter, it says no, or it panicked.
    pub fn filter(&self, application: &Application) -> Result<Value, FilterError> {
        let function = named(&self.library.filters, &application.name)?;
        guarded(|| function(&application.value, &application.arguments))
            .unwrap_or_else(|message| Err(FilterError { message }))
    }

    /// Applies the test.
    ///
    /// # Errors
    /// There is no such test, it says no, or it panicked.
    pub fn test(&self, application: &Application) -> Result<bool, FilterError> {
        let function = named(&self.library.tests, &application.name)?;
        guarded(|| function(&application.value, &application.arguments))
            .unwrap_or_else(|message| Err(FilterError { message }))
    }

    /// Reads an inventory document.
    pub fn inventory(&self, request: &InventoryRequest) -> InventoryResult {
        let refused = |message: String| InventoryResult {
            problems: vec![InventoryProblem::at(&request.document, message)],
            ..InventoryResult::default()
        };
        let source = self
            .library
            .sources
            .iter()
            .find(|source| source.name() == request.source);
        match source {
            None => refused(format!(
                "the plugin has no inventory source {}",
                request.source
            )),
            Some(source) => guarded(|| source.read(request)).unwrap_or_else(refused),
        }
    }

    fn continue_with(
        &self,
        id: u64,
        mut conversation: Box<dyn Conversation>,
        answer: Option<Answer>,
    ) -> Step {
        let (step, rest) = match guarded(|| {
            let step = conversation.next(answer);
            (step, conversation)
        }) {
            Ok((step @ Step::Ask { .. }, conversation)) => (step, Some(conversation)),
            Ok((step, _)) => (step, None),
            Err(panic) => (failed(panic), None),
        };
        let mut conversations = self.conversations();
        let freed = matches!(conversations.remove(&id), Some(Slot::Freed));
        if let (false, Some(conversation)) = (freed, rest) {
            conversations.insert(id, Slot::Waiting(conversation));
        }
        step
    }

    fn conversations(&self) -> MutexGuard<'_, HashMap<u64, Slot>> {
        self.conversations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Offering {
    fn reply(&self, id: u64, ask: Ask) -> Option<Reply> {
        let value = |result: Result<Value, FilterError>| match result {
            Ok(value) => Reply::Value(value),
            Err(error) => Reply::Error(error.message),
        };
        Some(match ask {
            Ask::Hello(_) => Reply::Error("hello comes first and once".into()),
            Ask::Describe(_) => Reply::Description(self.describe()),
            Ask::Start(call) => Reply::Step(self.start(id, call)),
            Ask::Answer(answer) => Reply::Step(self.resume(id, answer)),
            Ask::Free(_) => {
                self.free(id);
                return None;
            }
            Ask::Filter(application) => value(self.filter(&application)),
            Ask::Test(application) => value(self.test(&application).map(Value::from)),
            Ask::Inventory(request) => Reply::Inventory(self.inventory(&request)),
        })
    }
}

fn named<F: Copy>(entries: &[(String, F)], name: &str) -> Result<F, FilterError> {
    entries
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, function)| *function)
        .ok_or_else(|| FilterError {
            message: format!("the plugin has no {name}"),
        })
}

fn failed(message: impl Into<String>) -> Step {
    Step::Failed {
        failure: Failure::new(message),
    }
}

fn guarded<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| panic_message(panic.as_ref()))
}

/// Puts what a plugin panicked with into a sentence.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("for an unknown reason");
    format!("the plugin panicked: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FunctionModule, ModuleSpec, Object, Outcome, Request};

    fn spec(name: &str) -> ModuleSpec {
        ModuleSpec {
            name: name.into(),
            ..ModuleSpec::default()
        }
    }

    fn call(module: &str) -> Call {
        Call {
            module: module.into(),
            arguments: Object::new(),
            check_mode: false,
            diff: false,
            host: "h".into(),
            variables: Object::new(),
        }
    }

    fn offering() -> Offering {
        Offering::new(
            Library::new("sample", "1")
                .module(FunctionModule::boxed(
                    spec("napper"),
                    |_, host| async move {
                        host.sleep(1).await?;
                        Ok(Outcome::changed())
                    },
                ))
                .module(FunctionModule::boxed(
                    spec("thrower"),
                    |_, host| async move {
                        host.sleep(1).await?;
                        panic!("no {}", "luck")
                    },
                ))
                .filter("boom", |_, _| panic!("filter")),
        )
    }

    #[test]
    fn conversations_are_told_apart_by_their_id() {
        let offering = offering();
        assert!(matches!(
            offering.start(1, call("napper")),
            Step::Ask { .. }
        ));
        assert!(matches!(
            offering.start(2, call("napper")),
            Step::Ask { .. }
        ));
        assert!(matches!(
            offering.resume(2, Answer::Done),
            Step::Done { .. }
        ));
        assert!(matches!(
            offering.resume(2, Answer::Done),
            Step::Failed { .. }
        ));
        assert!(matches!(
            offering.resume(1, Answer::Done),
            Step::Done { .. }
        ));
        assert!(matches!(
            offering.start(3, call("nobody")),
            Step::Failed { .. }
        ));
    }

    #[test]
    fn a_panic_is_a_failure_of_that_task_alone() {
        let offering = offering();
        assert!(matches!(
            offering.start(1, call("thrower")),
            Step::Ask {
                request: Request::Sleep { .. }
            }
        ));
        assert!(matches!(
            offering.start(2, call("napper")),
            Step::Ask { .. }
        ));
        let Step::Failed { failure } = offering.resume(1, Answer::Done) else {
            panic!("not failed")
        };
        assert_eq!(failure.msg, "the plugin panicked: no luck");
        assert!(matches!(
            offering.resume(2, Answer::Done),
            Step::Done { .. }
        ));
        let application = Application {
            name: "boom".into(),
            value: Value::Null,
            arguments: vec![],
        };
        let error = offering.filter(&application).unwrap_err();
        assert_eq!(error.message, "the plugin panicked: filter");
    }

    #[test]
    fn a_freed_conversation_is_gone() {
        let offering = offering();
        assert!(matches!(
            offering.start(1, call("napper")),
            Step::Ask { .. }
        ));
        offering.free(1);
        assert!(matches!(
            offering.resume(1, Answer::Done),
            Step::Failed { .. }
        ));
        offering.free(7);
        assert!(matches!(
            offering.start(7, call("napper")),
            Step::Ask { .. }
        ));
        assert!(
            matches!(offering.resume(7, Answer::Done), Step::Failed { .. }),
            "freed before it began"
        );
    }
}
