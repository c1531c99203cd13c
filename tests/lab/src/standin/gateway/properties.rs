//! `opswgw.properties`: reading it as the gateway does at its start, and the files of the lab.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Why a gateway refuses its properties.
#[derive(Debug, thiserror::Error)]
pub enum PropertiesError {
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}:{line}: syntax error")]
    Syntax { path: PathBuf, line: usize },
    #[error("{path}: certificate {certificate} not found")]
    Certificate { path: PathBuf, certificate: String },
    #[error("{path}: {key} is missing")]
    Missing { path: PathBuf, key: &'static str },
}

/// The settings of a gateway, in the order of the file; keys may repeat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties(pub Vec<(String, String)>);

impl Properties {
    /// Reads the text of a properties file; the error is the number of the line.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let (key, value) = line.split_once(['=', ':']).ok_or(index + 1)?;
            let key = key
                .trim()
                .strip_prefix("opswgw.")
                .filter(|key| is_word(key))
                .ok_or(index + 1)?;
            entries.push((key.to_owned(), value.trim().to_owned()));
        }
        Ok(Self(entries))
    }

    /// The last value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// All entries of a key that may repeat and whose lines may hold a list.
    pub fn list(&self, key: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(name, _)| name == key)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .collect()
    }

    /// The certificate files that the entries name.
    fn certificates(&self) -> Vec<&str> {
        let lists = ["TunnelDst", "TunnelSrc", "AdminPort"];
        let entries = lists.iter().flat_map(|key| self.list(key));
        entries
            .filter_map(|entry| entry.find(":/").map(|at| &entry[at + 1..]))
            .collect()
    }
}

fn is_word(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The properties file of a gateway service.
pub fn path(service: &str) -> PathBuf {
    PathBuf::from(format!("/etc/opt/opsware/{service}/opswgw.properties"))
}

/// Reads the properties of a gateway service of this host and checks them as the gateway would.
pub fn load(service: &str) -> Result<Properties, PropertiesError> {
    let path = path(service);
    let text = std::fs::read_to_string(&path).map_err(|source| PropertiesError::Read {
        path: path.clone(),
        source,
    })?;
    let properties = Properties::parse(&text).map_err(|line| PropertiesError::Syntax {
        path: path.clone(),
        line,
    })?;
    for key in ["Gateway", "Realm"] {
        if properties.value(key).is_none() {
            return Err(PropertiesError::Missing { path, key });
        }
    }
    if let Some(absent) = properties
        .certificates()
        .into_iter()
        .find(|file| !Path::new(file).is_file())
    {
        return Err(PropertiesError::Certificate {
            certificate: absent.to_owned(),
            path,
        });
    }
    Ok(properties)
}

/// Text of the core gateway's file: two `TunnelDst` entries, on one line where `shared_line` says so.
pub fn core_gateway(dc: &str, address: &str, shared_line: bool) -> String {
    let certificate = format!("/var/opt/opsware/crypto/opswgw-cgw0-{dc}/opswgw.pem");
    let tunnels = if shared_line {
        format!("opswgw.TunnelDst=2001:{certificate},127.0.0.1:2002\n")
    } else {
        format!("opswgw.TunnelDst=2001:{certificate}\nopswgw.TunnelDst=127.0.0.1:2002\n")
    };
    format!(
        "# Gateway cgw0 of facility {dc}\nopswgw.Gateway=cgw0-{dc}\nopswgw.Realm={dc}\nopswgw.Root=true\n\
         opswgw.Level=1\nopswgw.GWAddress={address}\nopswgw.Daemon=true\nopswgw.Watchdog=true\n{tunnels}\
         opswgw.ProxyPort=3002\nopswgw.IdentPort=4040\nopswgw.AdminPort=8085:{certificate}\n"
    )
}

/// Text of the agent gateway's file.
pub fn agent_gateway(dc: &str, address: &str) -> String {
    format!(
        "# Gateway agw0 of facility {dc}\nopswgw.Gateway=agw0-{dc}\nopswgw.Realm={dc}-agents\nopswgw.Root=false\n\
         opswgw.GWAddress={address}\nopswgw.Daemon=true\nopswgw.Watchdog=true\n\
         opswgw.TunnelSrc=127.0.0.1:2002:1:0\nopswgw.ProxyPort=3001\n\
         opswgw.AdminPort=8089:/var/opt/opsware/crypto/opswgw-agw0-{dc}/opswgw.pem\n"
    )
}

/// Text of a satellite's file: one tunnel, to the core gateway of its core.
pub fn satellite_gateway(name: &str, dc: &str, address: &str, core_gateway: &str) -> String {
    let certificate = format!("/var/opt/opsware/crypto/opswgw-{name}/opswgw.pem");
    format!(
        "# Gateway of satellite {name}\nopswgw.Gateway={name}\nopswgw.Realm={dc}-{name}\nopswgw.Root=false\n\
         opswgw.GWAddress={address}\nopswgw.Daemon=true\nopswgw.Watchdog=true\n\
         opswgw.TunnelSrc={core_gateway}:2001:1:0:{certificate}\nopswgw.ProxyPort=3001\n\
         opswgw.AdminPort=8085:{certificate}\n"
    )
}

/// Text of the load balancing gateway's file, which names the Global File System server.
pub fn load_balancer(dc: &str, hub: &str, way: &str) -> String {
    format!(
        "# Load balancing gateway of facility {dc}\nopswgw.Gateway=lb-{dc}\nopswgw.Realm={dc}\n\
         opswgw.LoadBalanceRule=tcp:hub:ssh:STICKY:{hub}:2222,tcp:way:1018:STICKY:{way}:1018\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_keys_and_lists_are_both_read() {
        for shared_line in [false, true] {
            let properties =
                Properties::parse(&core_gateway("A", "127.61.1.4", shared_line)).unwrap();
            let certificate = "/var/opt/opsware/crypto/opswgw-cgw0-A/opswgw.pem";
            assert_eq!(
                properties.list("TunnelDst"),
                [&format!("2001:{certificate}"), "127.0.0.1:2002"]
            );
            assert_eq!(properties.value("Gateway"), Some("cgw0-A"));
            assert_eq!(properties.certificates(), [certificate, certificate]);
        }
    }

    #[test]
    fn a_line_that_is_no_setting_is_named_by_its_number() {
        let table = [
            ("opswgw.Gateway=x\nnonsense\n", 2),
            ("Gateway=x\n", 1),
            ("# fine\n\nopswgw.Bad Key=1\n", 3),
        ];
        for (text, line) in table {
            assert_eq!(Properties::parse(text), Err(line), "{text}");
        }
        assert!(Properties::parse(" # c\n! c\n opswgw.Root : true \n").is_ok());
    }
}
