//! `unarchive`: unpacks an archive into a directory of the host.

use sasrun_plugin::{
    Arguments, Call, Change, Command, Failure, FileKind, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Outcome, ReadAnswer, SearchIn, WriteFile,
};

use crate::answers::{Answers, look, succeeded};
use crate::attributes::Attributes;
use crate::describe::{
    choice, core, example, file_arguments, file_returns, integer, needed, path, set, switch, texts,
    with,
};
use crate::files::sent_content;
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
        integer(
            "io_buffer_size",
            "Accepted; the host's programs choose their buffers.",
        ),
        choice("decrypt", "Opens the archive if it is in a vault.").defaults_to(true),
    ];
    ModuleSpec {
        description: vec![
            "Nothing is unpacked where all is there already: GNU tar compares an archive with the \
             tree itself, and of a zip the names and contents are compared by `unzip`. Where neither \
             can be, each run unpacks."
                .to_owned(),
        ],
        mutually_exclusive: vec![set(&["include", "exclude"])],
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

    /// Writes shell text that prints the names in the archive, as far as they are wanted.
    fn names(&self, archive: &str) -> String {
        if self.is_zip() {
            let names = self.zip_names();
            return format!(
                "unzip -l {archive}{names} 2>/dev/null | sed -n -e '/^ *---/,/^ *---/{{' -e '/^ *---/d' \
                 -e 's/^ *[0-9]* *[-0-9]* *[0-9:]* *//p' -e '}}'"
            );
        }
        let options = self.options();
        format!(
            "{{ tar --quoting-style=literal -tf {archive}{options} 2>/dev/null || \
             tar -tf {archive}{options} 2>/dev/null || \
             gzip -dc {archive} 2>/dev/null | tar -tf -{options}; }}"
        )
    }

    /// Adds the names that were asked for to an outcome.
    fn with_names(&self, outcome: Outcome, listed: &str) -> Outcome {
        if !self.arguments.flag("list_files") {
            return outcome;
        }
        let names: Vec<&str> = listed.lines().filter(|name| !name.is_empty()).collect();
        outcome.with("files", names)
    }

    /// Writes shell text that gives what was unpacked, and nothing else, its owner and mode.
    fn attributes(&self, archive: &str) -> Option<String> {
        let mut steps = Vec::new();
        let attributes = Attributes::of(&self.arguments);
        if let Some(owner) = &attributes.owner {
            steps.push(format!("chown {} \"$f\" || exit 1", paths::word(owner)));
        }
        if let Some(group) = &attributes.group {
            steps.push(format!("chgrp {} \"$f\" || exit 1", paths::word(group)));
        }
        if let Some(mode) = self.arguments.value("mode") {
            let text = mode.as_u64().map_or_else(
                || paths::word(mode.as_str().unwrap_or_default()),
                |bits| format!("{bits:04o}"),
            );
            steps.push(format!("chmod {text} \"$f\" || exit 1"));
        }
        if steps.is_empty() {
            return None;
        }
        let dest = paths::word(&self.dest);
        let names = self.names(archive);
        // The folder on top may not be in the archive itself. Links lead elsewhere. What is inside a
        // folder comes before it: the new mode may close it.
        Some(format!(
            "{{ {names}; {names} | sed -n 's,^\\(\\./\\)*\\([^/]*\\)/.*,\\2,p'; }} | sort -ur | \
             {{ cd {dest} && while read f; do if [ -h \"$f\" ]; then :; \
             elif [ -f \"$f\" ] || [ -d \"$f\" ]; then {}; fi; done; }}",
            steps.join("; ")
        ))
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
                "( cd {dest} && {{ tar -xf {archive}{keep}{options} 2>/dev/null || \
                 gzip -dc {archive} 2>/dev/null | tar -xf -{keep}{options} || \
                 tar -xf {archive}{keep}{options}; }} )"
            )
        };
        if let Some(attributes) = self.attributes(archive) {
            script.push_str(&format!(" && {attributes}"));
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
        let listed = if self.arguments.flag("list_files") {
            host.read_script(self.names(&archive)).await?.stdout
        } else {
            String::new()
        };
        if found.stdout.contains("same") {
            return Ok(self.with_names(self.outcome(false), &listed));
        }
        let summary = format!("unpack {src} into {}", self.dest);
        host.will_change(summary, None, self.outcome(true).result)
            .await?;
        crate::answers::run(host, self.unpack(&archive), "unpacking").await?;
        Ok(self.with_names(self.outcome(true), &listed))
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
                content: sent_content(host, &self.arguments, file).await?,
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
        let names = match self.arguments.flag("list_files") {
            true => self.names(&archive),
            false => ":".to_owned(),
        };
        let script = format!(
            "compared() {{ {compare}\n}}\nsame=`compared`; rc=0; if [ \"$same\" != same ]; then ( {} ) >/dev/null; rc=$?; fi; \
             echo \"$same\"; {names}; rm -f {archive}; exit $rc",
            self.unpack(&archive)
        );
        let unpack = Change::Command(Command {
            script,
            ..Command::default()
        });
        match host.change(vec![first, unpack]).await?.pop() {
            Some(ReadAnswer::Command(output)) => {
                let output = succeeded(output, "unpacking")?;
                let (same, listed) = output.stdout.split_once('\n').unwrap_or_default();
                Ok(self.with_names(self.outcome(same != "same"), listed))
            }
            Some(ReadAnswer::Refused(refusal)) => Err(Failure::new(refusal.message)),
            _ => Err(Failure::new("the archive could not be sent")),
        }
    }
}
