//! `oracle_ready`: instance and listener by their processes and port, without a logon.

use std::net::Ipv4Addr;

use base64::Engine as _;
use sasrun_plugin::{Arguments, Call, Failure, Host, ModuleResult, Outcome};

use crate::tnsnames;

/// Lists monitor processes (`I`), listener processes (`L`) and listening sockets, as a tool shows
/// them (`N`) or, where there is none, as the kernel has them (`S`).
const LOOK: &str = r#"ps -ef | sed -n 's/.*[ /]ora_pmon_\([A-Za-z0-9_$#]*\) *$/I \1/p'
ps -ef | grep '[t]nslsnr' >/dev/null && echo L
n=`netstat -an 2>/dev/null | grep LISTEN`
if [ -n "$n" ]; then
  echo "$n" | awk '{ if ($1 ~ /^tcp/) print "N " $4; else if ($1 !~ /^unix/) print "N " $1 }'
else
  n=`ss -ltn 2>/dev/null | grep LISTEN`
  if [ -n "$n" ]; then
    echo "$n" | awk '{ print "N " $4 }'
  else
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { print "S " $2 }'
  fi
fi
exit 0
"#;

/// What is up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    instances: Vec<String>,
    listener: bool,
    sockets: Vec<(Option<Ipv4Addr>, u16)>,
}

/// Carries out the module.
pub(crate) async fn ready(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let port = wanted_port(&arguments, &host).await?;
    let address = match arguments.text("address").map(str::parse::<Ipv4Addr>) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(_)) => return Err(Failure::new("`address` is no IPv4 address")),
    };
    let seconds = |name: &str| u64::try_from(arguments.integer(name).unwrap_or(0)).unwrap_or(0);
    let interval_ms = seconds("interval").max(1) * 1000;
    let mut left_ms = if call.check_mode {
        0
    } else {
        seconds("limit") * 1000
    };
    loop {
        let output = host.read_script(LOOK).await?;
        let seen = Seen::read(&output.stdout);
        let instance = match arguments.text("sid") {
            Some(sid) => seen
                .instances
                .iter()
                .any(|name| name.eq_ignore_ascii_case(sid)),
            None => !seen.instances.is_empty(),
        };
        let port_open = seen.listens(port, address);
        let ready = instance && seen.listener && port_open;
        if ready || left_ms == 0 {
            let outcome = Outcome::unchanged()
                .with("ready", ready)
                .with("instances", seen.instances)
                .with("listener", seen.listener)
                .with("port_open", port_open)
                .with("port", port);
            if ready || arguments.text("expect") == Some("any") {
                return Ok(outcome);
            }
            return Err(Failure {
                result: outcome.result,
                ..Failure::new(down(instance, seen.listener, port_open, port))
            });
        }
        host.sleep(interval_ms.min(left_ms)).await?;
        left_ms = left_ms.saturating_sub(interval_ms);
    }
}

fn down(instance: bool, listener: bool, port_open: bool, port: u16) -> String {
    let mut missing = Vec::new();
    if !instance {
        missing.push("no instance runs".to_owned());
    }
    if !listener {
        missing.push("no listener runs".to_owned());
    }
    if !port_open {
        missing.push(format!("nothing listens on port {port}"));
    }
    format!(
        "Oracle is not up: {}; start it with its own script before anything else",
        missing.join(", ")
    )
}

async fn wanted_port(arguments: &Arguments, host: &Host) -> Result<u16, Failure> {
    let given = arguments.integer("port").unwrap_or(1521);
    let Some(alias) = arguments.text("alias") else {
        return u16::try_from(given).map_err(|_| Failure::new(format!("{given} is no port")));
    };
    let directory = arguments.text_or_empty("tns_admin").trim_end_matches('/');
    let file = host
        .read_file(&format!("{directory}/tnsnames.ora"), 1 << 20)
        .await?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&file.base64)
        .unwrap_or_default();
    let entries = tnsnames::entries(&String::from_utf8_lossy(&bytes));
    tnsnames::find(&entries, alias)
        .and_then(|entry| entry.addresses.first())
        .map(|address| address.port)
        .ok_or_else(|| Failure::new(format!("tnsnames.ora has no address for {alias}")))
}

impl Seen {
    fn read(text: &str) -> Self {
        let mut seen = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("I", name)) if !name.is_empty() => seen.instances.push(name.to_owned()),
                Some(("S", socket)) => seen.sockets.extend(kernel_socket(socket)),
                Some(("N", socket)) => seen.sockets.extend(netstat_socket(socket)),
                None if line == "L" => seen.listener = true,
                _ => {}
            }
        }
        seen.instances.sort();
        seen.instances.dedup();
        seen
    }

    fn listens(&self, port: u16, address: Option<Ipv4Addr>) -> bool {
        self.sockets.iter().any(|(bound, found)| {
            *found == port && (address.is_none() || bound.is_none() || *bound == address)
        })
    }
}

/// `0101A8C0:05F1`: the address with its bytes as the machine orders them. None stands for all
/// addresses, and for those that are not IPv4.
fn kernel_socket(text: &str) -> Option<(Option<Ipv4Addr>, u16)> {
    let (address, port) = text.trim().split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let bound = match (address.len(), u32::from_str_radix(address, 16)) {
        (8, Ok(bits)) if bits != 0 => Some(Ipv4Addr::from(bits.to_ne_bytes())),
        _ => None,
    };
    Some((bound, port))
}

/// `10.0.0.1:1521`, `*:1521`, and on Solaris `10.0.0.1.1521`, `*.1521`.
fn netstat_socket(text: &str) -> Option<(Option<Ipv4Addr>, u16)> {
    let (address, port) = text.trim().rsplit_once([':', '.'])?;
    let bound = address.parse::<Ipv4Addr>().ok();
    Some((
        bound.filter(|bound| !bound.is_unspecified()),
        port.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_processes_and_sockets() {
        let seen = Seen::read(
            "I truth\nI truth\nL\nS 0100007F:05F1\nS 00000000:0016\nS 00000000000000000000000000000000:1F90\n",
        );
        assert_eq!(seen.instances, ["truth"]);
        assert!(seen.listener);
        let local = Some(Ipv4Addr::LOCALHOST);
        let other = Some(Ipv4Addr::new(10, 0, 0, 1));
        assert!(seen.listens(1521, None) && seen.listens(1521, local));
        assert!(!seen.listens(1521, other), "another host's listener");
        assert!(seen.listens(22, other) && seen.listens(8080, other));
        assert!(!seen.listens(1522, None));
    }

    #[test]
    fn reads_netstat_of_both_systems() {
        let cases = [
            ("127.0.0.1:1521", Some((Some(Ipv4Addr::LOCALHOST), 1521))),
            ("0.0.0.0:22", Some((None, 22))),
            (":::22", Some((None, 22))),
            ("*.1521", Some((None, 1521))),
            (
                "10.0.0.1.1521",
                Some((Some(Ipv4Addr::new(10, 0, 0, 1)), 1521)),
            ),
            ("*.*", None),
        ];
        for (text, expected) in cases {
            assert_eq!(netstat_socket(text), expected, "{text}");
        }
    }
}
