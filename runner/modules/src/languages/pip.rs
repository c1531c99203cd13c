//! `pip`: packages of Python's, for a host that has Python.

use std::collections::BTreeMap;

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Command, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object,
};

use super::requirement::{Requirement, canonical};
use crate::answers::{run as change, succeeded};
use crate::changing::outcome;
use crate::describe::{core, example, path, returns, set, switch, text, texts};
use crate::lines::split_lines;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        required_one_of: vec![set(&["name", "requirements"])],
        mutually_exclusive: vec![
            set(&["name", "requirements"]),
            set(&["executable", "virtualenv"]),
        ],
        returns: returns(&[
            ("cmd", "str", "The command."),
            ("name", "list", "The packages."),
            ("requirements", "str", "The file of packages."),
            ("version", "str", "The version asked for."),
            ("virtualenv", "path", "The environment."),
        ]),
        examples: vec![example(
            "Install into an environment",
            "ansible.builtin.pip:\n  name: [django>=4.2, gunicorn]\n  virtualenv: /srv/app/venv\n  virtualenv_command: python3 -m venv",
        )],
        ..core(
            "pip",
            "Installs and removes packages of Python's.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        texts(
            "name",
            "Packages, with bounds of their versions, or addresses.",
        ),
        text("version", "Version of the one package."),
        text("requirements", "File of the host that lists packages."),
        path(
            "virtualenv",
            "Environment to work in; it is made if it is not there.",
        ),
        switch(
            "virtualenv_site_packages",
            "Lets the environment see packages of the system.",
        ),
        path("virtualenv_command", "Program that makes environments.").defaults_to("virtualenv"),
        text("virtualenv_python", "Python for the environment."),
        text("state", "What they shall be.")
            .choices(&["absent", "forcereinstall", "latest", "present"])
            .defaults_to("present"),
        text("extra_args", "More words for pip."),
        switch("editable", "Installs in place."),
        path("chdir", "Directory to start in."),
        path("executable", "The pip to use."),
        text("umask", "Mask of modes, octal."),
        switch(
            "break_system_packages",
            "Changes packages that the system manages.",
        ),
    ]
}

/// The packages on their way.
struct Task {
    host: Host,
    arguments: Arguments,
    environment: Option<String>,
    packages: Vec<String>,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let environment = match arguments.text("virtualenv") {
        Some(path) => {
            let path = crate::paths::expand(&host, path).await?;
            Some(crate::paths::join(arguments.text_or_empty("chdir"), &path))
        }
        None => None,
    };
    let packages = packages(&arguments)?;
    let task = Task {
        host,
        arguments,
        environment,
        packages,
    };
    let found = task.look().await?;
    if !found.pip.is_empty() && task.is_right(&found) {
        return Ok(outcome(false, task.result(&found.pip, "", "")));
    }
    if found.pip.is_empty() && task.environment.is_none() {
        return Err(Failure::new(
            "Unable to find any of pip3 to use.  pip needs to be installed.",
        ));
    }
    let command = task.command(&found.pip);
    if task.is_certain() || found.pip.is_empty() {
        task.host
            .will_change(command.clone(), None, Object::new())
            .await?;
    } else {
        task.host
            .cannot_know("only pip knows whether there is something to do")
            .await?;
    }
    task.carry_out(found, command).await
}

/// Joins what a comma inside of bounds has split, and the version to the one package.
fn packages(arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let mut packages: Vec<String> = Vec::new();
    for word in arguments.strings("name") {
        let goes_on = word.trim().starts_with(['=', '<', '>', '!', '~']);
        match packages.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(&format!(",{}", word.trim())),
            None => packages.push(word.trim().to_owned()),
        }
    }
    let Some(version) = arguments
        .text("version")
        .map(str::trim)
        .filter(|text| !text.is_empty())
    else {
        return Ok(packages);
    };
    if arguments.text("state") == Some("latest") {
        return Err(Failure::new("version is incompatible with state=latest"));
    }
    match packages.as_mut_slice() {
        [one] if !one.contains(['=', '<', '>', '~']) => {
            let bound = if version.starts_with(['=', '<', '>', '!', '~']) {
                ""
            } else {
                "=="
            };
            one.push_str(&format!("{bound}{version}"));
            Ok(packages)
        }
        [_] => Err(Failure::new(
            "The 'version' argument conflicts with any version specifier provided along with a package name. Please keep the version specifier, but remove the 'version' argument.",
        )),
        _ => Err(Failure::new(
            "'version' argument is ambiguous when installing multiple package distributions. Please specify version restrictions next to each package in 'name' argument.",
        )),
    }
}

/// What pip there is, and what it knows to be installed.
struct Found {
    pip: String,
    installed: BTreeMap<String, String>,
    listed: String,
}

impl Task {
    fn places(&self) -> Vec<String> {
        match (&self.environment, self.arguments.text("executable")) {
            (Some(path), _) => vec![format!("{path}/bin/pip3"), format!("{path}/bin/pip")],
            (None, Some(pip)) => vec![pip.to_owned()],
            (None, None) => vec!["pip3".to_owned(), "pip".to_owned()],
        }
    }

    async fn look(&self) -> Result<Found, Failure> {
        let mut script = String::from(
            "LC_ALL=C PIP_DISABLE_PIP_VERSION_CHECK=1; export LC_ALL PIP_DISABLE_PIP_VERSION_CHECK\nfor p in",
        );
        for place in self.places() {
            script.push_str(&format!(" {}", crate::paths::word(&place)));
        }
        script.push_str(
            "; do if \"$p\" --version >/dev/null 2>&1; then echo \"$p\"; \
             \"$p\" list --format=freeze 2>/dev/null || \"$p\" freeze; exit 0; fi; done",
        );
        if self.environment.is_none() && !self.arguments.has("executable") {
            script.push_str(
                "\nif python3 -m pip --version >/dev/null 2>&1; then echo 'python3 -m pip'; \
                 python3 -m pip list --format=freeze; fi",
            );
        }
        let command = Command {
            script,
            directory: self.directory(),
            ..Command::default()
        };
        let output = succeeded(self.host.read_command(command).await?, "asking pip")?;
        let (pip, listed) = output.stdout.split_once('\n').unwrap_or_default();
        let installed = listed
            .lines()
            .filter_map(|line| line.split_once("=="))
            .map(|(name, version)| (canonical(name), version.trim().to_owned()))
            .collect();
        Ok(Found {
            pip: pip.to_owned(),
            installed,
            listed: listed.to_owned(),
        })
    }

    fn directory(&self) -> Option<String> {
        self.arguments.text("chdir").map(str::to_owned)
    }

    /// Tells whether the packages are known to be as they shall be.
    fn is_right(&self, found: &Found) -> bool {
        let state = self.arguments.text_or_empty("state");
        if self.packages.is_empty()
            || !matches!(state, "present" | "absent")
            || self.arguments.flag("editable")
        {
            return false;
        }
        self.packages.iter().all(|package| {
            let Some(wanted) = Requirement::of(package) else {
                return false;
            };
            let version = found.installed.get(&wanted.name);
            match state {
                "absent" => version.is_none(),
                _ => version.is_some_and(|version| wanted.takes(version)),
            }
        })
    }

    /// Tells whether it is known before that something will change.
    fn is_certain(&self) -> bool {
        let state = self.arguments.text_or_empty("state");
        !self.packages.is_empty()
            && matches!(state, "present" | "absent" | "forcereinstall")
            && self
                .packages
                .iter()
                .all(|package| Requirement::of(package).is_some())
    }

    fn command(&self, pip: &str) -> String {
        let verb = match self.arguments.text_or_empty("state") {
            "absent" => "uninstall -y",
            "latest" => "install -U",
            "forcereinstall" => "install -U --force-reinstall",
            _ => "install",
        };
        let pip = match (&self.environment, pip) {
            (Some(path), "") => crate::paths::word(&format!("{path}/bin/pip")),
            (_, "python3 -m pip") => pip.to_owned(),
            _ => crate::paths::word(pip),
        };
        let mut command = format!("{pip} {verb}");
        if let Some(extra) = self.arguments.text("extra_args") {
            command.push_str(&format!(" {extra}"));
        }
        if self.arguments.flag("editable") && !command.contains(" -e") {
            command.push_str(" -e");
        }
        for package in &self.packages {
            command.push_str(&format!(" {}", Host::quote(package)));
        }
        if let Some(file) = self.arguments.text("requirements") {
            command.push_str(&format!(" -r {}", Host::quote(file)));
        }
        command
    }

    /// Writes the step that makes the environment.
    fn make_environment(&self, path: &str) -> String {
        let tool = self.arguments.text_or_empty("virtualenv_command");
        let mut step = tool.to_owned();
        if self.arguments.flag("virtualenv_site_packages") {
            step.push_str(" --system-site-packages");
        }
        if let Some(python) = self.arguments.text("virtualenv_python") {
            step.push_str(&format!(" -p{}", Host::quote(python)));
        }
        format!("{step} {}", crate::paths::word(path))
    }

    async fn carry_out(&self, found: Found, command: String) -> ModuleResult {
        let mut steps = vec![
            "LC_ALL=C PIP_DISABLE_PIP_VERSION_CHECK=1; export LC_ALL PIP_DISABLE_PIP_VERSION_CHECK"
                .to_owned(),
        ];
        if let Some(mask) = self.arguments.text("umask") {
            steps.push(format!("umask {}", Host::quote(mask)));
        }
        if self.arguments.flag("break_system_packages") {
            steps.push("PIP_BREAK_SYSTEM_PACKAGES=1; export PIP_BREAK_SYSTEM_PACKAGES".to_owned());
        }
        let makes = found.pip.is_empty();
        if let Some(path) = &self.environment {
            if makes {
                let script = format!("{} && {}", steps.join(" && "), self.make_environment(path));
                change(&self.host, script, "making the environment").await?;
            }
            steps.push(format!(
                "PATH={}:$PATH && export PATH",
                crate::paths::word(&format!("{path}/bin"))
            ));
        }
        steps.push(command.clone());
        let run = Command {
            script: steps.join(" && "),
            directory: self.directory(),
            ..Command::default()
        };
        let output = self.host.run(run).await?;
        let said = |words: &str| output.stdout.contains(words) || output.stderr.contains(words);
        let is_gone = output.rc == 1 && said("not installed");
        if !output.succeeded() && !is_gone {
            let msg = format!("stdout: {}\n:stderr: {}", output.stdout, output.stderr);
            return Err(Failure::new(msg).with("cmd", command).with("rc", output.rc));
        }
        let changed = match self.arguments.text_or_empty("state") {
            "absent" => said("Successfully uninstalled"),
            _ if self.packages.is_empty() || !self.is_certain() => {
                self.look().await?.listed != found.listed || said("Successfully installed")
            }
            _ => said("Successfully installed"),
        };
        Ok(outcome(
            changed || makes,
            self.result(&command, &output.stdout, &output.stderr),
        ))
    }

    fn result(&self, command: &str, stdout: &str, stderr: &str) -> Object {
        let given = |name: &str| self.arguments.value(name).cloned().unwrap_or_default();
        crate::changing::fields([
            ("cmd", command.into()),
            ("name", given("name")),
            ("version", given("version")),
            ("state", given("state")),
            ("requirements", given("requirements")),
            ("virtualenv", self.environment.clone().into()),
            ("stdout", stdout.into()),
            ("stdout_lines", split_lines(stdout).into()),
            ("stderr", stderr.into()),
            ("stderr_lines", split_lines(stderr).into()),
        ])
    }
}
