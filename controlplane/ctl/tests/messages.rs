//! Messages: what is written is read, any bytes give a request or a reply, and the document says the truth.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code, which may stop where it is wrong")]

use ctl::{
    Answer, Capture, Changed, Code, Deed, Explain, Flow, Generation, LINE_BYTES_MAX, Outcome, Override,
    Reload, Reply, Request, Rows, Show, Snapshot, VERSION, View, Word, Worker,
};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

fn words() -> impl Strategy<Value = Word> {
    prop_oneof![
        Just(Word::Drain),
        Just(Word::Down),
        Just(Word::Fail),
        Just(Word::Up),
        Just(Word::Undrain),
        (any::<Option<u32>>(), any::<Option<String>>())
            .prop_map(|(weight, pool)| Word::Weight { weight, pool }),
    ]
}

fn views() -> impl Strategy<Value = View> {
    use View::{All, Counters, Flows, Generation, Ports, Reals, Recorder, Rules, Services, Table, Workers};
    prop::sample::select(vec![
        All, Counters, Services, Reals, Rules, Flows, Workers, Ports, Table, Generation, Recorder,
    ])
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Ping),
        (views(), any::<Option<String>>(), any::<Option<String>>(), any::<Option<u32>>())
            .prop_map(|(what, service, real, limit)| Deed::Show(Show { what, service, real, limit })),
        (any::<Option<String>>(), any::<bool>())
            .prop_map(|(config, dry_run)| Deed::Reload(Reload { config: config.map(Into::into), dry_run })),
        any::<String>().prop_map(|packet| Deed::Explain(Explain { packet })),
        (any::<String>(), words()).prop_map(|(real, to)| Deed::Override(Override { real, to })),
        (prop::collection::vec(any::<u64>(), 0..9), any::<bool>(), any::<Option<u64>>())
            .prop_map(|(filter, drops, count)| Deed::Capture(Capture { filter, drops, count })),
    ]
}

fn body(line: &[u8]) -> &[u8] {
    let body = line.strip_suffix(b"\n").unwrap();
    assert!(!body.contains(&b'\n'), "one line");
    body
}

proptest! {
    #[test]
    fn a_request_comes_back_from_its_line(id in any::<u64>(), deed in deeds()) {
        let request = Request { v: VERSION, id, deed };
        assert_eq!(Request::parse(body(&request.to_line())), Ok(request));
    }

    #[test]
    fn any_bytes_give_a_request_or_say_why_not(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Err(reply) = Request::parse(&bytes) {
            assert!(matches!(reply.outcome, Outcome::Error(_)));
        }
    }

    #[test]
    fn a_damaged_request_gives_a_request_or_says_why_not(deed in deeds(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut line = Request { v: VERSION, id: 1, deed }.to_line();
        let at = at.index(line.len());
        if let Some(slot) = line.get_mut(at) {
            *slot = byte;
        }
        if let Err(reply) = Request::parse(&line) {
            assert!(reply.to_line().len() < LINE_BYTES_MAX + 1000, "a reply is no longer than what it is to");
        }
    }
}

#[test]
fn every_answer_comes_back_from_its_line() {
    let generation = Generation {
        sequence: u64::MAX,
        digest: "ab".to_owned(),
        age_ms: 1,
        return_path: "direct".to_owned(),
        next_hops: None,
    };
    let worker = Worker { busy: 0.25, flows: u64::MAX, ..Worker::default() };
    let snapshot = Snapshot { at_ms: 1 << 60, workers: vec![worker], ..Snapshot::default() };
    let answers = [
        Answer::Pong("0.1.0".to_owned()),
        Answer::All(Box::new(snapshot)),
        Answer::Counters([("rx".to_owned(), u64::MAX)].into()),
        Answer::Flows(Rows { rows: vec![Flow::default()], more: true }),
        Answer::Table(vec!["a \"line\"\n".to_owned()]),
        Answer::Generation(generation.clone()),
        Answer::Changed(Changed { plan: vec!["Nothing changes.".to_owned()], applied: true, generation }),
    ];
    for answer in answers {
        let reply = Reply::new(u64::MAX, Outcome::Ok(answer));
        assert_eq!(serde_json::from_slice::<Reply>(body(&reply.to_line())).unwrap(), reply);
    }
    let refused = Reply::new(0, Outcome::refused(Code::Busy, "not now"));
    assert_eq!(body(&refused.to_line()), br#"{"v":1,"id":0,"error":{"code":"busy","text":"not now"}}"#);
}

/// The lines of `PROTOCOL.md` that are messages: those that begin with `{`.
#[test]
fn the_examples_of_the_document_are_messages_as_we_write_them() {
    let text = include_str!("../PROTOCOL.md");
    let mut seen = 0;
    for line in text.lines().filter(|line| line.starts_with('{')) {
        seen += 1;
        let written = match Request::parse(line.as_bytes()) {
            Ok(request) => request.to_line(),
            Err(_) => serde_json::from_str::<Reply>(line)
                .unwrap_or_else(|error| panic!("{line}: {error}"))
                .to_line(),
        };
        assert_eq!(String::from_utf8_lossy(body(&written)), line);
    }
    assert!(seen >= 12, "{seen} examples");
}
