//! How the text of a template file is read.

use sasrun_model::Name;

/// Options of rendering a template file; the defaults are those of Ansible's `template` module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RenderOptions {
    /// Name of the template for messages.
    pub name: Option<Name>,
    /// Whether the newline after a block is removed.
    pub trim_blocks: bool,
    /// Whether blanks before a block are removed.
    pub lstrip_blocks: bool,
    /// What a line of the template ends with in the result.
    pub newline_sequence: String,
    /// Start of a block.
    pub block_start: String,
    /// End of a block.
    pub block_end: String,
    /// Start of an expression.
    pub variable_start: String,
    /// End of an expression.
    pub variable_end: String,
    /// Start of a comment.
    pub comment_start: String,
    /// End of a comment.
    pub comment_end: String,
    /// Directories in which `include`, `import` and `extends` look, first match wins.
    pub search_path: Vec<String>,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            name: None,
            trim_blocks: true,
            lstrip_blocks: false,
            newline_sequence: "\n".to_owned(),
            block_start: "{%".to_owned(),
            block_end: "%}".to_owned(),
            variable_start: "{{".to_owned(),
            variable_end: "}}".to_owned(),
            comment_start: "{#".to_owned(),
            comment_end: "#}".to_owned(),
            search_path: Vec::new(),
        }
    }
}

impl RenderOptions {
    /// Reads the `#jinja2: trim_blocks:False, variable_start_string:'[['` line that a template may begin with, and
    /// gives the text after it. Options it does not know are ignored.
    pub fn take_header<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(rest) = text.strip_prefix("#jinja2:") else {
            return text;
        };
        let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
        for pair in line.split(',') {
            let Some((key, value)) = pair.split_once(':') else {
                continue;
            };
            let value = value.trim().trim_matches(|c| c == '\'' || c == '"');
            let flag = value.eq_ignore_ascii_case("true");
            match key.trim() {
                "trim_blocks" => self.trim_blocks = flag,
                "lstrip_blocks" => self.lstrip_blocks = flag,
                "newline_sequence" => {
                    self.newline_sequence = value.replace("\\r", "\r").replace("\\n", "\n");
                }
                "block_start_string" => self.block_start = value.to_owned(),
                "block_end_string" => self.block_end = value.to_owned(),
                "variable_start_string" => self.variable_start = value.to_owned(),
                "variable_end_string" => self.variable_end = value.to_owned(),
                "comment_start_string" => self.comment_start = value.to_owned(),
                "comment_end_string" => self.comment_end = value.to_owned(),
                _ => {}
            }
        }
        body
    }
}
