//! Fragments that came before the first of their datagram, as they came. The engine knows who waits where and for how
//! long; here the packets are.

use engine::{Came, Observer, Release, SHELF_PLACES};
use port::Port;

use crate::Worker;
use crate::mesh::MeshEnd;
use crate::waiting::put;

/// One of them.
#[derive(Debug)]
pub(crate) struct Shelved<P> {
    pub(crate) packet: P,
    /// By which port it came.
    pub(crate) port: u8,
    /// What was around it when it came.
    pub(crate) came: Came,
}

/// All of a worker's, in the places that the engine gave them.
#[derive(Debug)]
pub(crate) struct Shelf<P>(Box<[Option<Shelved<P>>]>);

impl<P> Shelf<P> {
    pub(crate) fn new() -> Self {
        Self((0..SHELF_PLACES).map(|_| None).collect())
    }

    /// Puts one in its place, which is free; gives back what does not find it so.
    pub(crate) fn put(&mut self, place: u16, shelved: Shelved<P>) -> Option<P> {
        match self.0.get_mut(usize::from(place)) {
            Some(free @ None) => {
                *free = Some(shelved);
                None
            }
            _ => Some(shelved.packet),
        }
    }

    fn take(&mut self, place: u16) -> Option<Shelved<P>> {
        self.0.get_mut(usize::from(place))?.take()
    }
}

impl<P: Port, B: AsRef<[u8]>> Worker<P, B> {
    /// Sends and drops the fragments that wait no more.
    #[cold]
    #[inline(never)]
    pub(crate) fn send_pieces(&mut self, observer: &mut impl Observer<P::Packet>) {
        while let Some(mut release) = self.engine.next_release() {
            let mut at = 0;
            while let Some(shelved) = release.places().get(at).and_then(|place| self.shelf.take(*place)) {
                if !self.burst.is_empty() && shelved.port != self.ingress {
                    self.send_run(&mut release, observer);
                }
                self.ingress = shelved.port;
                self.around.push(shelved.came);
                put(&mut self.burst, shelved.packet);
                at += 1;
            }
            self.send_run(&mut release, observer);
        }
    }

    /// Those in the burst, which came by one port.
    fn send_run(&mut self, release: &mut Release, observer: &mut impl Observer<P::Packet>) {
        self.port.leave_by(self.ingress);
        self.engine.arrive_by(self.ingress, false);
        self.engine.came_with(self.around.drain(..));
        let sent = if self.is_tapped {
            self.release_tapped(release, observer)
        } else {
            let gone = (&mut self.gone, &mut *observer);
            self.engine.release(&self.table.view(), release, &mut self.burst, self.now, gone)
        };
        self.leave(&sent, observer);
    }

    /// Takes fragments that another worker handed over, at most a burst: more come in the next breath. Gives how many.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_parcels(&mut self, observer: &mut impl Observer<P::Packet>) -> usize {
        let most = self.burst_max;
        let taken =
            self.mates.as_mut().and_then(|mates| mates.take((&mut self.burst, &mut self.around), most));
        let Some((port, now)) = taken else { return 0 };
        let handed = self.burst.len();
        self.now = self.now.max(now);
        self.ingress = port;
        self.port.leave_by(port);
        self.engine.arrive_by(port, true);
        self.engine.came_with(self.around.drain(..));
        self.take(observer);
        if self.engine.has_releases() {
            self.send_pieces(observer);
        }
        if let Some(mates) = &mut self.mates {
            mates.have_left(handed);
        }
        handed
    }

    /// Whether it receives no more.
    #[inline]
    pub(crate) fn is_silent(&self) -> bool {
        self.is_stopping && self.mates.as_ref().is_some_and(MeshEnd::is_silent)
    }
}
