//! Sources that cannot be read: what is a warning, as in Ansible, and what refuses the run.
//!
//! Ansible goes on without them. So does this, but where that would hide a mistake in the one file
//! that was asked for, or in a source that a plugin reads and whose hosts are not to be guessed.

use std::ops::Range;

use sasrun_model::{FileId, Span};

use crate::codes;
use crate::problem::Problem;
use crate::session::Session;

/// The place of what is about no file.
const NOWHERE: Span = Span {
    file: FileId(u32::MAX),
    line: 0,
    column: 0,
};

impl Session<'_> {
    /// Decides what the sources mean that gave nothing, or of which a part could not be read; each
    /// with its problems.
    pub(super) fn unparsed_sources(&mut self, unparsed: &[(&str, Range<usize>)], all: usize) {
        let is_nothing = unparsed.len() == all;
        for (source, problems) in unparsed {
            self.unparsed_source(source, problems.clone(), is_nothing);
        }
        if is_nothing && all > 0 && !self.problems.has_errors() {
            self.nothing_parsed();
        }
    }

    fn unparsed_source(&mut self, source: &str, problems: Range<usize>, is_nothing: bool) {
        let is_list = source.contains(',');
        let is_mistake = |code| match code {
            codes::INVENTORY_SOURCE | codes::VAULT => true,
            // Ansible goes on without any host; who means that can say so.
            codes::FILE => is_nothing && self.loader.settings.unparsed.all_is_failed.is_none(),
            _ => is_nothing && !is_list,
        };
        if self.problems.codes_among(problems.clone()).any(is_mistake) {
            return;
        }
        let message = format!("Unable to parse {source} as an inventory source");
        if self.loader.settings.unparsed.any_is_failed {
            let message = format!("{message}, and `any_unparsed_is_failed` is set");
            self.add(Problem::error(codes::INVENTORY, NOWHERE, message));
            return;
        }
        self.problems.soften_among(problems);
        self.add(Problem::warning(codes::INVENTORY, NOWHERE, message));
    }

    fn nothing_parsed(&mut self) {
        self.add(
            if self.loader.settings.unparsed.all_is_failed == Some(true) {
                let message = "No inventory was parsed, and `unparsed_is_failed` is set";
                Problem::error(codes::INVENTORY, NOWHERE, message)
            } else {
                let message = "No inventory was parsed, only implicit localhost is available";
                Problem::warning(codes::INVENTORY, NOWHERE, message)
            },
        );
    }
}
