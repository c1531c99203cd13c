//! Which scalars may stand without quotes.

/// Whether text without quotes would be read as text, not as a number, a date or a word such as `yes`.
pub(super) fn is_plain_text(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    if matches!(text, "~" | "<<" | "=") {
        return false;
    }
    if matches!(
        text.to_ascii_lowercase().as_str(),
        "null" | "yes" | "no" | "true" | "false" | "on" | "off"
    ) && is_word_case(text)
    {
        return false;
    }
    if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
        return !(is_int(text) || is_float(text) || is_date(text));
    }
    true
}

/// `word`, `Word` or `WORD`.
fn is_word_case(text: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    let lower_rest = !rest.chars().any(|c| c.is_ascii_uppercase());
    lower_rest || !text.chars().any(|c| c.is_ascii_lowercase())
}

fn digits(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || allowed(c))
}

fn is_int(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(bits) = text.strip_prefix("0b") {
        return digits(bits, |c| matches!(c, '0' | '1'));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, |c| c.is_ascii_hexdigit());
    }
    if text == "0" {
        return true;
    }
    if let Some(octal) = text.strip_prefix('0') {
        return digits(octal, |c| ('0'..='7').contains(&c));
    }
    is_sexagesimal(text)
        || (text.starts_with(|c: char| c.is_ascii_digit()) && digits(text, |c| c.is_ascii_digit()))
}

/// `190:20:30`.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let tail = parts.all(|part| {
        count += 1;
        (1..=2).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_digit())
            && (part.len() == 1 || part.starts_with(|c| ('0'..='5').contains(&c)))
    });
    count > 0
        && tail
        && first.starts_with(|c: char| ('1'..='9').contains(&c))
        && digits(first, |c| c.is_ascii_digit())
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some((whole, fraction)) = unsigned.split_once('.') {
        if whole.contains(':') {
            return digits_or_empty(fraction) && is_sexagesimal_float(whole);
        }
        let (fraction, exponent) = match fraction.find(['e', 'E']) {
            Some(at) => (&fraction[..at], Some(&fraction[at + 1..])),
            None => (fraction, None),
        };
        let exponent_fits = exponent.is_none_or(|exponent| {
            exponent.strip_prefix(['-', '+']).is_some_and(|digits| {
                !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
            })
        });
        let whole_fits = whole.is_empty()
            || (whole.starts_with(|c: char| c.is_ascii_digit()) && digits_or_empty(whole));
        let fraction_fits = digits_or_empty(fraction) && !(whole.is_empty() && fraction.is_empty());
        // A number that begins with its point takes no sign.
        let sign_fits = !whole.is_empty() || unsigned.len() == text.len();
        return whole_fits && fraction_fits && exponent_fits && sign_fits;
    }
    false
}

fn digits_or_empty(text: &str) -> bool {
    text.chars().all(|c| c == '_' || c.is_ascii_digit())
}

fn is_sexagesimal_float(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits_or_empty(first)
        && parts.all(|part| {
            (1..=2).contains(&part.len())
                && part.chars().all(|c| c.is_ascii_digit())
                && (part.len() == 1 || part.starts_with(|c| ('0'..='5').contains(&c)))
        })
}

/// `2001-12-14`, alone or with a time of day behind it.
fn is_date(text: &str) -> bool {
    let end = text.find(['T', 't', ' ', '\t']).unwrap_or(text.len());
    let (date, time) = text.split_at(end);
    let mut parts = date.split('-');
    let mut sizes = Vec::new();
    if !parts.all(|part| {
        sizes.push(part.len());
        !part.is_empty() && part.chars().all(|c| c.is_ascii_digit())
    }) {
        return false;
    }
    if time.is_empty() {
        return sizes == [4, 2, 2];
    }
    let [4, 1..=2, 1..=2] = sizes.as_slice() else {
        return false;
    };
    is_time(time.trim_start_matches(['T', 't', ' ', '\t']))
}

fn is_time(text: &str) -> bool {
    let end = text.find(['Z', '+', '-', ' ', '\t']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let sizes: Vec<usize> = clock.split(':').map(str::len).collect();
    let clock_fits = matches!(sizes.as_slice(), [1..=2, 2, 2])
        && clock.chars().all(|c| c == ':' || c.is_ascii_digit());
    let zone = zone.trim_start_matches([' ', '\t']);
    let zone_fits = zone.is_empty()
        || zone == "Z"
        || zone.strip_prefix(['+', '-']).is_some_and(|zone| {
            !zone.is_empty() && zone.chars().all(|c| c == ':' || c.is_ascii_digit())
        });
    clock_fits && zone_fits && fraction.chars().all(|c| c.is_ascii_digit())
}

/// What the letters of a scalar allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
}

fn is_blank(c: Option<&char>) -> bool {
    c.is_none_or(|c| {
        matches!(
            c,
            ' ' | '\t' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    })
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a letter may stand as it is in double quotes.
pub(super) fn is_printable(c: char, unicode: bool) -> bool {
    (' '..='~').contains(&c)
        || (unicode
            && matches!(c, '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
            && c != '\u{feff}')
}

/// Looks at every letter of a scalar.
pub(super) fn analyze(text: &str, unicode: bool) -> Analysis {
    let chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return Analysis {
            multiline: false,
            flow_plain: false,
            block_plain: true,
            single_quoted: true,
        };
    }
    let (mut block_indicator, mut flow_indicator) = (false, false);
    if text.starts_with("---") || text.starts_with("...") {
        (block_indicator, flow_indicator) = (true, true);
    }
    let (mut line_breaks, mut special) = (false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut previous_space, mut previous_break) = (false, false);
    let mut after_blank = true;
    for (index, c) in chars.iter().copied().enumerate() {
        let before_blank = is_blank(chars.get(index + 1));
        let (in_flow, in_block) = indicator(c, index == 0, after_blank, before_blank);
        flow_indicator |= in_flow;
        block_indicator |= in_block;
        line_breaks |= is_break(c);
        special |= c != '\n' && !is_printable(c, unicode);
        if c == ' ' {
            break_space |= previous_break;
            (previous_space, previous_break) = (true, false);
        } else if is_break(c) {
            space_break |= previous_space;
            (previous_space, previous_break) = (false, true);
        } else {
            (previous_space, previous_break) = (false, false);
        }
        after_blank = is_blank(Some(&c));
    }
    let edge = |c: Option<&char>| c.is_some_and(|c| *c == ' ' || is_break(*c));
    let open_edges = edge(chars.first()) || edge(chars.last());
    let quoted_only = open_edges || break_space || space_break || special || line_breaks;
    Analysis {
        multiline: line_breaks,
        flow_plain: !quoted_only && !flow_indicator,
        block_plain: !quoted_only && !block_indicator,
        single_quoted: !(break_space || space_break || special),
    }
}

/// Whether a letter would be read as a sign of YAML inside and outside of brackets.
fn indicator(c: char, is_first: bool, after_blank: bool, before_blank: bool) -> (bool, bool) {
    match (c, is_first) {
        (
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`',
            true,
        ) => (true, true),
        ('?' | ':', true) => (true, before_blank),
        ('-', true) if before_blank => (true, true),
        (',' | '?' | '[' | ']' | '{' | '}', false) => (true, false),
        (':', false) => (true, before_blank),
        ('#', false) if after_blank => (true, true),
        _ => (false, false),
    }
}
