//! Images into sealed memory: what travels to the dataplane.
//!
//! A pool that is the same in two generations is the same memory in both: its memfd is found again by the
//! SHA-256 of its image, so that a change of one pool costs one pool, however many there are.

use std::fmt;
use std::sync::Arc;

use crate::Map;
use service::{Blueprint, BuildError, Built, Generation, ImageError, Table, build};
use sha2::{Digest, Sha256};
use shm::Sealed;

/// An image in sealed memory, shared by all who hold it; its memory is freed when the last lets go.
#[derive(Clone, Debug)]
pub struct Image(Arc<Sealed>);

impl Image {
    /// The memory, whose descriptor can be handed to another process.
    #[must_use]
    pub const fn sealed(&self) -> &Arc<Sealed> {
        &self.0
    }
}

impl AsRef<[u8]> for Image {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// One published generation.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its name.
    pub generation: Generation,
    /// SHA-256 of its root image.
    pub digest: [u8; 32],
    /// Its root image.
    pub root: Image,
    /// Each image that the root names: unique pools by ascending digest, then the rules if there are any.
    pub images: Vec<Image>,
    /// How many of these are the memory of the generation before.
    pub reused: usize,
}

impl Publication {
    /// The table, checked as if somebody else had made it: what a worker in this process switches to.
    ///
    /// # Errors
    /// As [`Table::check`]; none for what a [`Publisher`] made.
    pub fn table(&self) -> Result<Table<Image>, ImageError> {
        Table::check(self.root.clone(), self.images.clone(), self.generation)
    }
}

/// Why nothing was published; the generation before stays what it is.
#[derive(Debug)]
pub enum PublishError {
    /// The blueprint makes no table.
    Build(BuildError),
    /// The kernel gave no memory.
    Memory(shm::Error),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(fault) => write!(f, "no table can be built: {fault}"),
            Self::Memory(fault) => write!(f, "no memory for the table: {fault}"),
        }
    }
}

impl std::error::Error for PublishError {}

impl From<BuildError> for PublishError {
    fn from(fault: BuildError) -> Self {
        Self::Build(fault)
    }
}

impl From<shm::Error> for PublishError {
    fn from(fault: shm::Error) -> Self {
        Self::Memory(fault)
    }
}

/// Makes generations, one after the other.
#[derive(Debug)]
pub struct Publisher {
    /// The last published; sequence 0 before the first.
    last: Generation,
    /// What the root of the last published names, by digest.
    images: Map<[u8; 32], Image>,
}

impl Publisher {
    /// A publisher whose generations carry `boot`, a number chosen at random by whoever starts it; their
    /// sequence begins at 1.
    #[must_use]
    pub fn new(boot: u64) -> Self {
        Self { last: Generation { boot, sequence: 0 }, images: Map::default() }
    }

    /// The generation last published; sequence 0 if none was.
    #[must_use]
    pub const fn last(&self) -> Generation {
        self.last
    }

    /// Builds the images of the next generation and seals them. Numbers must be on disk before this is
    /// called: a machine that stops in between must not have published what it forgets.
    ///
    /// # Errors
    /// [`PublishError`]; then no sequence number is used up.
    pub fn publish(&mut self, blueprint: &Blueprint) -> Result<Publication, PublishError> {
        let next = Generation { sequence: self.last.sequence.saturating_add(1), ..self.last };
        let built = build(blueprint, next)?;
        let mut reused: usize = 0;
        let (mut images, mut by_digest) = (Vec::new(), Map::default());
        for bytes in built.images() {
            let digest: [u8; 32] = Sha256::digest(bytes).into();
            let image = match self.images.get(&digest) {
                Some(image) => {
                    reused = reused.saturating_add(1);
                    image.clone()
                }
                None => seal(bytes)?,
            };
            by_digest.insert(digest, image.clone());
            images.push(image);
        }
        let Built { root, digest, generation, .. } = built;
        let root = seal(&root)?;
        self.images = by_digest;
        self.last = generation;
        Ok(Publication { generation, digest, root, images, reused })
    }
}

fn seal(bytes: &[u8]) -> Result<Image, shm::Error> {
    Ok(Image(Arc::new(Sealed::from_bytes(bytes)?)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Weak};

    use service::{Blueprint, Generation, build};

    use super::{Image, Publication, PublishError, Publisher};
    use crate::{Numbers, blueprint};

    fn site() -> Blueprint {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/samples/site.toml");
        let config = conf::load(&path).unwrap_or_else(|faults| panic!("{faults}"));
        let numbers = Numbers::default().assign(&config, 0).unwrap();
        blueprint(&config, &numbers).unwrap()
    }

    fn bytes(publication: &Publication) -> (Vec<u8>, Vec<Vec<u8>>) {
        let pools = publication.images.iter().map(|pool| pool.as_ref().to_vec()).collect();
        (publication.root.as_ref().to_vec(), pools)
    }

    #[test]
    fn generations_count_from_one_and_hold_what_was_built() {
        let mut publisher = Publisher::new(7);
        assert_eq!(publisher.last(), Generation { boot: 7, sequence: 0 });
        for sequence in 1..=3 {
            let published = publisher.publish(&site()).unwrap();
            let generation = Generation { boot: 7, sequence };
            assert_eq!(published.generation, generation);
            assert_eq!(publisher.last(), generation);
            let built = build(&site(), generation).unwrap();
            assert_eq!((published.digest, bytes(&published)), (built.digest, (built.root, built.pools)));
            let table = published.table().unwrap();
            assert_eq!((table.generation(), *table.digest()), (generation, built.digest));
        }
    }

    #[test]
    fn a_pool_that_stays_is_the_same_memory() {
        let mut publisher = Publisher::new(1);
        let first = publisher.publish(&site()).unwrap();
        assert_eq!((first.images.len(), first.reused), (3, 0));
        let mut changed = site();
        changed.pools[0].members[0].weight = 10;
        let second = publisher.publish(&changed).unwrap();
        assert_eq!((second.images.len(), second.reused), (3, 2));
        let same = |image: &&Image| first.images.iter().any(|old| Arc::ptr_eq(old.sealed(), image.sealed()));
        assert_eq!(second.images.iter().filter(same).count(), 2);
        assert!(second.table().is_ok());
    }

    #[test]
    fn memory_is_freed_when_the_last_holder_lets_go() {
        let mut publisher = Publisher::new(1);
        let first = publisher.publish(&site()).unwrap();
        let root: Weak<_> = Arc::downgrade(first.root.sealed());
        let pools: Vec<Weak<_>> = first.images.iter().map(|pool| Arc::downgrade(pool.sealed())).collect();
        let table = first.table().unwrap();
        let mut changed = site();
        changed.select_seed = [9; 16];
        drop(publisher.publish(&changed).unwrap());
        drop(first);
        assert!(root.upgrade().is_some() && pools.iter().all(|pool| pool.upgrade().is_some()));
        drop(table);
        assert!(root.upgrade().is_none() && pools.iter().all(|pool| pool.upgrade().is_none()));
    }

    #[test]
    fn a_refused_blueprint_uses_up_no_sequence_number() {
        let mut publisher = Publisher::new(1);
        publisher.publish(&site()).unwrap();
        let mut refused = site();
        refused.pools[0].slots = 4;
        assert!(matches!(publisher.publish(&refused), Err(PublishError::Build(_))));
        let next = publisher.publish(&site()).unwrap();
        assert_eq!((next.generation.sequence, next.reused), (2, 3));
    }

    #[test]
    fn a_table_may_be_shared_between_threads() {
        const fn shared<T: Send + Sync>() {}
        shared::<service::Table<Image>>();
    }
}
