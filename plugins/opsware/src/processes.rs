//! The process table of a host, as shell text.

/// Shell text that prints one line for each process, whole command lines where the system can.
///
/// `ps` differs between systems and may be missing; the kernel's own files serve then.
pub(crate) const LIST: &str = "ps -efww 2>/dev/null || /usr/ucb/ps -axww 2>/dev/null || ps -ef 2>/dev/null || \
    for d in /proc/[0-9]*; do echo \"$d `tr '\\0' ' ' <$d/cmdline`\"; done 2>/dev/null";
