//! The command line of `saslab`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};

use crate::events::{self, Class};
use crate::lab::control::{self, Start};
use crate::lab::options::{Options, Running, Sshd};
use crate::lab::supervise;
use crate::machine::namespaces::Rights;
use crate::paths::StateDir;
use crate::rehearsal::faults;
use crate::rehearsal::mesh::{self, Ways};
use crate::scenario::{Scenario, lay_over};
use crate::snapshot;
use crate::ssh::client;
use crate::world::{DEFAULT_PORT, World};

/// Simulates a mesh: every host of an inventory as its own SSH server on a loopback address.
#[derive(Debug, Parser)]
#[command(name = "saslab", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a lab and returns once every host answers
    ///
    /// Needs no root: a plain user gets a lab in a user namespace. The state directory then holds the operator's key
    /// (keys/operator), known_hosts, the passwords (secrets.json), the event log (events.jsonl) and the files of every
    /// host (hosts/NAME). An earlier lab in that directory is removed.
    Up(Up),
    /// Stops a lab: every process of it ends and its mounts go; its files stay to be looked at
    Down(Place),
    /// Tells whether a lab runs and where its hosts are
    Status(Place),
    /// Writes what every host looks like now as canonical JSON: files, mounts, processes, ports, state of stand-ins
    Snapshot {
        #[command(flatten)]
        place: Place,
        /// The file to write; stdout otherwise
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Runs a command on a host as root; its exit status is the command's
    Exec {
        #[command(flatten)]
        place: Place,
        /// The name of the host
        host: String,
        /// The command, given to the host's shell as one line
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Opens a shell on a host as root, through the ssh program of this machine
    Shell {
        #[command(flatten)]
        place: Place,
        /// The name of the host
        host: String,
    },
    /// Prints the event log
    Events {
        #[command(flatten)]
        place: Place,
        /// Only events of this class
        #[arg(long, value_enum)]
        class: Option<Class>,
        /// Only events of this host
        #[arg(long)]
        host: Option<String>,
    },
    /// Lists the faults that `up --fault` knows by name
    Faults,
    /// Puts another scenario in force while the lab runs
    Fault {
        #[command(flatten)]
        place: Place,
        /// The scenario file
        file: PathBuf,
    },
    /// Ends every process of a host at once and starts it anew with the files it has
    Reboot {
        #[command(flatten)]
        place: Place,
        host: String,
    },
    /// Ends every process of a host at once, as a power cut would
    Halt {
        #[command(flatten)]
        place: Place,
        host: String,
    },
    /// The process that keeps a lab (started by `up`)
    #[command(hide = true)]
    Supervise(Up),
}

#[derive(Debug, Args)]
struct Place {
    /// The state directory of the lab
    #[arg(long, value_name = "DIR", default_value = ".lab")]
    state: PathBuf,
}

#[derive(Debug, Args)]
struct Up {
    /// The mesh inventory (a file that begins `plugin: opsware_mesh`)
    ///
    /// A site's own is rehearsed: its addresses become loopback ones, its keys and secrets the lab's. The inventory that
    /// leads to the lab is written beside the lab's state, as rehearsal.yml.
    #[arg(short, long, value_name = "MESH.yml")]
    inventory: PathBuf,
    #[command(flatten)]
    place: Place,
    /// What to stage: a scenario file
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Stages a fault by name, NAME@HOST or NAME:WHAT@HOST; `saslab faults` lists them
    #[arg(long, value_name = "NAME@HOST")]
    fault: Vec<String>,
    /// Which SSH server the hosts have; openssh needs root and an installed openssh-server
    #[arg(long, value_enum, default_value = "embedded", env = "LAB_SSHD")]
    sshd: Sshd,
    /// How many times faster than life the lab runs
    #[arg(long, value_name = "N", default_value_t = crate::clock::DEFAULT_SCALE)]
    time_scale: f64,
    /// The SSH port of every host, in place of the inventory's
    #[arg(long)]
    port: Option<u16>,
}

/// Runs the command line and answers with the exit status.
pub fn run(args: &[String]) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 3 } else { 0 });
        }
    };
    match obey(cli.command) {
        Ok(code) => code,
        Err(error) => {
            warn(&format!("saslab: {error:#}"));
            ExitCode::from(1)
        }
    }
}

fn obey(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(up) => return start(up),
        Command::Down(place) => stop(&place.state())?,
        Command::Status(place) => return status(&place.state()),
        Command::Snapshot { place, out } => {
            let text = snapshot::take(&place.state())?.to_text()?;
            match out {
                Some(path) => std::fs::write(&path, text)
                    .with_context(|| format!("cannot write {}", path.display()))?,
                None => say(text.trim_end()),
            }
        }
        Command::Exec {
            place,
            host,
            command,
        } => return exec(&place.state(), &host, &command.join(" ")),
        Command::Shell { place, host } => return shell(&place.state(), &host),
        Command::Events { place, class, host } => {
            print_events(&place.state(), class, host.as_deref())?
        }
        Command::Faults => list_faults(),
        Command::Fault { place, file } => control::change_scenario(&place.state(), &file)?,
        Command::Reboot { place, host } => control::ask(&place.state(), &format!("reboot {host}"))?,
        Command::Halt { place, host } => control::ask(&place.state(), &format!("halt {host}"))?,
        Command::Supervise(up) => return supervise(up),
    }
    Ok(ExitCode::SUCCESS)
}

impl Place {
    fn state(&self) -> StateDir {
        StateDir::new(std::path::absolute(&self.state).unwrap_or_else(|_| self.state.clone()))
    }
}

fn list_faults() {
    for fault in faults::ALL {
        let place = match fault.scope {
            faults::Scope::Host => "HOST",
            faults::Scope::Core => "CORE",
        };
        let what = fault
            .what
            .map(|what| format!(":{what}"))
            .unwrap_or_default();
        say(&format!(
            "{:<34} {}",
            format!("{}{what}@{place}", fault.name),
            fault.sentence
        ));
    }
}

/// Makes what a rehearsal needs: the inventory that leads to the lab, and the scenario of the faults asked for.
fn rehearse(up: &mut Up) -> Result<Option<PathBuf>> {
    let state = up.place.state();
    if control::is_running(&state) {
        bail!(
            "a lab runs in {} already: stop it with `saslab down`",
            state.path().display()
        );
    }
    if !up.fault.is_empty() {
        up.scenario = Some(staged(&state, up.scenario.as_deref(), &up.fault)?);
    }
    let text = std::fs::read_to_string(&up.inventory)
        .with_context(|| format!("cannot read {}", up.inventory.display()))?;
    if mesh::is_for_a_lab(&text) {
        return Ok(None);
    }
    let ways = Ways {
        state: state.path(),
        port: up.port.unwrap_or(DEFAULT_PORT),
        time_scale: up.time_scale,
    };
    let made =
        mesh::for_the_lab(&text, &ways).with_context(|| format!("{}", up.inventory.display()))?;
    up.inventory = beside(&state, "rehearsal.yml")?;
    std::fs::write(&up.inventory, made)?;
    Ok(Some(up.inventory.clone()))
}

/// A file beside the state directory of a lab, which the lab's start would empty.
fn beside(state: &StateDir, name: &str) -> Result<PathBuf> {
    let folder = state
        .path()
        .parent()
        .context("the state directory has no parent")?;
    std::fs::create_dir_all(folder)?;
    let own = state
        .path()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    Ok(folder.join(format!("{}-{name}", own.trim_start_matches('.'))))
}

fn staged(
    state: &StateDir,
    scenario: Option<&std::path::Path>,
    asked: &[String],
) -> Result<PathBuf> {
    let mut tree = match scenario {
        Some(path) => serde_yaml::from_str(&std::fs::read_to_string(path)?)?,
        None => serde_yaml::Value::from(serde_yaml::Mapping::new()),
    };
    for fault in asked {
        lay_over(&mut tree, faults::read(fault)?);
    }
    let path = beside(state, "faults.yml")?;
    std::fs::write(&path, serde_yaml::to_string(&tree)?)?;
    Ok(path)
}

fn start(mut up: Up) -> Result<ExitCode> {
    let rehearsal = rehearse(&mut up)?;
    let state = up.place.state();
    let world = World::read(&up.inventory, up.port)?;
    let running = Start {
        inventory: up.inventory,
        state: state.clone(),
        scenario: up.scenario,
        sshd: up.sshd,
        time_scale: up.time_scale,
        port: up.port,
        program: std::env::current_exe()?,
    }
    .up()?;
    say(&format!(
        "The lab {:?} is up: {} hosts.",
        world.mesh,
        running.hosts.len()
    ));
    list(&world, &running);
    let dir = state.path().display();
    say(&format!(
        "\nLog in:  ssh -i {dir}/keys/operator -o UserKnownHostsFile={dir}/known_hosts -p PORT root@ADDRESS"
    ));
    say(&format!("Events:  saslab events --state {dir}"));
    say(&format!("Stop:    saslab down --state {dir}"));
    if let Some(inventory) = rehearsal {
        say(&format!(
            "\nRehearse the night:\n    sasrun playbook playbooks/multimaster.yml -i {}",
            inventory.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn list(world: &World, running: &Running) {
    for host in world.hosts() {
        let Some(place) = running.hosts.get(&host.name) else {
            continue;
        };
        let components: Vec<_> = host
            .components
            .iter()
            .map(|component| component.id())
            .collect();
        let state = if place.init_pid.is_some() {
            ""
        } else {
            "  (down)"
        };
        say(&format!(
            "  {:<8} {:<20} {}{state}",
            host.name,
            place.address,
            components.join(" ")
        ));
    }
}

fn stop(state: &StateDir) -> Result<()> {
    if control::down(state)? {
        say("The lab is down.");
    } else {
        say(&format!("No lab runs in {}.", state.path().display()));
    }
    Ok(())
}

fn status(state: &StateDir) -> Result<ExitCode> {
    if !control::is_running(state) {
        say(&format!("No lab runs in {}.", state.path().display()));
        return Ok(ExitCode::from(1));
    }
    let options = Options::read(state)?;
    let running = Running::read(state).context("the lab is still starting")?;
    let world: World = serde_json::from_slice(&std::fs::read(state.mesh().world())?)?;
    say(&format!(
        "The lab {:?} runs from {} (pid {}).",
        world.mesh,
        options.inventory.display(),
        running.supervisor_pid
    ));
    list(&world, &running);
    Ok(ExitCode::SUCCESS)
}

fn exec(state: &StateDir, host: &str, command: &str) -> Result<ExitCode> {
    use std::io::{IsTerminal, Read, Write};
    let mut input = Vec::new();
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        stdin.lock().read_to_end(&mut input)?;
    }
    let output = client::exec(state, host, command, &input)?;
    std::io::stdout().write_all(&output.stdout)?;
    std::io::stderr().write_all(&output.stderr)?;
    match (output.status, output.signal) {
        (Some(status), _) => Ok(ExitCode::from(u8::try_from(status).unwrap_or(255))),
        (None, Some(signal)) => bail!("{host}: ended by signal {signal}"),
        (None, None) => bail!("{host}: the connection was lost"),
    }
}

fn shell(state: &StateDir, host: &str) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let running = Running::read(state).context("no lab runs here")?;
    let place = running
        .hosts
        .get(host)
        .with_context(|| format!("the lab has no host {host:?}"))?;
    let error = std::process::Command::new("ssh")
        .arg("-i")
        .arg(state.operator_key())
        .arg("-o")
        .arg(format!(
            "UserKnownHostsFile={}",
            state.known_hosts().display()
        ))
        .args([
            "-o",
            "IdentitiesOnly=yes",
            "-p",
            &place.address.port().to_string(),
        ])
        .arg(format!("root@{}", place.address.ip()))
        .exec();
    Err(error).context("cannot run ssh")
}

fn print_events(state: &StateDir, class: Option<Class>, host: Option<&str>) -> Result<()> {
    for event in events::read_all(&state.events())? {
        if class.is_none_or(|class| event.class == class)
            && host.is_none_or(|host| event.host == host)
        {
            say(&serde_json::to_string(&event)?);
        }
    }
    Ok(())
}

fn supervise(up: Up) -> Result<ExitCode> {
    let state = up.place.state();
    let scenario = match &up.scenario {
        Some(path) => Scenario::read(path)?,
        None => Scenario::default(),
    };
    let options = Options {
        inventory: up.inventory,
        sshd: up.sshd,
        time_scale: up.time_scale,
        own_networks: false,
        rights: Rights::default(),
    };
    supervise::run(state, options, up.port, scenario)
}

/// Answers; a reader that has gone away (`| head`) is no reason to fail.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[expect(clippy::print_stderr, reason = "the complaint of a command")]
fn warn(text: &str) {
    eprintln!("{text}");
}
