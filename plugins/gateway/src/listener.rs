//! Where a gateway listens for tunnels (`TunnelDst`), and the one listener of the local agent
//! gateway: the entry that is bound to loopback and has no certificate. Commenting out any other
//! would cut the core off the mesh.

use serde_json::{Value, json};

use crate::properties::{Entry, Properties, entry, list, uncommented};

/// Stands before the commented line, so that it can be told from what a person commented out.
const MARK: &str = "#sasrun: the listener of the local agent gateway is out of use";
/// Stands before the line that took the place of a commented comma list.
const REST_MARK: &str = "#sasrun: what is left of the line above";

/// One listener: `[address:]port[:certificate]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    address: Option<String>,
    port: u16,
    pub(crate) certificate: Option<String>,
}

/// How the local agent gateway's listener stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Local {
    Active,
    /// Commented out by us.
    Commented,
    /// Commented out by somebody else.
    CommentedByHand,
    Several,
    Absent,
}

/// Why the listener is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListenerError {
    #[error(
        "there are several TunnelDst entries on loopback without a certificate; \
         which one is the local agent gateway's is not to be guessed"
    )]
    Several,
    #[error("there is no TunnelDst entry on loopback without a certificate")]
    Absent,
    #[error(
        "line {0}: the listener was commented out by somebody else; \
         set `foreign` to take that back"
    )]
    Foreign(usize),
    #[error("{0:?} is no loopback listener without a certificate")]
    NoListener(String),
}

impl Listener {
    fn read(text: &str) -> Option<Self> {
        let (first, rest) = text.split_once(':').unwrap_or((text, ""));
        let (address, port, certificate) = match first.trim().parse::<u16>() {
            Ok(port) => (None, port, rest),
            Err(_) => {
                let (port, certificate) = rest.split_once(':').unwrap_or((rest, ""));
                (
                    Some(first.trim().to_owned()),
                    port.trim().parse().ok()?,
                    certificate,
                )
            }
        };
        Some(Self {
            address,
            port,
            certificate: (!certificate.is_empty()).then(|| certificate.to_owned()),
        })
    }

    fn is_local(&self) -> bool {
        let loopback = |address: &str| {
            address == "localhost"
                || address
                    .parse::<std::net::Ipv4Addr>()
                    .is_ok_and(|address| address.is_loopback())
        };
        self.certificate.is_none() && self.address.as_deref().is_some_and(loopback)
    }

    pub(crate) fn to_value(&self) -> Value {
        json!({"address": self.address, "port": self.port, "certificate": self.certificate})
    }
}

/// All active listeners, in order; entries that cannot be understood are none.
pub(crate) fn listeners(properties: &Properties) -> Vec<Listener> {
    properties
        .entries("TunnelDst")
        .flat_map(|(_, entry)| {
            list(entry.value)
                .filter_map(Listener::read)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The port of the mesh's listener: the one with a certificate, if there is exactly one.
pub(crate) fn mesh_port(listeners: &[Listener]) -> Option<u16> {
    let mut with = listeners
        .iter()
        .filter(|listener| listener.certificate.is_some());
    match (with.next(), with.next()) {
        (Some(listener), None) => Some(listener.port),
        _ => None,
    }
}

/// How the local listener stands.
pub(crate) fn local(properties: &Properties) -> Local {
    let active = listeners(properties)
        .iter()
        .filter(|listener| listener.is_local())
        .count();
    match (active, commented(properties).as_slice()) {
        (1, _) => Local::Active,
        (2.., _) => Local::Several,
        (_, []) => Local::Absent,
        (_, [.., (_, true)]) => Local::Commented,
        (_, [.., (_, false)]) => Local::CommentedByHand,
    }
}

/// Takes the local listener out of use. Tells whether that changed anything.
pub(crate) fn comment(properties: &mut Properties) -> Result<bool, ListenerError> {
    match local(properties) {
        Local::Commented | Local::CommentedByHand => return Ok(false),
        Local::Several => return Err(ListenerError::Several),
        Local::Absent => return Err(ListenerError::Absent),
        Local::Active => {}
    }
    let holder = properties
        .entries("TunnelDst")
        .find(|(_, entry)| list(entry.value).any(is_local_text))
        .map(|(number, entry)| (number, rest_of(&entry)));
    let Some((number, rest)) = holder else {
        return Err(ListenerError::Absent);
    };
    if let Some(line) = properties.lines.get_mut(number) {
        line.text.insert(0, '#');
    }
    properties.insert(number, MARK.to_owned());
    if let Some(rest) = rest {
        properties.insert(number + 2, REST_MARK.to_owned());
        properties.insert(number + 3, rest);
    }
    Ok(true)
}

/// Takes the local listener back into use: works towards one that is active, for the gateway may
/// have rewritten its file in between. Tells whether that changed anything.
pub(crate) fn activate(
    properties: &mut Properties,
    foreign: bool,
    fallback: Option<&str>,
) -> Result<bool, ListenerError> {
    match local(properties) {
        Local::Active => return Ok(false),
        Local::Several => return Err(ListenerError::Several),
        Local::Absent => {
            let text = fallback.ok_or(ListenerError::Absent)?;
            if !is_local_text(text) {
                return Err(ListenerError::NoListener(text.to_owned()));
            }
            let last = properties.entries("TunnelDst").last();
            let at = last.map_or(usize::MAX, |(number, _)| number + 1);
            properties.insert(at, format!("opswgw.TunnelDst={text}"));
            return Ok(true);
        }
        Local::Commented | Local::CommentedByHand => {}
    }
    let commented = commented(properties);
    let ours: Vec<usize> = commented
        .iter()
        .filter(|(_, ours)| *ours)
        .map(|(number, _)| *number)
        .collect();
    match (ours.as_slice(), commented.as_slice()) {
        ([number], _) => take_back_ours(properties, *number),
        ([], [(number, _)]) if foreign => {
            if let Some(line) = properties.lines.get_mut(*number) {
                line.text = uncommented(&line.text).unwrap_or_default().to_owned();
            }
        }
        ([], [(number, _)]) => return Err(ListenerError::Foreign(number + 1)),
        _ => return Err(ListenerError::Several),
    }
    Ok(true)
}

fn take_back_ours(properties: &mut Properties, number: usize) {
    let lines = &mut properties.lines;
    if lines
        .get(number + 1)
        .is_some_and(|line| line.text == REST_MARK)
    {
        // The mark, and the line that took the place of the commented one.
        lines.remove(number + 1);
        if number + 1 < lines.len() {
            lines.remove(number + 1);
        }
    }
    if let Some(line) = lines.get_mut(number) {
        line.text = line.text.strip_prefix('#').unwrap_or(&line.text).to_owned();
    }
    if let Some(mark) = number.checked_sub(1) {
        lines.remove(mark);
    }
}

/// The line that we commented out, and its number from 1.
pub(crate) fn commented_line(properties: &Properties) -> Option<(usize, String)> {
    let (number, _) = commented(properties).into_iter().find(|(_, ours)| *ours)?;
    let line = properties.lines.get(number)?;
    Some((number + 1, line.text.trim_start_matches('#').to_owned()))
}

/// Commented lines that hold a local listener, and whether we commented them.
fn commented(properties: &Properties) -> Vec<(usize, bool)> {
    properties
        .lines
        .iter()
        .enumerate()
        .filter_map(|(number, line)| {
            let entry = entry(uncommented(&line.text)?)?;
            let local = entry.key == "TunnelDst" && list(entry.value).any(is_local_text);
            let marked = number
                .checked_sub(1)
                .and_then(|before| properties.lines.get(before))
                .is_some_and(|before| before.text == MARK);
            local.then_some((number, marked))
        })
        .collect()
}

fn is_local_text(text: &str) -> bool {
    Listener::read(text).is_some_and(|listener| listener.is_local())
}

/// The line without its local listener, if it has others.
fn rest_of(entry: &Entry<'_>) -> Option<String> {
    let others: Vec<&str> = list(entry.value)
        .filter(|text| !is_local_text(text))
        .collect();
    (!others.is_empty()).then(|| format!("{}{}{}", entry.head, others.join(","), entry.tail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MESH: &str = "opswgw.TunnelDst=2001:/c/opswgw.pem\n";
    const LOCAL: &str = "opswgw.TunnelDst=127.0.0.1:2002\n";

    #[test]
    fn s101_only_the_loopback_listener_is_commented() {
        let cases = [
            (
                "mesh first",
                format!("{MESH}{LOCAL}"),
                format!("{MESH}{MARK}\n#{LOCAL}"),
            ),
            (
                "local first",
                format!("{LOCAL}{MESH}"),
                format!("{MARK}\n#{LOCAL}{MESH}"),
            ),
            (
                "a comment behind",
                format!("{MESH}opswgw.TunnelDst = 127.0.0.1:2002   # our own\n"),
                format!("{MESH}{MARK}\n#opswgw.TunnelDst = 127.0.0.1:2002   # our own\n"),
            ),
            (
                "one comma list",
                "opswgw.TunnelDst=2001:/c/opswgw.pem, 127.0.0.1:2002\nopswgw.X=1\n".to_owned(),
                format!(
                    "{MARK}\n#opswgw.TunnelDst=2001:/c/opswgw.pem, 127.0.0.1:2002\n{REST_MARK}\nopswgw.TunnelDst=2001:/c/opswgw.pem\nopswgw.X=1\n"
                ),
            ),
            (
                "loopback with a certificate is another",
                format!("opswgw.TunnelDst=127.0.0.1:2003:/c/opswgw.pem\n{LOCAL}"),
                format!("opswgw.TunnelDst=127.0.0.1:2003:/c/opswgw.pem\n{MARK}\n#{LOCAL}"),
            ),
            (
                "line ends of another system",
                "opswgw.TunnelDst=127.0.0.1:2002\r\n".to_owned(),
                format!("{MARK}\r\n#opswgw.TunnelDst=127.0.0.1:2002\r\n"),
            ),
        ];
        for (name, before, after) in cases {
            let mut properties = Properties::read(&before);
            assert_eq!(comment(&mut properties), Ok(true), "{name}");
            assert_eq!(properties.to_text(), after, "{name}");
            assert_eq!(local(&properties), Local::Commented, "{name}");
            assert_eq!(comment(&mut properties), Ok(false), "{name}: twice");
            assert_eq!(activate(&mut properties, false, None), Ok(true), "{name}");
            assert_eq!(properties.to_text(), before, "{name}: back");
            assert_eq!(
                activate(&mut properties, false, None),
                Ok(false),
                "{name}: back twice"
            );
        }
    }

    #[test]
    fn s101_what_somebody_else_commented_is_not_ours() {
        for hand in [
            "#opswgw.TunnelDst=127.0.0.1:2002\n",
            "# opswgw.TunnelDst=127.0.0.1:2002\n",
            "!opswgw.TunnelDst=127.0.0.1:2002\n",
        ] {
            let text = format!("{MESH}{hand}");
            let mut properties = Properties::read(&text);
            assert_eq!(local(&properties), Local::CommentedByHand);
            assert_eq!(comment(&mut properties), Ok(false));
            assert_eq!(
                activate(&mut properties, false, None),
                Err(ListenerError::Foreign(2))
            );
            assert_eq!(properties.to_text(), text);
            assert_eq!(activate(&mut properties, true, None), Ok(true));
            assert_eq!(properties.to_text(), format!("{MESH}{LOCAL}"));
        }
    }

    #[test]
    fn none_or_several_stop() {
        let mut properties = Properties::read(MESH);
        assert_eq!(comment(&mut properties), Err(ListenerError::Absent));
        assert_eq!(
            activate(&mut properties, false, None),
            Err(ListenerError::Absent)
        );
        let mut properties = Properties::read(&format!("{LOCAL}opswgw.TunnelDst=localhost:2003\n"));
        assert_eq!(comment(&mut properties), Err(ListenerError::Several));
        assert_eq!(
            activate(&mut properties, false, None),
            Err(ListenerError::Several)
        );
    }

    #[test]
    fn a_file_that_was_rewritten_in_between_comes_to_the_same_end() {
        let mut properties = Properties::read(MESH);
        assert_eq!(
            activate(&mut properties, false, Some("127.0.0.1:2002")),
            Ok(true)
        );
        assert_eq!(properties.to_text(), format!("{MESH}{LOCAL}"));
        let refused = activate(&mut Properties::read(MESH), false, Some("2002"));
        assert!(matches!(refused, Err(ListenerError::NoListener(_))));
        let both = format!("{MARK}\n#{LOCAL}{LOCAL}");
        let mut properties = Properties::read(&both);
        assert_eq!(
            activate(&mut properties, false, None),
            Ok(false),
            "active once already"
        );
    }

    #[test]
    fn the_mesh_listener_is_the_one_with_a_certificate() {
        let cases = [
            (format!("{MESH}{LOCAL}"), Some(2001)),
            (
                "opswgw.TunnelDst=127.0.0.1:2002,10.0.0.1:2001:/c/opswgw.pem\n".into(),
                Some(2001),
            ),
            (LOCAL.to_owned(), None),
            (format!("{MESH}opswgw.TunnelDst=2005:/c/opswgw.pem\n"), None),
        ];
        for (text, port) in cases {
            assert_eq!(
                mesh_port(&listeners(&Properties::read(&text))),
                port,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn commenting_and_back_gives_the_same_file(
            before in prop::collection::vec("(#|opswgw\\.X=)?[a-z0-9:,/ ]{0,12}", 0..4),
            after in prop::collection::vec("(#|opswgw\\.TunnelDst=20[0-9]{2}:/c/)?[a-z0-9]{1,8}", 0..4),
            line in prop::sample::select(vec![
                "opswgw.TunnelDst=127.0.0.1:2002",
                "  opswgw.TunnelDst : localhost:2002 # x",
                "opswgw.TunnelDst=127.0.0.1:2002,2001:/c/a.pem",
                "opswgw.TunnelDst=2001:/c/a.pem,127.0.0.1:2002,2003:/c/b.pem",
            ]),
            end in prop::sample::select(vec!["\n", "\r\n"]),
        ) {
            let mut lines = before;
            lines.push(line.to_owned());
            lines.extend(after);
            let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
            let mut properties = Properties::read(&text);
            let with_certificates = |properties: &Properties| {
                listeners(properties).into_iter().filter(|listener| listener.certificate.is_some()).collect::<Vec<_>>()
            };
            let others = with_certificates(&properties);
            prop_assert_eq!(comment(&mut properties), Ok(true));
            prop_assert_eq!(with_certificates(&properties), others, "the mesh's listeners stay");
            prop_assert!(listeners(&properties).iter().all(|listener| !listener.is_local()));
            prop_assert_eq!(activate(&mut properties, false, None), Ok(true));
            prop_assert_eq!(properties.to_text(), text);
        }
    }
}
