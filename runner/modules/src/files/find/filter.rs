//! What `find` is asked for: names, kinds, ages, sizes, bits and content.

use sasrun_plugin::{Arguments, Failure, FileKind, FileStatus};

use super::super::shell_pattern::shell_pattern;
use crate::paths;
use crate::python_regex::{Flags, PythonRegex};

/// What is asked of the files.
pub(super) struct Filter {
    patterns: Vec<PythonRegex>,
    excludes: Vec<PythonRegex>,
    pub(super) contains: Option<PythonRegex>,
    reads_whole: bool,
    hidden: bool,
    kind: Option<FileKind>,
    age: Option<(f64, bool)>,
    stamp: String,
    size: Option<(u64, bool)>,
    mode: Option<u32>,
    exact_mode: bool,
}

impl Filter {
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let compile = |pattern: &str| {
            PythonRegex::new(pattern, Flags::default())
                .map_err(|error| Failure::new(error.to_string()))
        };
        let use_regex = arguments.flag("use_regex");
        let patterns = |name: &str| -> Result<Vec<PythonRegex>, Failure> {
            let anchor = |text: String| format!("^(?:{text})");
            arguments
                .strings(name)
                .iter()
                .map(|text| {
                    compile(&if use_regex {
                        anchor(text.clone())
                    } else {
                        shell_pattern(text)
                    })
                })
                .collect()
        };
        let reads_whole = arguments.flag("read_whole_file");
        let contains = match arguments.text("contains") {
            // Of what is no regular file nothing is looked into.
            Some(_) if arguments.text("file_type") != Some("file") => None,
            Some(text) if reads_whole => Some(compile(text)?),
            Some(text) => Some(compile(&format!("^(?:{text})"))?),
            None => None,
        };
        Ok(Self {
            patterns: patterns("patterns")?,
            excludes: patterns("excludes")?,
            contains,
            reads_whole,
            hidden: arguments.flag("hidden"),
            kind: match arguments.text("file_type") {
                Some("directory") => Some(FileKind::Directory),
                Some("link") => Some(FileKind::Link),
                Some("any") => None,
                _ => Some(FileKind::File),
            },
            age: arguments.text("age").map(age).transpose()?,
            stamp: arguments.text_or_empty("age_stamp").to_owned(),
            size: arguments.text("size").map(size).transpose()?,
            mode: arguments.mode("mode", 0, false),
            exact_mode: arguments.flag("exact_mode"),
        })
    }

    pub(super) fn takes_name(&self, path: &str) -> bool {
        let name = paths::file_name(path);
        let any = |set: &[PythonRegex]| set.iter().any(|regex| regex.is_match(name) == Ok(true));
        (self.hidden || !name.starts_with('.'))
            && (self.patterns.is_empty() || any(&self.patterns))
            && !any(&self.excludes)
    }

    pub(super) fn takes(&self, status: &FileStatus, now: f64) -> bool {
        let stamp = match self.stamp.as_str() {
            "atime" => status.atime,
            "ctime" => status.ctime,
            _ => status.mtime,
        };
        status.exists()
            && self.kind.is_none_or(|kind| kind == status.kind)
            && self.age.is_none_or(|(age, younger)| {
                if younger {
                    now - stamp <= age
                } else {
                    now - stamp >= age
                }
            })
            // Only of regular files the size means something.
            && self.size.is_none_or(|(size, smaller)| {
                if status.kind != FileKind::File {
                    true
                } else if smaller {
                    status.size_bytes <= size
                } else {
                    status.size_bytes >= size
                }
            })
            && self.mode.is_none_or(|mode| {
                if self.exact_mode {
                    status.mode == mode
                } else {
                    status.mode & mode != 0
                }
            })
    }

    pub(super) fn takes_content(&self, text: &str) -> Result<bool, Failure> {
        let Some(regex) = &self.contains else {
            return Ok(true);
        };
        let tell = |text: &str| {
            regex
                .is_match(text)
                .map_err(|error| Failure::new(error.to_string()))
        };
        if self.reads_whole {
            return tell(text);
        }
        for line in text.split_inclusive('\n') {
            if tell(line)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Reads an age such as `2d` or `-3600`: seconds, and whether the file must be younger.
fn age(text: &str) -> Result<(f64, bool), Failure> {
    let (number, younger) = signed(text);
    let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &number[digits.len()..] {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => {
            return Err(Failure::new(format!(
                "the age {text} is not written as 2d or 4w"
            )));
        }
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| Failure::new(format!("the age {text} is not written as 2d or 4w")))?;
    Ok((number * unit, younger))
}

fn size(text: &str) -> Result<(u64, bool), Failure> {
    let (number, smaller) = signed(text);
    sasrun_plugin::parse_size(number)
        .map(|size| (size, smaller))
        .ok_or_else(|| Failure::new(format!("the size {text} is not written as 10m or 2g")))
}

fn signed(text: &str) -> (&str, bool) {
    let text = text.trim();
    text.strip_prefix('-')
        .map_or((text, false), |rest| (rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_may_be_upper_limits() {
        assert_eq!(age("2d").unwrap(), (172_800.0, false));
        assert_eq!(age("-1h").unwrap(), (3_600.0, true));
        assert!(age("2x").is_err());
        assert_eq!(size("-1k").unwrap(), (1024, true));
    }
}
