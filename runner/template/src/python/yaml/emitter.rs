//! Laying items out: indentation, line width, brackets and quotes.

use super::scalar::{Analysis, analyze, is_break, is_printable};
use super::{Item, Layout};

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Sequence,
    Mapping,
    SimpleKey,
}

/// Keys longer than this are written with a question mark.
const MAX_SIMPLE_KEY: usize = 128;

pub(super) struct Emitter<'l> {
    layout: &'l Layout,
    out: String,
    column: usize,
    /// None before the first container.
    indent: Option<usize>,
    flow_level: usize,
    /// The last thing written was a blank, or nothing.
    whitespace: bool,
    /// Only indentation and indicators stand in this line so far.
    indention: bool,
}

impl<'l> Emitter<'l> {
    pub(super) fn new(layout: &'l Layout) -> Self {
        Self {
            layout,
            out: String::new(),
            column: 0,
            indent: None,
            flow_level: 0,
            whitespace: true,
            indention: true,
        }
    }

    pub(super) fn document(mut self, item: &Item) -> String {
        if self.layout.explicit_start {
            self.indicator("---", true, false, false);
        }
        self.node(item, Place::Root);
        if self.column > 0 {
            self.line_break();
        }
        if self.layout.explicit_end {
            self.out.push_str("...\n");
        }
        self.out
    }

    fn node(&mut self, item: &Item, place: Place) {
        match item {
            Item::Scalar { text, plain } => {
                let before = self.deeper(true, false);
                self.scalar(text, *plain, place);
                self.indent = before;
            }
            Item::List { items, flow } => {
                if self.flow_level > 0 || *flow || items.is_empty() {
                    self.flow_list(items);
                } else {
                    self.block_list(items, place);
                }
            }
            Item::Map { entries, flow } => {
                if self.flow_level > 0 || *flow || entries.is_empty() {
                    self.flow_map(entries);
                } else {
                    self.block_map(entries);
                }
            }
        }
    }

    /// Indents further; gives what the indentation was.
    fn deeper(&mut self, flow: bool, indentless: bool) -> Option<usize> {
        let before = self.indent;
        self.indent = Some(match before {
            None if flow => self.layout.indent,
            None => 0,
            Some(indent) if indentless => indent,
            Some(indent) => indent + self.layout.indent,
        });
        before
    }

    fn flow_list(&mut self, items: &[Item]) {
        self.indicator("[", true, true, false);
        self.flow_level += 1;
        let before = self.deeper(true, false);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.indicator(",", false, false, false);
            }
            if self.column > self.layout.width {
                self.write_indent();
            }
            self.node(item, Place::Sequence);
        }
        self.indent = before;
        self.flow_level -= 1;
        self.indicator("]", false, false, false);
    }

    fn flow_map(&mut self, entries: &[(Item, Item)]) {
        self.indicator("{", true, true, false);
        self.flow_level += 1;
        let before = self.deeper(true, false);
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                self.indicator(",", false, false, false);
            }
            if self.column > self.layout.width {
                self.write_indent();
            }
            if self.is_simple_key(key) {
                self.node(key, Place::SimpleKey);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, false);
                self.node(key, Place::Mapping);
                if self.column > self.layout.width {
                    self.write_indent();
                }
                self.indicator(":", true, false, false);
            }
            self.node(value, Place::Mapping);
        }
        self.indent = before;
        self.flow_level -= 1;
        self.indicator("}", false, false, false);
    }

    fn block_list(&mut self, items: &[Item], place: Place) {
        let indentless = place == Place::Mapping && !self.indention;
        let before = self.deeper(false, indentless);
        for item in items {
            self.write_indent();
            self.indicator("-", true, false, true);
            self.node(item, Place::Sequence);
        }
        self.indent = before;
    }

    fn block_map(&mut self, entries: &[(Item, Item)]) {
        let before = self.deeper(false, false);
        for (key, value) in entries {
            self.write_indent();
            if self.is_simple_key(key) {
                self.node(key, Place::SimpleKey);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(key, Place::Mapping);
                self.write_indent();
                self.indicator(":", true, false, true);
            }
            self.node(value, Place::Mapping);
        }
        self.indent = before;
    }

    fn is_simple_key(&self, key: &Item) -> bool {
        match key {
            Item::Scalar { text, .. } => {
                text.len() < MAX_SIMPLE_KEY && !analyze(text, self.layout.unicode).multiline
            }
            _ => false,
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, place: Place) {
        let analysis = analyze(text, self.layout.unicode);
        let Analysis {
            multiline,
            flow_plain,
            block_plain,
            single_quoted,
        } = analysis;
        let is_key = place == Place::SimpleKey;
        let fits = if self.flow_level > 0 {
            flow_plain
        } else {
            block_plain
        };
        if plain && fits && !(is_key && (text.is_empty() || multiline)) {
            self.plain(text, !is_key);
        } else if single_quoted && !(is_key && multiline) {
            self.single_quoted(text, !is_key);
        } else {
            self.double_quoted(text, !is_key);
        }
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: &str, needs_blank: bool, whitespace: bool, indention: bool) {
        if needs_blank && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(text);
        self.column += text.chars().count();
        self.whitespace = whitespace;
        self.indention &= indention;
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn plain(&mut self, text: &str, split: bool) {
        if !self.whitespace && !text.is_empty() {
            self.put(' ');
        }
        let chars: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (index, c) in chars.iter().copied().enumerate() {
            let single = !after_space && chars.get(index + 1) != Some(&' ');
            if c == ' ' && split && single && self.column > self.layout.width {
                self.write_indent();
            } else {
                self.put(c);
            }
            after_space = c == ' ';
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, split: bool) {
        self.indicator("'", true, false, false);
        let chars: Vec<char> = text.chars().collect();
        let (mut after_space, mut after_break) = (false, false);
        for (index, c) in chars.iter().copied().enumerate() {
            let inside = index > 0 && index + 1 < chars.len();
            if c == ' ' {
                let single = !after_space && chars.get(index + 1) != Some(&' ');
                if split && single && inside && self.column > self.layout.width {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                after_space = true;
                continue;
            }
            if is_break(c) {
                if !after_break && c == '\n' {
                    self.line_break();
                }
                self.line_break();
                after_break = true;
                after_space = false;
                continue;
            }
            if after_break {
                self.write_indent();
            }
            if c == '\'' {
                self.put('\'');
            }
            self.put(c);
            self.indention = false;
            (after_space, after_break) = (false, false);
        }
        if after_break {
            self.write_indent();
        }
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &str, split: bool) {
        self.indicator("\"", true, false, false);
        let chars: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (index, c) in chars.iter().copied().enumerate() {
            let inside = index > 0 && index + 1 < chars.len();
            if matches!(c, '"' | '\\') || is_break(c) || !is_printable(c, self.layout.unicode) {
                for c in escaped(c).chars() {
                    self.put(c);
                }
                after_space = false;
            } else if c == ' ' {
                if split && !after_space && inside && self.column > self.layout.width {
                    self.write_indent();
                    if chars.get(index + 1) == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else {
                self.put(c);
                after_space = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }
}

/// A letter as it is written in double quotes.
fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            let code = u32::from(c);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
