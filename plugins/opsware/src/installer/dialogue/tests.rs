//! The dialogue against a model of the installer: whatever its menu looks like, `c` is pressed
//! only on the marks wanted.

use proptest::prelude::*;

use super::*;

/// A menu that flips lines as the installer does.
struct Model {
    first: u32,
    labels: Vec<&'static str>,
    marks: Vec<bool>,
    /// Toggles that are swallowed, one bit each.
    swallow: u32,
    prompt: &'static str,
}

impl Model {
    fn print(&self) -> String {
        let mut text =
            "\r\nWelcome to the Opsware Installer.\r\nPlease select the components to upgrade.\r\n"
                .to_owned();
        for (at, (label, mark)) in self.labels.iter().zip(&self.marks).enumerate() {
            let mark = if *mark { "*" } else { " " };
            text += &format!("{} ({mark}) {label}\r\n", at as u32 + self.first);
        }
        text += "Enter a component number to toggle ('a' for all, 'n' for none).\r\n";
        text + self.prompt
    }

    fn toggle(&mut self, number: u32) {
        let swallowed = self.swallow & 1 == 1;
        self.swallow >>= 1;
        if let Some(mark) = self
            .marks
            .get_mut((number - self.first) as usize)
            .filter(|_| !swallowed)
        {
            *mark = !*mark;
        }
    }
}

/// Plays a dialogue to its end; tells what was typed and the marks at `c`.
fn play(
    model: &mut Model,
    wanted: &[&str],
    bare: bool,
) -> (Vec<String>, Option<Vec<bool>>, Dialogue) {
    let goal = Goal::Components {
        wanted: wanted.iter().map(|id| (*id).to_owned()).collect(),
        bare_label_is_truth: bare,
        gateway: Interview::default(),
    };
    let mut dialogue = Dialogue::new(goal, 1000);
    let mut typed = Vec::new();
    dialogue.hear(&model.print());
    for _ in 0..40 {
        let Turn::Type(made) = dialogue.turn(0) else {
            break;
        };
        let text = made.text.trim().to_owned();
        dialogue.typed(made);
        typed.push(text.clone());
        match text.as_str() {
            "c" => return (typed, Some(model.marks.clone()), dialogue),
            "q" => return (typed, None, dialogue),
            number => model.toggle(number.parse().unwrap()),
        }
        dialogue.hear(&format!("{text}\r\n{}", model.print()));
    }
    (typed, None, dialogue)
}

const LABELS: &[&str] = &[
    "Model Repository (truth), Multimaster Additions",
    "Model Repository Multimaster Component (vault)",
    "Data Access Engine (spin), Multimaster Component",
    "Software Repository \u{2013} Content (install once per mesh)",
    "Something Else",
];

fn model(labels: &[&'static str], marks: &[bool]) -> Model {
    Model {
        first: 1,
        labels: labels.to_vec(),
        marks: marks.to_vec(),
        swallow: 0,
        prompt: "Selection: ",
    }
}

#[test]
fn the_wanted_line_is_marked_and_confirmed() {
    let (typed, marks, _) = play(&mut model(LABELS, &[false; 5]), &["spin"], false);
    assert_eq!(typed, ["3", "c"]);
    assert_eq!(marks.unwrap(), [false, false, true, false, false]);
}

#[test]
fn what_is_marked_at_the_start_is_taken_off_first() {
    let (typed, marks, _) = play(&mut model(&LABELS[..3], &[true; 3]), &["truth"], false);
    assert_eq!(typed.last().unwrap(), "c");
    assert_eq!(marks.unwrap(), [true, false, false]);
}

#[test]
fn a_swallowed_toggle_is_tried_once_more_and_no_oftener() {
    let mut once = model(LABELS, &[false; 5]);
    once.swallow = 0b1;
    assert_eq!(play(&mut once, &["spin"], false).0, ["3", "3", "c"]);
    let mut always = model(LABELS, &[false; 5]);
    always.swallow = u32::MAX;
    let (typed, _, dialogue) = play(&mut always, &["spin"], false);
    assert_eq!(typed, ["3", "3", "q"]);
    assert!(dialogue.refusal.unwrap().contains("did not change"));
}

#[test]
fn a_missing_line_is_told_with_both_lists() {
    let (typed, _, dialogue) = play(&mut model(&LABELS[1..3], &[false; 2]), &["way"], false);
    assert_eq!(typed, ["q"]);
    let refusal = dialogue.refusal.unwrap();
    assert!(
        refusal.contains("wanted: way") && refusal.contains("Data Access Engine"),
        "{refusal}"
    );
}

#[test]
fn two_lines_for_one_component_are_ambiguous() {
    let labels = ["Opsware Gateway", "First Core Gateway"];
    let (typed, _, dialogue) = play(&mut model(&labels, &[false; 2]), &["gateway"], false);
    assert_eq!(typed, ["q"]);
    assert!(dialogue.refusal.unwrap().contains("several"));
}

#[test]
fn the_database_may_stand_under_the_bare_multimaster_label() {
    let bare = "Model Repository Multimaster Component";
    let cases: &[(&[&str], bool, &[&str], &str)] = &[
        (&[bare], true, &["1", "c"], "TRAP-12: the menu has no"),
        (&[bare], false, &["q"], ""),
        (
            &["Model Repository Multimaster Component (vault)"],
            true,
            &["q"],
            "",
        ),
        (
            &[
                "Model Repository Multimaster Component (vault)",
                "Model Repository (truth)",
            ],
            true,
            &["2", "c"],
            "TRAP-12: the menu has the",
        ),
    ];
    for (labels, allowed, wanted, finding) in cases {
        let labels: Vec<&'static str> = labels
            .iter()
            .map(|label| {
                LABELS_OF_CASES
                    .iter()
                    .find(|known| *known == label)
                    .copied()
                    .unwrap()
            })
            .collect();
        let marks = vec![false; labels.len()];
        let (typed, _, dialogue) = play(&mut model(&labels, &marks), &["truth"], *allowed);
        assert_eq!(typed, *wanted, "{labels:?}");
        assert!(
            dialogue.findings.join(" ").contains(finding),
            "{:?}",
            dialogue.findings
        );
    }
}

const LABELS_OF_CASES: &[&str] = &[
    "Model Repository Multimaster Component",
    "Model Repository Multimaster Component (vault)",
    "Model Repository (truth)",
];

#[test]
fn an_unknown_question_is_left_alone_and_then_the_run_is_interrupted() {
    let goal = Goal::Components {
        wanted: vec!["truth".into()],
        bare_label_is_truth: false,
        gateway: Interview::default(),
    };
    let mut dialogue = Dialogue::new(goal, 1000);
    dialogue.hear("Overwrite existing database objects? [y/N] ");
    assert_eq!(dialogue.turn(999), Turn::Wait);
    assert!(
        matches!(dialogue.turn(1000), Turn::Interrupt(reason) if reason.contains("Overwrite existing"))
    );
}

#[test]
fn a_confirmation_of_values_is_given_when_it_appears() {
    let goal = Goal::Components {
        wanted: vec!["truth".into()],
        bare_label_is_truth: false,
        gateway: Interview::default(),
    };
    let mut dialogue = Dialogue::new(goal, 1000);
    dialogue.hear("The configuration values are:\r\n  a = 1\r\nAre these values correct? (y/n): ");
    assert!(matches!(dialogue.turn(0), Turn::Type(made) if made.text == "y\n"));
}

fn interview(answers: &[(&str, &str)], take_defaults: bool) -> Dialogue {
    let interview = Interview {
        type_words: vec!["first core".into(), "convert".into()],
        advanced: false,
        answers: answers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        take_defaults,
    };
    Dialogue::new(Goal::Interview(interview), 1000)
}

#[test]
fn an_interview_is_held_to_its_saved_file() {
    let mut dialogue = interview(&[("truth.sid", "truth"), ("truth.gcPwd", "s3cret")], false);
    let script = [
        (
            "1 - Standalone Installation: Standalone Opsware Core\r\n2 - Multimaster Installation: First Core (convert \
             from standalone)\r\n4 - Multimaster Installation: Additional Core\r\nType: ",
            "2",
            false,
        ),
        (
            "1 - Simple Interview\r\n2 - Advanced Interview\r\nMode: ",
            "1",
            false,
        ),
        (
            "Parameter 1 of 2 (truth.sid)\r\nPlease enter the SID [other]: ",
            "truth",
            false,
        ),
        (
            "Parameter 2 of 2 (truth.gcPwd)\r\nPlease enter the password: ",
            "s3cret",
            true,
        ),
        ("Please enter it again: ", "s3cret", true),
        (
            "All parameters have values. Finish the interview? (y/n): ",
            "y",
            false,
        ),
        (
            "Name of response file to save [/var/opt/opsware/install_opsware/resp/resp.1]: ",
            "",
            false,
        ),
        (
            "Response file saved.\r\nContinue the installation with this response file? (y/n): ",
            "n",
            false,
        ),
    ];
    for (printed, answer, sensitive) in script {
        dialogue.hear(printed);
        let Turn::Type(made) = dialogue.turn(0) else {
            panic!("no answer to {printed}")
        };
        assert_eq!(
            (made.text.trim(), made.sensitive),
            (answer, sensitive),
            "{printed}"
        );
        dialogue.typed(made);
    }
    assert_eq!(dialogue.phase(), Phase::Leaving);
    assert_eq!(
        dialogue.saved.as_deref(),
        Some("/var/opt/opsware/install_opsware/resp/resp.1")
    );
}

#[test]
fn what_the_file_does_not_give_is_never_made_up() {
    let asked = "Parameter 1 of 1 (site.new)\r\nPlease enter it [usual]: ";
    let mut strict = interview(&[], false);
    strict.hear(asked);
    assert!(matches!(strict.turn(0), Turn::Interrupt(reason) if reason.contains("site.new")));
    let mut lenient = interview(&[], true);
    lenient.hear(asked);
    let Turn::Type(made) = lenient.turn(0) else {
        panic!("not taken")
    };
    assert_eq!(made.text, "\n");
    lenient.typed(made);
    assert_eq!(lenient.defaults_taken, ["site.new"]);
    let mut without = interview(&[], true);
    without.hear("Parameter 1 of 1 (site.new)\r\nPlease enter it: ");
    assert!(matches!(without.turn(0), Turn::Interrupt(_)));
}

#[test]
fn a_value_that_is_not_taken_is_not_offered_for_ever() {
    let mut dialogue = interview(&[("truth.sid", "bad")], false);
    for round in 0..4 {
        dialogue.hear("Parameter 1 of 1 (truth.sid)\r\nPlease enter the SID: ");
        match dialogue.turn(0) {
            Turn::Type(made) => dialogue.typed(made),
            Turn::Interrupt(reason) => {
                assert_eq!(round, 3);
                assert!(reason.contains("does not take"));
            }
            Turn::Wait => panic!("waits"),
        }
    }
}

#[test]
fn a_type_that_is_not_offered_is_not_replaced_by_another() {
    let mut dialogue = interview(&[], false);
    dialogue.hear("1 - Standalone Installation: Standalone Opsware Core\r\n4 - Multimaster Installation: Additional Core\r\nType: ");
    assert!(matches!(dialogue.turn(0), Turn::Interrupt(_)));
}

#[test]
fn a_menu_where_an_interview_was_wanted_is_left() {
    let mut dialogue = interview(&[], false);
    dialogue.hear(&model(LABELS, &[false; 5]).print());
    let Turn::Type(made) = dialogue.turn(0) else {
        panic!("stays")
    };
    assert_eq!(made.text, "q\n");
    dialogue.typed(made);
    assert!(dialogue.no_interview);
}

const ALL: &[(&str, &str)] = &[
    ("truth", "Model Repository (truth), Multimaster Additions"),
    ("vault", "Model Repository Multimaster Component (vault)"),
    ("spin", "Data Access Engine (spin)"),
    ("way", "Command Engine (way)"),
    ("word", "Software Repository (word)"),
    (
        "content",
        "Software Repository - Content (install once per mesh)",
    ),
    (
        "stage2",
        "Add OS Provisioning Stage2 Images to Software Repository",
    ),
    ("gateway", "Opsware Gateway"),
];

proptest! {
    /// Whatever the menu looks like and swallows, `c` is pressed only when the true marks are
    /// exactly those wanted.
    #[test]
    fn c_is_never_pressed_on_a_wrong_set(
        order in Just((0..ALL.len()).collect::<Vec<_>>()).prop_shuffle(),
        shown in 1usize..=ALL.len(),
        marks in proptest::collection::vec(any::<bool>(), ALL.len()),
        wanted in proptest::collection::vec(0..ALL.len(), 1..3),
        first in 0u32..30,
        swallow in any::<u32>(),
        has_prompt in any::<bool>(),
    ) {
        let lines: Vec<usize> = order.into_iter().take(shown).collect();
        let mut model = Model {
            first,
            labels: lines.iter().map(|at| ALL[*at].1).collect(),
            marks: marks[..lines.len()].to_vec(),
            swallow: swallow & (swallow >> 7) & (swallow >> 13),
            prompt: if has_prompt { "> " } else { "" },
        };
        let mut wanted: Vec<usize> = wanted;
        wanted.sort_unstable();
        wanted.dedup();
        let ids: Vec<&str> = wanted.iter().map(|at| ALL[*at].0).collect();
        let (typed, confirmed, dialogue) = play(&mut model, &ids, false);
        let truth: Vec<bool> = lines.iter().map(|at| wanted.contains(at)).collect();
        if let Some(marks) = confirmed {
            prop_assert_eq!(marks, truth);
        } else {
            prop_assert!(dialogue.refusal.is_some());
            prop_assert!(!typed.contains(&"c".to_owned()));
        }
    }
}

#[test]
fn a_satellites_gateway_is_led_through_its_own_installer() {
    let goal = Goal::Components {
        wanted: vec!["sat_gateway".into()],
        bare_label_is_truth: false,
        gateway: Interview {
            answers: BTreeMap::from([("gateway.core_port".to_owned(), "2001".to_owned())]),
            ..Interview::default()
        },
    };
    let mut dialogue = Dialogue::new(goal, 1000);
    let steps = [
        (
            "Please select the components to upgrade.\r\n1 (*) Opsware Gateway (Interactive Install)\r\n\
             Enter a component number to toggle ('a' for all, 'n' for none).\r\n",
            "c\n",
        ),
        (
            "c\r\nParameter 1 of 2 (gateway.core_port)\r\nPlease enter the port [2999]: ",
            "2001\n",
        ),
        (
            "2001\r\nWith these configuration values:\r\n a = 1\r\nAre these configuration values correct? (y/n): ",
            "y\n",
        ),
    ];
    for (shown, wanted) in steps {
        dialogue.hear(shown);
        let Turn::Type(made) = dialogue.turn(0) else {
            panic!("nothing typed at {shown}")
        };
        assert_eq!(made.text, wanted);
        dialogue.typed(made);
    }
    // What it was not told, it does not answer.
    dialogue.hear("Parameter 2 of 2 (gateway.other)\r\nPlease enter another [x]: ");
    assert!(
        matches!(dialogue.turn(0), Turn::Interrupt(reason) if reason.contains("gateway.other"))
    );
}
