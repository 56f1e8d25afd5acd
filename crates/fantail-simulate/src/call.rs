//! The calls of the disk.

/// A call of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Opening.
    Open,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Setting the size.
    SetSize,
    /// Setting owner or permissions.
    SetAccess,
    /// Forcing a file onto the disk.
    Sync,
    /// Forcing names onto the disk.
    SyncFolder,
    /// Renaming.
    Rename,
    /// Removing.
    Remove,
    /// Listing a folder.
    List,
    /// Creating a folder.
    CreateFolder,
    /// Locking.
    Lock,
}
