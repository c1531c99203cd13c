//! `sasrun playbook`: loads everything, refuses what is wrong, runs the rest.

use std::cell::RefCell;
use std::fs::File;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::LocalBoxFuture;
use sasrun_connection::{Limits, Secret, SshConfig};
use sasrun_engine::seams::{Journal, Observer};
use sasrun_engine::{
    BecomeDefaults, ConnectionDefaults, EngineError, Gathering, Options, Parts, Past, Stop,
    selected_by_tags,
};
use sasrun_load::Outset;
use sasrun_model::{
    Decision, Diagnostic, HostTask, Input, Inventory, Name, Playbook, RunMode, Variables,
};
use sasrun_report::{JobForm, JobLines, Live, Short, Text, TextOptions};
use tokio::sync::watch;

use super::listing::Listing;
use super::resume::Resumed;
use crate::args::{ConnectionArguments, PlaybookArguments};
use crate::config::Config;
use crate::console::{Terminal, read_line};
use crate::files::UserFiles;
use crate::inputs::Inputs;
use crate::locks;
use crate::record::{self, Beginning, EventFile, JobReport, MaskedSecrets, TerminalReport};
use crate::sources::{Refused, Sources};
use crate::{approvals, exit_code, output, scripts, settings, signals};

/// Bytes of each output stream of a task that results hold.
const OUTPUT_BYTES: usize = 4 << 20;

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &PlaybookArguments) -> anyhow::Result<u8> {
    start_log(arguments.output.verbose);
    output::tell_settings(arguments.output.verbose, &Config::load());
    let (sources, playbooks) = open(arguments)?;
    match loaded(arguments, &sources, &playbooks) {
        Ok((inventory, playbooks, limit, extra)) => {
            if arguments.syntax_check {
                for playbook in &playbooks {
                    output::line(&format!("\nplaybook: {}", playbook.path.display()));
                }
                return Ok(0);
            }
            if arguments.list_hosts || arguments.list_tasks || arguments.list_tags {
                let listing = Listing {
                    arguments,
                    inventory: &inventory,
                    limit: limit.as_deref(),
                    templates: &sources.templates,
                    extra: &extra,
                };
                playbooks
                    .iter()
                    .for_each(|playbook| listing.playbook(playbook));
                return Ok(0);
            }
            let todo = Todo {
                inventory,
                playbooks,
                limit,
                extra,
                report: Form::Playbook,
                resumed: None,
            };
            if let Err(problems) = foresee(arguments, &sources, &todo) {
                return Ok(sources.refuse(&problems).0);
            }
            carry_out(arguments, &sources, todo)
        }
        Err(Refused(code)) => Ok(code),
    }
}

/// Finds the playbooks and opens what they and the inventory are read with.
fn open(arguments: &PlaybookArguments) -> anyhow::Result<(Sources, Vec<PathBuf>)> {
    let playbooks: Vec<PathBuf> = arguments
        .playbooks
        .iter()
        .map(|path| settings::playbook_path(path))
        .collect();
    let sources = Sources::open(&arguments.source, &playbooks)?;
    Ok((sources, playbooks))
}

/// Goes on with a run that began with these arguments; gives the exit code.
pub(crate) fn go_on(arguments: &PlaybookArguments, resumed: Resumed) -> anyhow::Result<u8> {
    start_log(arguments.output.verbose);
    let (sources, playbooks) = open(arguments)?;
    for secret in &resumed.recovered.secrets {
        sources.mask.register(secret);
    }
    sources
        .scripts
        .answer_with(resumed.past.answers_of(scripts::QUESTION));
    match loaded(arguments, &sources, &playbooks) {
        Ok((inventory, playbooks, limit, extra)) => {
            let todo = Todo {
                inventory,
                playbooks,
                limit,
                extra,
                report: Form::Playbook,
                resumed: Some(resumed),
            };
            carry_out(arguments, &sources, todo)
        }
        Err(Refused(code)) => Ok(code),
    }
}

type Everything = (Inventory, Vec<Playbook>, Option<Vec<Name>>, Variables);

fn loaded(
    arguments: &PlaybookArguments,
    sources: &Sources,
    playbooks: &[PathBuf],
) -> Result<Everything, Refused> {
    let extra = sources
        .loader
        .load_extra_variables(&arguments.source.extra_vars);
    let extra = extra.map_err(|problems| sources.refuse(&problems))?;
    let (inventory, playbooks) = sources.load(playbooks)?;
    let limit = sources.limit(arguments.source.limit.as_deref(), &inventory)?;
    Ok((inventory, playbooks, limit, extra))
}

/// What is to be carried out, and how it is told.
pub(crate) struct Todo {
    pub inventory: Inventory,
    pub playbooks: Vec<Playbook>,
    pub limit: Option<Vec<Name>>,
    pub extra: Variables,
    pub report: Form,
    /// The run that goes on, if it is not a new one.
    pub resumed: Option<Resumed>,
}

/// The form of the report on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Plays, tasks, results and a recap.
    Playbook,
    /// Each host's result, in one line or several.
    Adhoc { one_line: bool },
    /// Jobs of hosts.
    Jobs(JobForm),
}

/// Refuses what is certain to fail, before anything is contacted.
fn foresee(
    arguments: &PlaybookArguments,
    sources: &Sources,
    todo: &Todo,
) -> Result<(), Vec<Diagnostic>> {
    let mut given = sasrun_engine::MAGIC_NAMES.to_vec();
    given.extend(["hostvars", "environment"]);
    sources.loader.foresee(&Outset {
        playbooks: &todo.playbooks,
        inventory: &todo.inventory,
        limit: todo.limit.as_deref(),
        extra: &todo.extra,
        is_selected: &|tags| selected_by_tags(tags, &arguments.tags, &arguments.skip_tags),
        begins_later: arguments.start_at_task.is_some(),
        given: &given,
    })
}

/// Carries out what was loaded; gives the exit code.
pub(crate) fn carry_out(
    arguments: &PlaybookArguments,
    sources: &Sources,
    todo: Todo,
) -> anyhow::Result<u8> {
    let Todo {
        inventory,
        playbooks,
        limit,
        extra,
        report,
        resumed,
    } = todo;
    let playbooks = playbooks.as_slice();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let (stop_sender, stop) = watch::channel(Stop::No);
    let run = resumed
        .as_ref()
        .map_or_else(run_id, |resumed| resumed.directory.run().to_owned());
    let terminal = terminal_of(&run);
    runtime.spawn(signals::watch(stop_sender, terminal.clone()));
    if arguments.output.verbose >= 2 && report == Form::Playbook {
        tell_playbooks(playbooks);
    }
    let mut options = options(arguments, playbooks, limit, extra, stop)?;
    if !arguments.no_journal {
        let state = settings::state_directory();
        options.spool = state.map(|state| record::output_folder(&state, &run));
    }
    let kept = keep(arguments, sources, &run, resumed)?;
    let (parts, live) = parts(arguments, sources, inventory, report, kept)?;
    let parts = Parts {
        console: Arc::new(terminal.clone()),
        ..parts
    };
    let result = runtime.block_on(async {
        let running = sasrun_engine::run(playbooks, parts, options);
        match live {
            None => running.await,
            Some(live) => with_clock(running, &live).await,
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    terminal.restore();
    match result {
        Ok(summary) => Ok(summary.exit_code),
        Err(EngineError::Input(problems)) => Ok(sources.refuse(&problems).0),
        Err(EngineError::Journal(error)) => {
            output::error_line(&format!("sasrun: {error}; nothing new was begun"));
            Ok(exit_code::PAUSED)
        }
    }
}

/// Tells how many plays there are, in Ansible's words.
fn tell_playbooks(playbooks: &[Playbook]) {
    for playbook in playbooks {
        let name = playbook.path.file_name().unwrap_or_default();
        let head = format!("PLAYBOOK: {} ", name.to_string_lossy());
        output::line(&format!("\n{head:*<79}"));
        output::line(&format!(
            "{} plays in {}",
            playbook.plays.len(),
            playbook.path.display()
        ));
    }
}

/// Lets the live lines tell the time while nothing happens.
async fn with_clock<T>(running: impl Future<Output = T>, live: &RefCell<Live>) -> T {
    let mut running = std::pin::pin!(running);
    let mut clock = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            result = &mut running => return result,
            _ = clock.tick() => live.borrow_mut().draw(),
        }
    }
}

fn parts(
    arguments: &PlaybookArguments,
    sources: &Sources,
    inventory: Inventory,
    report: Form,
    kept: Kept,
) -> anyhow::Result<(Parts, Option<Rc<RefCell<Live>>>)> {
    let mask = sources.mask.clone();
    let style = output::report_style(&arguments.output);
    let is_live = output::is_terminal() && !matches!(report, Form::Jobs(_));
    let live = is_live.then(|| Rc::new(RefCell::new(Live::new(mask.clone(), style.columns))));
    let short = match report {
        Form::Playbook | Form::Jobs(_) => None,
        Form::Adhoc { one_line } => Some(Short::new(
            style,
            one_line,
            arguments.output.verbose,
            mask.clone(),
        )),
    };
    let text = Text::new(
        TextOptions {
            style,
            verbosity: arguments.output.verbose,
            show_skipped: !arguments.output.hide_skipped,
        },
        mask.clone(),
    );
    let on_terminal: Box<dyn Observer> = match report {
        Form::Jobs(form) => Box::new(JobReport(JobLines::new(form, mask.clone()))),
        _ => Box::new(TerminalReport {
            text,
            short,
            live: live.clone(),
        }),
    };
    let mut observers: Vec<Box<dyn Observer>> = vec![on_terminal];
    if let Some(path) = &arguments.events {
        let file = File::create(path)
            .with_context(|| format!("the file of events {} cannot be made", path.display()))?;
        observers.push(Box::new(EventFile::new(file, mask.clone())));
    }
    let parts = Parts {
        templates: sources.templates.clone(),
        registry: Arc::clone(&sources.loaded.registry),
        files: Arc::new(UserFiles {
            vault: Arc::clone(&sources.vault),
            loader: Arc::clone(&sources.loader),
            inputs: kept.inputs,
        }),
        journal: kept.journal,
        observers,
        console: Arc::new(Terminal::default()),
        secrets: Arc::new(MaskedSecrets(mask)),
        local_locks: matches!(report, Form::Playbook)
            .then(locks::keeper)
            .flatten(),
        inventory,
        run: kept.run.as_str().into(),
        plugins: sources.loaded.hashes.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        past: kept.past,
        answered: sources.scripts.answered(),
        decided: kept.decided,
    };
    Ok((parts, live))
}

/// Where the run is recorded, and what it had done before.
struct Kept {
    run: String,
    inputs: Arc<Inputs>,
    journal: Arc<dyn Journal>,
    past: Option<Past>,
    decided: Vec<(HostTask, Decision, String)>,
}

fn keep(
    arguments: &PlaybookArguments,
    sources: &Sources,
    run: &str,
    resumed: Option<Resumed>,
) -> anyhow::Result<Kept> {
    let mask = sources.mask.clone();
    let inputs = Arc::new(Inputs::new(&arguments.playbooks, &sources.inventories));
    inputs.plugins(&sources.loaded.hashes);
    inputs.loaded(&sources.loader);
    let (journal, past, decided) = match resumed {
        Some(resumed) => {
            let inputs = Arc::clone(&inputs);
            let journal = record::go_on(&resumed.directory, &resumed.recovered, inputs, mask)?;
            (journal, Some(resumed.past), resumed.decided)
        }
        None if arguments.no_journal => (record::none(), None, Vec::new()),
        None => {
            let beginning = beginning(arguments, run, inputs.take_new());
            let journal = record::begin(beginning, Arc::clone(&inputs), mask)?;
            (journal, None, Vec::new())
        }
    };
    Ok(Kept {
        run: run.to_owned(),
        inputs,
        journal,
        past,
        decided,
    })
}

/// The terminal of a run, which answers to its gates from elsewhere reach too.
fn terminal_of(run: &str) -> Terminal {
    let terminal = Terminal::default();
    match settings::state_directory() {
        Some(state) => terminal.with_approvals(approvals::folder(&state.join("runs").join(run))),
        None => terminal,
    }
}

fn beginning(arguments: &PlaybookArguments, run: &str, inputs: Vec<Input>) -> Beginning {
    let flags = [
        ("check", arguments.check.to_string()),
        ("diff", arguments.diff.to_string()),
        ("forks", arguments.connection.forks.to_string()),
        ("limit", arguments.source.limit.clone().unwrap_or_default()),
        ("tags", arguments.tags.join(",")),
        ("skip_tags", arguments.skip_tags.join(",")),
    ];
    Beginning {
        run: run.to_owned(),
        mode: if arguments.check {
            RunMode::Check
        } else {
            RunMode::Apply
        },
        inputs,
        options: flags
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

/// Id of a run: when it began, to the millisecond, so that ids sort by age, and something that no
/// other has.
fn run_id() -> String {
    let now = jiff::Zoned::now();
    let milliseconds = now.millisecond();
    let chance = rand::random::<u32>() & 0xfff;
    let now = now.strftime("%Y%m%d-%H%M%S");
    format!("{now}-{milliseconds:03x}{chance:03x}")
}

fn options(
    arguments: &PlaybookArguments,
    playbooks: &[Playbook],
    limit: Option<Vec<Name>>,
    extra_variables: Variables,
    stop: watch::Receiver<Stop>,
) -> anyhow::Result<Options> {
    let config = Config::load();
    let folder = playbooks
        .first()
        .and_then(|playbook| playbook.path.parent())
        .map(PathBuf::from);
    // The folder of a bare file name is the present one.
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| PathBuf::from("."));
    Ok(Options {
        check: arguments.check,
        diff: arguments.diff,
        forks: arguments.connection.forks,
        verbosity: arguments.output.verbose,
        limit,
        tags: arguments.tags.clone(),
        skip_tags: arguments.skip_tags.clone(),
        start_at_task: arguments.start_at_task.clone(),
        extra_variables,
        connection: connection_defaults(&arguments.connection)?,
        become_defaults: become_defaults(&arguments.connection),
        force_handlers: arguments.force_handlers
            || config
                .flag("ANSIBLE_FORCE_HANDLERS", "defaults", "force_handlers")
                .unwrap_or(false),
        gathering: gathering(&config),
        controller_name: settings::machine_name(),
        login_name: settings::login_name(),
        purpose: purpose(playbooks),
        stop,
        pause_at_gates: arguments.pause_at_gates,
        playbook_directory: std::path::absolute(&folder).unwrap_or(folder),
        spool: None,
        output_bytes: OUTPUT_BYTES,
    })
}

fn gathering(config: &Config) -> Gathering {
    let setting = config.text("ANSIBLE_GATHERING", "defaults", "gathering");
    match setting.as_deref() {
        Some("explicit") => Gathering::Explicit,
        Some("smart") => Gathering::Smart,
        _ => Gathering::Implicit,
    }
}

fn connection_defaults(arguments: &ConnectionArguments) -> anyhow::Result<ConnectionDefaults> {
    let mut limits = Limits::default();
    let setting = Config::load().text("ANSIBLE_TIMEOUT", "defaults", "timeout");
    let setting = setting.and_then(|text| text.trim().parse().ok());
    if let Some(seconds) = arguments.timeout.or(setting) {
        limits.connect = Duration::from_secs(seconds);
    }
    let checking = std::env::var("ANSIBLE_HOST_KEY_CHECKING").ok();
    let is_off = |text: &str| matches!(text.to_ascii_lowercase().as_str(), "0" | "false" | "no");
    Ok(ConnectionDefaults {
        kind: arguments.connection.clone(),
        user: arguments.user.clone(),
        private_key: arguments.private_key.clone(),
        password: asked(arguments.ask_pass, "SSH password: "),
        host_key_checking: !checking.as_deref().is_some_and(is_off),
        limits,
        ssh_config: Some(Arc::new(ssh_config()?)),
    })
}

/// The configuration of the user's OpenSSH client.
fn ssh_config() -> anyhow::Result<SshConfig> {
    let home = std::env::home_dir().unwrap_or_default();
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    Ok(SshConfig::load(
        home,
        user.unwrap_or_else(|_| "root".to_owned()),
    )?)
}

fn become_defaults(arguments: &ConnectionArguments) -> BecomeDefaults {
    BecomeDefaults {
        enabled: arguments.r#become,
        method: arguments.become_method.clone(),
        user: arguments.become_user.clone(),
        password: asked(arguments.ask_become_pass, "BECOME password: "),
    }
}

fn asked(wanted: bool, prompt: &str) -> Option<Secret> {
    wanted
        .then(|| read_line(prompt, false))
        .flatten()
        .map(Secret::new)
}

/// The runner's own log, apart from the report.
pub(crate) fn start_log(verbosity: u8) {
    use tracing_subscriber::EnvFilter;
    let default = match verbosity {
        0..=2 => "off",
        3 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("SASRUN_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // A second start in one process is harmless.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// What a run is for, in a few words.
fn purpose(playbooks: &[Playbook]) -> String {
    let names = playbooks.iter().filter_map(|book| book.path.file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
    format!("playbook {}", names.join(" "))
}

/// Does something with the hosts of an inventory that is no run.
pub(crate) fn on_hosts_of<T>(
    arguments: &PlaybookArguments,
    work: impl FnOnce(Parts, Options) -> LocalBoxFuture<'static, T>,
) -> anyhow::Result<T> {
    let sources = Sources::open(&arguments.source, &[])?;
    let Ok((inventory, ..)) = loaded(arguments, &sources, &[]) else {
        anyhow::bail!("the inventory cannot be used");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let (_sender, stop) = watch::channel(Stop::No);
    let options = options(arguments, &[], None, Variables::default(), stop)?;
    let kept = Kept {
        run: String::new(),
        inputs: Arc::default(),
        journal: record::none(),
        past: None,
        decided: Vec::new(),
    };
    let (parts, _) = parts(arguments, &sources, inventory, Form::Playbook, kept)?;
    let result = runtime.block_on(work(parts, options));
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(result)
}
