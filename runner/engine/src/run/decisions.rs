//! What decides the course of the run and is not the same whenever it is asked.

use sasrun_model::{EventKind, Value};

use super::Run;

impl Run {
    /// What an expression comes to that decides the course of the run. When the clock, chance, the
    /// environment or a file had a part in it, the answer is recorded, and a run that goes on
    /// gives the same one.
    pub(crate) fn decided<E>(
        &self,
        question: impl FnOnce() -> String,
        evaluate: impl FnOnce() -> Result<Value, E>,
    ) -> Result<Value, E> {
        let question = question();
        if let Some(answer) = self.past.answer(&question) {
            return Ok(answer.into());
        }
        let asked = self.templates.asked();
        let value = evaluate()?;
        if self.templates.asked() != asked && value.cannot_know().is_none() {
            self.dispatcher.emit(EventKind::Answered {
                question,
                answer: (&value).into(),
            });
        }
        Ok(value)
    }
}
