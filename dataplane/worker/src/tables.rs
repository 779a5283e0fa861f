//! How a table gets to a worker and back: two wait-free rings of [`Handover`]s beside the command ring. The
//! command names a generation; the table itself was handed over before. The worker only ever moves a
//! handover; the last reference is let go of on the sender's side.

use std::fmt;
use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};
use service::{Generation, Hop, RealNumber, Table, TableView, Template};

/// A table, and one worker's own templates for its reals: where next hops are put as they are learnt.
pub struct Handover<B> {
    table: Arc<Table<B>>,
    templates: Box<[Template]>,
}

impl<B> fmt::Debug for Handover<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handover").field(&self.table).finish()
    }
}

impl<B: AsRef<[u8]>> Handover<B> {
    /// `table`, with templates as its image has them. `macs` are our MAC addresses on each port, in their
    /// places: what always leaves by one port leaves from its address. Without, it leaves from the table's.
    #[must_use]
    pub fn new(table: Arc<Table<B>>, macs: &[[u8; 6]]) -> Self {
        let by_port = |template: &Template| {
            let mac = template.port().and_then(|port| macs.get(usize::from(port)));
            mac.map_or(*template, |mac| template.with_source(*mac))
        };
        let templates = table.templates().iter().map(by_port).collect();
        Self { table, templates }
    }

    /// Puts a next hop in, in place of the one before. Of a real that is not followed nothing changes.
    pub fn put(&mut self, hop: &Hop) {
        let at = hop.real.index();
        if let (Some(template), Some(image)) = (self.templates.get_mut(at), self.table.templates().get(at))
            && image.is_followed()
        {
            *template = image.with_hop(hop).with_mtu(template.mtu());
        }
    }

    /// Puts in what was learnt of the way to a real; without, what is configured holds again.
    pub fn put_mtu(&mut self, real: RealNumber, mtu: Option<u16>) {
        let at = real.index();
        if let (Some(template), Some(image)) = (self.templates.get_mut(at), self.table.templates().get(at)) {
            *template = template.with_mtu(mtu.unwrap_or(image.mtu()).min(image.mtu()));
        }
    }

    /// The view that answers questions.
    #[inline]
    #[must_use]
    pub fn view(&self) -> TableView<'_> {
        self.table.view_with(&self.templates)
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &Arc<Table<B>> {
        &self.table
    }

    /// The name it goes by.
    #[inline]
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.table.generation()
    }
}

/// The control side's end.
#[derive(Debug)]
pub struct TableSender<B> {
    to: Producer<Handover<B>>,
    back: Consumer<Handover<B>>,
}

/// The worker's end.
#[derive(Debug)]
pub struct TableReceiver<B> {
    from: Consumer<Handover<B>>,
    back: Producer<Handover<B>>,
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
    pub fn hand_over(&mut self, table: Handover<B>) -> Result<(), Handover<B>> {
        self.let_go();
        self.to.push(table).map_err(|rtrb::PushError::Full(table)| table)
    }
}

impl<B: AsRef<[u8]>> TableReceiver<B> {
    /// The table of that generation; older ones that were never asked for go back.
    pub(crate) fn take(&mut self, generation: Generation) -> Option<Handover<B>> {
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
    pub(crate) fn give_back(&mut self, table: Handover<B>) {
        let _ = self.back.push(table);
    }
}
