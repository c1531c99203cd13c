//! The figures at the end, a line for each host.

use sasrun_model::HostFigures;

use crate::style::{Meaning, Style};

/// Columns that Ansible's form needs beside the host's name.
const WIDE: usize = 98;

/// Draws the recap in Ansible's form; *cannot know* is added only where there is any. On a
/// terminal that is too narrow for it, figures that are naught are left out.
pub(crate) fn render(hosts: &[HostFigures], style: Style) -> Vec<String> {
    let width = hosts
        .iter()
        .map(|host| host.host.chars().count())
        .max()
        .unwrap_or(0);
    let is_narrow = style.is_terminal && style.columns < width.max(26) + WIDE;
    let width = if is_narrow { width } else { width.max(26) };
    let mut sorted: Vec<&HostFigures> = hosts.iter().collect();
    sorted.sort_by(|a, b| a.host.cmp(&b.host));
    sorted
        .into_iter()
        .map(|host| line(host, width, is_narrow, style))
        .collect()
}

fn line(host: &HostFigures, width: usize, is_narrow: bool, style: Style) -> String {
    let meaning = if host.failed > 0 || host.unreachable > 0 {
        Meaning::Failed
    } else if host.changed > 0 {
        Meaning::Changed
    } else {
        Meaning::Ok
    };
    let figure = |name: &str, count: u32, meaning: Meaning| {
        if is_narrow {
            if count == 0 && name != "ok" {
                return String::new();
            }
            return style.paint(meaning, &format!("{name}={count}")) + "  ";
        }
        let text = format!("{:<w$}", format!("{name}={count}"), w = name.len() + 6);
        if count > 0 {
            style.paint(meaning, &text)
        } else {
            text
        }
    };
    let name = style.paint(meaning, &format!("{:<width$}", &*host.host));
    let mut line = format!(
        "{name} : {}{}{}{}{}{}{}",
        figure("ok", host.ok, Meaning::Ok),
        figure("changed", host.changed, Meaning::Changed),
        figure("unreachable", host.unreachable, Meaning::Unreachable),
        figure("failed", host.failed, Meaning::Failed),
        figure("skipped", host.skipped, Meaning::Skipped),
        figure("rescued", host.rescued, Meaning::Warning),
        figure("ignored", host.ignored, Meaning::Warning),
    );
    if host.cannot_know > 0 {
        line.push_str(&figure(
            "cannot_know",
            host.cannot_know,
            Meaning::CannotKnow,
        ));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recap_has_ansibles_columns() {
        let host = HostFigures {
            host: "web1".into(),
            ok: 3,
            changed: 1,
            ..HostFigures::default()
        };
        let style = Style {
            is_coloured: false,
            columns: 80,
            is_terminal: false,
        };
        let narrow = Style {
            is_terminal: true,
            ..style
        };
        assert_eq!(
            render(std::slice::from_ref(&host), narrow),
            ["web1 : ok=3  changed=1"]
        );
        assert_eq!(
            render(&[host], style),
            [
                "web1                       : ok=3    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0"
            ]
        );
    }
}
