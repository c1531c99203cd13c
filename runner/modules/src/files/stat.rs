//! `stat`: tells what is known of a file.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, FileKind, FileStatus, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome, Read, Repetition, Stat,
};
use serde_json::{Value, json};

use crate::answers::{Answers, script};
use crate::describe::{choice, core, example, needed, path, returns, switch, text};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let arguments = vec![
        needed(path("path", "The file.")).alias(&["dest", "name"]),
        switch("follow", "Follows a symbolic link."),
        choice("get_checksum", "Answers a checksum of a regular file.").defaults_to(true),
        choice(
            "get_mime",
            "Answers the kind of content, if the host has `file`.",
        )
        .alias(&["mime", "mime_type", "mime-type"])
        .defaults_to(true),
        choice(
            "get_attributes",
            "Answers file flags; they are always empty.",
        )
        .alias(&["attr", "attributes"])
        .defaults_to(true),
        text("checksum_algorithm", "Kind of checksum.")
            .alias(&["checksum", "checksum_algo"])
            .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
            .defaults_to("sha1"),
    ];
    ModuleSpec {
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: returns(&[(
            "stat",
            "dict",
            "`exists`, and if it does: `path`, `mode`, `isdir`, `isreg`, `islnk`, `uid`, `gid`, \
             `pw_name`, `gr_name`, `size`, `mtime`, `checksum`, `readable`, `writeable`, \
             `executable`, `lnk_source`, `lnk_target`, …",
        )]),
        examples: vec![example(
            "Look for a file",
            "ansible.builtin.stat:\n  path: /etc/init.d/sshd\nregister: script",
        )],
        ..core("stat", "Tells what is known of a file.", arguments)
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let given = arguments.text_or_empty("path");
    let path = paths::expand(&host, given).await?;
    let mut reads = vec![Read::Stat(Stat {
        path: path.clone(),
        follow: arguments.flag("follow"),
        checksum: arguments
            .flag("get_checksum")
            .then(|| arguments.text_or_empty("checksum_algorithm").to_owned()),
    })];
    if arguments.flag("get_mime") {
        let word = paths::word(&path);
        reads.push(script(format!(
            "[ ! -e {word} ] || file --mime-type --mime-encoding {word} 2>/dev/null"
        )));
    }
    let mut answers = Answers::of(&host, reads).await?;
    let status = answers.status()?;
    let mut stat = fields(&path, &status);
    if status.exists() && arguments.flag("get_mime") {
        let output = answers.command()?;
        let (kind, charset) = mime(&output.stdout);
        stat.insert("mimetype".into(), kind.into());
        stat.insert("charset".into(), charset.into());
    }
    if status.exists() && arguments.flag("get_attributes") {
        stat.insert("version".into(), Value::Null);
        stat.insert("attributes".into(), json!([]));
        stat.insert("attr_flags".into(), "".into());
    }
    Ok(Outcome::unchanged().with("stat", stat))
}

fn mime(shown: &str) -> (String, String) {
    let parts = shown
        .rsplit_once(':')
        .and_then(|(_, kinds)| kinds.split_once(';'))
        .map(|(kind, charset)| {
            let charset = charset.split_once('=').map_or("unknown", |(_, name)| name);
            (kind.trim().to_owned(), charset.trim().to_owned())
        });
    parts.unwrap_or_else(|| ("unknown".to_owned(), "unknown".to_owned()))
}

/// Returns what is known of a file, in the words that playbooks use.
pub(super) fn fields(path: &str, status: &FileStatus) -> Object {
    if !status.exists() {
        return object(json!({"exists": false}));
    }
    let is = |kind| status.kind == kind;
    let bit = |mask: u32| status.mode & mask != 0;
    let mut stat = object(json!({
        "exists": true, "path": path, "mode": format!("{:04o}", status.mode),
        "isdir": is(FileKind::Directory), "ischr": is(FileKind::CharacterDevice),
        "isblk": is(FileKind::BlockDevice), "isreg": is(FileKind::File),
        "isfifo": is(FileKind::Fifo), "islnk": is(FileKind::Link), "issock": is(FileKind::Socket),
        "uid": status.uid, "gid": status.gid, "size": status.size_bytes,
        "inode": status.inode, "dev": status.device, "nlink": status.links,
        "atime": status.atime, "mtime": status.mtime, "ctime": status.ctime,
        "rusr": bit(0o400), "wusr": bit(0o200), "xusr": bit(0o100),
        "rgrp": bit(0o040), "wgrp": bit(0o020), "xgrp": bit(0o010),
        "roth": bit(0o004), "woth": bit(0o002), "xoth": bit(0o001),
        "isuid": bit(0o4000), "isgid": bit(0o2000),
    }));
    let more = json!({
        "readable": status.readable, "writeable": status.writable, "executable": status.executable,
    });
    stat.extend(object(more));
    for (key, name) in [("pw_name", &status.owner), ("gr_name", &status.group)] {
        if !name.is_empty() && name.parse::<u32>().is_err() {
            stat.insert(key.into(), name.as_str().into());
        }
    }
    if is(FileKind::Link) {
        stat.insert("lnk_source".into(), json!(status.real_path));
        stat.insert("lnk_target".into(), json!(status.link_target));
    }
    if let Some(checksum) = &status.checksum {
        stat.insert("checksum".into(), checksum.as_str().into());
    }
    stat
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}
