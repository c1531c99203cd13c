//! `apt`: packages of Debian and its kin.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, CommandOutput, Failure, FunctionModule, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome,
};

use super::package_manager::{APT_OPTIONS, Manager};
use crate::answers::run as change;
use crate::describe::{choice, core, example, integer, path, returns, set, switch, text, texts};
use crate::lines::split_lines;

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        mutually_exclusive: vec![set(&["deb", "name", "upgrade"])],
        required_one_of: vec![set(&[
            "name",
            "deb",
            "update_cache",
            "upgrade",
            "autoremove",
            "autoclean",
            "clean",
        ])],
        returns: returns(&[
            (
                "cache_updated",
                "bool",
                "Whether the lists of packages were brought up to date.",
            ),
            ("stdout", "str", "What apt printed."),
            ("stderr", "str", "What apt complained of."),
        ]),
        examples: vec![example(
            "Install packages",
            "ansible.builtin.apt:\n  name: [nginx, curl]\n  update_cache: true\n  cache_valid_time: 3600",
        )],
        ..core(
            "apt",
            "Installs and removes packages of Debian and its kin.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        texts("name", "Packages; `name=version` asks for a version.").alias(&["package", "pkg"]),
        text("state", "What they shall be.")
            .choices(&["absent", "build-dep", "fixed", "latest", "present"])
            .defaults_to("present"),
        choice(
            "update_cache",
            "Brings the lists of packages up to date first.",
        )
        .alias(&["update-cache"]),
        integer("cache_valid_time", "How old the lists may be, in seconds.").defaults_to(0),
        switch("purge", "Removes configuration files too."),
        path("deb", "Package file of the host to install."),
        text("default_release", "Release to take packages from.").alias(&["default-release"]),
        choice("install_recommends", "Installs what is recommended too.")
            .alias(&["install-recommends"]),
        switch("force", "Installs even what cannot be verified."),
        // The default `no` asks for nothing and must not exclude `name`.
        text("upgrade", "Upgrades all packages.").choices(&["dist", "full", "no", "safe", "yes"]),
        switch("autoremove", "Removes what nothing needs any more."),
        switch("autoclean", "Removes old package files."),
        switch("clean", "Removes all package files."),
        switch("only_upgrade", "Upgrades only what is installed."),
        switch(
            "allow_unauthenticated",
            "Takes packages that cannot be verified.",
        )
        .alias(&["allow-unauthenticated"]),
        switch("allow_downgrade", "Takes older versions.").alias(&[
            "allow-downgrade",
            "allow_downgrades",
            "allow-downgrades",
        ]),
        switch(
            "allow_change_held_packages",
            "Changes packages that are held.",
        ),
        integer(
            "lock_timeout",
            "How long to wait for other package managers, in seconds.",
        )
        .defaults_to(60),
        text("dpkg_options", "Accepted; old configuration files stay."),
        switch("force_apt_get", "Accepted; apt-get is always used."),
        switch(
            "fail_on_autoremove",
            "Fails rather than remove what nothing needs.",
        ),
        integer("policy_rc_d", "Accepted and not used."),
        integer("update_cache_retries", "Accepted and not used.").defaults_to(5),
        integer("update_cache_retry_max_delay", "Accepted and not used.").defaults_to(12),
        choice("auto_install_module_deps", "Accepted; nothing is needed.").defaults_to(true),
    ]
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments.clone());
    let cache_updated = update_lists(&host, &arguments, call.check_mode).await?;
    let names = arguments.strings("name");
    let outcome = if let Some(mode) = arguments.text("upgrade").filter(|mode| *mode != "no") {
        let verb = if matches!(mode, "dist" | "full") {
            "dist-upgrade"
        } else {
            "upgrade"
        };
        carry_out(&host, &arguments, verb).await?
    } else if let Some(deb) = arguments.text("deb") {
        let file = crate::paths::expand(&host, deb).await?;
        let file = if file.starts_with('/') {
            file
        } else {
            format!("./{file}")
        };
        carry_out(
            &host,
            &arguments,
            &format!("install {}", Host::quote(&file)),
        )
        .await?
    } else if names.iter().any(|name| name == "*") {
        carry_out(&host, &arguments, "upgrade").await?
    } else if !names.is_empty() {
        packages(&host, &arguments, &names).await?
    } else if arguments.flag("autoremove") {
        carry_out(&host, &arguments, "autoremove").await?
    } else {
        clean(&host, &arguments, cache_updated).await?
    };
    Ok(outcome.with("cache_updated", cache_updated))
}

/// Brings the lists up to date if they are too old; check mode leaves them as they are.
async fn update_lists(
    host: &Host,
    arguments: &Arguments,
    check_mode: bool,
) -> Result<bool, Failure> {
    let valid = arguments.integer("cache_valid_time").unwrap_or(0);
    if check_mode
        || !(arguments.flag("update_cache")
            || valid > 0 && arguments.given_flag("update_cache").is_none())
    {
        return Ok(false);
    }
    if valid > 0 {
        let script = format!(
            "now=`date +%s`; for f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do\n\
             if [ -f $f ] || [ -d $f ]; then t=`stat -c %Y $f`; if [ `expr $now - $t` -lt {valid} ]; then echo fresh; fi; exit 0; fi\ndone"
        );
        if host.read_script(script).await?.stdout.contains("fresh") {
            return Ok(false);
        }
    }
    host.will_change(
        "bring the lists of packages up to date",
        None,
        Object::new(),
    )
    .await?;
    change(host, "apt-get -q update".to_owned(), "apt-get update").await?;
    Ok(true)
}

async fn packages(host: &Host, arguments: &Arguments, names: &[String]) -> ModuleResult {
    let plain: Vec<String> = names
        .iter()
        .map(|name| name.split(['=', '/']).next().unwrap_or(name).to_owned())
        .collect();
    let state = arguments.text_or_empty("state");
    let installed = Manager::Apt.installed(host, &plain).await?;
    let wanted: Vec<String> = names
        .iter()
        .zip(&installed)
        .filter(|(name, installed)| match state {
            "absent" => installed.is_some(),
            "present" => match name.split_once('=') {
                Some((_, version)) => installed.as_deref() != Some(version),
                None => installed.is_none() && !arguments.flag("only_upgrade"),
            },
            _ => true,
        })
        .map(|(name, _)| name.clone())
        .collect();
    if wanted.is_empty() {
        return Ok(Outcome::unchanged());
    }
    let words: Vec<String> = wanted.iter().map(|name| Host::quote(name)).collect();
    let verb = match state {
        "absent" if arguments.flag("purge") => "purge",
        "absent" => "remove",
        "build-dep" => "build-dep",
        "fixed" => "-f install",
        _ => "install",
    };
    carry_out(host, arguments, &format!("{verb} {}", words.join(" "))).await
}

/// Lets apt say what it would do, and does it if that is anything.
async fn carry_out(host: &Host, arguments: &Arguments, what: &str) -> ModuleResult {
    let base = format!(
        "DEBIAN_FRONTEND=noninteractive apt-get -y {APT_OPTIONS} {}",
        options(arguments)
    );
    let simulated = host.read_script(format!("{base} -s {what}")).await?;
    if !simulated.succeeded() {
        return Err(failed(what, &simulated));
    }
    let changes: Vec<&str> = simulated
        .stdout
        .lines()
        .filter(|line| {
            line.starts_with("Inst ") || line.starts_with("Remv ") || line.starts_with("Purg ")
        })
        .collect();
    if changes.is_empty() {
        return Ok(with_output(Outcome::unchanged(), &simulated));
    }
    host.will_change(
        format!("apt-get {what}: {} packages", changes.len()),
        None,
        Object::new(),
    )
    .await?;
    let command = sasrun_plugin::Command {
        script: format!("{base} {what}"),
        ..sasrun_plugin::Command::default()
    };
    let output = host.run(command).await?;
    if !output.succeeded() {
        return Err(failed(what, &output));
    }
    Ok(with_output(Outcome::changed(), &output))
}

fn options(arguments: &Arguments) -> String {
    let mut options = Vec::new();
    if let Some(seconds) = arguments.integer("lock_timeout") {
        options.push(format!("-o DPkg::Lock::Timeout={seconds}"));
    }
    if let Some(release) = arguments.text("default_release") {
        options.push(format!("-t {}", Host::quote(release)));
    }
    match arguments.given_flag("install_recommends") {
        Some(true) => options.push("-o APT::Install-Recommends=yes".to_owned()),
        Some(false) => options.push("-o APT::Install-Recommends=no".to_owned()),
        None => {}
    }
    for (flag, option) in [
        ("only_upgrade", "--only-upgrade"),
        ("autoremove", "--auto-remove"),
        ("allow_unauthenticated", "--allow-unauthenticated"),
        ("allow_downgrade", "--allow-downgrades"),
        ("allow_change_held_packages", "--allow-change-held-packages"),
        ("fail_on_autoremove", "--no-remove"),
        ("force", "--allow-unauthenticated --allow-downgrades"),
        ("purge", "--purge"),
    ] {
        if arguments.flag(flag) {
            options.push(option.to_owned());
        }
    }
    options.join(" ")
}

async fn clean(host: &Host, arguments: &Arguments, cache_updated: bool) -> ModuleResult {
    let verb = if arguments.flag("clean") {
        "clean"
    } else if arguments.flag("autoclean") {
        "autoclean"
    } else {
        return Ok(Outcome {
            changed: cache_updated,
            ..Outcome::default()
        });
    };
    host.will_change(format!("apt-get {verb}"), None, Object::new())
        .await?;
    let output = change(host, format!("apt-get -y {verb}"), "apt-get").await?;
    Ok(with_output(Outcome::changed(), &output))
}

fn failed(what: &str, output: &CommandOutput) -> Failure {
    let said = output.stderr.trim();
    Failure::new(format!("'apt-get {what}' failed: {said}"))
        .with("rc", output.rc)
        .with("stdout", output.stdout.as_str())
        .with("stderr", output.stderr.as_str())
}

fn with_output(outcome: Outcome, output: &CommandOutput) -> Outcome {
    outcome
        .with("stdout_lines", split_lines(&output.stdout))
        .with("stdout", output.stdout.as_str())
        .with("stderr_lines", split_lines(&output.stderr))
        .with("stderr", output.stderr.as_str())
}
