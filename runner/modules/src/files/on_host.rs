//! `copy` with `remote_src`: the host copies from itself, and the content does not travel.

use sasrun_plugin::{
    Arguments, Call, Failure, FileKind, FileStatus, Host, Mode, ModuleResult, Outcome,
};

use super::edit::validation;
use super::placing::{Source, find_spot, make_parent, place, result, settle};
use crate::answers::{Answers, bytes_of, look, look_inside, run, whole};
use crate::attributes::{self, Attributes};
use crate::paths;

/// Largest file that is read and written again, in the round trips that any file costs.
const SMALL_BYTES: u64 = 1 << 20;

pub(super) async fn copy(host: &Host, call: &Call, src: &str) -> ModuleResult {
    let path = paths::expand(host, src).await?;
    let reads = vec![look(&path, true), look_inside(&path, true)];
    let mut answers = Answers::of(host, reads).await?;
    let (source, with_checksum) = (answers.status()?, answers.status()?);
    match source.kind {
        FileKind::Absent => Err(Failure::new(format!("Source {path} not found")).with("src", path)),
        FileKind::Directory => copy_directory(host, call, &path).await,
        FileKind::File if source.size_bytes <= SMALL_BYTES => {
            let content = Answers::of(host, vec![whole(&path)]).await?.file()?;
            let name = Some(paths::file_name(&path).to_owned());
            let mut file = Source::of_bytes(&bytes_of(&content)?, name);
            file.mode = Some(source.mode);
            file.from = Some(path);
            place(host, call, file).await
        }
        FileKind::File => copy_large(host, call, &path, &with_checksum).await,
        _ => Err(Failure::new(format!(
            "Cannot copy invalid source '{path}': not a file"
        ))),
    }
}

async fn copy_large(host: &Host, call: &Call, src: &str, source: &FileStatus) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let mut wanted = Attributes::of(&arguments);
    if wanted.mode == Some(Mode::Preserve) {
        wanted.mode = Some(Mode::Bits(source.mode));
    }
    let checksum = source.checksum.clone().unwrap_or_default();
    let spot = find_spot(host, &arguments, Some(paths::file_name(src))).await?;
    let exists = spot.status.exists();
    let is_same = spot.status.checksum == source.checksum;
    if is_same || exists && arguments.given_flag("force") == Some(false) {
        return settle(host, call, &wanted, &spot, &checksum).await;
    }
    let validate = validation(&arguments)?;
    let expected = result(&spot.path, &checksum);
    host.will_change(format!("copy {src} to {}", spot.path), None, expected)
        .await?;
    make_parent(host, &arguments, &wanted, &spot).await?;
    // What is written anew has the bits of what it replaces, or those of any new file.
    let bits = match exists {
        true => wanted.bits(&spot.status).or(Some(spot.status.mode)),
        false => wanted.bits_of_new(false),
    };
    let steps = Steps {
        from: src,
        to: &spot.path,
        owner: wanted.owner.as_deref(),
        group: wanted.group.as_deref(),
        bits,
        keeps_old: exists && arguments.flag("backup"),
        validate: validate.as_deref(),
    };
    let output = run(host, steps.script(), "copying the file").await?;
    let status = Answers::of(host, vec![look(&spot.path, false)])
        .await?
        .status()?;
    let mut outcome = Outcome {
        result: result(&spot.path, &checksum),
        ..Outcome::changed()
    }
    .with("src", src);
    outcome.result.extend(attributes::fields(&status));
    if let Some(backup) = output.stdout.trim_end().strip_prefix("backup ") {
        outcome = outcome.with("backup_file", backup);
    }
    Ok(outcome)
}

/// How a large file gets to its place: beside it first, so that nobody sees half of it.
struct Steps<'a> {
    from: &'a str,
    to: &'a str,
    owner: Option<&'a str>,
    group: Option<&'a str>,
    bits: Option<u32>,
    keeps_old: bool,
    validate: Option<&'a str>,
}

impl Steps<'_> {
    fn script(&self) -> String {
        let beside = paths::word(&format!("{}.sasrun-part", self.to));
        let (from, to) = (paths::word(self.from), paths::word(self.to));
        let mut steps = vec![format!("cp {from} {beside}")];
        if let Some(owner) = self.owner {
            steps.push(format!("chown {} {beside}", paths::word(owner)));
        }
        if let Some(group) = self.group {
            steps.push(format!("chgrp {} {beside}", paths::word(group)));
        }
        if let Some(bits) = self.bits {
            steps.push(format!("chmod {bits:04o} {beside}"));
        }
        if let Some(command) = self.validate {
            steps.push(format!("( {} ) >&2", command.replace("%s", &beside)));
        }
        if self.keeps_old {
            steps.push(format!(
                "b={to}.$$.`date +%Y-%m-%d@%H:%M:%S`~ && cp -p {to} \"$b\" && echo \"backup $b\""
            ));
        }
        steps.push(format!("mv -f {beside} {to}"));
        format!(
            "if {}; then :; else rm -f {beside}; exit 1; fi",
            steps.join(" && ")
        )
    }
}

async fn copy_directory(host: &Host, call: &Call, src: &str) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let dest = paths::expand(host, arguments.text_or_empty("dest")).await?;
    let to = if src.ends_with('/') {
        dest.clone()
    } else {
        paths::join(&dest, paths::file_name(src))
    };
    let wanted = Attributes::of(&arguments);
    let through_links = arguments.given_flag("local_follow") == Some(true);
    let script = comparison(src, &to, &wanted, through_links);
    let compared = host.read_script(script).await?;
    let outcome = Outcome::default().with("src", src).with("dest", dest);
    match compared.stdout.trim_end() {
        "" if compared.succeeded() => return Ok(outcome),
        "differs" | "absent" => {}
        _ => {
            return Err(Failure::new(format!(
                "{src} and {to} could not be compared: {}",
                compared.stderr.trim()
            )));
        }
    }
    if compared.stdout.starts_with("differs") && arguments.given_flag("force") == Some(false) {
        return Ok(outcome.with("msg", "file already exists"));
    }
    host.will_change(format!("copy {src} to {to}"), None, outcome.result.clone())
        .await?;
    let (from_word, to_word) = (paths::word(src), paths::word(&to));
    let links = if through_links { "-L" } else { "-P" };
    let mut script = format!("mkdir -p {to_word} && cp -R {links} {from_word}/. {to_word}/");
    if let Some(owner) = &wanted.owner {
        script.push_str(&format!(" && chown -R {} {to_word}", paths::word(owner)));
    }
    if let Some(group) = &wanted.group {
        script.push_str(&format!(" && chgrp -R {} {to_word}", paths::word(group)));
    }
    if let Some(Mode::Bits(mode)) = wanted.mode {
        script.push_str(&format!(
            " && find {to_word} -type f -exec chmod {mode:04o} {{}} \\;"
        ));
    }
    run(host, script, "copying the directory").await?;
    Ok(Outcome {
        changed: true,
        ..outcome
    })
}

/// Shell text that says `absent` where the target is not there, and `differs` where something of
/// the source is not below it with the same content, or not with the owner and group that are wanted.
fn comparison(from: &str, to: &str, wanted: &Attributes, through_links: bool) -> String {
    let (from, to) = (paths::word(from), paths::word(to));
    let find = if through_links { "find -L" } else { "find" };
    let mut owners = String::new();
    if let Some(owner) = &wanted.owner {
        owners.push_str(&format!(" ! -user {}", paths::word(owner)));
    }
    if let Some(group) = &wanted.group {
        let or = if owners.is_empty() { "" } else { " -o" };
        owners.push_str(&format!("{or} ! -group {}", paths::word(group)));
    }
    let owned = match owners.is_empty() {
        true => ":".to_owned(),
        false => format!("find \"$to\"{owners} | sed 's/.*/differs/'"),
    };
    let is_kept = if through_links { "false" } else { "true" };
    format!(
        "to={to}; case $to in /*) ;; *) to=`pwd`/$to ;; esac\n\
         [ -d \"$to\" ] || {{ echo absent; exit 0; }}\n\
         _to() {{ readlink \"$1\" 2>/dev/null || ls -ld \"$1\" | sed 's/^.* -> //'; }}\n\
         cd {from} || exit 1\n\
         {{ {find} . -print | while IFS= read -r entry; do\n\
         there=$to/$entry\n\
         if [ -h \"$entry\" ] && {is_kept}; then\n\
         a=`_to \"$entry\"`; b=`_to \"$there\"`\n\
         [ -h \"$there\" ] && [ \"$a\" = \"$b\" ] || echo differs\n\
         elif [ -d \"$entry\" ]; then [ -d \"$there\" ] || echo differs\n\
         elif [ -f \"$entry\" ]; then cmp -s \"$entry\" \"$there\" || echo differs\n\
         fi; done; {owned}; }} | head -n 1"
    )
}
