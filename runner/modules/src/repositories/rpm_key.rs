//! `rpm_key`: keys that rpm trusts.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};

use crate::answers::succeeded;
use crate::changing::{carry_out, fields, outcome};
use crate::describe::{choice, core, example, needed, presence, returns, text, texts};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        returns: returns(&[("key", "str", "The key.")]),
        examples: vec![example(
            "Trust a key",
            "ansible.builtin.rpm_key:\n  key: https://rpm.example.com/RPM-GPG-KEY\n  state: present",
        )],
        ..core(
            "rpm_key",
            "Adds and removes keys that rpm trusts.",
            vec![
                needed(text(
                    "key",
                    "Address or file of the host with the key, or its number.",
                )),
                presence(),
                choice("validate_certs", "Checks the server's certificate.").defaults_to(true),
                texts(
                    "fingerprint",
                    "Fingerprints of which the key must have one.",
                ),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let key = arguments.text_or_empty("key");
    let is_present = arguments.text("state") != Some("absent");
    let is_number = !key.contains('/')
        && key
            .trim_start_matches("0x")
            .chars()
            .all(|c| c.is_ascii_hexdigit());
    let source = source(&arguments, key);
    let (number, prints) = if is_number {
        if is_present {
            return Err(Failure::new(
                "When importing a key, a valid file must be given",
            ));
        }
        (key.trim_start_matches("0x").to_lowercase(), Vec::new())
    } else {
        let script = format!(
            "{source} | gpg --batch --no-tty --with-colons --import-options show-only --import 2>/dev/null"
        );
        let output = host.read_script(script).await?;
        let number = column(&output.stdout, "pub:", 4)
            .into_iter()
            .next()
            .ok_or_else(|| Failure::new(format!("Not a valid key {key}")))?;
        (number.to_lowercase(), column(&output.stdout, "fpr:", 9))
    };
    check(&arguments, &prints)?;
    let short = number
        .get(number.len().saturating_sub(8)..)
        .unwrap_or_default()
        .to_owned();
    let list = succeeded(
        host.read_script("rpm -q gpg-pubkey --qf '%{VERSION} %{RELEASE}\\n' 2>/dev/null; rpm --version >/dev/null").await?,
        "asking rpm for its keys",
    )?;
    let known = list.stdout.lines().find(|line| line.starts_with(&short));
    let result = fields([("key", key.into())]);
    match (known, is_present) {
        (Some(_), true) | (None, false) => Ok(outcome(false, result)),
        (None, true) => {
            let script = format!(
                "t=${{TMPDIR-/tmp}}/sasrun-key.$$; umask 077; {source} > \"$t\" && rpm --import \"$t\"; rc=$?; rm -f \"$t\"; exit $rc"
            );
            carry_out(
                &host,
                format!("trust the key {short}"),
                None,
                script,
                result,
            )
            .await
        }
        (Some(_), false) => {
            let script = format!("rpm --erase --allmatches gpg-pubkey-{short}");
            carry_out(
                &host,
                format!("distrust the key {short}"),
                None,
                script,
                result,
            )
            .await
        }
    }
}

fn check(arguments: &Arguments, prints: &[String]) -> Result<(), Failure> {
    let wanted: Vec<String> = arguments
        .strings("fingerprint")
        .iter()
        .map(|print| print.replace(' ', "").to_uppercase())
        .collect();
    if wanted.is_empty() || prints.iter().any(|print| wanted.contains(print)) {
        return Ok(());
    }
    let list = |prints: &[String]| prints.join(", ");
    Err(Failure::new(format!(
        "The specified fingerprint, '{}', does not match any key fingerprints in '{}'",
        list(&wanted),
        list(prints)
    )))
}

fn source(arguments: &Arguments, key: &str) -> String {
    if !key.contains("://") {
        return format!("cat {}", crate::paths::word(key));
    }
    let insecure = if arguments.flag("validate_certs") {
        ""
    } else {
        " -k"
    };
    format!("curl -sSfL{insecure} {}", Host::quote(key))
}

fn column(table: &str, kind: &str, at: usize) -> Vec<String> {
    table
        .lines()
        .filter(|line| line.starts_with(kind))
        .filter_map(|line| line.split(':').nth(at).map(str::to_owned))
        .collect()
}
