//! How a table gets to a worker and back: two wait-free rings of `Arc`s beside the command ring. The
//! command names a generation; the table itself was handed over before. The worker only ever moves an
//! `Arc`; the last reference is let go of on the sender's side.

use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};
use service::{Generation, Table};

/// The control side's end.
#[derive(Debug)]
pub struct TableSender<B> {
    to: Producer<Arc<Table<B>>>,
    back: Consumer<Arc<Table<B>>>,
}

/// The worker's end.
#[derive(Debug)]
pub struct TableReceiver<B> {
    from: Consumer<Arc<Table<B>>>,
    back: Producer<Arc<Table<B>>>,
}

/// Both ends, for at most `tables_max` tables on their way at a time.
#[must_use]
pub fn tables<B>(tables_max: usize) -> (TableSender<B>, TableReceiver<B>) {
    let (to, from) = RingBuffer::new(tables_max);
    // Every table on its way and the one in use may come back before the sender looks.
    let (back_to, back) = RingBuffer::new(tables_max + 1);
    (TableSender { to, back }, TableReceiver { from, back: back_to })
}

impl<B> TableSender<B> {
    /// Lets go of the tables that came back.
    pub fn let_go(&mut self) {
        while let Ok(old) = self.back.pop() {
            drop(old);
        }
    }

    /// Hands a table over; the command to switch comes after it. Tables that came back are let go of.
    ///
    /// # Errors
    /// The table itself, when too many are on their way.
    pub fn hand_over(&mut self, table: Arc<Table<B>>) -> Result<(), Arc<Table<B>>> {
        self.let_go();
        self.to.push(table).map_err(|rtrb::PushError::Full(table)| table)
    }
}

impl<B: AsRef<[u8]>> TableReceiver<B> {
    /// The table of that generation; older ones that were never asked for go back.
    pub(crate) fn take(&mut self, generation: Generation) -> Option<Arc<Table<B>>> {
        while let Ok(table) = self.from.pop() {
            if table.generation() == generation {
                return Some(table);
            }
            self.give_back(table);
        }
        None
    }

    /// Gives a table back to be let go of, when the sender next hands one over. The ring back has room for
    /// all that can be on their way, so it is never full; were it, the table would be let go of here.
    pub(crate) fn give_back(&mut self, table: Arc<Table<B>>) {
        let _ = self.back.push(table);
    }
}
