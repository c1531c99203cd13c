//! `uname`: the system that the host pretends to run.

use std::process::ExitCode;

use crate::standin::site::Site;
use crate::standin::terminal::{complain, say};

/// Prints the parts that the flags ask for.
pub fn run(site: &Site, args: &[String]) -> ExitCode {
    let parts = parts(site.is_solaris(), &site.host.name);
    match select(&parts, args) {
        Some(words) => {
            say(&words.join(" "));
            ExitCode::SUCCESS
        }
        None => {
            complain("uname: illegal option");
            ExitCode::from(1)
        }
    }
}

/// System, node, release, version, machine, processor.
type Parts<'a> = [(char, &'a str); 6];

fn parts(is_solaris: bool, name: &str) -> Parts<'_> {
    if is_solaris {
        return [
            ('s', "SunOS"),
            ('n', name),
            ('r', "5.10"),
            ('v', "Generic_118833-17"),
            ('m', "sun4u"),
            ('p', "sparc"),
        ];
    }
    [
        ('s', "Linux"),
        ('n', name),
        ('r', "2.6.9-42.ELsmp"),
        ('v', "#1 SMP Wed Jul 12 23:32:02 EDT 2006"),
        ('m', "x86_64"),
        ('p', "x86_64"),
    ]
}

fn select<'a>(parts: &Parts<'a>, args: &[String]) -> Option<Vec<&'a str>> {
    let mut wanted = String::new();
    for arg in args {
        match arg.as_str() {
            "--kernel-name" => wanted.push('s'),
            "--nodename" => wanted.push('n'),
            "--kernel-release" => wanted.push('r'),
            "--machine" => wanted.push('m'),
            "--all" => wanted.push('a'),
            other => wanted.push_str(other.strip_prefix('-')?),
        }
    }
    if wanted.is_empty() {
        wanted.push('s');
    }
    if wanted.contains('a') {
        return Some(parts.iter().map(|(_, text)| *text).collect());
    }
    wanted
        .chars()
        .all(|flag| flag == 'i' || parts.iter().any(|(known, _)| *known == flag))
        .then(|| {
            parts
                .iter()
                .filter(|(flag, _)| wanted.contains(*flag))
                .map(|(_, text)| *text)
                .collect()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_choose_the_parts_in_their_own_order() {
        let parts = parts(true, "b3");
        let table = [
            ("", "SunOS"),
            ("-s", "SunOS"),
            ("-r -n", "b3 5.10"),
            ("-srm", "SunOS 5.10 sun4u"),
        ];
        for (line, wanted) in table {
            let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(select(&parts, &args).unwrap().join(" "), wanted, "{line}");
        }
        assert_eq!(select(&parts, &["-Z".to_owned()]), None);
    }
}
