//! Host patterns on one inventory.
#![allow(clippy::unwrap_used)]

mod support;

use sasrun_load::HostPattern;
use sasrun_model::Inventory;

fn inventory() -> Inventory {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts");
    let text =
        "[web]\nweb[1:4]\n[db]\ndb1\ndb2\nweb4\n[site:children]\nweb\ndb\n[solo]\nother.example\n";
    std::fs::write(&path, text).unwrap();
    support::loader()
        .load_inventory(&[path.to_str().unwrap()])
        .unwrap()
}

#[test]
fn patterns_mean_what_ansible_means() {
    let inventory = inventory();
    let cases = [
        ("all", "web1 web2 web3 web4 db1 db2 other.example"),
        ("*", "web1 web2 web3 web4 db1 db2 other.example"),
        ("web", "web1 web2 web3 web4"),
        ("web1", "web1"),
        ("db:web1", "web4 db1 db2 web1"),
        ("db,web1", "web4 db1 db2 web1"),
        ("site:!db", "web1 web2 web3"),
        ("!db:site", "web1 web2 web3"),
        ("web:&db", "web4"),
        ("!web", "db1 db2 other.example"),
        ("web*", "web1 web2 web3 web4"),
        ("*.example", "other.example"),
        ("web[0]", "web1"),
        ("web[-1]", "web4"),
        ("web[1:2]", "web2 web3"),
        ("web[2:]", "web3 web4"),
        ("web[9]", ""),
        ("~web[12]", "web1 web2"),
        ("~.*\\.example$", "other.example"),
        ("web[!1]", "web2 web3 web4"),
        ("web?:!~web[12]", "web3 web4"),
        ("localhost", "localhost"),
        ("web:!web[0]", "web2 web3 web4"),
    ];
    for (pattern, expected) in cases {
        let selection = HostPattern::parse(pattern).unwrap().select(&inventory);
        assert_eq!(selection.hosts.join(" "), expected, "{pattern}");
    }
}

#[test]
fn what_matches_nothing_is_told_with_what_is_near() {
    let selection = HostPattern::parse("wbe:db:nowhere*")
        .unwrap()
        .select(&inventory());
    let unmatched: Vec<(String, Option<&str>)> = selection
        .unmatched
        .iter()
        .map(|(text, near)| (text.clone(), near.as_deref()))
        .collect();
    assert_eq!(
        unmatched,
        [
            ("wbe".to_owned(), Some("web")),
            ("nowhere*".to_owned(), None)
        ]
    );
}

#[test]
fn patterns_that_are_none_are_refused() {
    for pattern in ["web[", "~(", "!", "web:&", "web[1:x]"] {
        assert!(HostPattern::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_limit_takes_files_of_patterns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("retry");
    std::fs::write(&path, "# failed\nweb1\n\ndb2\n").unwrap();
    let loader = support::loader();
    let limit = loader
        .load_limit(&format!("other*,@{}", path.display()))
        .unwrap();
    let selection = limit.select(&inventory());
    assert_eq!(selection.hosts.join(" "), "other.example web1 db2");
    assert_eq!(loader.load_limit("@/no/such/file").unwrap_err().len(), 1);
    assert_eq!(loader.load_limit("~(").unwrap_err().len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_pattern_makes_it_panic(pattern in "[a-z!&~:,*?\\[\\]\\-0-9(|]{0,24}") {
        if let Ok(pattern) = HostPattern::parse(&pattern) {
            let _ = pattern.select(&Inventory::default());
        }
    }
}
