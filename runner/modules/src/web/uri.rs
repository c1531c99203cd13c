//! `uri`: asks a web server for something, from the host.

use sasrun_plugin::{
    Arguments, Call, CheckSupport, Command, CommandOutput, Failure, FileKind, FunctionModule, Host,
    Module, ModuleResult, ModuleSpec, Object, Outcome, Place, Repetition,
};
use serde_json::{Value, json};

use super::body::written;
use super::curl::{Config, Reply, command, shared_arguments};
use crate::answers::{Answers, look};
use crate::describe::{
    choice, core, example, file_arguments, needed, path, raw, returns, set, switch, text, with,
};
use crate::paths;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    let own = vec![
        needed(text("url", "Address to ask.")),
        text("method", "Kind of request.").defaults_to("GET"),
        raw("body", "What to send."),
        text("body_format", "How to write what is sent.")
            .choices(&["form-urlencoded", "json", "raw", "form-multipart"])
            .defaults_to("raw"),
        path("src", "File of the host to send."),
        switch("remote_src", "Takes `src` from the host; it always is."),
        path("dest", "File of the host that takes the answer."),
        raw("status_code", "Statuses that are a success.").defaults_to(json!([200])),
        switch("return_content", "Answers the content, whatever it is."),
        text("follow_redirects", "Which redirections to follow.")
            .choices(&["all", "no", "none", "safe", "urllib2", "yes"])
            .defaults_to("safe"),
        path(
            "creates",
            "File that, if it is there, makes the request needless.",
        ),
        path(
            "removes",
            "File that, if it is not there, makes the request needless.",
        ),
        path("unix_socket", "Socket to ask through."),
        choice("allow_redirects", "Accepted for old playbooks."),
    ];
    ModuleSpec {
        check_mode: CheckSupport::CannotKnow,
        repetition: Repetition::Once,
        mutually_exclusive: vec![set(&["body", "src"])],
        returns: returns(&[
            (
                "status",
                "int",
                "Status of the answer; -1 if there was none.",
            ),
            ("url", "str", "Address that answered."),
            ("msg", "str", "The answer in words."),
            ("content", "str", "Content of the answer."),
            ("json", "raw", "The same, if it is JSON."),
            ("redirected", "bool", "Whether there was a redirection."),
            ("elapsed", "int", "How long it took, in seconds."),
            ("cookies", "dict", "Cookies that were set."),
        ]),
        examples: vec![example(
            "See whether a page answers",
            "ansible.builtin.uri:\n  url: https://127.0.0.1:1004/\n  validate_certs: false\n  return_content: true",
        )],
        ..core(
            "uri",
            "Asks a web server for something.",
            with(with(own, shared_arguments()), file_arguments()),
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    if let Some(outcome) = guarded(&arguments, &host).await? {
        return Ok(outcome);
    }
    let method = arguments.text_or_empty("method").to_uppercase();
    let only_reads =
        matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") && !arguments.has("dest");
    let config = configure(&arguments, &method)?;
    if !only_reads {
        let url = arguments.text_or_empty("url");
        host.cannot_know(format!("only the server knows what {method} {url} changes"))
            .await?;
    }
    let asked = command(&arguments, arguments.text_or_empty("url"), config);
    // The host may have no curl; the controller may reach the server as well, and has a netrc that
    // is nobody else's.
    let elsewhere = Command {
        script: "curl -K -".to_owned(),
        place: Place::Controller,
        ..asked.clone()
    };
    let mut output = ask(&host, asked, only_reads).await?;
    if output.rc == 127 {
        output = ask(&host, elsewhere, only_reads).await?;
    }
    finish(&arguments, &output, only_reads)
}

async fn guarded(arguments: &Arguments, host: &Host) -> Result<Option<Outcome>, Failure> {
    for (name, exists) in [("creates", true), ("removes", false)] {
        let Some(path) = arguments.text(name) else {
            continue;
        };
        let path = paths::expand(host, path).await?;
        let status = Answers::of(host, vec![look(&path, true)]).await?.status()?;
        if (status.kind != FileKind::Absent) == exists {
            let is = if exists { "exists" } else { "does not exist" };
            let msg = format!("skipped, since '{path}' {is}");
            return Ok(Some(
                Outcome::unchanged()
                    .with("stdout", msg.as_str())
                    .with("msg", msg),
            ));
        }
    }
    Ok(None)
}

async fn ask(host: &Host, command: Command, only_reads: bool) -> Result<CommandOutput, Failure> {
    if only_reads {
        host.read_command(command).await
    } else {
        host.run(command).await
    }
}

fn configure(arguments: &Arguments, method: &str) -> Result<Config, Failure> {
    let mut config = Config::new(arguments, arguments.text_or_empty("url"));
    let sends = arguments.has("src") || arguments.has("body");
    match method {
        "HEAD" => config.flag("head"),
        "GET" => {}
        // What is sent is posted by itself, and after most redirections is asked for only; a method
        // that is named would be kept.
        "POST" if sends => {}
        other => config.set("request", other),
    }
    let follow = arguments.text_or_empty("follow_redirects");
    let is_safe = matches!(method, "GET" | "HEAD");
    if matches!(follow, "all" | "yes" | "urllib2") || follow == "safe" && is_safe {
        config.flag("location");
    }
    if arguments.flag("decompress") {
        config.flag("compressed");
    }
    if let Some(socket) = arguments.text("unix_socket") {
        config.set("unix-socket", socket);
    }
    let given = arguments.dictionary("headers");
    let names_type = given.is_some_and(|headers| {
        headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"))
    });
    if let Some(src) = arguments.text("src") {
        let kind = match arguments.text("body_format") {
            Some("json") => Some("application/json"),
            _ => None,
        };
        if let Some(kind) = kind.filter(|_| !names_type) {
            config.set("header", &format!("Content-Type: {kind}"));
        }
        config.set("data-binary", &format!("@{src}"));
    } else if let Some(body) = arguments.value("body") {
        let (data, kind) = written(arguments.text_or_empty("body_format"), body)?;
        if !names_type {
            config.set("header", &format!("Content-Type: {kind}"));
        }
        config.set("data-raw", &data);
        if method == "GET" {
            config.set("request", "GET");
        }
    }
    if let Some(dest) = arguments.text("dest") {
        config.set("output", dest);
    }
    Ok(config.with_figures())
}

fn finish(arguments: &Arguments, output: &CommandOutput, only_reads: bool) -> ModuleResult {
    let wanted = statuses(arguments);
    let shown = format!(
        "[{}]",
        wanted
            .iter()
            .map(i64::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    );
    let elapsed = output.elapsed_ms / 1000;
    let Some(reply) = Reply::read(&output.stdout) else {
        let reason = output.stderr.trim();
        let msg = format!("Status code was -1 and not {shown}: Request failed: {reason}");
        let mut failure = Failure::new(msg);
        if arguments.flag("return_content") {
            failure = failure.with("content", "");
        }
        return Err(failure
            .with("status", -1)
            .with("url", arguments.text_or_empty("url"))
            .with("redirected", false)
            .with("elapsed", elapsed));
    };
    let is_success = wanted.contains(&reply.status);
    let mut result = fields(&reply, arguments.text_or_empty("url"));
    result.insert("elapsed".into(), elapsed.into());
    let is_json = result
        .get("content_type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.contains("json"));
    if is_json && let Ok(value) = serde_json::from_str::<Value>(&reply.content) {
        result.insert("json".into(), value);
    }
    if arguments.flag("return_content") || !is_success {
        result.insert("content".into(), reply.content.as_str().into());
    }
    if let Some(dest) = arguments.text("dest") {
        result.insert("path".into(), dest.into());
        result.insert("dest".into(), dest.into());
    }
    if is_success {
        let msg = format!("OK ({} bytes)", reply.size_bytes);
        result.insert("msg".into(), msg.into());
        let changed = !only_reads && arguments.has("dest");
        return Ok(Outcome {
            changed,
            result,
            ..Outcome::default()
        });
    }
    let (status, reason) = (reply.status, reply.reason);
    Err(Failure {
        result,
        ..Failure::new(format!(
            "Status code was {status} and not {shown}: HTTP Error {status}: {reason}"
        ))
    })
}

fn statuses(arguments: &Arguments) -> Vec<i64> {
    let number = |value: &Value| {
        value
            .as_i64()
            .or_else(|| value.as_str()?.trim().parse().ok())
    };
    match arguments.value("status_code") {
        Some(Value::Array(items)) => items.iter().filter_map(number).collect(),
        Some(Value::String(text)) => text
            .split(',')
            .filter_map(|word| word.trim().parse().ok())
            .collect(),
        Some(value) => number(value).into_iter().collect(),
        None => vec![200],
    }
}

fn fields(reply: &Reply, asked: &str) -> Object {
    let mut result = Object::new();
    for (name, value) in &reply.headers {
        result.insert(name.replace('-', "_"), value.clone());
    }
    let cookies = reply
        .headers
        .get("set-cookie")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let cookies: Object = cookies
        .split(", ")
        .filter_map(|cookie| cookie.split(';').next()?.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), Value::from(value)))
        .collect();
    let all: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    result.insert("cookies_string".into(), all.join("; ").into());
    result.insert("cookies".into(), cookies.into());
    result.insert("status".into(), reply.status.into());
    result.insert("url".into(), reply.url.as_str().into());
    // A question that is put again, with what the server asked for, counts as a hop as well.
    let bare = |url: &str| url.trim_end_matches('/').to_owned();
    let redirected = reply.redirects > 0 && bare(&reply.url) != bare(asked);
    result.insert("redirected".into(), redirected.into());
    result
}
