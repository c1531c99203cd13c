//! Who holds a busy file system.

use sasrun_plugin::{Failure, Host};
use serde_json::{Value, json};

/// A process that keeps a file system from being unmounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pid: u32,
    user: String,
    command: String,
}

impl Holder {
    /// For a message.
    pub(crate) fn named(&self) -> String {
        format!("{} (pid {}, user {})", self.command, self.pid, self.user)
    }

    /// For a result.
    pub(crate) fn to_value(&self) -> Value {
        json!({"pid": self.pid, "user": self.user, "command": self.command})
    }
}

/// Names them. Where /proc has links it tells who is below the path itself; `fuser` would, of a
/// bind mount, name everyone on the file system behind it.
pub(crate) async fn holders(host: &Host, path: &str) -> Result<Vec<Holder>, Failure> {
    let output = host.read_script(script(path)).await?;
    Ok(read(&output.stdout))
}

fn script(path: &str) -> String {
    // Of the path only plain characters may stand in a pattern as they are.
    let pattern: String = path
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || "/_-".contains(c) => c.to_string(),
            '|' | '\n' => ".".into(),
            c => format!("[{c}]"),
        })
        .collect();
    let quoted = Host::quote(path);
    format!(
        "p=`ls -ld /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/fd/* 2>/dev/null \
         | sed -n 's|.* /proc/\\([0-9]*\\)/[^ ]* -> {pattern}$|\\1|p; s|.* /proc/\\([0-9]*\\)/[^ ]* -> {pattern}/.*|\\1|p' \
         | sort -u`\n\
         [ -n \"$p\" ] || p=`fuser -c {quoted} 2>/dev/null`\n\
         for i in $p; do\n\
         i=`echo $i | sed 's/[^0-9]//g'`\n\
         [ -n \"$i\" ] && ps -p $i -o pid= -o user= -o args= 2>/dev/null\n\
         done\n\
         exit 0\n"
    )
}

fn read(text: &str) -> Vec<Holder> {
    text.lines()
        .filter_map(|line| {
            let (pid, rest) = line.trim().split_once(char::is_whitespace)?;
            let (user, command) = rest.trim().split_once(char::is_whitespace)?;
            Some(Holder {
                pid: pid.parse().ok()?,
                user: user.to_owned(),
                command: command.trim().to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_processes() {
        let found = read("  412 root     -bash\n 1007 oracle   tail -f /x y\nnonsense\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].named(), "tail -f /x y (pid 1007, user oracle)");
    }
}
