//! `ansible.posix.mount`: file systems, in their table and in use.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FileKind, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object,
};

use super::fstab::{self, Entry};
use crate::answers::{Answers, look, run as change, script};
use crate::changing::{TextFile, fields, outcome};
use crate::describe::{choice, example, needed, of_collection, path, returns, switch, text};
use crate::paths::word;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("name", "path", "Where it is mounted."),
            ("src", "str", "What is mounted."),
            ("fstype", "str", "Kind of file system."),
            ("opts", "str", "Options."),
            ("fstab", "path", "The table."),
            ("backup_file", "path", "Where the old table was kept."),
        ]),
        examples: vec![example(
            "Mount a volume",
            "ansible.posix.mount:\n  path: /srv\n  src: LABEL=SRV\n  fstype: ext4\n  opts: noatime\n  state: mounted",
        )],
        ..of_collection(
            "ansible.posix",
            "mount",
            "Keeps file systems, in their table and in use.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        needed(path("path", "Where it is mounted.")).alias(&["name"]),
        path("src", "What is mounted."),
        text("fstype", "Kind of file system."),
        text("opts", "Options."),
        switch("opts_no_log", "Keeps the options out of every output."),
        text("dump", "Column for dump.").defaults_to("0"),
        text("passno", "Column for the order of checks.").defaults_to("0"),
        needed(
            text(
                "state",
                "What it shall be: in the table, in use, both or neither.",
            )
            .choices(&[
                "absent",
                "absent_from_fstab",
                "ephemeral",
                "mounted",
                "present",
                "remounted",
                "unmounted",
            ]),
        ),
        path("fstab", "The table.").defaults_to("/etc/fstab"),
        choice("boot", "Whether it is mounted when the system starts.").defaults_to(true),
        switch("backup", "Keeps a copy of the old table."),
    ]
}

/// The mount on its way.
struct Task {
    host: Host,
    arguments: Arguments,
    path: String,
    /// What is mounted there now.
    mounted: Option<String>,
    is_there: bool,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    if arguments.flag("opts_no_log") {
        host.secrets(
            arguments
                .text("opts")
                .map(str::to_owned)
                .into_iter()
                .collect(),
        )
        .await?;
    }
    let path = crate::paths::expand(&host, arguments.text_or_empty("path")).await?;
    let list = script(
        "cat /proc/mounts 2>/dev/null || mount | sed 's/^\\(.*\\) on \\([^ ]*\\) .*$/\\1 \\2/'",
    );
    let mut answers = Answers::of(&host, vec![list, look(&path, true)]).await?;
    let mounted = source_at(&answers.command()?.stdout, &path);
    let status = answers.status()?;
    let task = Task {
        host,
        arguments,
        path,
        mounted,
        is_there: status.kind == FileKind::Directory,
    };
    task.check()?;
    let state = task.arguments.text_or_empty("state");
    match state {
        "present" | "mounted" => task.ensure(state == "mounted").await,
        "absent" | "absent_from_fstab" => task.remove(state == "absent").await,
        "ephemeral" => task.without_table().await,
        "remounted" => task.remount().await,
        _ => task.unmount().await,
    }
}

/// Returns what is mounted at a path: the last of the list hides the others.
fn source_at(list: &str, path: &str) -> Option<String> {
    let wanted = if path == "/" {
        path
    } else {
        path.trim_end_matches('/')
    };
    list.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let source = words.next()?;
            (fstab::plain(words.next()?) == wanted).then(|| fstab::plain(source))
        })
        .next_back()
}

impl Task {
    fn check(&self) -> Result<(), Failure> {
        let state = self.arguments.text_or_empty("state");
        let needs: &[&str] = match state {
            "present" | "mounted" | "ephemeral" => &["src", "fstype"],
            _ => &[],
        };
        let missing: Vec<&str> = needs
            .iter()
            .copied()
            .filter(|name| !self.arguments.has(name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "state is {state} but all of the following are missing: {}",
            missing.join(", ")
        )))
    }

    fn entry(&self) -> Entry {
        let mut options = self.arguments.text("opts").unwrap_or("defaults").to_owned();
        let known = options.split(',').any(|option| option == "noauto");
        if !self.arguments.flag("boot") && !known {
            options.push_str(",noauto");
        }
        Entry {
            source: self.arguments.text_or_empty("src").to_owned(),
            path: self.path.clone(),
            kind: self.arguments.text_or_empty("fstype").to_owned(),
            options,
            dump: self.arguments.text_or_empty("dump").to_owned(),
            pass: self.arguments.text_or_empty("passno").to_owned(),
        }
    }

    fn result(&self) -> Object {
        let entry = self.entry();
        fields([
            ("name", self.path.as_str().into()),
            ("src", entry.source.into()),
            ("fstype", entry.kind.into()),
            ("opts", entry.options.into()),
            ("dump", entry.dump.into()),
            ("passno", entry.pass.into()),
            ("fstab", self.arguments.text_or_empty("fstab").into()),
        ])
    }

    async fn table(&self) -> Result<TextFile, Failure> {
        TextFile::read(&self.host, self.arguments.text_or_empty("fstab")).await
    }

    async fn write(
        &self,
        table: &TextFile,
        after: String,
        result: &mut Object,
    ) -> Result<(), Failure> {
        if after == table.text {
            return Ok(());
        }
        let backup = table
            .write(&self.host, after, 0o644, self.arguments.flag("backup"))
            .await?;
        result.extend(backup.map(|path| ("backup_file".to_owned(), path.into())));
        Ok(())
    }

    fn mount_command(&self) -> String {
        let table = self.arguments.text_or_empty("fstab");
        let other = if table == "/etc/fstab" {
            String::new()
        } else {
            format!(" -T {}", word(table))
        };
        format!("mount{other} {}", word(&self.path))
    }

    async fn ensure(&self, mounts: bool) -> ModuleResult {
        let table = self.table().await?;
        let after = fstab::with(&table.text, &self.entry());
        let writes = after != table.text;
        let mut result = self.result();
        let makes = mounts && !self.is_there;
        let is_needed = writes || makes || mounts && self.mounted.is_none();
        if !is_needed {
            return Ok(outcome(false, result));
        }
        let diff = writes.then(|| table.diff(&after));
        self.host
            .will_change(format!("mount at {}", self.path), diff, result.clone())
            .await?;
        if makes {
            change(
                &self.host,
                format!("mkdir -p {}", word(&self.path)),
                "making the directory",
            )
            .await?;
        }
        self.write(&table, after, &mut result).await?;
        if mounts {
            let script = match (&self.mounted, writes) {
                (None, _) => self.mount_command(),
                (Some(_), true) => self.remount_script(),
                (Some(_), false) => ":".to_owned(),
            };
            change(&self.host, script, &format!("Error mounting {}", self.path)).await?;
        }
        Ok(outcome(true, result))
    }

    /// What cannot be mounted anew with other options is taken away and mounted again.
    fn remount_script(&self) -> String {
        let (mount, path) = (self.mount_command(), word(&self.path));
        let options = self
            .arguments
            .text("opts")
            .map(|opts| format!("remount,{opts}"));
        let options = Host::quote(options.as_deref().unwrap_or("remount"));
        format!("mount -o {options} {path} 2>/dev/null || {{ umount {path} && {mount}; }}")
    }

    async fn remove(&self, unmounts: bool) -> ModuleResult {
        let table = self.table().await?;
        let after = fstab::without(&table.text, &self.path);
        let mut result = self.result();
        let writes = after != table.text;
        if !writes && !(unmounts && (self.mounted.is_some() || self.is_there)) {
            return Ok(outcome(false, result));
        }
        let diff = writes.then(|| table.diff(&after));
        self.host
            .will_change(format!("no mount at {}", self.path), diff, result.clone())
            .await?;
        self.write(&table, after, &mut result).await?;
        let path = word(&self.path);
        if unmounts && self.mounted.is_some() {
            change(
                &self.host,
                format!("umount {path}"),
                &format!("Error unmounting {}", self.path),
            )
            .await?;
        }
        if unmounts && self.is_there {
            change(
                &self.host,
                format!("rmdir {path}"),
                &format!("Error rmdir {}", self.path),
            )
            .await?;
        }
        Ok(outcome(true, result))
    }

    async fn unmount(&self) -> ModuleResult {
        if self.mounted.is_none() {
            return Ok(outcome(false, self.result()));
        }
        let script = format!("umount {}", word(&self.path));
        crate::changing::carry_out(
            &self.host,
            format!("unmount {}", self.path),
            None,
            script,
            self.result(),
        )
        .await
    }

    async fn remount(&self) -> ModuleResult {
        if self.mounted.is_none() {
            let msg = format!("Error remounting {}: it is not mounted", self.path);
            return Err(Failure::new(msg));
        }
        crate::changing::carry_out(
            &self.host,
            format!("remount {}", self.path),
            None,
            self.remount_script(),
            self.result(),
        )
        .await
    }

    async fn without_table(&self) -> ModuleResult {
        let entry = self.entry();
        if let Some(source) = &self.mounted {
            if *source == entry.source {
                return Ok(outcome(false, self.result()));
            }
            return Err(Failure::new(format!(
                "Ephemeral mount point is already mounted with a different source: {source}"
            )));
        }
        let options = match self.arguments.text("opts") {
            Some(options) => format!(" -o {}", Host::quote(options)),
            None => String::new(),
        };
        let script = format!(
            "mkdir -p {path} && mount -t {}{options} {} {path}",
            Host::quote(&entry.kind),
            Host::quote(&entry.source),
            path = word(&self.path),
        );
        crate::changing::carry_out(
            &self.host,
            format!("mount at {}", self.path),
            None,
            script,
            self.result(),
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::source_at;

    #[test]
    fn the_last_mount_counts() {
        let list = "/dev/a / ext4 rw\n/dev/b /mnt/x\\040y ext4 rw\n/dev/c /mnt/x\\040y ext4 rw\n";
        assert_eq!(source_at(list, "/mnt/x y/").as_deref(), Some("/dev/c"));
        assert_eq!(source_at(list, "/"), Some("/dev/a".to_owned()));
        assert_eq!(source_at(list, "/mnt"), None);
    }
}
