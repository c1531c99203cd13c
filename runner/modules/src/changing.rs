//! The two most common changes, each declared before it is made: shell text that is run, and a
//! text file that is written anew.

use sasrun_plugin::{
    Content, Declaration, Diff, Failure, Host, ModuleResult, Object, Outcome, WriteFile,
};

use crate::answers::{Answers, bytes_of, look, run, whole};
use crate::paths;

/// Declares a change, runs its shell text and answers the result as changed.
pub(crate) async fn carry_out(
    host: &Host,
    summary: impl Into<String>,
    diff: Option<Diff>,
    script: String,
    result: Object,
) -> ModuleResult {
    let summary = summary.into();
    host.will_change(summary.as_str(), diff, result.clone())
        .await?;
    run(host, script, &summary).await?;
    Ok(Outcome {
        result,
        ..Outcome::changed()
    })
}

/// An outcome with these result fields.
pub(crate) fn outcome(changed: bool, result: Object) -> Outcome {
    Outcome {
        changed,
        result,
        ..Outcome::default()
    }
}

/// Result fields from pairs of name and value.
pub(crate) fn fields<const N: usize>(pairs: [(&str, serde_json::Value); N]) -> Object {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A text file as it was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) exists: bool,
    pub(crate) text: String,
}

impl TextFile {
    /// Reads a file; one that is not there is empty.
    pub(crate) async fn read(host: &Host, path: &str) -> Result<Self, Failure> {
        let path = paths::expand(host, path).await?;
        let mut answers = Answers::of(host, vec![look(&path, true), whole(&path)]).await?;
        let exists = answers.status()?.exists();
        let text = if exists {
            String::from_utf8_lossy(&bytes_of(&answers.file()?)?).into_owned()
        } else {
            String::new()
        };
        Ok(Self { path, exists, text })
    }

    /// Shows what a new text changes.
    pub(crate) fn diff(&self, after: &str) -> Diff {
        Diff::text(&self.path, self.text.as_str(), after)
    }

    /// Declares a new text; in check mode the task ends here.
    pub(crate) async fn declare(
        &self,
        host: &Host,
        after: &str,
        result: Object,
    ) -> Result<(), Failure> {
        host.declare(Declaration {
            summary: format!("write {}", self.path),
            diff: vec![self.diff(after)],
            result,
        })
        .await
    }

    /// Writes a new text, with its directory if that is missing; `mode` is for a new file.
    /// Answers where the old file was kept, if `backup` asks for that.
    pub(crate) async fn write(
        &self,
        host: &Host,
        after: String,
        mode: u32,
        backup: bool,
    ) -> Result<Option<String>, Failure> {
        if !self.exists {
            let parent = paths::word(paths::parent(&self.path));
            // Where none but the owner may read the file, none looks into its directory.
            let mask = if mode & 0o077 == 0 { "umask 077; " } else { "" };
            let make = format!("{mask}mkdir -p {parent}");
            run(host, make, "making the directory of the file").await?;
        }
        let written = host
            .write(WriteFile {
                path: self.path.clone(),
                content: Content::Text(after),
                mode: (!self.exists).then_some(mode),
                owner: None,
                group: None,
                backup: backup && self.exists,
                validate: None,
                unsafe_writes: false,
            })
            .await?;
        Ok(written.backup)
    }
}

/// Joins lines, each with its end.
pub(crate) fn joined<S: AsRef<str>>(lines: &[S]) -> String {
    lines
        .iter()
        .map(|line| format!("{}\n", line.as_ref()))
        .collect()
}
