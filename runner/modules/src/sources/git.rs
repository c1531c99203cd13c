//! `git`: a working tree of a repository at a version.

use std::collections::BTreeMap;

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Command, CommandOutput, Failure, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Outcome,
};
use serde_json::Value;

use crate::answers::succeeded;
use crate::describe::{choice, core, example, integer, needed, path, returns, switch, text, texts};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        returns: returns(&[
            ("before", "str", "Commit that was there before."),
            ("after", "str", "Commit that is there now."),
            (
                "remote_url_changed",
                "bool",
                "Whether the repository's address was changed.",
            ),
        ]),
        examples: vec![example(
            "Check out a version",
            "ansible.builtin.git:\n  repo: https://example.com/app.git\n  dest: /srv/app\n  version: v1.2",
        )],
        ..core(
            "git",
            "Keeps a working tree of a repository at a version.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        needed(text("repo", "Address of the repository.")).alias(&["name"]),
        needed(path("dest", "Directory of the working tree.")),
        text("version", "Branch, tag or commit.").defaults_to("HEAD"),
        text("remote", "Name of the remote.").defaults_to("origin"),
        text("refspec", "What else to fetch."),
        path("reference", "Repository of the host to borrow from."),
        switch("force", "Throws away what was changed in the working tree."),
        integer("depth", "How much of the past to fetch."),
        choice("clone", "Makes the working tree if it is not there.").defaults_to(true),
        choice("update", "Fetches what is new.").defaults_to(true),
        switch("bare", "Makes a repository without a working tree."),
        choice("recursive", "Brings modules of the repository along.").defaults_to(true),
        switch("single_branch", "Fetches only the version."),
        switch("track_submodules", "Follows branches of modules."),
        switch(
            "accept_hostkey",
            "Takes a server's key that is not known yet.",
        ),
        switch(
            "accept_newhostkey",
            "Takes a server's key that is not known yet.",
        ),
        path("key_file", "Key to log in with."),
        text("ssh_opts", "Options for ssh."),
        path("executable", "The program."),
        text("umask", "Mask of the modes of what is made, octal."),
        switch("verify_commit", "Checks the signature of the commit."),
        texts("gpg_allowlist", "Accepted and not used.").alias(&["gpg_whitelist"]),
    ]
}

/// The repository on its way.
struct Task {
    host: Host,
    arguments: Arguments,
    dest: String,
    git: String,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let is_octal = |mask: &str| mask.len() >= 3 && mask.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if arguments.text("umask").is_some_and(|mask| !is_octal(mask)) {
        return Err(Failure::new(
            "umask must be defined as a quoted octal integer",
        ));
    }
    let task = Task {
        dest: paths::expand(&host, arguments.text_or_empty("dest")).await?,
        git: Host::quote(arguments.text("executable").unwrap_or("git")),
        arguments,
        host,
    };
    let before = task.current().await?;
    let wanted = task.remote_commit(before.is_some()).await?;
    let outcome = |changed, after: &str| {
        Outcome {
            changed,
            ..Outcome::default()
        }
        .with(
            "before",
            before
                .as_ref()
                .map_or(Value::Null, |state| state.commit.as_str().into()),
        )
        .with("after", after)
        .with(
            "remote_url_changed",
            before
                .as_ref()
                .is_some_and(|state| state.url != task.arguments.text_or_empty("repo")),
        )
    };
    if let Some(state) = &before {
        if state.is_dirty && !task.arguments.flag("force") {
            return Err(Failure::new(
                "Local modifications exist in the destination: use force=yes to throw them away.",
            )
            .with("before", state.commit.as_str()));
        }
        let is_right = state.commit == wanted && !state.is_dirty;
        if is_right || !task.arguments.flag("update") {
            return Ok(outcome(false, &state.commit));
        }
    } else if !task.arguments.flag("clone") {
        return Ok(outcome(false, &wanted));
    }
    task.host
        .will_change(
            format!("bring {} to {wanted}", task.dest),
            None,
            outcome(true, &wanted).result,
        )
        .await?;
    let output = task.change(task.steps(before.is_some(), &wanted)).await?;
    let after = output
        .stdout
        .lines()
        .last()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let changed = before
        .as_ref()
        .is_none_or(|state| state.commit != after || state.is_dirty);
    Ok(outcome(changed, &after))
}

/// A working tree as it is.
struct State {
    commit: String,
    url: String,
    is_dirty: bool,
}

impl Task {
    fn environment(&self) -> BTreeMap<String, String> {
        let mut ssh = vec!["ssh".to_owned(), "-o BatchMode=yes".to_owned()];
        if self.arguments.flag("accept_hostkey") || self.arguments.flag("accept_newhostkey") {
            ssh.push("-o StrictHostKeyChecking=accept-new".to_owned());
        }
        if let Some(key) = self.arguments.text("key_file") {
            ssh.push(format!("-i {} -o IdentitiesOnly=yes", Host::quote(key)));
        }
        ssh.extend(self.arguments.text("ssh_opts").map(str::to_owned));
        BTreeMap::from([
            ("GIT_SSH_COMMAND".to_owned(), ssh.join(" ")),
            ("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()),
            // A look at the tree must not write to it.
            ("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned()),
        ])
    }

    async fn read(&self, script: String) -> Result<CommandOutput, Failure> {
        self.host
            .read_command(Command {
                script,
                environment: self.environment(),
                ..Command::default()
            })
            .await
    }

    async fn change(&self, script: String) -> Result<CommandOutput, Failure> {
        let mask = self.arguments.text("umask");
        let mask = mask.map(|mask| format!("umask {}\n", Host::quote(mask)));
        let command = Command {
            script: mask.unwrap_or_default() + &script,
            environment: self.environment(),
            ..Command::default()
        };
        succeeded(self.host.run(command).await?, "git")
    }

    async fn current(&self) -> Result<Option<State>, Failure> {
        let (git, dest) = (&self.git, paths::word(&self.dest));
        let remote = Host::quote(&format!(
            "remote.{}.url",
            self.arguments.text_or_empty("remote")
        ));
        let script = format!(
            "cd {dest} 2>/dev/null || exit 0\n\
             if [ ! -d .git ] && [ ! -f .git ] && [ ! -f HEAD ]; then exit 0; fi\n\
             {git} rev-parse HEAD && {git} config --get {remote}; \
             {git} status --porcelain --untracked-files=no 2>/dev/null | sed 1q"
        );
        let output = self.read(script).await?;
        let mut lines = output.stdout.lines();
        let Some(commit) = lines.next() else {
            return Ok(None);
        };
        Ok(Some(State {
            commit: commit.to_owned(),
            url: lines.next().unwrap_or_default().to_owned(),
            is_dirty: lines.next().is_some(),
        }))
    }

    /// Asks the repository which commit the version is.
    async fn remote_commit(&self, is_there: bool) -> Result<String, Failure> {
        let version = self.arguments.text_or_empty("version");
        let is_commit = version.len() == 40 && version.chars().all(|c| c.is_ascii_hexdigit());
        if is_commit || is_there && !self.arguments.flag("update") {
            return Ok(version.to_owned());
        }
        let repo = Host::quote(self.arguments.text_or_empty("repo"));
        let word = Host::quote(version);
        let tag = Host::quote(&format!("refs/tags/{version}^{{}}"));
        let output = self
            .read(format!("{} ls-remote {repo} {word} {tag}", self.git))
            .await?;
        let output = succeeded(output, "asking the repository")?;
        let refs: Vec<(&str, &str)> = output
            .stdout
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .collect();
        // A tag with a message leads on to its commit; a branch of the name comes first.
        let wanted = [
            "HEAD".to_owned(),
            format!("refs/heads/{version}"),
            format!("refs/tags/{version}^{{}}"),
            format!("refs/tags/{version}"),
        ];
        let found = wanted
            .iter()
            .filter(|name| *name != "HEAD" || version == "HEAD")
            .find_map(|name| refs.iter().find(|(_, known)| known == name));
        // An abbreviated commit is known only once it is fetched.
        Ok(found.map_or_else(|| version.to_owned(), |(commit, _)| (*commit).to_owned()))
    }

    fn steps(&self, is_there: bool, wanted: &str) -> String {
        let (git, dest) = (&self.git, paths::word(&self.dest));
        let repo = Host::quote(self.arguments.text_or_empty("repo"));
        let remote = Host::quote(self.arguments.text_or_empty("remote"));
        let version = self.arguments.text_or_empty("version");
        let depth = self
            .arguments
            .integer("depth")
            .map(|depth| format!(" --depth {depth}"))
            .unwrap_or_default();
        let mut steps = Vec::new();
        if !is_there {
            let mut options = format!(" --origin {remote}{depth}");
            if self.arguments.flag("bare") {
                options.push_str(" --bare");
            }
            if self.arguments.flag("single_branch") || !depth.is_empty() {
                if version != "HEAD" && wanted != version {
                    options.push_str(&format!(" --branch {}", Host::quote(version)));
                }
                options.push_str(" --single-branch");
            }
            if let Some(reference) = self.arguments.text("reference") {
                options.push_str(&format!(" --reference {}", Host::quote(reference)));
            }
            steps.push(format!(
                "mkdir -p {}",
                paths::word(paths::parent(&self.dest))
            ));
            steps.push(format!("{git} clone -q{options} {repo} {dest}"));
            steps.push(format!("cd {dest}"));
        } else {
            steps.push(format!("cd {dest}"));
            steps.push(format!("{git} remote set-url {remote} {repo}"));
            steps.push(format!("{git} fetch -q --tags --force{depth} {remote}"));
        }
        if let Some(refspec) = self.arguments.text("refspec") {
            steps.push(format!("{git} fetch -q {remote} {}", Host::quote(refspec)));
        }
        if !self.arguments.flag("bare") {
            if self.arguments.flag("force") {
                steps.push(format!("{git} reset -q --hard"));
            }
            let commit = Host::quote(wanted);
            // A branch stays a branch; anything else is checked out by itself.
            let branch = Host::quote(version);
            let follow = format!(
                "if {git} show-ref --verify -q refs/remotes/{remote}/{branch}; then \
                 {git} checkout -q -B {branch} {commit} && {git} branch -q --set-upstream-to={remote}/{branch} {branch} >/dev/null; \
                 else {git} checkout -q {commit}; fi"
            );
            match version {
                "HEAD" if !is_there => {}
                "HEAD" => steps.push(format!(
                    "{git} merge -q --ff-only {commit} || {git} reset -q --hard {commit}"
                )),
                _ => steps.push(follow),
            }
            if self.arguments.flag("verify_commit") {
                steps.push(format!("{git} verify-commit HEAD"));
            }
            if self.arguments.flag("recursive") {
                let track = if self.arguments.flag("track_submodules") {
                    " --remote"
                } else {
                    ""
                };
                steps.push(format!("if [ -f .gitmodules ]; then {git} submodule -q update --init --recursive{track}; fi"));
            }
        }
        steps.push(format!("{git} rev-parse HEAD"));
        steps.join(" && ")
    }
}
