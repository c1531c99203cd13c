//! One run, wired: its parts, its record, its report, its end.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::LocalBoxFuture;
use sasrun_engine::seams::{Journal, Observer};
use sasrun_engine::{EngineError, Options, Parts, Past, Stop};
use sasrun_model::{
    Decision, HostTask, Input, InputKind, Inventory, Name, Playbook, RunMode, Variables,
};
use sasrun_report::{Closing, JobForm, JobLines, Live, Short, Text, TextOptions};
use tokio::sync::watch;

use crate::args::PlaybookArguments;
use crate::commands::playbook::loaded;
use crate::commands::resume::Resumed;
use crate::config::Config;
use crate::console::Terminal;
use crate::digests::Digests;
use crate::files::{InventoryFiles, UserFiles};
use crate::inputs::Inputs;
use crate::log_file::LogFile;
use crate::options::options;
use crate::record::{self, Beginning, EventFile, JobReport, MaskedSecrets, TerminalReport};
use crate::sources::Sources;
use crate::{approvals, exit_code, locks, output, owed, settings, signals};

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
    let stops = {
        let _inside = runtime.enter();
        signals::watch_stops(terminal.clone())
    };
    runtime.spawn(stops);
    if arguments.output.verbose >= 2 && report == Form::Playbook {
        tell_playbooks(playbooks);
    }
    let mut options = options(arguments, playbooks, limit, extra, stop)?;
    if !arguments.no_journal {
        let state = settings::state_directory();
        options.spool = state.map(|state| record::output_folder(&state, &run));
    }
    let kept = keep(arguments, sources, &run, resumed)?;
    let is_unknown = Rc::new(Cell::new(false));
    let (parts, live) = parts(arguments, sources, inventory, report, kept, &is_unknown)?;
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
        Ok(summary) if summary.exit_code == 0 && is_unknown.get() => Ok(exit_code::UNKNOWN_JOB),
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
    is_unknown: &Rc<Cell<bool>>,
) -> anyhow::Result<(Parts, Option<Rc<RefCell<Live>>>)> {
    sources.learn_secrets();
    let mask = sources.mask.clone();
    let style = output::report_style(&arguments.output);
    let is_live = output::is_terminal() && !matches!(report, Form::Jobs(_));
    let live = is_live.then(|| Rc::new(RefCell::new(Live::new(mask.clone(), style.columns))));
    let config = Config::load();
    let short = match settings::report_form(&config, report) {
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
        Form::Jobs(form) => Box::new(JobReport {
            lines: JobLines::new(form, mask.clone()),
            is_unknown: Rc::clone(is_unknown),
        }),
        _ => Box::new(TerminalReport {
            text,
            closing: Closing::new(mask.clone()),
            style,
            short,
            live: live.clone(),
        }),
    };
    let mut observers: Vec<Box<dyn Observer>> = vec![on_terminal];
    if let Some(state) = settings::state_directory() {
        for (run, owed) in owed::remembered(&state) {
            output::error_line(&format!(
                "[WARNING]: run {run} was given up, and left to be taken back on {}: {}",
                owed.host, owed.sentence
            ));
        }
        observers.push(Box::new(owed::Settling(state)));
    }
    if let Some(path) = &arguments.events {
        let file = File::create(path)
            .with_context(|| format!("the file of events {} cannot be made", path.display()))?;
        observers.push(Box::new(EventFile::new(file, mask.clone())));
    }
    if let Some(log) = LogFile::open(&config, arguments.output.verbose, mask.clone())? {
        observers.push(Box::new(log));
    }
    let parts = Parts {
        templates: sources.templates.clone(),
        registry: Arc::clone(&sources.loaded.registry),
        files: Arc::new(UserFiles {
            vault: Arc::clone(&sources.vault),
            loader: Arc::clone(&sources.loader),
            inputs: kept.inputs,
            digests: Digests::default(),
            inventory: InventoryFiles {
                sources: sources.inventories.clone(),
                playbooks: arguments.playbooks.clone(),
                scripts: sources.scripts.clone(),
            },
            mask: mask.clone(),
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
    if let Some(file) = Config::load().file() {
        inputs.used(InputKind::Variables, file);
    }
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
    let (parts, _) = parts(
        arguments,
        &sources,
        inventory,
        Form::Playbook,
        kept,
        &Rc::default(),
    )?;
    let result = runtime.block_on(work(parts, options));
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(result)
}
