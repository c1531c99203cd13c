//! `unarchive`: unpacks an archive into a directory of the host.

use sasrun_plugin::{
    Arguments, Call, Change, Command, Content, Failure, FileKind, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Outcome, ReadAnswer, SearchIn, WriteFile,
};

use crate::answers::{Answers, look, succeeded};
use crate::attributes::Attributes;
use crate::describe::{
    choice, core, example, file_arguments, file_returns, needed, path, switch, texts, with,
};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(path(
            "src",
            "The archive; an address is loaded by the host.",
        )),
        needed(path("dest", "Directory to unpack into.")),
        switch("remote_src", "Takes the archive from the host."),
        choice("copy", "The opposite of `remote_src`, for old playbooks."),
        path(
            "creates",
            "File that, if it is there, makes unpacking needless.",
        ),
        switch("list_files", "Answers the names in the archive."),
        switch(
            "keep_newer",
            "Leaves files that are newer than those in the archive.",
        ),
        texts("exclude", "Names to leave out."),
        texts("include", "Names to take."),
        texts("extra_opts", "Options for the program that unpacks."),
        choice("validate_certs", "Checks the server's certificate.").defaults_to(true),
        choice("decrypt", "Opens the archive if it is in a vault.").defaults_to(true),
    ];
    ModuleSpec {
        description: vec![
            "Nothing is unpacked where all is there already: GNU tar compares an archive with the \
             tree itself, and of a zip the names and contents are compared by `unzip`. Where neither \
             can be, each run unpacks."
                .to_owned(),
        ],
        returns: file_returns(),
        examples: vec![example(
            "Unpack an archive of the controller's",
            "ansible.builtin.unarchive:\n  src: app.tar.gz\n  dest: /opt",
        )],
        ..core(
            "unarchive",
            "Unpacks an archive on the host.",
            with(own, file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let dest = paths::expand(&host, arguments.text_or_empty("dest")).await?;
    let src = arguments.text_or_empty("src").to_owned();
    let mut reads = vec![look(&dest, true)];
    if let Some(creates) = arguments.text("creates") {
        reads.push(look(creates, true));
    }
    let mut answers = Answers::of(&host, reads).await?;
    let place = answers.status()?;
    if arguments.has("creates") && answers.status()?.exists() {
        let msg = format!(
            "skipped, since {} exists",
            arguments.text_or_empty("creates")
        );
        return Ok(Outcome {
            skipped: true,
            ..Outcome::unchanged()
        }
        .with("msg", msg));
    }
    if place.kind != FileKind::Directory {
        return Err(Failure::new(format!(
            "dest '{dest}' must be an existing dir"
        )));
    }
    let is_remote = arguments.flag("remote_src") || arguments.given_flag("copy") == Some(false);
    let archive = Archive {
        arguments,
        dest,
        src,
    };
    archive.check_tools(&host).await?;
    if is_remote && !archive.src.contains("://") {
        archive.unpack_there(&host).await
    } else {
        archive.bring(&host).await
    }
}

struct Archive {
    arguments: Arguments,
    dest: String,
    src: String,
}

impl Archive {
    fn outcome(&self, changed: bool) -> Outcome {
        Outcome {
            changed,
            ..Outcome::default()
        }
        .with("dest", self.dest.as_str())
        .with("src", self.src.as_str())
    }

    fn is_zip(&self) -> bool {
        self.src
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_lowercase()
            .ends_with(".zip")
    }

    /// Writes shell text that tells whether unpacking would change anything: tar compares what is
    /// there with the archive where it can, and of a zip names and contents are compared. Where
    /// neither can be, only unpacking tells.
    fn compare(&self, archive: &str) -> String {
        let dest = paths::word(&self.dest);
        if self.is_zip() {
            return format!(
                "archive={archive} dest={dest}\nset x{}; shift\n{}",
                self.zip_names(),
                include_str!("same_as_zip.sh")
            );
        }
        format!(
            "if tar --version 2>/dev/null | grep GNU >/dev/null; then \
             tar --compare -C {dest} -f {archive}{} >/dev/null 2>&1 && echo same; fi; :",
            self.options()
        )
    }

    /// Names to take from a zip, and to leave there, as words for `unzip`.
    fn zip_names(&self) -> String {
        let mut words = String::new();
        for name in self.arguments.strings("include") {
            words.push_str(&format!(" {}", Host::quote(&name)));
        }
        let left_out = self.arguments.strings("exclude");
        if !left_out.is_empty() {
            words.push_str(" -x");
        }
        for name in left_out {
            words.push_str(&format!(" {}", Host::quote(&name)));
        }
        words
    }

    fn options(&self) -> String {
        let mut options = String::new();
        for name in self.arguments.strings("exclude") {
            options.push_str(&format!(" --exclude={}", Host::quote(&name)));
        }
        for option in self.arguments.strings("extra_opts") {
            options.push_str(&format!(" {}", Host::quote(&option)));
        }
        for name in self.arguments.strings("include") {
            options.push_str(&format!(" {}", Host::quote(&name)));
        }
        options
    }

    /// Writes shell text that unpacks; a tar that does not know the packing gets help.
    fn unpack(&self, archive: &str) -> String {
        let dest = paths::word(&self.dest);
        let mut script = if self.is_zip() {
            let keep = if self.arguments.flag("keep_newer") {
                "-u"
            } else {
                "-o"
            };
            let more: String = self
                .arguments
                .strings("extra_opts")
                .iter()
                .map(|option| format!(" {}", Host::quote(option)))
                .collect();
            let names = self.zip_names();
            format!("unzip -q {keep}{more} {archive}{names} -d {dest}")
        } else {
            let keep = if self.arguments.flag("keep_newer") {
                " --keep-newer-files"
            } else {
                ""
            };
            let options = self.options();
            format!(
                "cd {dest} && {{ tar -xf {archive}{keep}{options} 2>/dev/null || \
                 gzip -dc {archive} 2>/dev/null | tar -xf -{keep}{options} || \
                 tar -xf {archive}{keep}{options}; }}"
            )
        };
        let attributes = Attributes::of(&self.arguments);
        if let Some(owner) = &attributes.owner {
            script.push_str(&format!(" && chown -R {} {dest}", paths::word(owner)));
        }
        if let Some(group) = &attributes.group {
            script.push_str(&format!(" && chgrp -R {} {dest}", paths::word(group)));
        }
        if let Some(mode) = self.arguments.value("mode") {
            let text = mode.as_u64().map_or_else(
                || paths::word(mode.as_str().unwrap_or_default()),
                |bits| format!("{bits:04o}"),
            );
            script.push_str(&format!(" && chmod -R {text} {dest}"));
        }
        script
    }

    /// Refuses a zip archive where nothing can unpack it.
    async fn check_tools(&self, host: &Host) -> Result<(), Failure> {
        if !self.is_zip() || host.read_script("type unzip").await?.succeeded() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Failed to find handler for \"{}\". Make sure the required command to extract the file is installed.\n\
             Unable to find required 'unzip' or 'zipinfo' binary in the path.",
            self.src
        )))
    }

    async fn unpack_there(&self, host: &Host) -> ModuleResult {
        let src = paths::expand(host, &self.src).await?;
        let archive = paths::word(&src);
        let mut test = format!("[ -f {archive} ] || {{ echo missing; exit 0; }}\n");
        test.push_str(&self.compare(&archive));
        let found = host.read_script(test).await?;
        if found.stdout.contains("missing") {
            return Err(Failure::new(format!("Source '{src}' does not exist")));
        }
        if found.stdout.contains("same") {
            return Ok(self.outcome(false));
        }
        let summary = format!("unpack {src} into {}", self.dest);
        host.will_change(summary, None, self.outcome(true).result)
            .await?;
        crate::answers::run(host, self.unpack(&archive), "unpacking").await?;
        Ok(self.outcome(true))
    }

    /// Brings the archive to the host, beside where it is unpacked, and removes it afterwards.
    async fn bring(&self, host: &Host) -> ModuleResult {
        let is_address = self.src.contains("://");
        let name = if self.is_zip() {
            ".sasrun-archive.zip"
        } else {
            ".sasrun-archive"
        };
        let place = paths::join(&self.dest, name);
        let archive = paths::word(&place);
        host.cannot_know(format!("only unpacking {} tells what it changes", self.src))
            .await?;
        let first = if is_address {
            let insecure = if self.arguments.flag("validate_certs") {
                ""
            } else {
                " -k"
            };
            Change::Command(Command {
                script: format!(
                    "curl -sSfL{insecure} -o {archive} {}",
                    Host::quote(&self.src)
                ),
                ..Command::default()
            })
        } else {
            let file = host
                .controller_file(&self.src, SearchIn::Files, None)
                .await?;
            Change::Write(WriteFile {
                path: place,
                content: Content::ControllerFile(file.path),
                mode: Some(0o600),
                owner: None,
                group: None,
                backup: false,
                validate: None,
                unsafe_writes: false,
            })
        };
        let compare = self.compare(&archive);
        // What is the same already is not unpacked again, so that a second run changes nothing.
        let script = format!(
            "compared() {{ {compare}\n}}\nsame=`compared`; rc=0; if [ \"$same\" != same ]; then ( {} ); rc=$?; fi; \
             rm -f {archive}; if [ \"$same\" = same ]; then echo same; fi; exit $rc",
            self.unpack(&archive)
        );
        let unpack = Change::Command(Command {
            script,
            ..Command::default()
        });
        match host.change(vec![first, unpack]).await?.pop() {
            Some(ReadAnswer::Command(output)) => {
                let output = succeeded(output, "unpacking")?;
                Ok(self.outcome(output.stdout.trim() != "same"))
            }
            Some(ReadAnswer::Refused(refusal)) => Err(Failure::new(refusal.message)),
            _ => Err(Failure::new("the archive could not be sent")),
        }
    }
}
