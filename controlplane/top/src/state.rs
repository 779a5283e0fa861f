//! What the screen knows and how it is looked at: fed by snapshots, steered by keys.

use std::sync::Arc;

use ctl::Snapshot;

use crate::limits::FILTER_CHARS_MAX;
use crate::sheet::Sheet;
use crate::sheets;
use crate::tracks::Tracks;

/// A key, as far as the screen takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// The tab key, forwards.
    Next,
    /// The tab key, backwards.
    Back,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first line.
    Home,
    /// To the last line.
    End,
    /// Takes a filter.
    Enter,
    /// Gives it up; closes the help; ends.
    Escape,
    /// Takes back a character of the filter.
    Backspace,
    /// Control and C: ends, whatever is open.
    Break,
}

/// What is shown below the vital signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Some of everything.
    #[default]
    Overview,
    /// All services.
    Services,
    /// All reals.
    Reals,
    /// Drops by reason.
    Drops,
    /// Every counter.
    Counters,
    /// All workers.
    Workers,
    /// All ports.
    Ports,
}

impl Tab {
    /// In the order of their keys, `1` to `7`.
    pub const ALL: [Self; 7] = [
        Self::Overview,
        Self::Services,
        Self::Reals,
        Self::Drops,
        Self::Counters,
        Self::Workers,
        Self::Ports,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Services => "Services",
            Self::Reals => "Reals",
            Self::Drops => "Drops",
            Self::Counters => "Counters",
            Self::Workers => "Workers",
            Self::Ports => "Ports",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }

    /// The column that orders it at first.
    const fn by(self) -> usize {
        match self {
            Self::Services => sheets::SERVICES_BY,
            Self::Reals => sheets::REALS_BY,
            Self::Drops => sheets::DROPS_BY,
            Self::Overview | Self::Counters | Self::Workers | Self::Ports => 0,
        }
    }
}

/// A snapshot, and what is remembered of those before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) snapshot: Snapshot,
    pub(crate) tracks: Tracks,
}

/// What can lie over the screen until the next key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The keys and the words.
    Help,
    /// Everything that is wrong, in full.
    Findings,
}

/// How one tab is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// The column it is sorted by.
    pub(crate) by: usize,
    pub(crate) reverse: bool,
    /// Lines above the first that is shown.
    pub(crate) from: usize,
}

/// Everything the screen is drawn from.
#[derive(Clone, Debug)]
pub struct State {
    /// Where snapshots come from, in words.
    pub(crate) source: String,
    pub(crate) live: Option<Arc<Seen>>,
    /// What stood still when `p` was pressed.
    pub(crate) frozen: Option<Arc<Seen>>,
    /// Why no snapshot comes, and for how many seconds.
    pub(crate) lost: Option<(String, u64)>,
    pub(crate) tab: Tab,
    looks: [Look; Tab::ALL.len()],
    pub(crate) filter: String,
    /// The filter is being typed.
    pub(crate) typing: bool,
    pub(crate) over: Option<Over>,
    /// How many lines a page had when it was drawn last.
    page: usize,
}

impl State {
    /// Knows nothing yet. `source` is the path of the socket, for the words when it does not answer.
    #[must_use]
    pub fn new(source: &str) -> Self {
        let look = |tab: Tab| Look { by: tab.by(), ..Look::default() };
        Self {
            source: source.to_owned(),
            live: None,
            frozen: None,
            lost: None,
            tab: Tab::default(),
            looks: Tab::ALL.map(look),
            filter: String::new(),
            typing: false,
            over: None,
            page: 1,
        }
    }

    /// Takes a snapshot. One that is older than the last comes from a box that was started anew: all that was
    /// remembered is forgotten.
    pub fn feed(&mut self, snapshot: Snapshot) {
        self.lost = None;
        let before = self.live.take().filter(|seen| seen.snapshot.at_ms <= snapshot.at_ms);
        let Some(mut seen) = before else {
            let mut seen = Seen::default();
            seen.tracks.feed(&snapshot, None);
            seen.snapshot = snapshot;
            self.live = Some(Arc::new(seen));
            return;
        };
        let passed_ms = snapshot.at_ms - seen.snapshot.at_ms;
        // The same snapshot again says nothing new.
        if passed_ms > 0 {
            // Copies only while the picture is held.
            let seen = Arc::make_mut(&mut seen);
            seen.tracks.feed(&snapshot, Some(passed_ms as f64 / 1000.0));
            seen.snapshot = snapshot;
        }
        self.live = Some(seen);
    }

    /// No snapshot has come for so many seconds, and why.
    pub fn lose(&mut self, why: &str, seconds: u64) {
        self.lost = Some((why.to_owned(), seconds));
    }

    /// Whether nothing was heard yet.
    pub(crate) const fn is_blank(&self) -> bool {
        self.live.is_none()
    }

    /// Takes a key. False once it is the one that ends.
    #[must_use]
    pub fn key(&mut self, key: Key) -> bool {
        if key == Key::Break {
            return false;
        }
        if self.typing {
            self.type_filter(key);
            return true;
        }
        if self.over.take().is_some() {
            return true;
        }
        match key {
            Key::Char('q') => return false,
            Key::Escape if self.filter.is_empty() => return false,
            Key::Escape => self.filter.clear(),
            Key::Char('?' | 'h') => self.over = Some(Over::Help),
            Key::Char('w') => self.over = Some(Over::Findings),
            Key::Char('p' | ' ') => self.pause(),
            Key::Char('/') => self.typing = true,
            Key::Char('s') => self.sort_by_next(),
            Key::Char('r') => self.look_mut().reverse = !self.look().reverse,
            Key::Next => self.turn(1),
            Key::Back => self.turn(Tab::ALL.len() - 1),
            Key::Char(digit @ '1'..='7') => {
                let place = (digit as usize) - ('1' as usize);
                self.tab = Tab::ALL.get(place).copied().unwrap_or_default();
            }
            other => self.scroll(other),
        }
        true
    }

    fn type_filter(&mut self, key: Key) {
        match key {
            Key::Char(c) if (c.is_ascii_graphic() || c == ' ') && self.filter.len() < FILTER_CHARS_MAX => {
                self.filter.push(c);
            }
            Key::Backspace => {
                self.filter.pop();
            }
            Key::Enter => self.typing = false,
            Key::Escape => {
                self.typing = false;
                self.filter.clear();
            }
            _ => {}
        }
        self.looks.iter_mut().for_each(|look| look.from = 0);
    }

    fn pause(&mut self) {
        self.frozen = if self.frozen.is_some() { None } else { self.live.clone() };
    }

    fn sort_by_next(&mut self) {
        let columns =
            self.seen().and_then(|seen| self.sheet(seen, self.tab)).map_or(0, |sheet| sheet.columns.len());
        let look = self.look_mut();
        // The last column is a trend or words; there is nothing to learn from their order.
        look.by = (look.by + 1) % columns.saturating_sub(1).max(1);
        look.reverse = false;
        look.from = 0;
    }

    fn turn(&mut self, by: usize) {
        let place = (self.tab.place() + by) % Tab::ALL.len();
        self.tab = Tab::ALL.get(place).copied().unwrap_or_default();
    }

    fn scroll(&mut self, key: Key) {
        let page = self.page.max(1);
        let from = &mut self.look_mut().from;
        *from = match key {
            Key::Up | Key::Char('k') => from.saturating_sub(1),
            Key::Down | Key::Char('j') => from.saturating_add(1),
            Key::PageUp => from.saturating_sub(page),
            Key::PageDown => from.saturating_add(page),
            Key::Home | Key::Char('g') => 0,
            Key::End | Key::Char('G') => usize::MAX,
            _ => *from,
        };
    }

    /// What is shown: what stood still, or what comes in.
    pub(crate) fn seen(&self) -> Option<&Arc<Seen>> {
        self.frozen.as_ref().or(self.live.as_ref())
    }

    /// How the chosen tab is looked at.
    pub(crate) fn look(&self) -> Look {
        self.looks.get(self.tab.place()).copied().unwrap_or_default()
    }

    fn look_mut(&mut self) -> &mut Look {
        let [first, rest @ ..] = &mut self.looks;
        match self.tab.place() {
            0 => first,
            place => rest.get_mut(place - 1).unwrap_or(first),
        }
    }

    /// The table of a tab, filtered; the overview has none of its own.
    pub(crate) fn sheet<'s>(&self, seen: &'s Seen, tab: Tab) -> Option<Sheet<'s>> {
        let (snapshot, tracks) = (&seen.snapshot, &seen.tracks);
        let mut sheet = match tab {
            Tab::Overview => return None,
            Tab::Services => sheets::services(snapshot, tracks),
            Tab::Reals => sheets::reals(snapshot, tracks),
            Tab::Drops => sheets::drops(snapshot, tracks),
            Tab::Counters => sheets::counters(snapshot, tracks),
            Tab::Workers => sheets::workers(snapshot, tracks),
            Tab::Ports => sheets::ports(snapshot, tracks),
        };
        if !self.filter.is_empty() {
            sheet.filter(&self.filter);
            sheet.empty = "nothing here holds the filter's text; Esc takes it away";
        }
        Some(sheet)
    }

    /// The column that orders a part of the overview: workers stay in place, unless only the busiest fit.
    pub(crate) const fn by(tab: Tab, is_whole: bool) -> usize {
        match tab {
            Tab::Workers if !is_whole => sheets::WORKERS_BY,
            tab => tab.by(),
        }
    }

    /// Keeps the scrolled place inside a table of `rows` lines of which a page shows `page`.
    pub(crate) fn settle(&mut self, rows: usize, page: usize) {
        self.page = page;
        let look = self.look_mut();
        look.from = look.from.min(rows.saturating_sub(page));
    }
}

#[cfg(test)]
mod tests {
    use ctl::Snapshot;
    use proptest::prelude::*;

    use super::{Key, State, Tab};

    fn at(at_ms: u64, rx: u64) -> Snapshot {
        Snapshot { at_ms, counters: [("rx".to_owned(), rx)].into(), ..Snapshot::default() }
    }

    fn rx(state: &State) -> Option<f64> {
        state.seen().unwrap().tracks.counters["rx"].now()
    }

    #[test]
    fn rates_are_by_the_boxs_own_clock() {
        let mut state = State::new("s");
        state.feed(at(1_000, 10));
        state.feed(at(1_500, 60));
        assert_eq!(rx(&state), Some(100.0));
        state.feed(at(1_500, 60));
        assert_eq!(rx(&state), Some(100.0), "the same snapshot again changes nothing");
    }

    #[test]
    fn a_box_that_was_started_anew_begins_anew() {
        let mut state = State::new("s");
        state.feed(at(90_000, 5_000_000));
        state.feed(at(91_000, 5_000_100));
        state.lose("connection refused", 3);
        state.feed(at(200, 7));
        assert_eq!((rx(&state), state.lost.clone()), (None, None));
        state.feed(at(1_200, 10));
        assert_eq!(rx(&state), Some(3.0));
    }

    #[test]
    fn while_paused_the_picture_stands_and_afterwards_nothing_is_missing() {
        let mut state = State::new("s");
        state.feed(at(0, 0));
        state.feed(at(1_000, 10));
        assert!(state.key(Key::Char('p')));
        state.feed(at(2_000, 500));
        assert_eq!(rx(&state), Some(10.0));
        assert!(state.key(Key::Char(' ')));
        assert_eq!(rx(&state), Some(490.0));
    }

    #[test]
    fn keys_turn_sort_and_filter() {
        let mut state = State::new("s");
        state.feed(at(0, 0));
        assert!(state.key(Key::Char('5')) && state.tab == Tab::Counters);
        assert!(state.key(Key::Next) && state.key(Key::Next));
        assert!(state.key(Key::Next) && state.key(Key::Next));
        assert_eq!(state.tab, Tab::Services);
        assert!(state.key(Key::Back) && state.key(Key::Back) && state.tab == Tab::Ports);
        assert!(state.key(Key::Char('/')) && state.key(Key::Char('q')) && state.key(Key::Enter));
        assert_eq!(state.filter, "q", "a letter of a filter is no command");
        assert!(state.key(Key::Escape), "the first takes the filter away");
        assert!(!state.key(Key::Escape) && !state.key(Key::Char('q')) && !state.key(Key::Break));
    }

    proptest! {
        #[test]
        fn any_keys_leave_a_state_that_can_be_looked_at(
            keys in proptest::collection::vec((0_u8..14, any::<char>()), 0..60),
        ) {
            let mut state = State::new("s");
            state.feed(at(0, 0));
            for (kind, c) in keys {
                let key = [Key::Next, Key::Back, Key::Up, Key::Down, Key::PageUp, Key::PageDown, Key::Home, Key::End,
                    Key::Enter, Key::Escape, Key::Backspace].get(usize::from(kind)).copied().unwrap_or(Key::Char(c));
                let _ = state.key(key);
                state.settle(3, 2);
            }
            prop_assert!(state.look().from <= 1 || state.tab != Tab::Counters);
        }
    }
}
