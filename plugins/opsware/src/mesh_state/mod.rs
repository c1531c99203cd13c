//! `opsware_mesh_state`: waits until every transaction of the mesh is black, several looks in a row.
//!
//! Red ends the wait at once; what is not understood counts as not black. The page is fetched on
//! the server itself, by the product's own client and certificate.

mod page;
mod patience;
mod spec;

use std::time::{Duration, Instant};

use sasrun_plugin::{
    Arguments, Call, Command, CommandOutput, Failure, Host, Module, ModuleResult, Outcome,
};
use serde_json::{Value, json};

use page::{Cell, Colour, Look};
use patience::{Patience, Step};

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec::spec(), run)
}

/// One task, read from its arguments.
struct Order {
    url: String,
    certificate: String,
    client: String,
    facilities: Vec<String>,
    polls: u64,
    interval_ms: u64,
    limit: Duration,
    timeout_s: u64,
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let seconds = |name: &str, usual: f64| {
        arguments
            .number(name)
            .unwrap_or(usual)
            .clamp(0.0, 10_000_000.0)
    };
    let order = Order {
        url: arguments.text_or_empty("url").to_owned(),
        certificate: arguments.text_or_empty("certificate").to_owned(),
        client: arguments.text_or_empty("client").to_owned(),
        facilities: arguments.strings("facilities"),
        polls: arguments
            .integer("polls")
            .and_then(|polls| u64::try_from(polls).ok())
            .unwrap_or(3)
            .max(1),
        interval_ms: (seconds("interval", 60.0) * 1000.0) as u64,
        limit: Duration::from_secs_f64(seconds("limit", 43_200.0)),
        timeout_s: seconds("timeout", 30.0) as u64,
    };
    if arguments.flag("traffic_begins") && call.check_mode {
        host.cannot_know("the traffic only begins with the upgrade of the source core")
            .await?;
    }
    order.wait(&host).await
}

impl Order {
    async fn wait(&self, host: &Host) -> ModuleResult {
        let begun = Instant::now();
        let mut patience = Patience::new(self.polls);
        loop {
            let look = self.look(host).await?;
            host.progress(progress(&look, &patience, self.polls))
                .await?;
            match patience.see(look) {
                Step::Done(cells) => {
                    return Ok(Outcome::unchanged()
                        .with("polls", patience.looks)
                        .with("waited_s", begun.elapsed().as_secs())
                        .with("entries", entries(&cells)));
                }
                Step::Stop(reason) => return Err(self.failure(reason, &patience)),
                Step::Again => {}
            }
            if begun.elapsed() >= self.limit {
                let reason = format!(
                    "not every transaction was black within {} s: {}",
                    self.limit.as_secs(),
                    patience.standstill()
                );
                return Err(self.failure(reason, &patience));
            }
            host.sleep(self.interval_ms.max(50)).await?;
        }
    }

    fn failure(&self, reason: String, patience: &Patience) -> Failure {
        Failure::new(reason)
            .with("polls", patience.looks)
            .with(
                "stuck",
                patience
                    .stuck()
                    .into_iter()
                    .map(|(from, to, count)| json!({"from": from, "to": to, "count": count}))
                    .collect::<Value>(),
            )
            .with("entries", entries(&patience.last))
    }

    async fn look(&self, host: &Host) -> Result<Look, Failure> {
        let output = host.read_command(self.fetch()).await?;
        Ok(read(&output, &self.facilities))
    }

    /// Fetches the page with the vendor's client; any other `curl` will do where that is missing.
    fn fetch(&self) -> Command {
        let script = format!(
            "c={client}; [ -x \"$c\" ] || c=curl\n\"$c\" -s -S -k -E {certificate} --max-time {seconds} \
             -w '\\nSASRUN-STATUS %{{http_code}}\\n' {url}\n",
            client = Host::quote(&self.client),
            certificate = Host::quote(&self.certificate),
            seconds = self.timeout_s.max(1),
            url = Host::quote(&self.url),
        );
        Command {
            script,
            timeout_ms: Some((self.timeout_s + 10) * 1000),
            ..Command::default()
        }
    }
}

/// Reads one answer of the client.
fn read(output: &CommandOutput, facilities: &[String]) -> Look {
    let (body, status) = output
        .stdout
        .rsplit_once("SASRUN-STATUS ")
        .unwrap_or((&output.stdout, ""));
    let status = status.trim();
    let said = output
        .stderr
        .lines()
        .chain(body.lines())
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("nothing");
    // 35, 56, 58: the handshake or the certificate; 401 and 403: the certificate's name.
    if matches!(output.rc, 35 | 56 | 58) || matches!(status, "401" | "403") {
        return Look::Unknown(format!("{REFUSED}: {said}"));
    }
    if output.timed_out || output.rc == 28 {
        return Look::Unknown("the page did not come in time".to_owned());
    }
    if output.rc != 0 {
        return Look::Unknown(format!(
            "the page could not be fetched (status {} of the client): {said}",
            output.rc
        ));
    }
    if !status.is_empty() && status != "200" && status != "000" {
        return Look::Unknown(format!("the server answered {status}"));
    }
    page::read(body, facilities)
}

/// What an answer begins with that no patience will better.
const REFUSED: &str = "the client certificate was refused";

fn progress(look: &Look, patience: &Patience, polls: u64) -> String {
    match look {
        Look::Black(_) => format!(
            "all black, {} of {polls} looks in a row",
            patience.black_in_a_row + 1
        ),
        Look::Underway(cells) | Look::Red(cells) => {
            let parts: Vec<String> = cells
                .iter()
                .filter(|cell| cell.colour != Colour::Black)
                .map(|cell| format!("{} to {}: {}", cell.from, cell.to, count(cell)))
                .collect();
            parts.join(", ")
        }
        Look::Unknown(reason) => format!("unknown: {reason}"),
    }
}

fn count(cell: &Cell) -> String {
    cell.count
        .map_or_else(|| "?".to_owned(), |count| count.to_string())
}

fn entries(cells: &[Cell]) -> Value {
    cells
        .iter()
        .map(|cell| {
            let colour = match &cell.colour {
                Colour::Black => "black",
                Colour::Underway => "underway",
                Colour::Red => "red",
                Colour::Unknown(other) => other,
            };
            json!({"from": cell.from, "to": cell.to, "count": cell.count, "colour": colour})
        })
        .collect()
}
