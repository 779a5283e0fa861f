//! The terminal: taken, drawn on, and given back on every way out.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use ctl::Snapshot;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::draw::draw;
use crate::paint::Paint;
use crate::state::{Key, State};

/// What whoever asks the box has heard.
#[derive(Clone, Debug)]
pub enum News {
    /// How it stands.
    Snapshot(Box<Snapshot>),
    /// Nothing, and why, in one sentence.
    Lost(String),
}

/// How long a key or a snapshot may wait until it is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Shows what comes in until a key ends it or `stop` says so. `source` is where it comes from, in words; nothing heard for three
/// times `interval` (two seconds at least, one before the first picture) is said.
///
/// The terminal is restored when this returns, and by the panic hook that is set here if it does not.
///
/// # Errors
/// Standard output is no terminal, or the terminal fails.
pub fn show(
    source: &str,
    news: &Receiver<News>,
    interval: Duration,
    stop: impl Fn() -> bool,
) -> io::Result<()> {
    if !io::stdout().is_terminal() {
        let why = "standard output is no terminal: use `penstock show`, which prints the same";
        return Err(io::Error::other(why));
    }
    let paint = Paint { colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) };
    let silence = (interval * 3).max(Duration::from_secs(2));
    let mut terminal = ratatui::try_init()?;
    let end = run(&mut terminal, &mut State::new(source), paint, news, silence, stop);
    ratatui::try_restore()?;
    end
}

fn run(
    terminal: &mut ratatui::DefaultTerminal,
    state: &mut State,
    paint: Paint,
    news: &Receiver<News>,
    silence: Duration,
    stop: impl Fn() -> bool,
) -> io::Result<()> {
    let input = listen()?;
    let mut told = Instant::now();
    let mut heard = Instant::now();
    let mut stale = true;
    while !stop() {
        loop {
            match news.try_recv() {
                Ok(News::Snapshot(snapshot)) => {
                    heard = Instant::now();
                    state.feed(*snapshot);
                }
                Ok(News::Lost(why)) => state.lose(&why, heard.elapsed().as_secs()),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    return Err(io::Error::other("nobody asks any more; this is a fault"));
                }
            }
            told = Instant::now();
            stale = true;
        }
        // Whoever asks may wait long for an answer; the operator is to know meanwhile.
        // Before the first picture there is nothing else to look at: the operator is to know soon.
        let silence = if state.is_blank() { silence.min(Duration::from_secs(1)) } else { silence };
        if told.elapsed() >= silence {
            told += Duration::from_secs(1).min(silence);
            state.lose("it takes the question and does not answer", heard.elapsed().as_secs());
            stale = true;
        }
        if stale {
            terminal.draw(|frame| draw(state, paint, frame))?;
            stale = false;
        }
        match input.recv_timeout(LOOK) {
            Ok(Event::Key(pressed)) if pressed.kind != KeyEventKind::Release => {
                if let Some(key) = key(pressed) {
                    if !state.key(key) {
                        return Ok(());
                    }
                    stale = true;
                }
            }
            Ok(Event::Resize(..) | Event::FocusGained) => stale = true,
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the terminal gives no keys"));
            }
        }
    }
    Ok(())
}

/// Reads what is typed, on a thread of its own: the library waits for ever on a terminal that is gone, and the loop
/// that draws has to see the signal that says so. The thread ends with the program, or with the first event that
/// nobody wants.
fn listen() -> io::Result<Receiver<Event>> {
    let (tell, input) = channel();
    let read = move || {
        loop {
            match event::read() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
                Ok(event) => {
                    if tell.send(event).is_err() {
                        return;
                    }
                }
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(read)?;
    Ok(input)
}

/// The key as the screen takes it; `None` for all others.
fn key(pressed: KeyEvent) -> Option<Key> {
    let control = pressed.modifiers.contains(KeyModifiers::CONTROL);
    Some(match pressed.code {
        KeyCode::Char('c' | 'd') if control => Key::Break,
        KeyCode::Char(_) if control || pressed.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Tab | KeyCode::Right => Key::Next,
        KeyCode::BackTab | KeyCode::Left => Key::Back,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}
