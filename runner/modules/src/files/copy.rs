//! `copy`: sends files, trees or given text to the host.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sasrun_plugin::{
    Arguments, Call, Content, ControllerFile, ControllerRequest, Failure, FunctionModule, Host,
    Module, ModuleResult, ModuleSpec, SearchIn,
};
use serde_json::Value;

use super::placing::{Source, content_of, place};
use super::{on_host, tree};
use crate::describe::{
    choice, core, example, file_arguments, file_returns, needed, path, raw, returns, set, switch,
    text, with,
};
use crate::{paths, python_json};

/// Largest file whose MD5 is told; it costs a second look at the content.
const MD5_LIMIT_BYTES: u64 = 16 << 20;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        path(
            "src",
            "File or directory of the controller's; with a slash at its end, what is in it.",
        ),
        raw(
            "content",
            "The content itself; a dictionary or list is written as JSON.",
        )
        .untold(),
        needed(path(
            "dest",
            "Where it goes; with a slash at its end, below that directory.",
        )),
        switch("backup", "Keeps a copy of the old file beside it."),
        choice("force", "Replaces a file that differs.")
            .alias(&["thirsty"])
            .defaults_to(true),
        switch("remote_src", "Takes `src` from the host itself."),
        switch(
            "follow",
            "Writes to what a symbolic link at `dest` leads to.",
        ),
        choice(
            "local_follow",
            "Sends what symbolic links below a directory lead to, not the links; true unless \
             `remote_src` is set. Links that lead around or nowhere stay links.",
        ),
        sasrun_plugin::ArgumentSpec::optional(
            "directory_mode",
            sasrun_plugin::ArgumentType::Mode,
            "Permission bits of directories that are made.",
        ),
        text("checksum", "SHA-1 that the content must have."),
        text(
            "validate",
            "Command that must accept the new file, given as `%s`, before it is used.",
        ),
        choice("decrypt", "Opens the file if it is in a vault.").defaults_to(true),
    ];
    ModuleSpec {
        diff: true,
        lists_diff: true,
        mutually_exclusive: vec![set(&["src", "content"])],
        required_one_of: vec![set(&["src", "content"])],
        returns: with_more(),
        examples: vec![
            example(
                "Send a file",
                "ansible.builtin.copy:\n  src: hosts.allow\n  dest: /etc/hosts.allow\n  owner: root\n  mode: '0644'",
            ),
            example(
                "Write some text",
                "ansible.builtin.copy:\n  content: '# kept by hand'\n  dest: /etc/motd",
            ),
        ],
        ..core(
            "copy",
            "Sends files to the host.",
            with(own, file_arguments()),
        )
    }
}

fn with_more() -> Vec<sasrun_plugin::Returned> {
    let mut fields = file_returns();
    fields.extend(returns(&[
        ("checksum", "str", "SHA-1 of the content."),
        ("md5sum", "str", "MD5 of the content, if it was sent."),
        ("src", "str", "Where the content was taken from."),
        ("backup_file", "str", "Where the old file was kept."),
    ]));
    fields
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    if let Some(content) = arguments.value("content") {
        let text = match content {
            Value::String(text) => text.clone(),
            Value::Object(_) | Value::Array(_) => python_json::dumps(content),
            Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
            other => other.to_string(),
        };
        return place(&host, &call, Source::of_bytes(text.as_bytes(), None)).await;
    }
    let src = arguments.text_or_empty("src").to_owned();
    if src.is_empty() {
        return Err(Failure::new("src (or content) is required"));
    }
    if arguments.flag("remote_src") {
        return on_host::copy(&host, &call, &src).await;
    }
    let through_links = arguments.given_flag("local_follow") != Some(false);
    let file = host
        .controller_tree(&src, SearchIn::Files, Some("sha1"), through_links)
        .await?;
    if file.is_directory {
        return tree::send(&host, &call, &src, file).await;
    }
    verify(&arguments, &file)?;
    if file.is_vaulted && arguments.flag("decrypt") {
        let bytes = opened(&host, &file.path).await?;
        let source = Source {
            mode: Some(file.mode & 0o7777),
            was_sealed: true,
            ..Source::of_bytes(&bytes, Some(paths::file_name(&src).to_owned()))
        };
        return place(&host, &call, source).await;
    }
    let source = source_of(&host, &src, file).await?;
    place(&host, &call, source).await
}

/// Reads a file of the controller's that is in a vault.
pub(crate) async fn opened(host: &Host, path: &str) -> Result<Vec<u8>, Failure> {
    let request = ControllerRequest::Open {
        path: path.to_owned(),
    };
    let answer = host.controller(request).await?;
    let bytes = answer.as_str().and_then(|text| STANDARD.decode(text).ok());
    bytes.ok_or_else(|| Failure::new(format!("the content of {path} came garbled")))
}

/// Content of a file of the controller's as it is to be sent: opened if it is in a vault, unless
/// `decrypt` says otherwise.
pub(crate) async fn sent_content(
    host: &Host,
    arguments: &Arguments,
    file: ControllerFile,
) -> Result<Content, Failure> {
    if file.is_vaulted && arguments.flag("decrypt") {
        return Ok(content_of(&opened(host, &file.path).await?));
    }
    Ok(Content::ControllerFile(file.path))
}

fn verify(arguments: &Arguments, file: &ControllerFile) -> Result<(), Failure> {
    match (arguments.text("checksum"), &file.checksum) {
        (Some(wanted), Some(actual)) if !wanted.is_empty() && wanted != actual => Err(
            Failure::new("Copied file does not match the expected checksum. Transfer failed.")
                .with("checksum", actual.as_str())
                .with("expected_checksum", wanted),
        ),
        _ => Ok(()),
    }
}

async fn source_of(host: &Host, src: &str, file: ControllerFile) -> Result<Source, Failure> {
    let checksum = file.checksum.clone().ok_or_else(|| {
        Failure::new(format!(
            "no checksum of the controller's file {} is known",
            file.path
        ))
    })?;
    let md5sum = if file.size_bytes <= MD5_LIMIT_BYTES {
        host.controller_file(&file.path, SearchIn::Files, Some("md5"))
            .await?
            .checksum
    } else {
        None
    };
    Ok(Source {
        content: Content::ControllerFile(file.path.clone()),
        checksum,
        size_bytes: file.size_bytes,
        name: Some(paths::file_name(src).to_owned()),
        mode: Some(file.mode & 0o7777),
        md5sum,
        from: Some(file.path),
        was_sealed: false,
    })
}
