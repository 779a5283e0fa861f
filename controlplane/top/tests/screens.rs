//! Pictures of the screen at several sizes, as text; `BLESS=1 cargo test -p top --test screens` draws them anew,
//! and whoever does so looks at them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, which may stop where it is wrong")]

mod fake;

use std::path::Path;

use fake::{Fake, Night};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use top::{Key, Paint, State, draw};

const PLAIN: Paint = Paint { colours: false };

/// A state that has seen a minute and a half of a box.
fn fed(fake: Fake) -> State {
    let mut state = State::new("/run/penstock/control.sock");
    for second in 0..90 {
        state.feed(fake.at(second * 1000));
    }
    state
}

fn picture(state: &mut State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(state, PLAIN, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(|y| row(y).trim_end().to_owned() + "\n").collect()
}

fn is_as_blessed(name: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, picture).unwrap();
    }
    let blessed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(picture == blessed, "{name} is drawn like this now:\n{picture}");
}

fn press(state: &mut State, keys: &str) {
    for key in keys.chars() {
        assert!(state.key(if key == '\n' { Key::Enter } else { Key::Char(key) }));
    }
}

#[test]
fn a_quiet_night_at_three_sizes() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let picture = picture(&mut fed(Fake::USUAL), width, height);
        is_as_blessed(&format!("quiet-{width}x{height}"), &picture);
    }
}

#[test]
fn a_bad_night_says_what_is_wrong_first() {
    let mut state = fed(Fake { night: Night::Bad, ..Fake::USUAL });
    is_as_blessed("bad-80x24", &picture(&mut state, 80, 24));
    is_as_blessed("bad-120x40", &picture(&mut state, 120, 40));
    press(&mut state, "w");
    is_as_blessed("bad-in-full-80x24", &picture(&mut state, 80, 24));
}

#[test]
fn every_view_has_its_picture() {
    let mut state = fed(Fake { night: Night::Bad, ..Fake::USUAL });
    for (key, name) in ["2", "3", "4", "5", "6", "7"]
        .into_iter()
        .zip(["services", "reals", "drops", "counters", "workers", "ports"])
    {
        press(&mut state, key);
        is_as_blessed(&format!("{name}-80x24"), &picture(&mut state, 80, 24));
        is_as_blessed(&format!("{name}-120x40"), &picture(&mut state, 120, 40));
    }
    press(&mut state, "?");
    is_as_blessed("help-80x24", &picture(&mut state, 80, 24));
}

#[test]
fn a_box_without_services_a_large_one_and_long_names() {
    let empty = Fake { services: 0, reals: 0, workers: 0, ..Fake::USUAL };
    is_as_blessed("empty-80x24", &picture(&mut fed(empty), 80, 24));
    let large = Fake { services: 100, reals: 400, workers: 16, ..Fake::USUAL };
    is_as_blessed("large-120x40", &picture(&mut fed(large), 120, 40));
    let long = Fake { long_names: true, ..Fake::USUAL };
    is_as_blessed("long-names-80x24", &picture(&mut fed(long), 80, 24));
}

#[test]
fn pages_turn_and_stop_at_both_ends() {
    let mut state = fed(Fake { services: 100, ..Fake::USUAL });
    press(&mut state, "2");
    let first = picture(&mut state, 80, 24);
    assert!(first.contains("1–15 of 100 services"), "{first}");
    for key in [Key::PageDown, Key::PageDown] {
        assert!(state.key(key));
        let _ = picture(&mut state, 80, 24);
    }
    assert!(picture(&mut state, 80, 24).contains("31–45 of 100 services"));
    assert!(state.key(Key::End));
    assert!(picture(&mut state, 80, 24).contains("86–100 of 100 services"));
    assert!(state.key(Key::Up));
    assert!(picture(&mut state, 80, 24).contains("85–99 of 100 services"));
}

#[test]
fn a_filter_leaves_the_lines_that_hold_its_text() {
    let mut state = fed(Fake { services: 100, ..Fake::USUAL });
    press(&mut state, "2/service-7\n");
    let shown = picture(&mut state, 80, 24);
    // service-7 and service-70 to service-79.
    assert!(shown.contains("11 services") && shown.contains("filter: service-7"), "{shown}");
    press(&mut state, "/no-such\n");
    assert!(picture(&mut state, 80, 24).contains("nothing here holds the filter's text"));
}

#[test]
fn before_the_first_answer_it_says_what_to_do() {
    let mut state = State::new("/run/penstock/control.sock");
    assert!(picture(&mut state, 80, 24).contains("asking /run/penstock/control.sock"));
    state.lose("connect: No such file or directory (os error 2)", 4);
    is_as_blessed("waiting-80x24", &picture(&mut state, 80, 24));
}

#[test]
fn a_box_that_falls_silent_is_said_to_and_its_last_picture_stays() {
    let mut state = fed(Fake::USUAL);
    state.lose("the box closed the connection", 7);
    let shown = picture(&mut state, 80, 24);
    assert!(shown.contains("NO ANSWER for 7 s") && shown.contains("https"), "{shown}");
    assert!(shown.contains("the box closed the connection"));
}

#[test]
fn any_size_is_drawn() {
    let mut state = fed(Fake { night: Night::Bad, ..Fake::USUAL });
    for width in (1..260).step_by(7) {
        for height in (1..80).step_by(5) {
            for key in ["1", "3", "6", "w"] {
                press(&mut state, key);
                let _ = picture(&mut state, width, height);
                if key == "w" {
                    press(&mut state, "w");
                }
            }
        }
    }
}
