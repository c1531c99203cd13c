//! Package managers: how each is asked what is installed, and told to install or remove.

use sasrun_plugin::{Failure, Host};

/// A package manager of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Dnf,
    Yum,
    Zypper,
    Apk,
    Pacman,
}

/// What shall be done with packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Install,
    Upgrade,
    Remove,
}

/// Prints the first package manager that is there.
pub(super) const DETECT: &str = "for m in apt-get dnf yum zypper apk pacman; do\n\
    for d in /usr/bin /bin /sbin /usr/sbin; do\n\
    if [ -x $d/$m ]; then echo $m; exit 0; fi\n\
    done\ndone";

impl Manager {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "apt" | "apt-get" => Manager::Apt,
            "dnf" | "dnf5" => Manager::Dnf,
            "yum" => Manager::Yum,
            "zypper" => Manager::Zypper,
            "apk" => Manager::Apk,
            "pacman" => Manager::Pacman,
            _ => return None,
        })
    }

    /// Writes shell text that prints the installed version of a package, or fails.
    fn query(self, name: &str) -> String {
        let word = Host::quote(name);
        match self {
            Manager::Apt => format!(
                "dpkg-query -W -f='${{db:Status-Status}} ${{Version}}\\n' {word} 2>/dev/null | \
                 sed -n 's/^installed //p' | grep ."
            ),
            Manager::Dnf | Manager::Yum | Manager::Zypper => format!(
                "rpm -q --qf '%{{VERSION}}-%{{RELEASE}}\\n' {word} 2>/dev/null || \
                 rpm -q --whatprovides --qf '%{{VERSION}}-%{{RELEASE}}\\n' {word} 2>/dev/null"
            ),
            Manager::Apk => format!("apk info -e {word} 2>/dev/null"),
            Manager::Pacman => format!("pacman -Q {word} 2>/dev/null | sed 's/^[^ ]* //' | grep ."),
        }
    }

    /// Asks which packages are installed: the version of each that is.
    pub(super) async fn installed(
        self,
        host: &Host,
        names: &[String],
    ) -> Result<Vec<Option<String>>, Failure> {
        let steps: Vec<String> = names
            .iter()
            .map(|name| {
                format!(
                    "v=`{}`; if [ $? -eq 0 ]; then echo \"+$v\"; else echo -; fi",
                    self.query(name)
                )
            })
            .collect();
        let output = host.read_script(steps.join("\n")).await?;
        let mut found: Vec<Option<String>> = output
            .stdout
            .lines()
            .filter_map(|line| match line.as_bytes().first() {
                Some(b'+') => Some(Some(line[1..].to_owned())),
                Some(b'-') => Some(None),
                _ => None,
            })
            .collect();
        if found.len() != names.len() {
            return Err(Failure::new(format!(
                "the package manager could not be asked: {}",
                output.stderr.trim()
            )));
        }
        found.truncate(names.len());
        Ok(found)
    }

    /// Writes the command that carries an action out.
    pub(super) fn command(self, action: Action, names: &[String], options: &str) -> String {
        let words: Vec<String> = names.iter().map(|name| Host::quote(name)).collect();
        let words = match options {
            "" => words.join(" "),
            options => format!("{options} {}", words.join(" ")),
        };
        let verb = |install: &str, upgrade: &str, remove: &str| match action {
            Action::Install => install.to_owned(),
            Action::Upgrade => upgrade.to_owned(),
            Action::Remove => remove.to_owned(),
        };
        match self {
            Manager::Apt => {
                let verb = verb("install", "install", "remove");
                format!("DEBIAN_FRONTEND=noninteractive apt-get -y {APT_OPTIONS} {verb} {words}")
            }
            Manager::Dnf => format!("dnf -y {} {words}", verb("install", "upgrade", "remove")),
            Manager::Yum => format!("yum -y {} {words}", verb("install", "upgrade", "remove")),
            Manager::Zypper => format!(
                "zypper --non-interactive {} {words}",
                verb("install", "update", "remove")
            ),
            Manager::Apk => format!("apk {} {words}", verb("add", "add -u", "del")),
            Manager::Pacman => format!(
                "pacman --noconfirm {} {words}",
                verb("-S --needed", "-S --needed", "-R")
            ),
        }
    }
}

/// Options that keep apt from asking: old configuration files stay.
pub(super) const APT_OPTIONS: &str =
    "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold";
