//! A disk that knows what is written and what is safe.
//!
//! Bytes of a file are safe after a sync of the file, names after a sync of their
//! folder. Until then, a loss of power may keep any part: sectors of 512 bytes of
//! each write, any size between, and each change of a name, in order or not.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

pub(crate) mod inode;

use self::inode::Inode;

/// A file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder,
}

type Names = BTreeMap<PathBuf, Node>;

/// A change of names that is not safe.
#[derive(Debug, Clone)]
enum NameChange {
    Set(PathBuf, Node),
    Gone(PathBuf, Node),
    Moved(PathBuf, PathBuf, Node),
}

/// A simulated disk. Its only folder at the start is `/`.
#[derive(Debug)]
pub struct Disk {
    inodes: Vec<Inode>,
    names: Names,
    safe_names: Names,
    pending: Vec<NameChange>,
    /// Most bytes of all files.
    pub capacity: u64,
    /// Bytes of a removed file, which a later file may have in sectors that were
    /// never written.
    stale: Vec<u8>,
}

impl Default for Disk {
    fn default() -> Self {
        let names = Names::from([(PathBuf::from("/"), Node::Folder)]);
        Self {
            inodes: Vec::new(),
            safe_names: names.clone(),
            names,
            pending: Vec::new(),
            capacity: u64::MAX,
            stale: Vec::new(),
        }
    }
}

impl Disk {
    /// Opens a file; returns its number, and whether it was created.
    pub(crate) fn find(&self, path: &Path) -> io::Result<usize> {
        match self.names.get(path) {
            Some(Node::File(inode)) => Ok(*inode),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn create(&mut self, path: &Path, created: u64) -> io::Result<usize> {
        self.parent_exists(path)?;
        self.inodes.push(Inode::new(created));
        let node = Node::File(self.inodes.len() - 1);
        self.apply(NameChange::Set(path.to_owned(), node));
        Ok(self.inodes.len() - 1)
    }

    pub(crate) fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        if self.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.parent_exists(path)?;
        self.apply(NameChange::Set(path.to_owned(), Node::Folder));
        Ok(())
    }

    pub(crate) fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        if self.names.get(folder) != Some(&Node::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let paths = self.names.keys();
        let inside = paths.filter(|path| path.parent() == Some(folder));
        Ok(inside
            .filter_map(|path| path.file_name().map(OsString::from))
            .collect())
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = Node::File(self.find(from)?);
        self.apply(NameChange::Moved(from.to_owned(), to.to_owned(), node));
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let inode = self.find(path)?;
        if let Some(inode) = self.inodes.get(inode) {
            self.stale.clone_from(&inode.bytes);
        }
        self.apply(NameChange::Gone(path.to_owned(), Node::File(inode)));
        Ok(())
    }

    pub(crate) fn sync_folder(&mut self, folder: &Path) {
        let pending = std::mem::take(&mut self.pending);
        let (synced, pending) = pending
            .into_iter()
            .partition(|change: &NameChange| change.is_in(folder));
        self.pending = pending;
        let synced: Vec<NameChange> = synced;
        for change in &synced {
            change.apply(&mut self.safe_names);
        }
    }

    pub(crate) fn inode(&mut self, inode: usize) -> io::Result<&mut Inode> {
        let inode = self.inodes.get_mut(inode);
        inode.ok_or_else(|| io::Error::other("a file that was never created"))
    }

    /// Writes as many bytes as fit.
    pub(crate) fn write(&mut self, inode: usize, bytes: &[u8], at: u64) -> io::Result<usize> {
        let room = self.capacity.saturating_sub(self.used());
        let size = self.inode(inode)?.bytes.len() as u64;
        let most = size.saturating_sub(at).saturating_add(room);
        let count = usize::try_from(most).map_or(bytes.len(), |most| most.min(bytes.len()));
        if count == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inode(inode)?
            .write(bytes.get(..count).unwrap_or(bytes), at);
        Ok(count)
    }

    /// Returns the bytes of all files that have a name.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used_by("")
    }

    /// Returns the bytes of the files whose names end so.
    #[must_use]
    pub fn used_by(&self, ending: &str) -> u64 {
        let named = self.names.iter();
        let files = named.filter_map(|(path, node)| match node {
            Node::File(inode) if path.to_string_lossy().ends_with(ending) => Some(*inode),
            _ => None,
        });
        let sizes = files.filter_map(|inode| self.inodes.get(inode));
        sizes.map(|inode| inode.bytes.len() as u64).sum()
    }

    /// Returns the bytes of a file as a process reads them.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        let inode = self.find(Path::new(path)).ok()?;
        self.inodes.get(inode).map(|inode| inode.bytes.as_slice())
    }

    /// Returns the bytes of a removed file that a loss of power may bring back in
    /// other files.
    pub(crate) fn stale(&self) -> &[u8] {
        &self.stale
    }

    /// Returns the names and bytes of the files in a folder.
    pub(crate) fn files_in(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let named = self.names.iter();
        let inside = named.filter(|(path, _)| path.parent() == Some(Path::new(folder)));
        let files = inside.filter_map(|(path, node)| match node {
            Node::File(inode) => Some((path.file_name()?, self.inodes.get(*inode)?)),
            Node::Folder => None,
        });
        let owned = files.map(|(name, inode)| {
            let name = name.to_string_lossy().into_owned();
            (name, inode.bytes.clone())
        });
        owned.collect()
    }

    /// Loses what is not safe, or a part of it.
    pub(crate) fn lose_power(&mut self, random: &mut fastrand::Rng) {
        let in_order = random.bool();
        let kept = random.usize(..=self.pending.len());
        let mut lost: Vec<NameChange> = Vec::new();
        for (number, change) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            let survives = match in_order {
                true => number < kept,
                false => random.bool(),
            };
            // What is moved away is never lost to what takes its name.
            if survives && !lost.iter().any(|lost| lost.makes_way_for(&change)) {
                change.apply(&mut self.safe_names);
            } else {
                lost.push(change);
            }
        }
        let folders: Vec<PathBuf> = self.safe_names.keys().cloned().collect();
        let orphaned = |path: &Path| {
            let parent = path.parent();
            parent.is_some_and(|parent| !folders.iter().any(|folder| folder == parent))
        };
        self.safe_names.retain(|path, _| !orphaned(path));
        self.names.clone_from(&self.safe_names);
        for inode in &mut self.inodes {
            inode.lose_power(random, &self.stale);
        }
    }

    fn parent_exists(&self, path: &Path) -> io::Result<()> {
        let parent = path.parent().and_then(|parent| self.names.get(parent));
        match parent {
            Some(Node::Folder) => Ok(()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn apply(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.pending.push(change);
    }
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Set(path, node) => drop(names.insert(path.clone(), *node)),
            // Without what gave the name to this file, another one still has it.
            Self::Gone(path, node) if names.get(path) != Some(node) => {}
            Self::Gone(path, _) => drop(names.remove(path)),
            Self::Moved(_, to, node) => {
                // A file has one name, also if the last one was never safe.
                names.retain(|_, named| named != node);
                names.insert(to.clone(), *node);
            }
        }
    }

    /// Returns whether this change moves a file away whose name the other change gives
    /// to another file.
    fn makes_way_for(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Moved(from, ..), Self::Set(to, _) | Self::Moved(_, to, _)) => from == to,
            _ => false,
        }
    }

    fn is_in(&self, folder: &Path) -> bool {
        let path = match self {
            Self::Set(path, _) | Self::Gone(path, _) | Self::Moved(_, path, _) => path,
        };
        path.parent() == Some(folder)
    }
}
