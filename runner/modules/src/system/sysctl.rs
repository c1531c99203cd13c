//! `ansible.posix.sysctl`: parameters of the kernel, in their file and in force.

use sasrun_plugin::{
    Arguments, Call, Command, CommandOutput, Failure, FunctionModule, Host, Module, ModuleResult,
    ModuleSpec, Object,
};

use crate::changing::{TextFile, joined, outcome};
use crate::describe::{choice, example, needed, of_collection, path, presence, switch, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        examples: vec![example(
            "Forward packets",
            "ansible.posix.sysctl:\n  name: net.ipv4.ip_forward\n  value: '1'\n  sysctl_set: true",
        )],
        ..of_collection(
            "ansible.posix",
            "sysctl",
            "Keeps parameters of the kernel.",
            vec![
                needed(text("name", "The parameter.")).alias(&["key"]),
                text("value", "Its value.").alias(&["val"]),
                presence(),
                switch(
                    "ignoreerrors",
                    "Takes a parameter that the kernel does not know.",
                ),
                choice("reload", "Brings the file into force after a change.").defaults_to(true),
                path("sysctl_file", "The file.").defaults_to("/etc/sysctl.conf"),
                switch("sysctl_set", "Sets the value in force too, if it differs."),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let name = arguments.text_or_empty("name").trim();
    let is_present = arguments.text("state") != Some("absent");
    if name.is_empty() {
        return Err(Failure::new("name cannot be blank"));
    }
    if is_present && arguments.text_or_empty("value").trim().is_empty() {
        return Err(Failure::new("value cannot be blank"));
    }
    let value = plain(arguments.text_or_empty("value"));
    let file = TextFile::read(&host, arguments.text_or_empty("sysctl_file")).await?;
    let known = file_value(&file.text, name);
    let (reload, set) = (arguments.flag("reload"), arguments.flag("sysctl_set"));
    let mut differs = false;
    if is_present && (reload || set) {
        let script = format!(
            "sysctl -e -n {0} 2>/dev/null || sysctl -n {0}",
            Host::quote(name)
        );
        let shown = host.read_script(script).await?;
        let same = shown.stdout.split_whitespace().eq(value.split_whitespace());
        differs = !shown.succeeded() || !same;
    }
    let writes = if is_present {
        known != Some(value.as_str())
    } else {
        known.is_some()
    };
    if !writes && !differs {
        return Ok(outcome(false, Object::new()));
    }
    let after = if writes {
        edited(&file.text, name, is_present.then_some(&value))
    } else {
        file.text.clone()
    };
    let diff = writes.then(|| file.diff(&after));
    host.will_change(format!("set {name}"), diff, Object::new())
        .await?;
    let quiet = if arguments.flag("ignoreerrors") {
        "-e "
    } else {
        ""
    };
    if set && differs {
        let pair = Host::quote(&format!("{name}={value}"));
        let output = command(&host, format!("sysctl {quiet}-w {pair}")).await?;
        refuse(&output, &format!("setting {name} failed"))?;
    }
    let path = crate::paths::word(&file.path);
    if writes {
        file.write(&host, after, 0o644, false).await?;
    }
    if reload {
        let output = command(&host, format!("sysctl {quiet}-p {path}")).await?;
        refuse(&output, "Failed to reload sysctl")?;
    }
    Ok(outcome(true, Object::new()))
}

async fn command(host: &Host, script: String) -> Result<CommandOutput, Failure> {
    host.run(Command {
        script,
        ..Command::default()
    })
    .await
}

/// The program may fail to set a value and still end well.
fn refuse(output: &CommandOutput, what: &str) -> Result<(), Failure> {
    let failed = |line: &str| {
        line.starts_with("sysctl: setting key")
            && (line.ends_with("Invalid argument") || line.ends_with("Read-only file system"))
    };
    if output.succeeded() && !output.stderr.lines().any(failed) {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: {}{}", output.stdout, output.stderr)).with("rc", output.rc))
}

fn plain(value: &str) -> String {
    match value.trim().to_lowercase().as_str() {
        "yes" | "on" | "true" | "y" | "t" => "1".to_owned(),
        "no" | "off" | "false" | "n" | "f" => "0".to_owned(),
        _ => value.trim().to_owned(),
    }
}

fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    Some((name.trim(), value.trim()))
}

fn file_value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(pair)
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value)
        .next_back()
}

fn edited(text: &str, name: &str, value: Option<&String>) -> String {
    let mut wanted = value.map(|value| format!("{name}={value}"));
    let mut lines = Vec::new();
    for line in text.lines() {
        if pair(line).is_some_and(|(known, _)| known == name) {
            lines.extend(wanted.take());
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.extend(wanted);
    joined(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once() {
        let text = "# a=0\na = 1\nb=2\na=3\n";
        assert_eq!(file_value(text, "a"), Some("3"));
        assert_eq!(
            edited(text, "a", Some(&"4".to_owned())),
            "# a=0\na=4\nb=2\n"
        );
        assert_eq!(edited(text, "a", None), "# a=0\nb=2\n");
        assert_eq!(plain(" Yes "), "1");
    }
}
