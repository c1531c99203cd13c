//! What goes into an archive: paths and patterns as the host expands them, and the shell text that
//! lists, packs and compares it.

use sasrun_plugin::{Arguments, Failure, Host};

use super::absolute;

use crate::files::translated;

/// What is to be packed, and where to.
pub(super) struct Selection {
    pub(super) dest: String,
    /// Directory that names in the archive are relative to, with a slash at its end.
    pub(super) root: String,
    /// Paths that are there, without those excluded.
    pub(super) sources: Vec<String>,
    pub(super) missing: Vec<String>,
    pub(super) expanded: Vec<String>,
    pub(super) excluded: Vec<String>,
    format: String,
    /// Whether it is one file that is compressed as it is.
    is_single: bool,
    /// Whether the archive lies inside of a directory that it packs.
    is_inside: bool,
    patterns: Vec<String>,
}

impl Selection {
    /// Has the host expand the paths, and looks for the programs it needs.
    pub(super) async fn of(host: &Host, arguments: &Arguments) -> Result<Self, Failure> {
        let (mut paths_given, mut excludes) = (Vec::new(), Vec::new());
        for path in arguments.strings("path") {
            paths_given.push(absolute(host, &path).await?);
        }
        for path in arguments.strings("exclude_path") {
            excludes.push(absolute(host, &path).await?);
        }
        let format = arguments.text_or_empty("format").to_owned();
        let output = host
            .read_script(expansion(&paths_given, &excludes, &format))
            .await?;
        let (mut files, mut directories, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        let mut excluded = Vec::new();
        for line in output.stdout.lines() {
            match line.split_once(' ') {
                Some(("f", path)) => files.push(path.to_owned()),
                Some(("d", path)) => directories.push(path.to_owned()),
                Some(("m", path)) => missing.push(path.to_owned()),
                Some(("x", path)) => excluded.push(path.to_owned()),
                Some(("t", program)) => {
                    return Err(Failure::new(format!(
                        "Failed to find required executable \"{program}\""
                    )));
                }
                _ => {}
            }
        }
        // A pattern that meets nothing is no path that is missing.
        missing.retain(|path| !has_pattern(path) && !excluded.contains(path));
        let mut expanded: Vec<String> = files.iter().chain(&directories).cloned().collect();
        expanded.extend(missing.iter().cloned());
        expanded.sort();
        expanded.dedup();
        if expanded.is_empty() {
            return Err(Failure::new("Error, no source paths were found")
                .with("path", paths_given.join(", ")));
        }
        let dest = match (arguments.text("dest"), expanded.as_slice()) {
            (Some(dest), _) => absolute(host, dest).await?,
            (None, [one]) => format!("{}.{format}", one.trim_end_matches('/')),
            _ => {
                return Err(Failure::new(
                    "Error, must specify \"dest\" when archiving multiple files or trees",
                ));
            }
        };
        let is_taken = |path: &String| *path != dest && !excluded.contains(path);
        files.retain(is_taken);
        directories.retain(is_taken);
        let is_archive =
            arguments.flag("force_archive") || matches!(format.as_str(), "tar" | "zip");
        let is_inside =
            |directory: &String| dest.starts_with(&format!("{}/", directory.trim_end_matches('/')));
        Ok(Self {
            is_single: files.len() == 1 && directories.is_empty() && !is_archive,
            is_inside: directories.iter().any(is_inside),
            root: root_of(&expanded),
            sources: files.into_iter().chain(directories).collect(),
            patterns: arguments.strings("exclusion_patterns"),
            dest,
            missing,
            expanded,
            excluded,
            format,
        })
    }

    /// What the archive is once it is written.
    pub(super) fn state(&self) -> &'static str {
        match (self.missing.is_empty(), self.is_single) {
            (false, _) => "incomplete",
            (true, true) => "compress",
            (true, false) => "archive",
        }
    }

    /// Names in the archive, as paths on the host.
    pub(super) fn archived(&self, names: &str) -> Vec<String> {
        names
            .lines()
            .filter(|name| !name.ends_with('/'))
            .map(|name| format!("{}{}", self.root, name.strip_prefix("./").unwrap_or(name)))
            .collect()
    }

    /// Writes shell text that does one of the steps of `pack.sh`.
    pub(super) fn script(&self, steps: &str) -> String {
        let names: Vec<String> = self.sources.iter().map(|path| self.name(path)).collect();
        let names = names.join(" ");
        let finds = if self.format == "zip" {
            format!(
                "{{ find {names} -type d -print | sed 's|$|/|'; find {names} ! -type d -print; }}"
            )
        } else {
            format!("find {names} ! -type s -print")
        };
        let mut left_out: Vec<String> = self.patterns.iter().map(|one| expression(one)).collect();
        left_out.extend(self.dest.strip_prefix(&self.root).map(exact));
        let keep = if left_out.is_empty() {
            "cat".to_owned()
        } else {
            let words = left_out
                .iter()
                .map(|one| format!(" -e {}", Host::quote(one)));
            format!("grep -v -x{}", words.collect::<String>())
        };
        let single = if self.is_single {
            self.sources.first()
        } else {
            None
        };
        format!(
            "root={} dest={} format={} single={} inside={} finds={} keep={}\n{}{steps}",
            Host::quote(&self.root),
            Host::quote(&self.dest),
            self.format,
            single.map_or_else(|| "''".to_owned(), |path| Host::quote(path)),
            if self.is_inside { "yes" } else { "''" },
            Host::quote(&finds),
            Host::quote(&keep),
            include_str!("pack.sh"),
        )
    }

    /// A source relative to the root, as a word for `find`.
    fn name(&self, path: &str) -> String {
        let name = path.strip_prefix(&self.root).unwrap_or_default();
        if name.is_empty() {
            return ".".to_owned();
        }
        Host::quote(&format!("./{name}"))
    }
}

fn has_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Writes shell text that expands paths, tells what each is, and names programs that are missing.
fn expansion(paths: &[String], excludes: &[String], format: &str) -> String {
    let programs = match format {
        "zip" => "zip unzip",
        "bz2" => "tar bzip2",
        "xz" => "tar xz",
        "tar" => "tar",
        _ => "tar gzip",
    };
    let words = |paths: &[String]| -> String {
        paths
            .iter()
            .map(|path| format!(" {}", pattern_word(path)))
            .collect()
    };
    let mut script = format!(
        "for t in {programs}; do type $t >/dev/null 2>&1 || echo \"t $t\"; done\n\
         for p in{}; do if [ -d \"$p\" ]; then echo \"d $p\"; \
         elif [ -f \"$p\" ] || [ -h \"$p\" ] || [ -p \"$p\" ]; then echo \"f $p\"; else echo \"m $p\"; fi; done\n",
        words(paths)
    );
    if !excludes.is_empty() {
        let excludes = words(excludes);
        script.push_str(&format!("for p in{excludes}; do echo \"x $p\"; done\n"));
    }
    script
}

/// Quotes all of a path but its patterns.
fn pattern_word(path: &str) -> String {
    let mut word = String::new();
    let mut plain = String::new();
    for c in path.chars() {
        if "*?[]!".contains(c) {
            if !plain.is_empty() {
                word.push_str(&Host::quote(&plain));
                plain.clear();
            }
            word.push(c);
        } else {
            plain.push(c);
        }
    }
    if !plain.is_empty() {
        word.push_str(&Host::quote(&plain));
    }
    word
}

/// The directory that all paths have in common, with a slash at its end.
fn root_of(paths: &[String]) -> String {
    let parents = paths.iter().map(|path| match path.rfind('/') {
        Some(end) => &path[..=end],
        None => "",
    });
    let common = parents.reduce(|one, other| {
        let same = one
            .char_indices()
            .zip(other.chars())
            .take_while(|((_, a), b)| a == b)
            .last()
            .map_or(0, |((at, c), _)| at + c.len_utf8());
        &one[..same]
    });
    let common = common.unwrap_or("/");
    common[..common.rfind('/').map_or(0, |end| end + 1)].to_owned()
}

/// A pattern of names as a basic regular expression, for files and for directories of a zip.
fn expression(pattern: &str) -> String {
    let regex = translated(pattern, |c| matches!(c, '.' | '^' | '$' | '\\'));
    format!("{regex}/\\{{0,1\\}}")
}

/// A name as a basic regular expression.
fn exact(name: &str) -> String {
    let mut regex = String::new();
    for c in name.chars() {
        if ".^$*[]\\".contains(c) {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_what_the_directories_have_in_common() {
        let root = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            root_of(&paths)
        };
        assert_eq!(root(&["/srv/app"]), "/srv/");
        assert_eq!(root(&["/srv/app/"]), "/srv/app/");
        assert_eq!(root(&["/srv/app/a", "/srv/apple/b"]), "/srv/");
        assert_eq!(root(&["/etc/x", "/srv/y"]), "/");
    }

    #[test]
    fn patterns_stay_patterns_and_all_else_is_quoted() {
        assert_eq!(pattern_word("/a b/*.log"), "'/a b/'*.log");
        assert_eq!(pattern_word("/x[!0-9]?"), "/x[!0-9]?");
        assert_eq!(expression("*.lo[!g]"), ".*\\.lo[^g]/\\{0,1\\}");
        assert_eq!(exact("a.b*"), "a\\.b\\*");
    }
}
