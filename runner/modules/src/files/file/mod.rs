//! `file`: makes a path a file, directory or link, or makes it disappear, and sets its owner,
//! group and mode.

mod directory;
mod link;
mod removal;
mod times;
mod touch;

use sasrun_plugin::{
    Arguments, Call, Declaration, Diff, Failure, FileKind, FileStatus, FunctionModule, Host,
    Module, ModuleResult, ModuleSpec, Object, Outcome,
};
use serde_json::Value;

use super::edit::shown;
use crate::answers::{Answers, look, run};
use crate::attributes::{self, Attributes, Difference};
use crate::describe::{
    choice, core, example, file_arguments, file_returns, needed, path, switch, text, with,
};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), carry_out)
}

fn spec() -> ModuleSpec {
    const TIME: &str = "Time to set: `now`, `preserve`, or as the format says.";
    const FORMAT: &str = "How a time is written, as for `strftime`.";
    let own = vec![
        needed(path("path", "The path.")).alias(&["dest", "name"]),
        text("state", "What it shall be; without it, what it is.").choices(&[
            "absent",
            "directory",
            "file",
            "hard",
            "link",
            "touch",
        ]),
        path("src", "What a link leads to."),
        switch(
            "recurse",
            "Sets owner, group and mode of everything below a directory too.",
        ),
        switch(
            "force",
            "Makes a link even if its target is missing or a file is in its place.",
        ),
        choice("follow", "Works on what a symbolic link leads to.").defaults_to(true),
        text("modification_time", TIME),
        text("modification_time_format", FORMAT).defaults_to("%Y%m%d%H%M.%S"),
        text("access_time", TIME),
        text("access_time_format", FORMAT).defaults_to("%Y%m%d%H%M.%S"),
    ];
    ModuleSpec {
        diff: true,
        returns: file_returns(),
        examples: vec![
            example(
                "Make a directory",
                "ansible.builtin.file:\n  path: /opt/media\n  state: directory\n  mode: '0755'",
            ),
            example(
                "Remove a file",
                "ansible.builtin.file:\n  path: /etc/foo.conf\n  state: absent",
            ),
            example(
                "Make a symbolic link",
                "ansible.builtin.file:\n  src: /opt/app-2.1\n  dest: /opt/app\n  state: link",
            ),
        ],
        ..core(
            "file",
            "Makes a path a file, directory or link, or makes it disappear.",
            with(own, file_arguments()),
        )
    }
}

/// A task of this module on its way.
struct Task {
    host: Host,
    arguments: Arguments,
    attributes: Attributes,
    path: String,
    follow: bool,
    wants_diff: bool,
}

async fn carry_out(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let task = Task {
        path: paths::expand(&host, arguments.text_or_empty("path")).await?,
        attributes: Attributes::of(&arguments),
        follow: arguments.flag("follow"),
        wants_diff: call.diff,
        arguments,
        host,
    };
    let state = task.arguments.text("state");
    if task.arguments.has("src") && !matches!(state, Some("link" | "hard")) {
        return Err(task.fail("src option requires state to be 'link' or 'hard'"));
    }
    match state {
        Some("absent") => removal::remove(&task).await,
        Some("link") => link::symbolic(&task).await,
        Some("hard") => link::hard(&task).await,
        Some("touch") => touch::touch(&task, task.status().await?).await,
        Some("directory") => directory::ensure(&task, task.status().await?).await,
        Some("file") => task.keep(task.status().await?).await,
        _ => {
            let status = task.status().await?;
            let recurse = task.arguments.flag("recurse");
            match status.kind {
                FileKind::Directory => directory::ensure(&task, status).await,
                FileKind::Absent if recurse => directory::ensure(&task, status).await,
                FileKind::Link => link::symbolic(&task).await,
                _ => task.keep(status).await,
            }
        }
    }
}

impl Task {
    /// Looks at the path, through a link if links are followed.
    async fn status(&self) -> Result<FileStatus, Failure> {
        Answers::of(&self.host, vec![look(&self.path, self.follow)])
            .await?
            .status()
    }

    fn fail(&self, msg: impl Into<String>) -> Failure {
        Failure::new(msg).with("path", self.path.as_str())
    }

    /// Path that attributes are set on.
    fn real<'a>(&'a self, status: &'a FileStatus) -> &'a str {
        let real = status.real_path.as_deref().filter(|path| !path.is_empty());
        real.filter(|_| self.follow).unwrap_or(&self.path)
    }

    fn outcome(&self, changed: bool, status: &FileStatus) -> Outcome {
        Outcome {
            changed,
            result: attributes::fields(status),
            ..Outcome::default()
        }
        .with("path", self.path.as_str())
    }

    /// Declares a change from one state to another with what differs.
    async fn declare(
        &self,
        summary: &str,
        states: (&str, &str),
        status: &FileStatus,
        difference: &Difference,
    ) -> Result<(), Failure> {
        let mut before = Object::new();
        let mut after = Object::new();
        for side in [&mut before, &mut after] {
            side.insert("path".into(), self.path.as_str().into());
        }
        if states.0 != states.1 {
            before.insert("state".into(), states.0.into());
            after.insert("state".into(), states.1.into());
        }
        difference.show(status, &mut before, &mut after);
        let mut result = Object::new();
        result.insert("path".into(), self.path.as_str().into());
        result.insert("state".into(), Value::from(states.1));
        let diff = Diff {
            before: shown(before),
            after: shown(after),
            ..Diff::default()
        };
        self.host
            .declare(Declaration {
                summary: format!("{summary} {}", self.path),
                diff: if self.wants_diff {
                    vec![diff]
                } else {
                    Vec::new()
                },
                result,
            })
            .await
    }

    /// `state: file`: the file must be there; only its attributes are set.
    async fn keep(&self, status: FileStatus) -> ModuleResult {
        match status.kind {
            FileKind::Absent => {
                return Err(self
                    .fail(format!("file ({}) is absent, cannot continue", self.path))
                    .with("state", "absent"));
            }
            FileKind::Directory => {
                return Err(self
                    .fail(format!(
                        "file ({}) is directory, cannot continue",
                        self.path
                    ))
                    .with("state", "directory"));
            }
            _ => {}
        }
        let difference = self.attributes.difference(&status);
        let stamp = times::command(self, &status, "preserve").await?;
        self.settle(status, difference, stamp).await
    }

    /// Sets attributes and times of something that is there, if they differ.
    async fn settle(
        &self,
        status: FileStatus,
        difference: Difference,
        stamp: Option<String>,
    ) -> ModuleResult {
        if difference.is_empty() && stamp.is_none() {
            return Ok(self.outcome(false, &status));
        }
        let state = attributes::state(&status);
        self.declare("change", (state, state), &status, &difference)
            .await?;
        let mut steps: Vec<String> = stamp.into_iter().collect();
        steps.push(difference.script(self.real(&status)));
        let shown = run(
            &self.host,
            steps.join(" && "),
            "changing owner, mode or time",
        )
        .await?;
        Ok(self.outcome(true, &difference.apply(&status, &shown)))
    }
}
