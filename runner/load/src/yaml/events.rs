//! The parser's events as owned values.
//!
//! The only file that touches the YAML library, whose interface is that of C: what it gives is
//! copied at once, and nothing of it leaves this file.
#![expect(
    unsafe_code,
    reason = "the library's interface is a translation of libyaml's"
)]

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use libyaml_rs as sys;

/// A place as the library counts: from 0, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

/// What comes next in a document.
#[derive(Debug)]
pub(super) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(String),
    Scalar {
        properties: Properties,
        text: String,
        style: Style,
    },
    SequenceStart(Properties),
    SequenceEnd,
    MappingStart(Properties),
    MappingEnd,
}

/// Anchor and tag of a value.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) anchor: Option<String>,
    pub(super) tag: Option<String>,
}

/// An event with the places it begins and ends at.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    pub(super) start: Mark,
    pub(super) end: Mark,
}

/// What the library says of text that is not YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParserError {
    pub(super) problem: String,
    pub(super) at: Mark,
    pub(super) context: String,
    pub(super) context_at: Mark,
}

/// Reads events from text. The text outlives it, for the library keeps a pointer to it.
pub(super) struct Events<'t> {
    // On the heap: the library keeps pointers into it.
    parser: Box<MaybeUninit<sys::yaml_parser_t>>,
    text: PhantomData<&'t str>,
}

impl<'t> Events<'t> {
    /// None when there is no memory.
    pub(super) fn new(text: &'t str) -> Option<Self> {
        let mut parser = Box::new(MaybeUninit::<sys::yaml_parser_t>::uninit());
        let length = u64::try_from(text.len()).ok()?;
        // SAFETY: the pointer is valid for writes; initialisation fills the whole structure. The
        // text is borrowed for as long as the parser lives.
        unsafe {
            let raw = parser.as_mut_ptr();
            if sys::yaml_parser_initialize(raw).fail {
                return None;
            }
            sys::yaml_parser_set_encoding(raw, sys::YAML_UTF8_ENCODING);
            sys::yaml_parser_set_input_string(raw, text.as_ptr(), length);
        }
        Some(Self {
            parser,
            text: PhantomData,
        })
    }

    /// The next event. After an error or the end of the stream there is none to ask for.
    pub(super) fn next(&mut self) -> Result<Event, ParserError> {
        let mut event = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: the parser was initialised in `new`. The event is filled on success only, and
        // read, copied and freed there.
        unsafe {
            let parser = self.parser.as_mut_ptr();
            if (&*parser).error != sys::YAML_NO_ERROR
                || sys::yaml_parser_parse(parser, event.as_mut_ptr()).fail
            {
                return Err(read_error(parser));
            }
            let raw = event.as_mut_ptr();
            let kind = read_event(&*raw);
            let (start, end) = ((*raw).start_mark, (*raw).end_mark);
            sys::yaml_event_delete(raw);
            Ok(Event {
                kind,
                start: mark(start.line, start.column),
                end: mark(end.line, end.column),
            })
        }
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, deleted here only.
        unsafe { sys::yaml_parser_delete(self.parser.as_mut_ptr()) }
    }
}

fn mark(line: u64, column: u64) -> Mark {
    Mark {
        line: u32::try_from(line).unwrap_or(u32::MAX - 1),
        column: u32::try_from(column).unwrap_or(u32::MAX - 1),
    }
}

/// # Safety
/// The parser must be initialised.
unsafe fn read_error(parser: *const sys::yaml_parser_t) -> ParserError {
    // SAFETY: the caller's promise; the texts are the library's static strings.
    unsafe {
        let parser = &*parser;
        let problem = c_text(parser.problem.cast());
        ParserError {
            problem: problem.unwrap_or_else(|| "out of memory".to_owned()),
            at: mark(parser.problem_mark.line, parser.problem_mark.column),
            context: c_text(parser.context.cast()).unwrap_or_default(),
            context_at: mark(parser.context_mark.line, parser.context_mark.column),
        }
    }
}

/// # Safety
/// The event must have been filled by the parser and not yet be deleted.
unsafe fn read_event(event: &sys::yaml_event_t) -> EventKind {
    // SAFETY: the event's type says which member of the union is filled.
    unsafe {
        match event.type_ {
            sys::YAML_STREAM_START_EVENT => EventKind::StreamStart,
            sys::YAML_DOCUMENT_START_EVENT => EventKind::DocumentStart,
            sys::YAML_DOCUMENT_END_EVENT => EventKind::DocumentEnd,
            sys::YAML_ALIAS_EVENT => {
                EventKind::Alias(c_text(event.data.alias.anchor.cast()).unwrap_or_default())
            }
            sys::YAML_SCALAR_EVENT => read_scalar(event),
            sys::YAML_SEQUENCE_START_EVENT => {
                let start = &event.data.sequence_start;
                EventKind::SequenceStart(properties(start.anchor.cast(), start.tag.cast()))
            }
            sys::YAML_SEQUENCE_END_EVENT => EventKind::SequenceEnd,
            sys::YAML_MAPPING_START_EVENT => {
                let start = &event.data.mapping_start;
                EventKind::MappingStart(properties(start.anchor.cast(), start.tag.cast()))
            }
            sys::YAML_MAPPING_END_EVENT => EventKind::MappingEnd,
            _ => EventKind::StreamEnd,
        }
    }
}

/// # Safety
/// As for `read_event`, and the event must be a scalar.
unsafe fn read_scalar(event: &sys::yaml_event_t) -> EventKind {
    // SAFETY: the caller's promise; value and length belong together.
    unsafe {
        let scalar = &event.data.scalar;
        let length = usize::try_from(scalar.length).unwrap_or(0);
        let bytes = std::slice::from_raw_parts(scalar.value, length);
        EventKind::Scalar {
            properties: properties(scalar.anchor.cast(), scalar.tag.cast()),
            text: String::from_utf8_lossy(bytes).into_owned(),
            style: match scalar.style {
                sys::YAML_PLAIN_SCALAR_STYLE => Style::Plain,
                sys::YAML_LITERAL_SCALAR_STYLE | sys::YAML_FOLDED_SCALAR_STYLE => Style::Block,
                _ => Style::Quoted,
            },
        }
    }
}

/// # Safety
/// Each pointer is null or points to text that ends with a zero.
unsafe fn properties(anchor: *const std::ffi::c_char, tag: *const std::ffi::c_char) -> Properties {
    // SAFETY: the caller's promise.
    unsafe {
        Properties {
            anchor: c_text(anchor),
            tag: c_text(tag),
        }
    }
}

/// # Safety
/// The pointer is null or points to text that ends with a zero.
unsafe fn c_text(pointer: *const std::ffi::c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    Some(text.to_string_lossy().into_owned())
}
