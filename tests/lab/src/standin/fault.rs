//! Faults and fidelity switches of the stand-ins, as a scenario file spells them.
//!
//! Only shapes and defaults: each stand-in decides what a switch means to it. The default of every
//! field is a host in good order, so an empty scenario is a healthy mesh.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The point in the lab's event log from which a fault holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trigger {
    /// Name of the event that is counted, such as `installer.response_saved`.
    pub event: String,
    /// Counts only the events of this host.
    pub host: Option<String>,
    /// Number of such events that must be in the log; 0 means one.
    pub count: u32,
}

/// How the installer's component menu looks and misbehaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MenuFaults {
    /// Component ids in the order of the menu; those not named follow in the usual order.
    pub order: Vec<String>,
    /// Number of the first line.
    pub first_number: u32,
    /// The word after "components to": `install` or `upgrade`; empty means what the medium says.
    pub verb: String,
    pub dash: Dash,
    /// Prints the line that begins "When ready".
    pub closing_line: bool,
    /// Wraps labels and marks in terminal colour codes.
    pub colour: bool,
    /// Redraws each line once with a carriage return before it stands.
    pub redraw: bool,
    /// Text of the prompt below the menu, without a line end; empty means none at all.
    pub prompt: String,
    /// Shows the menu with every line marked.
    pub all_marked: bool,
    /// Number of toggles that are swallowed without effect, per run of the installer.
    pub ignored_toggles: u32,
    pub upgraded: Upgraded,
    /// Components that the menu does not show although they are installed.
    pub omit: Vec<String>,
    /// Labels that replace the usual ones, by component id.
    pub labels: BTreeMap<String, String>,
}

impl Default for MenuFaults {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            first_number: 1,
            verb: String::new(),
            dash: Dash::Hyphen,
            closing_line: true,
            colour: false,
            redraw: false,
            prompt: "Selection: ".to_owned(),
            all_marked: false,
            ignored_toggles: 0,
            upgraded: Upgraded::Listed,
            omit: Vec::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// The dash that the installer prints inside labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dash {
    #[default]
    Hyphen,
    En,
    Em,
}

/// What the menu does with a component that is at the new version already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upgraded {
    #[default]
    Listed,
    Annotated,
    Omitted,
}

/// How the installer behaves on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstallerFaults {
    pub menu: MenuFaults,
    pub interview: Interview,
    /// Asks for a confirmation of the configuration values before `truth`; unset means on the
    /// source core only.
    pub confirm_values: Option<bool>,
    /// Parameters that the interview asks for although no response file carries them.
    pub extra_parameters: Vec<ExtraParameter>,
    /// A question that no procedure knows, asked before the upgrade of a component.
    pub unknown_question: Option<UnknownQuestion>,
    /// What becomes of a component's upgrade, by component id.
    pub outcome: BTreeMap<String, Outcome>,
    /// Real minutes of silence before a component's upgrade goes on, by component id.
    pub silence_minutes: BTreeMap<String, u32>,
    /// A conflict is reported by the installer's own check although the database has none.
    pub conflicts: bool,
    /// A file that comes into being the moment that a selection is confirmed.
    pub touch_when_chosen: Option<String>,
    /// Multiplies every duration of the installer; 0 means 1.
    pub slowness: u32,
}

/// Whether the installer opens with the interview.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interview {
    /// The interview opens when the response file was not saved by this release.
    #[default]
    Auto,
    Always,
    Never,
}

/// A parameter of the interview that is not among the known ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExtraParameter {
    pub name: String,
    pub text: String,
    /// Shown in brackets; empty means no default.
    pub default: String,
}

/// A question out of the blue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnknownQuestion {
    /// Component before whose upgrade it appears; empty means the first one.
    pub before: String,
    pub text: String,
}

/// The end of a component's upgrade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    #[default]
    Success,
    /// Fails, says so and exits with 1.
    Failure,
    /// Fails, says so in the last line and exits with 0.
    FailureStatusZero,
    /// Succeeds in every line and exits with 1.
    SuccessStatusOne,
    /// Dies by SIGKILL half-way.
    Killed,
    /// Fails because the disk is full.
    DiskFull,
    /// Says nothing more and never ends.
    Hang,
    /// Fails because the medium is gone: ejected, or its server restarted.
    MediumGone,
}

/// How one service misbehaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceFaults {
    /// Is not running when the lab comes up.
    pub down: bool,
    /// Ignores the stop signal.
    pub refuses_stop: bool,
    /// Real minutes that a stop takes.
    pub slow_stop_minutes: u32,
    /// Real minutes from start to open ports.
    pub slow_start_minutes: u32,
    /// Runs without opening its ports.
    pub no_port: bool,
    /// What `status` says whatever is true.
    pub status_says: Option<StatusSays>,
    /// Ends by itself, soon after its start or when `from` has come.
    pub dies: bool,
    /// The start is refused with this reason.
    pub start_fails: String,
    /// All of this holds only from this point on; what runs then is not spared.
    pub from: Option<Trigger>,
}

/// A status that need not be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusSays {
    Running,
    Stopped,
}

/// Which name the transport of the vault goes by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportName {
    #[default]
    Rvrdscript,
    Rvrdscrip,
    Neither,
}

/// How the database of one core misbehaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OracleFaults {
    /// Open multimaster conflicts besides those that the mesh itself has made.
    pub conflicts: u32,
    /// The conflicts hold only from this point on.
    pub conflicts_from: Option<Trigger>,
    /// The conflict table cannot be read by the pre-check.
    pub conflicts_unreadable: bool,
    pub listener: Listener,
    /// The instance is not available.
    pub instance_down: bool,
    /// Overrides by account name.
    pub accounts: BTreeMap<String, AccountFaults>,
}

/// State of the road to the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    #[default]
    Up,
    Down,
    /// The network layer closes the connection.
    Cut,
    Timeout,
    UnknownService,
    Blocked,
}

/// What is odd about one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountFaults {
    pub password: Option<String>,
    pub create_session: Option<bool>,
    /// Failed logons that the account starts with.
    pub failures: u32,
    pub locked: bool,
    pub expired: bool,
}

/// What is in the drive and on the file systems of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VolumeFaults {
    pub disc: Disc,
    /// The drive reads single-layer discs only.
    pub single_layer: bool,
    /// Media that are mounted when the lab comes up: name of the medium to mount point.
    pub mounted: BTreeMap<String, String>,
    pub audit: AuditFaults,
    /// Where the installer lies on every medium; empty means where each medium has it.
    pub installer_places: Vec<String>,
    /// The servers of NFS exports.
    pub server: FileServer,
    /// Directories that lie on a full file system of their own.
    pub full: Vec<String>,
    /// Kilobytes that `df` tells to be free; 0 means plenty.
    pub free_kb: u64,
}

/// How the servers of NFS exports behave to one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileServer {
    #[default]
    Good,
    /// Root is nobody there: a mount succeeds, its files cannot be read.
    Squash,
    /// Does not answer: what touches its file systems hangs and ignores signals that could be ignored.
    Dead,
    /// Was set up anew: what was mounted when the lab came up has handles that nobody knows any more.
    Stale,
}

/// The disc in the drive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disc {
    /// The primary disc of the new release.
    #[default]
    Primary,
    Upload,
    /// The primary disc of the release before.
    OldPrimary,
    /// Holds files, yet no installer.
    Foreign,
    None,
}

/// The audit file system of the Global Shell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditFaults {
    /// Where it comes from; unset means by NFS on the hosts of `ogfs`.
    pub local: bool,
    /// Mount point; empty means the usual one.
    pub mount_point: String,
    /// A process sits in it.
    pub busy: bool,
}

/// How content and stage2 uploads go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContentFaults {
    /// Number of tries that end in a communication time-out.
    pub timeouts: u32,
    /// Any other reason for which every try fails.
    pub error: String,
}

/// How the Mesh State page of one core behaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeshStateFaults {
    /// Pages in the order they are served, one per poll; afterwards the truth.
    pub pages: Vec<Page>,
    /// Repeats the last page for ever instead of telling the truth.
    pub hold_last: bool,
    /// The sequence begins only from this point on; before it the truth is served.
    pub from: Option<Trigger>,
    pub markup: Markup,
}

/// One answer of the Mesh State page: a word, or a count in a colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Page {
    Word(PageWord),
    Counted(PageCount),
}

/// Transactions of every road in one colour, which no legend need know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageCount {
    pub colour: String,
    pub count: u64,
}

/// An answer that needs no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageWord {
    Truth,
    /// Every transaction has arrived.
    Black,
    /// A table without rows.
    Empty,
    /// Status 500.
    Error,
    /// A login form in place of the page.
    Login,
    /// The certificate is refused by its name.
    Refused,
}

/// How colours are written in the page; unset means by core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Markup {
    #[default]
    ByCore,
    Font,
    Style,
    Hex,
}

/// How the scripts that mend data after an upgrade go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FixFaults {
    /// The data would break a rule of the database.
    pub violation: bool,
    /// The script ends with status 0 all the same.
    pub status_zero: bool,
    /// There is no `/usr/tmp`.
    pub no_usr_tmp: bool,
    /// A library is not found.
    pub import_error: bool,
}

/// Pace of the traffic between the cores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficFaults {
    /// Transactions that a destination receives in one real minute.
    pub per_minute: u64,
    /// Transactions not yet received by each destination when the lab comes up.
    pub pending: u64,
}

impl Default for TrafficFaults {
    fn default() -> Self {
        Self {
            per_minute: 300,
            pending: 0,
        }
    }
}

/// How the status pages of one host's gateways behave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayFaults {
    /// Number of requests that get no answer at all.
    pub hanging_pages: u32,
    /// Speaks the TLS of its time alone: no client but the product's own is understood.
    pub old_tls: bool,
}

/// How a login finds one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginFaults {
    /// Root's login shell is the C shell, with a start file that is noisy and colours what it can.
    pub csh: bool,
    /// `/bin/sh` is the Bourne shell of old, which refuses what came later.
    pub bourne: bool,
    /// Where a login looks for programs; empty means the usual places.
    pub path: String,
}

/// What one core stages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoreFaults {
    pub oracle: OracleFaults,
    pub mesh_state: MeshStateFaults,
    /// Values of the response files of the whole core that replace the right ones.
    pub response: BTreeMap<String, String>,
}
