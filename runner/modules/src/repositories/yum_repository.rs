//! `yum_repository`: repositories of dnf and yum.

use std::collections::BTreeMap;

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FileKind, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec,
};
use serde_json::Value;

use crate::answers::{Answers, look};
use crate::changing::fields;
use crate::describe::{
    choice, core, example, file_arguments, needed, path, presence, returns, text, texts, with,
};
use crate::files::edit::{self, Edit};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

/// Options that are text in the file.
const TEXTS: [&str; 31] = [
    "bandwidth",
    "cost",
    "deltarpm_metadata_percentage",
    "deltarpm_percentage",
    "failovermethod",
    "gpgcakey",
    "http_caching",
    "include",
    "ip_resolve",
    "keepcache",
    "metadata_expire",
    "metadata_expire_filter",
    "metalink",
    "mirrorlist",
    "mirrorlist_expire",
    "priority",
    "proxy",
    "proxy_username",
    "retries",
    "throttle",
    "timeout",
    "ui_repoid_vars",
    "username",
    "sslcacert",
    "sslclientcert",
    "sslclientkey",
    "password",
    "proxy_password",
    "baseurl",
    "gpgkey",
    "exclude",
];

/// Options that are yes or no.
const FLAGS: [&str; 12] = [
    "async",
    "countme",
    "enabled",
    "enablegroups",
    "gpgcheck",
    "module_hotfixes",
    "keepalive",
    "protect",
    "repo_gpgcheck",
    "s3_enabled",
    "skip_if_unavailable",
    "ssl_check_cert_permissions",
];

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("repo", "str", "The repository."),
            ("state", "str", "What it was asked to be."),
        ]),
        examples: vec![example(
            "Add a repository",
            "ansible.builtin.yum_repository:\n  name: epel\n  description: EPEL\n  baseurl: https://download.example.org/epel/$releasever/$basearch/",
        )],
        ..core(
            "yum_repository",
            "Adds and removes repositories of dnf and yum.",
            with(arguments(), file_arguments()),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    const SAME: &str = "Option of the same name.";
    let mut all = vec![
        needed(text("name", "Name of the repository.")),
        text("description", "What it is; needed unless it goes."),
        text("file", "File without its end; the name of the repository."),
        path("reposdir", "Directory of the files.").defaults_to("/etc/yum.repos.d"),
        presence(),
        texts("includepkgs", "Packages that alone are seen."),
        choice("sslverify", SAME).alias(&["validate_certs"]),
    ];
    for name in TEXTS {
        all.push(match name {
            "baseurl" => texts(name, "Addresses."),
            "gpgkey" => texts(name, "Addresses of its keys."),
            "exclude" => texts(name, "Packages that are not seen.").alias(&["excludepkgs"]),
            "password" | "proxy_password" => text(name, SAME).secret(),
            "http_caching" => text(name, SAME).choices(&["all", "none", "packages"]),
            "ip_resolve" => text(name, SAME).choices(&["4", "6", "IPv4", "IPv6", "whatever"]),
            "keepcache" => text(name, SAME).choices(&["0", "1"]),
            "metadata_expire_filter" => text(name, SAME).choices(&[
                "never",
                "read-only:future",
                "read-only:past",
                "read-only:present",
            ]),
            "sslcacert" => text(name, SAME).alias(&["ca_cert"]),
            "sslclientcert" => text(name, SAME).alias(&["client_cert"]),
            "sslclientkey" => text(name, SAME).alias(&["client_key"]),
            "failovermethod" => text(name, SAME).choices(&["roundrobin", "priority"]),
            _ => text(name, SAME),
        });
    }
    all.extend(FLAGS.iter().map(|name| choice(name, SAME)));
    all
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let name = arguments.text_or_empty("name");
    let state = arguments.text_or_empty("state");
    if state == "present" {
        if !["baseurl", "mirrorlist", "metalink"]
            .iter()
            .any(|source| arguments.has(source))
        {
            return Err(Failure::new(
                "state is present but any of the following are missing: baseurl, mirrorlist, metalink",
            ));
        }
        if !arguments.has("description") {
            return Err(Failure::new(
                "state is present but all of the following are missing: description",
            ));
        }
    }
    let directory = arguments.text_or_empty("reposdir");
    if Answers::of(&host, vec![look(directory, true)])
        .await?
        .status()?
        .kind
        != FileKind::Directory
    {
        return Err(Failure::new(format!(
            "Repo directory '{directory}' does not exist."
        )));
    }
    let file = arguments.text("file").unwrap_or(name);
    let mut found = edit::find(&host, &format!("{directory}/{file}.repo")).await?;
    let mut sections = read(&found.file.text);
    let before = written(&sections);
    sections.retain(|(known, _)| known != name);
    if state == "present" {
        sections.push((name.to_owned(), options(&arguments)));
    }
    let after = written(&sections);
    let result = fields([("repo", name.into()), ("state", state.into())]);
    let changed = before != after;
    if changed && sections.is_empty() {
        let script = format!("rm -f {}", crate::paths::word(&found.path));
        let diff = sasrun_plugin::Diff::text(&found.path, before, "");
        return crate::changing::carry_out(
            &host,
            format!("remove {}", found.path),
            Some(diff),
            script,
            result,
        )
        .await;
    }
    if !found.status.exists() && !changed {
        return Ok(crate::changing::outcome(false, result));
    }
    // What differs only in spaces is left as it is.
    if !changed {
        found.file.text.clone_from(&after);
    }
    let edited = Edit {
        text: after,
        msg: String::new(),
        changed,
    };
    edit::finish(&host, &call, found, edited, result).await
}

type Options = BTreeMap<String, String>;

fn options(arguments: &Arguments) -> Options {
    let mut options = Options::new();
    let mut add = |name: &str, value: Option<String>| {
        options.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("name", arguments.text("description").map(str::to_owned));
    for name in TEXTS.iter().chain(&["includepkgs"]) {
        let separator = if matches!(*name, "baseurl" | "gpgkey") {
            "\n"
        } else {
            " "
        };
        add(
            name,
            match arguments.value(name) {
                Some(Value::Array(_)) => Some(arguments.strings(name).join(separator)),
                Some(Value::String(text)) => Some(text.clone()),
                _ => None,
            },
        );
    }
    for name in FLAGS.iter().chain(&["sslverify"]) {
        add(
            name,
            arguments
                .given_flag(name)
                .map(|flag| if flag { "1" } else { "0" }.to_owned()),
        );
    }
    options
}

/// Reads sections and options; a line that begins with space goes on with the value before it.
fn read(text: &str) -> Vec<(String, Options)> {
    let mut sections: Vec<(String, Options)> = Vec::new();
    let mut last = String::new();
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = bare
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            sections.push((name.to_owned(), Options::new()));
            continue;
        }
        let Some((_, options)) = sections.last_mut() else {
            continue;
        };
        if line.starts_with(char::is_whitespace) {
            if let Some(value) = options.get_mut(&last) {
                value.push('\n');
                value.push_str(bare);
            }
        } else if let Some((name, value)) = bare.split_once(['=', ':']) {
            last = name.trim().to_lowercase();
            options.insert(last.clone(), value.trim().to_owned());
        }
    }
    sections
}

fn written(sections: &[(String, Options)]) -> String {
    let mut text = String::new();
    for (name, options) in sections {
        text.push_str(&format!("[{name}]\n"));
        for (option, value) in options {
            text.push_str(&format!("{option} = {}\n", value.replace('\n', "\n\t")));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{read, written};

    #[test]
    fn files_are_read_and_written() {
        let text = "[b]\nbaseurl = http://a\n\thttp://b\nname = B\n\n[a]\nname = A\n\n";
        let sections = read(text);
        assert_eq!(sections[0].1["baseurl"], "http://a\nhttp://b");
        assert_eq!(written(&sections), text);
        assert_eq!(read("# x\n[c]\nenabled=1\n")[0].1["enabled"], "1");
    }
}
