//! What services say of the sizes of their packets.

use crate::layout::ServiceEntry;
use crate::table::TableView;

impl ServiceEntry {
    /// The largest segment size that a SYN may offer, or 0 for any.
    #[inline]
    #[must_use]
    pub const fn mss(&self) -> u16 {
        self.mss
    }
}

impl TableView<'_> {
    /// Whether any service has a largest segment size.
    #[inline]
    #[must_use]
    pub const fn clamps_mss(&self) -> bool {
        self.header.clamps != 0
    }
}
