//! What a scope promises: variables are resolved when looked at, in the scope they are looked up in, and nothing more
//! than is needed.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sasrun_model::{Key, Name, Node, Span, Value};
use sasrun_template::{
    Binding, ClosedWorld, ExtensionError, Extensions, LayeredScope, LazyMap, Problem, Scope,
    SyntaxKind, Templates, Truth, VariableScope,
};

fn templates() -> Templates {
    Templates::new(Arc::new(ClosedWorld), Extensions::default())
}

fn written(text: &str) -> Binding {
    Binding::Written(Arc::new(Node::text(Span::default(), text)))
}

fn scope(variables: &[(&str, Binding)]) -> Arc<dyn Scope> {
    Arc::new(
        variables
            .iter()
            .map(|(name, binding)| (Name::from(*name), binding.clone()))
            .collect::<VariableScope>(),
    )
}

fn resolve(text: &str, scope: &Arc<dyn Scope>) -> Result<Value, String> {
    templates()
        .resolve(&Node::text(Span::default(), text), scope)
        .map_err(|err| err.to_string())
}

/// Hosts of an inventory, which counts how many were looked at.
struct Hosts(AtomicUsize);

impl LazyMap for Hosts {
    fn get(&self, key: &Key) -> Option<Binding> {
        let Key::Text(name) = key else { return None };
        if !name.starts_with("host") {
            return None;
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(Binding::Scope(scope(&[
            ("name", Binding::Data(Value::Text(Arc::clone(name)))),
            ("url", written("http://{{ name }}/")),
        ])))
    }

    fn keys(&self) -> Vec<Key> {
        (0..1000)
            .map(|index| Key::from(&*format!("host{index}")))
            .collect()
    }
}

#[test]
fn variables_of_another_host_are_rendered_in_its_own_scope() {
    let hosts = Arc::new(Hosts(AtomicUsize::new(0)));
    let here = scope(&[
        ("name", written("here")),
        (
            "hostvars",
            Binding::Lazy(Arc::clone(&hosts) as Arc<dyn LazyMap>),
        ),
    ]);
    let found = resolve(
        "{{ hostvars['host7'].url }} {{ hostvars.host8['url'] }} {{ name }}",
        &here,
    );
    assert_eq!(found, Ok(Value::from("http://host7/ http://host8/ here")));
    assert_eq!(
        hosts.0.load(Ordering::Relaxed),
        2,
        "only the hosts that are looked at are made"
    );
    assert_eq!(
        resolve("{{ hostvars | length }}", &here),
        Ok(Value::Int(1000))
    );
    assert_eq!(
        resolve("{{ hostvars.nobody is defined }}", &here),
        Ok(Value::Bool(false))
    );
}

#[test]
fn a_written_variable_sees_the_loop_item_in_front_of_it() {
    let behind = scope(&[("label", written("item {{ item }}"))]);
    let mut front = VariableScope::new();
    front.insert("item", Binding::Data(Value::Int(3)));
    let layered: Arc<dyn Scope> = Arc::new(LayeredScope::new(front, behind));
    assert_eq!(resolve("{{ label }}", &layered), Ok(Value::from("item 3")));
}

#[test]
fn data_is_never_rendered() {
    let here = scope(&[
        ("stdout", Binding::Data(Value::from("{{ 1 + 1 }}"))),
        ("trap", Binding::Data(Value::from("1 == 1"))),
        ("copy", written("{{ stdout }}")),
    ]);
    assert_eq!(resolve("{{ copy }}", &here), Ok(Value::from("{{ 1 + 1 }}")));
    for text in ["{{ stdout }}", "{{ copy }}", "{{ trap }}"] {
        let condition = Node::text(Span::default(), text);
        let err = templates().condition(&condition, &here).unwrap_err();
        assert!(
            matches!(err.problem, Problem::Refused(_)),
            "{text} gave {err}"
        );
    }
}

#[test]
fn errors_name_the_place_and_the_way() {
    let here = scope(&[
        ("a", written("{{ b }}")),
        ("b", written("first\n  {{ missing.x }}")),
    ]);
    let err = templates()
        .resolve(&Node::text(Span::default(), "{{ a }}"), &here)
        .unwrap_err();
    assert!(err.is_undefined());
    assert_eq!(
        err.through.iter().map(|name| &**name).collect::<Vec<_>>(),
        ["a", "b"]
    );
    let at = err.at.unwrap();
    assert_eq!((at.line, at.excerpt.as_str()), (2, "  {{ missing.x }}"));
    assert_eq!(at.column, 3);
}

#[test]
fn checking_finds_what_nobody_offers() {
    let templates = templates();
    assert_eq!(
        templates.check_template("a {{ b | to_json }} {% if c is defined %}{% endif %}"),
        Ok(())
    );
    let problem = templates
        .check_template("one\n{{ a | to_jsn }}")
        .unwrap_err();
    assert_eq!(problem.kind, SyntaxKind::UnknownFilter);
    assert_eq!(
        problem.message,
        "no filter named 'to_jsn', did you mean 'to_json'?"
    );
    assert_eq!(problem.line, 2);
    assert_eq!(
        templates.check_expression("a is defind").unwrap_err().kind,
        SyntaxKind::UnknownTest
    );
    let problem = templates.check_template("one\ntwo {{ a").unwrap_err();
    assert_eq!((problem.kind, problem.line), (SyntaxKind::Syntax, 2));
}

#[test]
fn extensions_are_filters_tests_and_lookups() {
    let mut extensions = Extensions::default();
    extensions.filters.insert(
        "site.double".into(),
        Arc::new(|values, named| match (values, named.get("plus")) {
            ([Value::Int(number)], Some(Value::Int(plus))) => Ok(Value::Int(number * 2 + plus)),
            ([Value::Int(number)], None) => Ok(Value::Int(number * 2)),
            _ => Err(ExtensionError::new("needs a whole number")),
        }),
    );
    extensions.tests.insert(
        "small".into(),
        Arc::new(|values, _| Ok(Value::Bool(values[0] == Value::Int(1)))),
    );
    extensions.lookups.insert(
        "echo".into(),
        Arc::new(|values, _| Ok(Value::list(values.to_vec()))),
    );
    let templates = Templates::new(Arc::new(ClosedWorld), extensions);
    let here = scope(&[(
        "unknown",
        Binding::Data(Value::CannotKnow("not run".into())),
    )]);
    let resolve = |text: &str| {
        templates
            .resolve(&Node::text(Span::default(), text), &here)
            .map_err(|err| err.to_string())
    };
    assert_eq!(resolve("{{ 4 | site.double(plus=1) }}"), Ok(Value::Int(9)));
    assert_eq!(
        resolve("{{ [1, 2] | map('site.double') | select('small') | list }}"),
        Ok(Value::list(vec![]))
    );
    assert_eq!(resolve("{{ 1 is small }}"), Ok(Value::Bool(true)));
    assert_eq!(
        resolve("{{ query('echo', 1, 'a') }}"),
        Ok(Value::list(vec![Value::Int(1), Value::from("a")]))
    );
    assert_eq!(
        resolve("{{ 'x' | site.double }}"),
        Err("filter site.double: needs a whole number".to_owned())
    );
    assert_eq!(
        resolve("{{ unknown | site.double }}"),
        Ok(Value::CannotKnow("not run".into()))
    );
}

#[test]
fn with_loops_use_lookups() {
    let here = scope(&[]);
    let terms = [
        Value::list(vec![Value::Int(1), Value::Int(2)]),
        Value::list(vec![Value::Int(3)]),
    ];
    let found = templates().lookup("items", &terms, &here).unwrap();
    assert_eq!(found, [Value::Int(1), Value::Int(2), Value::Int(3)]);
    assert_eq!(
        templates().lookup("nested", &terms, &here).unwrap().len(),
        2
    );
}

#[test]
fn nothing_nests_deeper_than_a_threads_stack() {
    // A runtime's threads have two MiB; a test's thread has the same.
    let deep =
        |open: &str, close: &str| format!("{{{{ {}1{} }}}}", open.repeat(140), close.repeat(140));
    let mut table = VariableScope::new();
    for index in 0..400 {
        table.insert(
            &*format!("v{index}"),
            written(&format!("{{{{ (v{}) }}}}", index + 1)),
        );
    }
    table.insert("v400", Binding::Data(Value::Int(1)));
    let chain: Arc<dyn Scope> = Arc::new(table);
    let texts = [
        deep("(", ")"),
        deep("[", "]"),
        deep("-", ""),
        deep("f(", ")"),
        "{{ v0 }}".to_owned(),
        "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}".to_owned(),
        format!(
            "{}x{}",
            "{% if true %}".repeat(140),
            "{% endif %}".repeat(140)
        ),
        format!(
            "{}x{}",
            "{% for a in [1] %}".repeat(140),
            "{% endfor %}".repeat(140)
        ),
    ];
    for text in texts {
        // Either result is fine; what counts is that the thread lives.
        let _ = resolve(&text, &chain);
    }
    assert_eq!(resolve("{{ v395 }}", &chain), Ok(Value::Int(1)));
}

#[test]
fn a_condition_may_come_to_any_value_where_that_is_asked_for() {
    let here = scope(&[("name", written("web")), ("none", written(""))]);
    let lenient = templates().taking_any_condition(true);
    let decided = |text: &str| {
        let condition = Node::text(Span::default(), text);
        lenient.condition(&condition, &here).unwrap()
    };
    assert_eq!(decided("name"), Truth::True);
    assert_eq!(decided("none"), Truth::False);
    assert_eq!(decided("name is defined and none"), Truth::False);
    let strict = Node::text(Span::default(), "name");
    assert!(templates().condition(&strict, &here).is_err());
}

#[test]
fn thousands_of_templates_take_no_time_worth_naming() {
    let templates = templates();
    let here = scope(&[
        ("x", Binding::Data(Value::Int(1))),
        ("y", written("{{ x + 1 }}")),
    ]);
    let nodes: Vec<Node> = (0..5000)
        .map(|index| Node::text(Span::default(), format!("{{{{ y }}}} and {}", index % 100)))
        .collect();
    let condition = Node::text(Span::default(), "y == 2 and x is defined");
    let run = || {
        for node in &nodes {
            templates.resolve(node, &here).unwrap();
        }
        for _ in 0..5000 {
            assert_eq!(templates.condition(&condition, &here).unwrap(), Truth::True);
        }
    };
    run();
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap();
    // Generous, for an unoptimised build on a busy machine.
    assert!(
        best < Duration::from_secs(2),
        "10,000 evaluations took {best:?}"
    );
    println!("10,000 evaluations took {best:?}");
}
