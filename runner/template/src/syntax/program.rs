//! The shape of a template that has been read: owned, shareable, with filters and tests already found.

use std::sync::Arc;

use sasrun_model::{Name, Value};

use crate::error::SyntaxKind;
use crate::filters::Filter;
use crate::predicates::Predicate;

/// A template that has been read.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) source: Arc<str>,
    pub(crate) name: Option<Name>,
    pub(crate) body: Vec<Statement>,
    /// Filters and tests that nobody offers. They fail only where they are used.
    pub(crate) unknown: Vec<UnknownName>,
    /// How many newlines the source ends with.
    pub(crate) trailing_newlines: usize,
}

/// A filter or test that nobody offers.
#[derive(Debug)]
pub(crate) struct UnknownName {
    pub(crate) kind: SyntaxKind,
    pub(crate) name: Arc<str>,
    pub(crate) position: Position,
}

/// A place in the source, from 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) position: Position,
    pub(crate) kind: StatementKind,
}

#[derive(Debug)]
pub(crate) enum StatementKind {
    Raw(Arc<str>),
    Emit(Expr),
    For(Arc<ForLoop>),
    If {
        condition: Expr,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
    },
    With {
        assignments: Vec<(Expr, Expr)>,
        body: Vec<Statement>,
    },
    Set {
        target: Expr,
        value: Expr,
    },
    SetBlock {
        target: Expr,
        filter: Option<Expr>,
        body: Vec<Statement>,
    },
    FilterBlock {
        filter: Expr,
        body: Vec<Statement>,
    },
    /// A group of statements without a scope of its own.
    Group(Vec<Statement>),
    Macro(Arc<Macro>),
    CallBlock {
        call: Expr,
        caller: Arc<Macro>,
    },
    Do(Expr),
    Break,
    Continue,
    Include {
        name: Expr,
        ignore_missing: bool,
    },
    Import {
        source: Expr,
        target: Expr,
    },
    FromImport {
        source: Expr,
        names: Vec<(Arc<str>, Arc<str>)>,
    },
    Extends(Expr),
    Block(Arc<Block>),
}

#[derive(Debug)]
pub(crate) struct ForLoop {
    pub(crate) target: Expr,
    pub(crate) iterable: Expr,
    pub(crate) filter: Option<Expr>,
    pub(crate) recursive: bool,
    pub(crate) body: Vec<Statement>,
    pub(crate) otherwise: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) name: Arc<str>,
    pub(crate) parameters: Vec<Arc<str>>,
    /// Defaults of the last parameters.
    pub(crate) defaults: Vec<Expr>,
    pub(crate) body: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) name: Arc<str>,
    pub(crate) body: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) position: Position,
    pub(crate) kind: ExprKind,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    Constant(Value),
    /// A text of a condition or among the terms of a lookup that is a template itself.
    Template(Arc<str>),
    Variable(Arc<str>),
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(CompareOperator, Expr)>),
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Option<Box<Expr>>,
    },
    /// Without a subject: the filter of a block, whose subject is the block's text.
    Filter {
        callee: FilterCallee,
        subject: Option<Box<Expr>>,
        arguments: Vec<Argument>,
    },
    Test {
        callee: TestCallee,
        subject: Box<Expr>,
        arguments: Vec<Argument>,
    },
    Call(Box<CallNode>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
}

#[derive(Debug)]
pub(crate) struct CallNode {
    pub(crate) callee: Expr,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Debug, Clone)]
pub(crate) enum FilterCallee {
    BuiltIn(&'static Filter),
    Named(Arc<str>),
}

#[derive(Debug, Clone)]
pub(crate) enum TestCallee {
    BuiltIn(&'static Predicate),
    Named(Arc<str>),
}

#[derive(Debug)]
pub(crate) enum Argument {
    Positional(Expr),
    Named(Arc<str>, Expr),
    Spread(Expr),
    SpreadNamed(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    Concatenate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompareOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}
