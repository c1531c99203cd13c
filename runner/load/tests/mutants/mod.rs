//! Good files, broken in one place as a seed says. Also the end-to-end tests break them.

use std::path::Path;

/// A small generator: the same seed breaks the same place everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (sides.max(1) as u64)).unwrap()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Playbook,
    Yaml,
    Ini,
}

/// A way of breaking a line. Gives the broken line, or none where it does not apply.
struct Class {
    name: &'static str,
    kinds: &'static [Kind],
    breaks: fn(&str, &mut Dice) -> Option<String>,
}

const YAML: &[Kind] = &[Kind::Playbook, Kind::Yaml];

const CLASSES: &[Class] = &[
    Class {
        name: "keyword misspelt",
        kinds: &[Kind::Playbook],
        breaks: misspelt_keyword,
    },
    Class {
        name: "module misspelt",
        kinds: &[Kind::Playbook],
        breaks: |line, _| {
            let modules = ["command:", "copy:", "service:", "template:", "file:"];
            modules
                .iter()
                .find(|name| line.contains(**name))
                .map(|name| line.replacen(name, &format!("{}x:", &name[..name.len() - 1]), 1))
        },
    },
    Class {
        name: "argument misspelt",
        kinds: &[Kind::Playbook],
        breaks: |line, _| {
            let arguments = ["dest:", "content:", "state:", "src:"];
            arguments
                .iter()
                .find(|name| line.contains(**name))
                .map(|name| line.replacen(name, &format!("x{name}"), 1))
        },
    },
    Class {
        name: "wrong choice",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "state: ", "state: sideways"),
    },
    Class {
        name: "yes or no is neither",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "become: ", "become: perhaps"),
    },
    Class {
        name: "number is none",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "retries: ", "retries: several"),
    },
    Class {
        name: "expression broken",
        kinds: &[Kind::Playbook],
        breaks: |line, _| {
            let is_condition = line
                .trim_start()
                .trim_start_matches("- ")
                .starts_with("when: ");
            is_condition.then(|| format!("{line} and"))
        },
    },
    Class {
        name: "expression with =",
        kinds: &[Kind::Playbook],
        breaks: |line, _| {
            line.contains("when: ")
                .then(|| line.replacen(" == ", " = ", 1))
                .filter(|broken| broken != line)
        },
    },
    Class {
        name: "template not closed",
        kinds: YAML,
        breaks: |line, _| line.contains("}}").then(|| line.replacen("}}", "", 1)),
    },
    Class {
        name: "template without quotes",
        kinds: YAML,
        breaks: |line, _| line.contains(": \"{{").then(|| line.replace('"', "")),
    },
    Class {
        name: "register names nothing",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "register: ", "register: not a name"),
    },
    Class {
        name: "loop over a bare name",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "loop: ", "loop: packages"),
    },
    Class {
        name: "meta word misspelt",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "meta: ", "meta: flush_handler"),
    },
    Class {
        name: "handler misspelt",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "notify: ", "notify: restrat the service"),
    },
    Class {
        name: "import of nothing",
        kinds: &[Kind::Playbook],
        breaks: |line, _| swap(line, "import_tasks: ", "import_tasks: nowhere.yml"),
    },
    Class {
        name: "blank after the colon missing",
        kinds: YAML,
        breaks: |line, _| {
            let (key, value) = line.split_once(": ")?;
            // Inside of brackets or another value it means something else.
            let is_simple = !key.contains(['{', '[', '"', '\''])
                && !value.is_empty()
                && !value.starts_with(['"', '\'', '{', '[']);
            is_simple.then(|| format!("{key}:{value}"))
        },
    },
    Class {
        name: "colon missing",
        kinds: YAML,
        breaks: |line, _| {
            let simple = line.trim_end().strip_suffix(':')?;
            Some(simple.to_owned())
        },
    },
    Class {
        name: "tab in the indentation",
        kinds: YAML,
        breaks: |line, _| line.starts_with("  ").then(|| format!("\t{}", &line[2..])),
    },
    Class {
        name: "indented one too few",
        kinds: YAML,
        breaks: |line, _| line.starts_with("  ").then(|| line[1..].to_owned()),
    },
    Class {
        name: "indented one too many",
        kinds: YAML,
        breaks: |line, _| {
            let content = line.trim_start();
            (line.starts_with("  ") && !content.starts_with('-')).then(|| format!(" {line}"))
        },
    },
    Class {
        name: "double quote not closed",
        kinds: YAML,
        breaks: |line, _| {
            (line.matches('"').count() == 2)
                .then(|| line.trim_end().strip_suffix('"').map(str::to_owned))?
        },
    },
    Class {
        name: "bracket not closed",
        kinds: YAML,
        breaks: |line, _| {
            line.trim_end()
                .strip_suffix([']', '}'])
                .filter(|_| !line.contains("}}"))
                .map(str::to_owned)
        },
    },
    Class {
        name: "a colon in a value",
        kinds: YAML,
        breaks: |line, _| {
            let (key, value) = line.split_once(": ")?;
            let is_simple = !key.contains(['{', '[', '"'])
                && value.starts_with(|c: char| c.is_ascii_alphabetic());
            is_simple.then(|| format!("{line}: more"))
        },
    },
    Class {
        name: "a value that begins with @",
        kinds: YAML,
        breaks: |line, _| {
            let (key, value) = line.split_once(": ")?;
            let is_simple = !key.contains(['{', '[', '"'])
                && value.starts_with(|c: char| c.is_ascii_alphabetic());
            is_simple.then(|| format!("{key}: @{value}"))
        },
    },
    Class {
        name: "an alias of nothing",
        kinds: YAML,
        breaks: |line, _| {
            let (key, value) = line.split_once(": ")?;
            let is_simple = !key.contains(['{', '[', '"'])
                && value.starts_with(|c: char| c.is_ascii_alphabetic());
            is_simple.then(|| format!("{key}: *{}", value.replace(' ', "_")))
        },
    },
    Class {
        name: "an unknown tag",
        kinds: YAML,
        breaks: |line, _| {
            let (key, value) = line.split_once(": ")?;
            (!key.contains(['{', '[', '"']) && !value.is_empty())
                .then(|| format!("{key}: !vualt {value}"))
        },
    },
    Class {
        name: "a group's key misspelt",
        kinds: &[Kind::Yaml],
        breaks: |line, _| {
            let keys = [
                ("hosts:", "host:"),
                ("children:", "childs:"),
                ("vars:", "var:"),
            ];
            keys.iter()
                .find(|(good, _)| line.trim() == *good)
                .map(|(good, bad)| line.replacen(good, bad, 1))
        },
    },
    Class {
        name: "a range that is none",
        kinds: &[Kind::Yaml, Kind::Ini],
        breaks: |line, _| {
            let (before, after) = line.split_once('[')?;
            let after = after
                .split_once(']')
                .filter(|_| !before.is_empty() && !before.contains(['=', '"']))?
                .1;
            Some(format!("{before}[9:1]{after}"))
        },
    },
    Class {
        name: "a section's kind misspelt",
        kinds: &[Kind::Ini],
        breaks: |line, _| {
            line.contains(":vars]")
                .then(|| line.replace(":vars]", ":varz]"))
        },
    },
    Class {
        name: "a section not closed",
        kinds: &[Kind::Ini],
        breaks: |line, _| (line.starts_with('[')).then(|| line.replace(']', "")),
    },
    Class {
        name: "a variable without =",
        kinds: &[Kind::Ini],
        breaks: |line, _| {
            (!line.starts_with('[') && line.contains('=')).then(|| line.replacen('=', " ", 1))
        },
    },
    Class {
        name: "a quote not closed, ini",
        kinds: &[Kind::Ini],
        breaks: |line, _| {
            let closes = line.matches('\'').count() == 2 && line.contains(' ');
            closes.then(|| line.trim_end().strip_suffix('\'').map(str::to_owned))?
        },
    },
];

fn misspelt_keyword(line: &str, dice: &mut Dice) -> Option<String> {
    const KEYWORDS: [&str; 12] = [
        "hosts",
        "tasks",
        "when",
        "become",
        "register",
        "notify",
        "loop",
        "handlers",
        "vars",
        "changed_when",
        "until",
        "rescue",
    ];
    let content = line.trim_start().trim_start_matches("- ");
    let (key, _) = content.split_once(':')?;
    if !KEYWORDS.contains(&key) {
        return None;
    }
    let at = 1 + dice.roll(key.len() - 2);
    let mut letters: Vec<char> = key.chars().collect();
    letters.swap(at, at + 1);
    let misspelt: String = letters.into_iter().collect();
    (misspelt != key).then(|| line.replacen(key, &misspelt, 1))
}

fn swap(line: &str, key: &str, broken: &str) -> Option<String> {
    let at = line.find(key)?;
    // A value in brackets goes on behind it.
    (!line.contains('{')).then(|| format!("{}{broken}", &line[..at]))
}

pub struct Good {
    pub name: &'static str,
    pub kind: Kind,
    pub text: String,
}

pub fn good_files(root: &Path) -> Vec<Good> {
    let read = |name: &'static str, kind: Kind| Good {
        name,
        kind,
        text: std::fs::read_to_string(root.join(name)).unwrap(),
    };
    vec![
        read("play.yml", Kind::Playbook),
        read("hosts.yml", Kind::Yaml),
        read("hosts.ini", Kind::Ini),
    ]
}

/// A broken file.
pub struct Mutant<'g> {
    pub class: &'static str,
    pub good: &'g Good,
    pub text: String,
    /// The line that was broken, from 1.
    pub line: usize,
}

/// Breaks a line as the seed says. None where the class does not apply.
pub fn mutant(seed: u64, files: &[Good]) -> Option<Mutant<'_>> {
    let mut dice = Dice(seed);
    let class = &CLASSES[dice.roll(CLASSES.len())];
    let good = &files[dice.roll(files.len())];
    let mut lines: Vec<String> = good.text.lines().map(str::to_owned).collect();
    let at = dice.roll(lines.len());
    if !class.kinds.contains(&good.kind) || lines[at].trim_start().starts_with('#') {
        return None;
    }
    lines[at] = (class.breaks)(&lines[at], &mut dice)?;
    Some(Mutant {
        class: class.name,
        good,
        text: lines.join("\n") + "\n",
        line: at + 1,
    })
}
