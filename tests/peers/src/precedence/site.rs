//! Where a variable can be defined, and at which of Ansible's 22 levels that is.

/// Number of levels, as Ansible's documentation counts them.
pub(super) const LEVELS: u8 = 22;

/// A place that defines variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Site {
    CommandLine,
    RoleDefaults,
    InventoryAll,
    InventoryParent,
    InventoryChild,
    InventorySibling,
    InventoryFolderAll,
    PlaybookFolderAll,
    InventoryFolderParent,
    InventoryFolderChild,
    InventoryFolderSibling,
    PlaybookFolderParent,
    PlaybookFolderChild,
    PlaybookFolderSibling,
    InventoryHost,
    InventoryFolderHost,
    PlaybookFolderHost,
    Facts,
    Play,
    Prompt,
    VarsFiles,
    RoleVars,
    Block,
    Task,
    IncludeVars,
    SetFact,
    Register,
    RoleParams,
    IncludeParams,
    Extra,
}

/// All places, in the order of their levels.
pub(super) const SITES: &[Site] = &[
    Site::CommandLine,
    Site::RoleDefaults,
    Site::InventoryAll,
    Site::InventoryParent,
    Site::InventoryChild,
    Site::InventorySibling,
    Site::InventoryFolderAll,
    Site::PlaybookFolderAll,
    Site::InventoryFolderParent,
    Site::InventoryFolderChild,
    Site::InventoryFolderSibling,
    Site::PlaybookFolderParent,
    Site::PlaybookFolderChild,
    Site::PlaybookFolderSibling,
    Site::InventoryHost,
    Site::InventoryFolderHost,
    Site::PlaybookFolderHost,
    Site::Facts,
    Site::Play,
    Site::Prompt,
    Site::VarsFiles,
    Site::RoleVars,
    Site::Block,
    Site::Task,
    Site::IncludeVars,
    Site::SetFact,
    Site::Register,
    Site::RoleParams,
    Site::IncludeParams,
    Site::Extra,
];

impl Site {
    /// The level, 1 to 22.
    pub(super) fn level(self) -> u8 {
        match self {
            Self::CommandLine => 1,
            Self::RoleDefaults => 2,
            Self::InventoryAll
            | Self::InventoryParent
            | Self::InventoryChild
            | Self::InventorySibling => 3,
            Self::InventoryFolderAll => 4,
            Self::PlaybookFolderAll => 5,
            Self::InventoryFolderParent
            | Self::InventoryFolderChild
            | Self::InventoryFolderSibling => 6,
            Self::PlaybookFolderParent
            | Self::PlaybookFolderChild
            | Self::PlaybookFolderSibling => 7,
            Self::InventoryHost => 8,
            Self::InventoryFolderHost => 9,
            Self::PlaybookFolderHost => 10,
            Self::Facts => 11,
            Self::Play => 12,
            Self::Prompt => 13,
            Self::VarsFiles => 14,
            Self::RoleVars => 15,
            Self::Block => 16,
            Self::Task => 17,
            Self::IncludeVars => 18,
            Self::SetFact | Self::Register => 19,
            Self::RoleParams => 20,
            Self::IncludeParams => 21,
            Self::Extra => 22,
        }
    }

    /// What a variable holds that is defined here.
    pub(super) fn value(self) -> String {
        format!("{self:?}")
    }

    /// Whether all cases of a batch see it.
    pub(super) fn is_shared(self) -> bool {
        matches!(
            self,
            Self::InventoryAll | Self::InventoryFolderAll | Self::PlaybookFolderAll | Self::Extra
        )
    }

    /// Whether a file or a task puts it there, not the program itself.
    pub(super) fn is_written(self) -> bool {
        !matches!(self, Self::CommandLine | Self::Facts)
    }
}

/// The places of a level.
pub(super) fn of_level(level: u8) -> Vec<Site> {
    let sites = SITES.iter().copied();
    sites.filter(|site| site.level() == level).collect()
}
