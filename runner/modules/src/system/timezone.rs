//! `community.general.timezone`: the zone of the host's clock.

use sasrun_plugin::{
    Arguments, Call, Diff, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
};

use crate::answers::succeeded;
use crate::changing::{carry_out, outcome};
use crate::describe::{example, of_collection, set, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        required_one_of: vec![set(&["name", "hwclock"])],
        examples: vec![example(
            "Set the zone",
            "community.general.timezone:\n  name: Europe/Berlin",
        )],
        ..of_collection(
            "community.general",
            "timezone",
            "Sets the zone of the host's clock.",
            vec![
                text("name", "The zone, such as `Europe/Berlin`."),
                text("hwclock", "What the clock of the hardware shows.")
                    .choices(&["UTC", "local"])
                    .alias(&["rtc"]),
            ],
        )
    }
}

/// Prints the zone, what the hardware's clock shows, and which tool sets them.
const LOOK: &str = "if timedatectl show >/dev/null 2>&1; then echo tool=timedatectl; else echo tool=; fi\n\
    z=`ls -l /etc/localtime 2>/dev/null | sed -n 's#^.*zoneinfo/##p'`\n\
    if [ -z \"$z\" ]; then z=`sed 1q /etc/timezone 2>/dev/null`; fi\n\
    echo \"zone=$z\"\n\
    echo \"name=`sed 1q /etc/timezone 2>/dev/null`\"\n\
    if [ -f /etc/timezone ]; then echo file=yes; else echo file=; fi\n\
    if grep '^LOCAL' /etc/adjtime >/dev/null 2>&1; then echo clock=local; else echo clock=UTC; fi";

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let zone = arguments.text("name");
    if zone.is_some_and(|zone| zone.starts_with('/') || zone.contains("..")) {
        return Err(Failure::new("the name of a zone is no path"));
    }
    let mut script = LOOK.to_owned();
    if let Some(zone) = zone {
        let file = Host::quote(&format!("/usr/share/zoneinfo/{zone}"));
        script.push_str(&format!("\nif [ -f {file} ]; then echo known=yes; fi"));
    }
    let found = succeeded(host.read_script(script).await?, "looking at the clock")?.stdout;
    let value = |name: &str| {
        found
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let by_tool = value("tool") == "timedatectl";
    let (mut before, mut after, mut steps) = (String::new(), String::new(), Vec::new());
    if let Some(zone) = zone {
        let is_right = value("zone") == zone && (value("file").is_empty() || value("name") == zone);
        if !is_right {
            if value("known").is_empty() {
                return Err(Failure::new(format!(
                    "zone `{zone}` is not known to this host: /usr/share/zoneinfo/{zone} is missing"
                )));
            }
            before.push_str(&format!("name: {}\n", value("zone")));
            after.push_str(&format!("name: {zone}\n"));
            let word = Host::quote(zone);
            steps.push(if by_tool {
                format!("timedatectl set-timezone {word}")
            } else {
                let file = Host::quote(&format!("/usr/share/zoneinfo/{zone}"));
                let names = if value("file").is_empty() {
                    String::new()
                } else {
                    format!(" && echo {word} > /etc/timezone")
                };
                format!("rm -f /etc/localtime && ln -s {file} /etc/localtime{names}")
            });
        }
    }
    if let Some(clock) = arguments
        .text("hwclock")
        .filter(|clock| *clock != value("clock"))
    {
        before.push_str(&format!("hwclock: {}\n", value("clock")));
        after.push_str(&format!("hwclock: {clock}\n"));
        let (number, option) = if clock == "local" {
            (1, "--localtime")
        } else {
            (0, "--utc")
        };
        steps.push(if by_tool {
            format!("timedatectl set-local-rtc {number}")
        } else {
            format!("hwclock --systohc {option}")
        });
    }
    if steps.is_empty() {
        return Ok(outcome(false, Object::new()));
    }
    let diff = Diff {
        before,
        after,
        ..Diff::default()
    };
    carry_out(
        &host,
        "set the clock's zone",
        Some(diff),
        steps.join(" && "),
        Object::new(),
    )
    .await
}
