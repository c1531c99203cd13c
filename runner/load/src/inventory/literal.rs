//! Values of INI inventories: literals of Python, which Ansible reads there. What is none is text.

use sasrun_model::{Entry, FileId, Node, NodeKind, Span, Text};

/// How deep lists may stand in each other; what is deeper is text.
const DEEPEST: usize = 64;

/// Reads a literal as a whole. None for anything else.
pub(super) fn literal(text: &str, file: FileId) -> Option<NodeKind> {
    let mut reader = Reader {
        rest: text.trim_start_matches([' ', '\t']),
        span: Span {
            file,
            line: 1,
            column: 1,
        },
        depth: 0,
    };
    let first = reader.value()?;
    // Values with commas between them are a tuple, with or without parentheses.
    let kind = if reader.takes(",") {
        let mut items = vec![reader.node(first)];
        reader.items(&mut items, None)?;
        NodeKind::List(items)
    } else {
        first
    };
    reader.skip_blanks();
    reader.rest.is_empty().then_some(kind)
}

struct Reader<'t> {
    rest: &'t str,
    span: Span,
    depth: usize,
}

impl Reader<'_> {
    fn node(&self, kind: NodeKind) -> Node {
        Node {
            span: self.span,
            kind,
        }
    }

    /// Skips blanks, and the comment that ends the line.
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with('#') {
            self.rest = "";
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_word = self
            .rest
            .strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        is_word && self.takes(word)
    }

    fn value(&mut self) -> Option<NodeKind> {
        self.skip_blanks();
        let words = [
            ("True", NodeKind::Bool(true)),
            ("False", NodeKind::Bool(false)),
            ("None", NodeKind::Null),
        ];
        for (word, kind) in words {
            if self.takes_word(word) {
                return Some(kind);
            }
        }
        if self.takes("...") {
            return Some(NodeKind::Text(Text::written("...")));
        }
        if self.takes_word("set") {
            let is_empty = self.takes("(") && self.takes(")");
            return is_empty.then(|| NodeKind::List(Vec::new()));
        }
        match self.rest.chars().next()? {
            '[' | '(' | '{' => {
                self.depth += 1;
                let kind = (self.depth <= DEEPEST).then(|| self.container())?;
                self.depth -= 1;
                kind
            }
            '+' | '-' | '.' | '0'..='9' => self.number(),
            _ => self.texts(),
        }
    }

    fn container(&mut self) -> Option<NodeKind> {
        let mut items = Vec::new();
        if self.takes("[") {
            self.items(&mut items, Some("]"))?;
            return Some(NodeKind::List(items));
        }
        if self.takes("(") {
            if self.takes(")") {
                return Some(NodeKind::List(items));
            }
            let first = self.value()?;
            if self.takes(")") {
                return Some(first);
            }
            items.push(self.node(first));
            self.takes(",").then_some(())?;
            self.items(&mut items, Some(")"))?;
            return Some(NodeKind::List(items));
        }
        self.takes("{").then_some(())?;
        if self.takes("}") {
            return Some(NodeKind::Map(Vec::new()));
        }
        let first = self.value()?;
        let first = self.node(first);
        if self.takes(":") {
            return self.entries(first);
        }
        items.push(first);
        // A set; order is that of writing.
        if !self.takes("}") {
            self.takes(",").then_some(())?;
            self.items(&mut items, Some("}"))?;
        }
        Some(NodeKind::List(items))
    }

    /// Items with commas between them, up to the sign that ends them, else to the end of the text.
    fn items(&mut self, items: &mut Vec<Node>, end: Option<&str>) -> Option<()> {
        loop {
            self.skip_blanks();
            match end {
                Some(end) if self.takes(end) => return Some(()),
                None if self.rest.is_empty() => return Some(()),
                _ => {}
            }
            let item = self.value()?;
            items.push(self.node(item));
            if self.takes(",") {
                continue;
            }
            return match end {
                Some(end) => self.takes(end).then_some(()),
                None => Some(()),
            };
        }
    }

    /// Entries of a dictionary, whose first key was read.
    fn entries(&mut self, first: Node) -> Option<NodeKind> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut key = first;
        loop {
            if let NodeKind::Text(text) = &mut key.kind {
                text.is_template = false;
            }
            if matches!(key.kind, NodeKind::List(_) | NodeKind::Map(_)) {
                return None;
            }
            let value = self.value()?;
            let value = self.node(value);
            entries.push(Entry { key, value });
            let goes_on = self.takes(",");
            if self.takes("}") {
                return Some(NodeKind::Map(entries));
            }
            let next = goes_on.then(|| self.value())??;
            key = self.node(next);
            self.takes(":").then_some(())?;
        }
    }

    fn number(&mut self) -> Option<NodeKind> {
        let mut is_negative = false;
        while let Some(rest) = self.rest.strip_prefix(['+', '-']) {
            is_negative ^= self.rest.starts_with('-');
            self.rest = rest.trim_start();
        }
        let mut end = 0;
        let mut before = ' ';
        for c in self.rest.chars() {
            let is_exponent_sign = matches!(c, '+' | '-')
                && matches!(before, 'e' | 'E')
                && !self.rest.starts_with("0x")
                && !self.rest.starts_with("0X");
            if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || is_exponent_sign) {
                break;
            }
            end += c.len_utf8();
            before = c;
        }
        let (word, rest) = self.rest.split_at(end);
        let kind = number(word, is_negative)?;
        self.rest = rest;
        Some(kind)
    }

    /// Texts in quotes; those that stand beside each other are one.
    fn texts(&mut self) -> Option<NodeKind> {
        let mut whole = self.text()?;
        loop {
            self.skip_blanks();
            if !self
                .rest
                .starts_with(['\'', '"', 'b', 'B', 'r', 'R', 'u', 'U'])
            {
                break;
            }
            whole.push_str(&self.text()?);
        }
        Some(NodeKind::Text(Text::written(whole)))
    }

    fn text(&mut self) -> Option<String> {
        let start = self.rest.find(['\'', '"'])?;
        let prefix = self.rest[..start].to_ascii_lowercase();
        matches!(prefix.as_str(), "" | "b" | "r" | "u" | "br" | "rb").then_some(())?;
        let is_raw = prefix.contains('r');
        let opened = &self.rest[start..];
        let quote = ["'''", "\"\"\"", "'", "\""]
            .into_iter()
            .find(|quote| opened.starts_with(quote))?;
        let inside = &opened[quote.len()..];
        let mut text = String::new();
        let mut at = 0;
        loop {
            let rest = &inside[at..];
            if let Some(rest) = rest.strip_prefix(quote) {
                self.rest = rest;
                return Some(text);
            }
            let c = rest.chars().next()?;
            at += c.len_utf8();
            if c != '\\' {
                text.push(c);
                continue;
            }
            let escaped = inside[at..].chars().next()?;
            if is_raw {
                text.extend(['\\', escaped]);
                at += escaped.len_utf8();
            } else {
                at += escape(&inside[at..], escaped, &mut text)?;
            }
        }
    }
}

/// What stands behind a backslash; gives how many bytes it takes.
fn escape(rest: &str, escaped: char, text: &mut String) -> Option<usize> {
    let by_number =
        |digits: &str, base: u32| char::from_u32(u32::from_str_radix(digits, base).ok()?);
    let length = match escaped {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '0'..='7' => {
            let digits = rest.bytes().take(3);
            let count = digits
                .take_while(|byte| matches!(byte, b'0'..=b'7'))
                .count();
            text.push(by_number(&rest[..count], 8)?);
            return Some(count);
        }
        // Names of characters are not known here.
        'N' => return None,
        _ => {
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'a' => text.push('\u{7}'),
                'b' => text.push('\u{8}'),
                'f' => text.push('\u{c}'),
                'v' => text.push('\u{b}'),
                '\\' | '\'' | '"' => text.push(escaped),
                other => text.extend(['\\', other]),
            }
            return Some(escaped.len_utf8());
        }
    };
    text.push(by_number(rest.get(1..=length)?, 16)?);
    Some(1 + length)
}

/// A number without its sign.
fn number(word: &str, is_negative: bool) -> Option<NodeKind> {
    let is_divided_well = !word.ends_with('_') && !word.starts_with('_') && !word.contains("__");
    is_divided_well.then_some(())?;
    let plain = word.replace('_', "").to_ascii_lowercase();
    let signed = |number: i64| if is_negative { -number } else { number };
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            return i64::from_str_radix(digits, base)
                .ok()
                .map(|n| NodeKind::Int(signed(n)));
        }
    }
    if plain.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that begins with 0 is none in Python, such as the mode of a file.
        let is_octal = plain.starts_with('0') && plain.bytes().any(|byte| byte != b'0');
        return match plain.parse() {
            Ok(number) if !is_octal => Some(NodeKind::Int(signed(number))),
            _ => None,
        };
    }
    plain
        .starts_with(|c: char| c.is_ascii_digit() || c == '.')
        .then_some(())?;
    let sign = if is_negative { "-" } else { "" };
    if let Some(imaginary) = plain.strip_suffix('j') {
        // Inventories have no complex numbers; they are told as Python tells them.
        let number: f64 = imaginary.parse().ok()?;
        return Some(NodeKind::Text(Text::written(format!("{sign}{number}j"))));
    }
    let number: f64 = plain
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())?;
    Some(NodeKind::Float(if is_negative { -number } else { number }))
}

#[cfg(test)]
mod tests {
    use super::literal;
    use sasrun_model::{FileId, Node, NodeKind, Span};

    fn read(text: &str) -> Option<String> {
        literal(text, FileId::default()).map(|kind| told(&kind))
    }

    fn told(kind: &NodeKind) -> String {
        match kind {
            NodeKind::Text(text) => format!("{:?}", text.text),
            NodeKind::List(items) => {
                let items: Vec<String> = items.iter().map(|item| told(&item.kind)).collect();
                format!("[{}]", items.join(","))
            }
            NodeKind::Map(entries) => {
                let entries = entries.iter();
                let entries: Vec<String> = entries
                    .map(|entry| format!("{}:{}", told(&entry.key.kind), told(&entry.value.kind)))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
            NodeKind::Bool(value) => value.to_string(),
            NodeKind::Int(value) => value.to_string(),
            NodeKind::Float(value) => format!("{value:?}"),
            NodeKind::Null => "null".to_owned(),
            other => Node {
                span: Span::default(),
                kind: other.clone(),
            }
            .kind_name()
            .to_owned(),
        }
    }

    #[test]
    fn literals_are_read_as_python_reads_them() {
        for (text, value) in [
            ("1", "1"),
            ("-3 # few", "-3"),
            ("- 5", "-5"),
            ("0x10", "16"),
            ("1_000", "1000"),
            ("0", "0"),
            ("1.", "1.0"),
            ("1e3", "1000.0"),
            ("1.5e-1", "0.15"),
            ("1j", "\"1j\""),
            ("'a' \"b\"", "\"ab\""),
            ("b'x'", "\"x\""),
            ("r'\\n'", "\"\\\\n\""),
            ("'\\x41\\101\\u00e9\\'\\d'", "\"AAé'\\\\d\""),
            ("'''a'b'''", "\"a'b\""),
            ("[1, 'b', None, True,]", "[1,\"b\",null,true]"),
            ("80, 443", "[80,443]"),
            ("1,", "[1]"),
            ("(1)", "1"),
            ("(1, 2)", "[1,2]"),
            ("()", "[]"),
            ("{1, 2}", "[1,2]"),
            ("set()", "[]"),
            ("{'a': {}, 2: [...]}", "{\"a\":{},2:[\"...\"]}"),
        ] {
            assert_eq!(read(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_literal_is_left() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "hello",
            "yes",
            "0644",
            "1_",
            "1__0",
            "0x",
            "host-01",
            "1.2.3",
            "[1, foo]",
            "{a: 1}",
            "{{ x }}",
            "'a",
            "'a' if x",
            "set",
            "settle()",
            "Truely",
            "[1",
            "{'a': 1",
            "{'a' 1}",
            "1 2",
            ",",
            "'\\xzz'",
            "99999999999999999999",
            "1e999",
            "é",
            "'\\",
            deep.as_str(),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
