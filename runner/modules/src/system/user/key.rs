//! The key pair that `user` makes for an account.

use sasrun_plugin::{Arguments, Failure, Host, Object};

use crate::paths;
use crate::system::accounts::User;

/// A key pair that an account shall have.
pub(super) struct Key<'a> {
    arguments: &'a Arguments,
    name: &'a str,
    /// Below the home directory, unless it is absolute.
    file: String,
}

impl<'a> Key<'a> {
    /// Reads what is asked for; none where no key is.
    pub(super) fn of(arguments: &'a Arguments) -> Option<Self> {
        if arguments.given_flag("generate_ssh_key") != Some(true) {
            return None;
        }
        let kind = arguments.text_or_empty("ssh_key_type");
        let file = arguments
            .text("ssh_key_file")
            .map_or_else(|| format!(".ssh/id_{kind}"), str::to_owned);
        Some(Self {
            arguments,
            name: arguments.text_or_empty("name"),
            file,
        })
    }

    /// Looks for the key of an account that is there; fields of the result, none without a key.
    pub(super) async fn look(&self, host: &Host, user: &User) -> Result<Option<Object>, Failure> {
        let path = match self.file.starts_with('/') {
            true => self.file.clone(),
            false => paths::join(&user.home, &self.file),
        };
        let word = paths::word(&path);
        let script = format!(
            "[ -f {word} ] || exit 0\n\
             echo there; cat {word}.pub; echo; ssh-keygen -lf {word} </dev/null 2>/dev/null"
        );
        let output = host.read_script(script).await?;
        let mut lines = output.stdout.lines().filter(|line| !line.is_empty());
        if lines.next().is_none() {
            return Ok(None);
        }
        let mut fields = Object::new();
        fields.insert("ssh_key_file".into(), path.into());
        let told = ["ssh_public_key", "ssh_fingerprint"];
        for (name, line) in told.into_iter().zip(lines) {
            fields.insert(name.into(), line.into());
        }
        Ok(Some(fields))
    }

    /// Writes the step that makes the key, and its directory if that is not there.
    pub(super) fn step(&self) -> String {
        let argument = |name: &str| self.arguments.text(name).map(Host::quote);
        let bits = self.arguments.integer("ssh_key_bits").unwrap_or_default();
        let bits = match bits {
            0 => String::new(),
            bits => format!(" -b {bits}"),
        };
        let comment = argument("ssh_key_comment")
            .unwrap_or_else(|| "\"ansible-generated on `uname -n`\"".to_owned());
        let home = match self.file.starts_with('/') {
            true => "",
            false => "\"$h\"/",
        };
        format!(
            "h=`getent passwd {name} | cut -d: -f6` && f={home}{file} && d=`dirname \"$f\"` && \
             g=`id -g {name}` && \
             {{ [ -d \"$d\" ] || {{ mkdir -p -m 700 \"$d\" && chown {name}:$g \"$d\"; }}; }} && \
             rm -f \"$f\"{public} && ssh-keygen -q -t {kind}{bits} -C {comment} -N {passphrase} -f \"$f\" && \
             chown {name}:$g \"$f\" \"$f.pub\"",
            // The other half of a key may be a link to what is not to be written over.
            public = if self.arguments.flag("force") {
                " \"$f.pub\""
            } else {
                ""
            },
            name = Host::quote(self.name),
            file = Host::quote(&self.file),
            kind = Host::quote(self.arguments.text_or_empty("ssh_key_type")),
            passphrase = argument("ssh_key_passphrase").unwrap_or_else(|| "''".to_owned()),
        )
    }
}
