//! What the host's own databases say of users and groups, read in one round trip.

use sasrun_plugin::{Failure, Host};

/// Entry of `passwd`, and what goes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: String,
    pub(super) gid: String,
    pub(super) comment: String,
    pub(super) home: String,
    pub(super) shell: String,
    /// Name of the primary group.
    pub(super) group: String,
    /// Names of the other groups.
    pub(super) groups: Vec<String>,
    /// Encrypted password, as far as it may be read.
    pub(super) password: String,
    /// Days that passwords of the account keep to, as far as they may be read.
    pub(super) password_days: PasswordDays,
    /// Days after the end of a password until the account is closed; empty for never.
    pub(super) inactive: String,
    /// Day since 1970 on which the account ends; empty for never.
    pub(super) expires: String,
    /// Whether the home directory is not there.
    pub(super) lacks_home: bool,
}

/// Days after which a password may and must change, and of warning before; empty where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PasswordDays {
    pub(super) min: String,
    pub(super) max: String,
    pub(super) warn: String,
}

/// What the script says of an account without its home directory.
const LACKS_HOME: &str = "no home";

/// Looks up a user; none if there is no such user.
pub(super) async fn user(host: &Host, name: &str) -> Result<Option<User>, Failure> {
    let script = format!(
        "n={}\n\
         e=`getent passwd \"$n\" 2>/dev/null || grep \"^$n:\" /etc/passwd`\n\
         if [ -z \"$e\" ]; then exit 0; fi\n\
         echo \"$e\" | sed 1q\n\
         id -gn \"$n\"\n\
         id -Gn \"$n\"\n\
         [ -d \"`echo \"$e\" | cut -d: -f6`\" ] || echo {LACKS_HOME}\n\
         grep \"^$n:\" /etc/shadow 2>/dev/null | sed 's/^[^:]*://'",
        Host::quote(name)
    );
    let command = sasrun_plugin::Command {
        script,
        sensitive: true,
        ..sasrun_plugin::Command::default()
    };
    let output = host.read_command(command).await?;
    Ok(read(&output.stdout))
}

fn read(shown: &str) -> Option<User> {
    let mut lines = shown.lines();
    let entry: Vec<&str> = lines.next()?.split(':').collect();
    let field = |at: usize| {
        entry
            .get(at)
            .map(|field| (*field).to_owned())
            .unwrap_or_default()
    };
    let group = lines.next().unwrap_or_default().to_owned();
    let mut groups: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    groups.retain(|name| *name != group);
    let rest: Vec<&str> = lines.collect();
    let lacks_home = rest.contains(&LACKS_HOME);
    let shadow: Vec<&str> = rest
        .iter()
        .find(|line| **line != LACKS_HOME)
        .map(|line| line.split(':').collect())
        .unwrap_or_default();
    let shadow = |at: usize| shadow.get(at).copied().unwrap_or_default().to_owned();
    Some(User {
        uid: field(2),
        gid: field(3),
        comment: field(4),
        home: field(5),
        shell: field(6),
        group,
        groups,
        password: shadow(0),
        password_days: PasswordDays {
            min: shadow(2),
            max: shadow(3),
            warn: shadow(4),
        },
        inactive: shadow(5),
        expires: shadow(6),
        lacks_home,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read() {
        let user =
            read("app:x:500:501:An App:/home/app:/bin/sh\napp\napp wheel audio\n$6$x:19000:1:90:7::21000:\n").unwrap();
        assert_eq!((user.uid.as_str(), user.group.as_str()), ("500", "app"));
        assert_eq!(user.groups, ["wheel", "audio"]);
        assert_eq!(user.password, "$6$x");
        let days = [
            &user.password_days.min,
            &user.password_days.max,
            &user.password_days.warn,
        ];
        assert_eq!(days, ["1", "90", "7"]);
        assert_eq!((user.expires.as_str(), user.lacks_home), ("21000", false));
        let other = read("a:x:1:1::/nowhere:/bin/sh\na\na\nno home\n").unwrap();
        assert_eq!((other.password.as_str(), other.lacks_home), ("", true));
        assert_eq!(read(""), None);
    }
}
