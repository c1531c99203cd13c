//! Events as JSON lines in a file.

use std::io::Write;

use sasrun_model::Event;

use crate::Mask;

/// Writes each event as one line of JSON, secrets masked and hidden results left out.
pub struct JsonLines<W> {
    to: W,
    mask: Mask,
}

impl<W: Write> JsonLines<W> {
    /// Begins a file of events.
    pub fn new(to: W, mask: Mask) -> Self {
        Self { to, mask }
    }

    /// Writes one event.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, event: &Event) -> std::io::Result<()> {
        let mut json = serde_json::to_value(event)?;
        if json.get("no_log").and_then(serde_json::Value::as_bool) == Some(true)
            && let Some(outcome) = json
                .get_mut("outcome")
                .and_then(|value| value.as_object_mut())
        {
            outcome.insert("result".into(), serde_json::json!({ "censored": true }));
            outcome.remove("diff");
        }
        let line = json.to_string();
        self.to.write_all(self.mask.apply(&line).as_bytes())?;
        self.to.write_all(b"\n")?;
        if matches!(event.kind, sasrun_model::EventKind::RunFinished { .. }) {
            self.to.flush()?;
        }
        Ok(())
    }
}
