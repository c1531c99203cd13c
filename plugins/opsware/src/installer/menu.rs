//! The component menu as it is printed: items by label, never by number.

use super::screen::Lines;
use crate::component::CATALOG;

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// What to type to flip it.
    pub(crate) number: u32,
    pub(crate) marked: bool,
    /// As printed.
    pub(crate) label: String,
    /// Component that the label means; none if no component is known by it.
    pub(crate) id: Option<&'static str>,
}

impl Item {
    /// Tells whether this is the label that section MM-6 prints for the database: the
    /// multimaster component without a word of the vault.
    pub(crate) fn is_bare_multimaster_label(&self) -> bool {
        let label = normalise_label(&self.label);
        self.id == Some("vault")
            && label.starts_with("model repository")
            && !label.contains("vault")
    }
}

/// Reads a menu from output; none unless it is there whole, instructions included.
pub(crate) fn read(lines: &Lines) -> Option<Vec<Item>> {
    let all: Vec<&str> = lines.all().collect();
    let instructions = all.iter().rposition(|line| is_instruction(line))?;
    let tail = all[instructions..].join(" ").to_lowercase();
    if !tail.contains(')') && !tail.contains("none") {
        return None;
    }
    let heading = all[..instructions]
        .iter()
        .rposition(|line| is_heading(line))
        .map_or(0, |at| at + 1);
    let mut items: Vec<Item> = Vec::new();
    for line in &all[heading..instructions] {
        match read_item(line) {
            Some(item) => items.push(item),
            None => {
                if let Some(item) = items.last_mut().filter(|_| !line.trim().is_empty()) {
                    item.label = format!("{} {}", item.label, line.trim());
                }
            }
        }
    }
    for item in &mut items {
        item.id = identify(&item.label);
    }
    (!items.is_empty()).then_some(items)
}

fn is_heading(line: &str) -> bool {
    let line = line.to_lowercase();
    line.contains("select the component")
        || line.contains("components to install")
        || line.contains("components to upgrade")
}

fn is_instruction(line: &str) -> bool {
    let line = line.to_lowercase();
    line.contains("component number") && line.contains("toggle")
}

/// Reads `3 (*) Label`, with any mark and with or without a dot behind the number.
fn read_item(line: &str) -> Option<Item> {
    let line = line.trim();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let number = line.get(..digits)?.parse().ok()?;
    let rest = line
        .get(digits..)?
        .trim_start_matches(['.', ')', ':'])
        .trim_start();
    let (mark, label) = rest.strip_prefix('(').map_or_else(
        || rest.strip_prefix('[').and_then(|rest| rest.split_once(']')),
        |rest| rest.split_once(')'),
    )?;
    if mark.chars().count() > 3 {
        return None;
    }
    Some(Item {
        number,
        marked: !mark.trim().is_empty(),
        label: label.trim().to_owned(),
        id: None,
    })
}

/// Brings a label into the one form that labels are compared in: lower case, one kind of dash,
/// single blanks, the scanned spelling of the product put right.
pub(crate) fn normalise_label(label: &str) -> String {
    let dashes: String = label
        .chars()
        .map(|c| match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            other => other,
        })
        .collect();
    let mut words: Vec<String> = Vec::new();
    for word in dashes.to_lowercase().split_whitespace() {
        words.push(match word {
            "opware" => "opsware".to_owned(),
            other => other.to_owned(),
        });
    }
    words.join(" ").trim_end_matches(['.', ':']).to_owned()
}

/// Finds the component that a label means: the one with the longest beginning that fits.
fn identify(label: &str) -> Option<&'static str> {
    let label = normalise_label(label);
    CATALOG
        .iter()
        .flat_map(|component| component.labels.iter().map(|known| (*known, component.id)))
        .filter(|(known, _)| fits(&label, known))
        .max_by_key(|(known, _)| known.len())
        .map(|(_, id)| id)
}

/// A label is known whole, or followed by a comma or bracket, or by the words of multimaster or of
/// a note; never by a dash, which begins another item's name.
fn fits(label: &str, known: &str) -> bool {
    let Some(rest) = label.strip_prefix(known) else {
        return false;
    };
    rest.is_empty()
        || rest.starts_with([',', ' ']) && {
            let rest = rest.trim_start_matches([',', ' ']);
            rest.starts_with("multimaster") || rest.starts_with('(') || rest.starts_with('[')
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_mean_components_whatever_they_look_like() {
        let table = [
            (
                "Model Repository (truth), Multimaster Additions",
                Some("truth"),
            ),
            ("Model Repository", Some("truth")),
            (
                "Model Repository Multimaster Component (vault)",
                Some("vault"),
            ),
            ("Model Repository Multimaster Component", Some("vault")),
            ("vault, Multimaster Component", Some("vault")),
            (
                "Data Access Engine (spin), Multimaster Component",
                Some("spin"),
            ),
            ("COMMAND  ENGINE (way)", Some("way")),
            (
                "Software Repository (word), Multimaster Component (up to date)",
                Some("word"),
            ),
            (
                "Software Repository \u{2013} Content (install once per mesh)",
                Some("content"),
            ),
            (
                "Software Repository - Content (install once per mesh)",
                Some("content"),
            ),
            (
                "Add OS Provisioning Stage2 Images to Software Repository",
                Some("stage2"),
            ),
            ("OS Provisioning Stage2 Images", Some("stage2")),
            (
                "Opware Global Filesystem Server (OGFS), multimaster component",
                Some("ogfs"),
            ),
            (
                "Opsware Command Center (OCC), Multimaster Component",
                Some("occ"),
            ),
            ("OS Provisioning Build Scripts", Some("buildmgr")),
            ("Opsware Gateway", Some("gateway")),
            ("Opsware Gateway (Interactive Install)", Some("sat_gateway")),
            ("First Core Gateway", Some("gateway")),
            ("OS Provisioning Boot Sever.", Some("boot")),
            ("Software Repository Cache (wordcache)", Some("wordcache")),
            ("Global Shell Audit", None),
            ("Software Repository - Samples", None),
        ];
        for (label, id) in table {
            assert_eq!(identify(label), id, "{label}");
        }
    }

    #[test]
    fn the_guide_s_menu_is_read_with_its_broken_lines() {
        let lines = Lines::of(
            "Welcome to the Opware Installer.\nPlease select the components to install.\n\
             1 ( ) Software Repository - Content (install once per mesh)\n\
             2 (x) Add OS Provisioning Stage2 Images to Software\nRepository\n\
             Enter a component number to toggle ('a' for all, 'n' for\nnone).\n\
             When ready, press 'c' to continue, or 'q' to quit.\n",
        );
        let items = read(&lines).unwrap();
        let seen: Vec<_> = items
            .iter()
            .map(|item| (item.number, item.marked, item.id))
            .collect();
        assert_eq!(
            seen,
            [(1, false, Some("content")), (2, true, Some("stage2"))]
        );
    }

    #[test]
    fn half_a_menu_is_none() {
        for text in [
            "Please select the components to upgrade.\n1 ( ) Opsware Gateway\n",
            "Please select the components to upgrade.\n1 ( ) Opsware Gateway\nEnter a component number to",
            "Enter a component number to toggle ('a' for all, 'n' for none).\n",
        ] {
            assert_eq!(read(&Lines::of(text)), None, "{text}");
        }
    }

    #[test]
    fn after_a_redraw_the_last_menu_counts() {
        let menu = "Please select the components to upgrade.\n1 (MARK) Opsware Gateway\n\
                    Enter a component number to toggle ('a' for all, 'n' for none).\n";
        let twice = format!(
            "{}1\n{}",
            menu.replace("MARK", " "),
            menu.replace("MARK", "*")
        );
        let items = read(&Lines::of(&twice)).unwrap();
        assert_eq!(items.len(), 1);
        assert!(items[0].marked);
    }
}
