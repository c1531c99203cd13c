//! Which variables a text surely looks at when it is rendered, told without rendering it.
//!
//! Only what is certain counts: what stands behind `default`, in one arm of an `if`, right of an
//! `and`, in a loop's body or among a call's arguments may never be looked at.

use std::collections::HashSet;
use std::sync::Arc;

use sasrun_model::{Name, Value};

use crate::eval::is_function;
use crate::python::methods::DICT;
use crate::syntax::{Expr, ExprKind, FilterCallee, Macro, Statement, StatementKind, TestCallee};

/// A variable that a text surely looks at, and what it looks for inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The variable.
    pub name: Name,
    /// Keys below it, from the outside in, as far as they are written out and no methods of mappings.
    pub keys: Vec<Name>,
    /// Line inside the text, from 1.
    pub line: u32,
    /// Column inside the line, from 1.
    pub column: u32,
}

/// Names that are no variables of the user's wherever they stand.
const OWN: &[&str] = &[
    "omit", "vars", "loop", "caller", "varargs", "kwargs", "self", "super", "true", "false",
    "none", "True", "False", "None",
];

/// What a program surely looks at, in order.
pub(crate) fn of_statements(body: &[Statement]) -> Vec<Needed> {
    let mut assigned = HashSet::new();
    collect_assigned(body, &mut assigned);
    let mut found = Vec::new();
    for statement in body {
        match &statement.kind {
            StatementKind::Emit(expr) | StatementKind::Do(expr) => forced(expr, &mut found),
            StatementKind::For(each) => forced(&each.iterable, &mut found),
            StatementKind::If { condition, .. } => forced(condition, &mut found),
            // What comes after it is another template's.
            StatementKind::Extends(_) => break,
            _ => {}
        }
    }
    found.retain(|needed| {
        !assigned.contains(&needed.name)
            && !OWN.contains(&&*needed.name)
            && !is_function(&needed.name)
    });
    found
}

/// Adds what the value of an expression cannot be had without.
fn forced(expr: &Expr, found: &mut Vec<Needed>) {
    match &expr.kind {
        ExprKind::Variable(_) | ExprKind::Attribute(..) | ExprKind::Item(..) => match path(expr) {
            Some(needed) => found.push(needed),
            None => forced_base(expr, found),
        },
        ExprKind::Not(operand) | ExprKind::Negate(operand) => forced(operand, found),
        ExprKind::And(first, _) | ExprKind::Or(first, _) => forced(first, found),
        ExprKind::Binary(_, left, right) => {
            forced(left, found);
            forced(right, found);
        }
        ExprKind::Compare(first, rest) => {
            forced(first, found);
            if let Some((_, second)) = rest.first() {
                forced(second, found);
            }
        }
        ExprKind::If { condition, .. } => forced(condition, found),
        ExprKind::Filter {
            callee: FilterCallee::BuiltIn(filter),
            subject: Some(subject),
            ..
        } if !filter.takes_anything => forced(subject, found),
        ExprKind::Test {
            callee: TestCallee::BuiltIn(test),
            subject,
            ..
        } if !test.takes_anything => forced(subject, found),
        ExprKind::Call(call) => {
            if let ExprKind::Attribute(base, _) = &call.callee.kind {
                forced(base, found);
            }
        }
        _ => {}
    }
}

/// What a look inside something that is no plain name needs.
fn forced_base(expr: &Expr, found: &mut Vec<Needed>) {
    if let ExprKind::Attribute(base, _) | ExprKind::Item(base, _) = &expr.kind {
        forced(base, found);
    }
}

/// A variable with the keys written behind it, as far as all are written out.
fn path(expr: &Expr) -> Option<Needed> {
    let mut keys: Vec<Name> = Vec::new();
    let mut at = expr;
    loop {
        match &at.kind {
            ExprKind::Variable(name) => {
                keys.reverse();
                let surely = keys.iter().take_while(|key| !DICT.contains(&&***key));
                let keys = surely.cloned().collect();
                return Some(Needed {
                    name: Arc::clone(name),
                    keys,
                    line: at.position.line,
                    column: at.position.column,
                });
            }
            ExprKind::Attribute(base, key) => {
                keys.push(Arc::clone(key));
                at = base;
            }
            ExprKind::Item(base, index) => {
                let ExprKind::Constant(Value::Text(key)) = &index.kind else {
                    return None;
                };
                keys.push(Arc::clone(key));
                at = base;
            }
            _ => return None,
        }
    }
}

/// Names that the text itself gives a meaning somewhere.
fn collect_assigned(body: &[Statement], names: &mut HashSet<Name>) {
    for statement in body {
        match &statement.kind {
            StatementKind::For(each) => {
                target(&each.target, names);
                collect_assigned(&each.body, names);
                collect_assigned(&each.otherwise, names);
            }
            StatementKind::If {
                then, otherwise, ..
            } => {
                collect_assigned(then, names);
                collect_assigned(otherwise, names);
            }
            StatementKind::With { assignments, body } => {
                for (name, _) in assignments {
                    target(name, names);
                }
                collect_assigned(body, names);
            }
            StatementKind::Set { target: to, .. } => target(to, names),
            StatementKind::SetBlock {
                target: to, body, ..
            } => {
                target(to, names);
                collect_assigned(body, names);
            }
            StatementKind::FilterBlock { body, .. } | StatementKind::Group(body) => {
                collect_assigned(body, names);
            }
            StatementKind::Macro(own) => in_macro(own, names),
            StatementKind::CallBlock { caller, .. } => in_macro(caller, names),
            StatementKind::Import { target: to, .. } => target(to, names),
            StatementKind::FromImport { names: given, .. } => {
                names.extend(given.iter().map(|(_, own)| Arc::clone(own)));
                names.extend(given.iter().map(|(name, _)| Arc::clone(name)));
            }
            StatementKind::Block(block) => collect_assigned(&block.body, names),
            _ => {}
        }
    }
}

fn in_macro(own: &Macro, names: &mut HashSet<Name>) {
    names.insert(Arc::clone(&own.name));
    names.extend(own.parameters.iter().cloned());
    collect_assigned(&own.body, names);
}

fn target(expr: &Expr, names: &mut HashSet<Name>) {
    match &expr.kind {
        ExprKind::Variable(name) => {
            names.insert(Arc::clone(name));
        }
        ExprKind::List(items) | ExprKind::Tuple(items) => {
            items.iter().for_each(|item| target(item, names));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{ClosedWorld, Extensions, Templates};

    fn needs(text: &str) -> Vec<String> {
        let templates = Templates::new(Arc::new(ClosedWorld), Extensions::default());
        let found = templates.needed_by_template(text);
        let shown = found.iter().map(|needed| {
            let mut whole = needed.name.to_string();
            needed.keys.iter().for_each(|key| {
                whole.push('.');
                whole.push_str(key);
            });
            whole
        });
        shown.collect()
    }

    #[test]
    fn what_is_surely_looked_at_is_told() {
        let cases: &[(&str, &[&str])] = &[
            ("{{ a }}", &["a"]),
            ("x {{ a.b['c'] }} {{ d }}", &["a.b.c", "d"]),
            ("{{ a + b * 2 }}", &["a", "b"]),
            ("{{ a | int }}", &["a"]),
            ("{{ a.b[0].c }}", &["a.b"]),
            ("{{ a.b.keys() | list }}", &["a.b"]),
            ("{% if a %}{{ b }}{% endif %}", &["a"]),
            ("{% for x in a %}{{ x }}{{ b }}{% endfor %}", &["a"]),
            ("{{ a.b.items.c }}", &["a.b"]),
            ("{{ a == b }}", &["a", "b"]),
            ("{{ a and b }}", &["a"]),
        ];
        for (text, expected) in cases {
            assert_eq!(needs(text), *expected, "{text}");
        }
    }

    #[test]
    fn what_may_never_be_looked_at_is_not_told() {
        let texts = [
            "{{ a | default('x') }}",
            "{{ a.b.c | d(omit) }}",
            "{{ 'x' if a is defined else b }}",
            "{{ a is undefined }}",
            "{{ true or a }}",
            "{% set a = 1 %}{{ a }}",
            "{% for a in [1] %}{{ a }}{% endfor %}{{ a | default }}",
            "{% macro a(b) %}{{ b }}{% endmacro %}{{ a(1) }}",
            "{{ lookup('env', 'HOME') }}",
            "{{ query('x', a) }}",
            "{{ [a, b] }}",
            "{% raw %}{{ a }}{% endraw %}",
            "{{ omit }}",
            "{{ a | no_such_filter_here }}",
            "{{ unparsable",
        ];
        for text in texts {
            assert!(needs(text).is_empty(), "{text}: {:?}", needs(text));
        }
    }
}
