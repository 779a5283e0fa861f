//! Each file in `tests/bad` gives exactly the faults in the `.txt` beside it.
//!
//! `UPDATE_EXPECTED=1` writes those files; look at what it wrote before you keep it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot read its files fails there and then"
)]

use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

#[test]
fn every_bad_file_gives_exactly_its_faults() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        seen += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(path).unwrap();
        let told = match conf::parse_bytes(name, bytes) {
            Ok(_) => "no fault\n".to_owned(),
            Err(faults) => format!("{faults}\n"),
        };
        let beside = path.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&beside, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if told != expected {
            wrong.push(format!("{name}\ntold:\n{told}expected:\n{expected}"));
        }
    }
    assert!(seen >= 20, "{seen} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fault_names_file_line_and_remedy() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let lines = text.split(|&byte| byte == b'\n').count();
        let faults = conf::parse_bytes("bad.toml", text).unwrap_err();
        for fault in &faults.list {
            assert_eq!(fault.file, "bad.toml");
            assert!((1..=lines).contains(&fault.line.unwrap()), "{fault}");
            assert!(!fault.message.ends_with('.') && fault.remedy.ends_with('.'), "{fault}");
            assert_eq!(fault.to_string().lines().count(), 1, "{fault}");
        }
        let in_order = faults.list.windows(2).all(|pair| pair[0].line <= pair[1].line);
        assert!(in_order, "{faults}");
    }
}

#[test]
fn a_missing_file_is_one_clear_sentence() {
    let faults = conf::load(Path::new("/nonexistent/site.toml")).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "/nonexistent/site.toml: the file cannot be read: No such file or directory (os error 2). \
         Check the path and its permissions."
    );
}

#[test]
fn a_folder_is_one_clear_sentence() {
    let faults = conf::load(Path::new("/")).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "/: the file cannot be read: Is a directory (os error 21). Check the path and its permissions."
    );
}

#[test]
fn a_file_above_ten_megabytes_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.toml");
    let smallest = std::fs::read(folder_of_samples().join("smallest.toml")).unwrap();
    let most = usize::try_from(conf::limits::CONFIG_BYTES_MAX).unwrap();
    let mut text = smallest;
    text.resize(most, b'\n');
    std::fs::write(&path, &text).unwrap();
    assert!(conf::load(&path).is_ok(), "the limit itself is allowed");
    text.push(b'\n');
    std::fs::write(&path, &text).unwrap();
    let faults = conf::load(&path).unwrap_err();
    assert_eq!(
        faults.to_string(),
        format!(
            "{}: the file has more than 10485760 bytes, the most a configuration may have. \
             Check that it is a configuration; if it is, share pools between services.",
            path.display()
        )
    );
}

#[test]
fn more_faults_than_anyone_reads_are_counted() {
    let mut text = std::fs::read_to_string(folder_of_samples().join("smallest.toml")).unwrap();
    for number in 0..250 {
        text.push_str(&format!("odd{number} = 1\n"));
    }
    let faults = conf::parse("many.toml", &text).unwrap_err();
    assert_eq!((faults.list.len(), faults.more), (conf::limits::FAULTS_MAX, 150));
    assert!(faults.to_string().ends_with("\nand 150 more"));
}

#[test]
fn fifty_thousand_unknown_pools_are_told_without_fifty_thousand_searches() {
    let mut text = std::fs::read_to_string(folder_of_samples().join("smallest.toml")).unwrap();
    for number in 0..1000 {
        text.push_str(&format!("[[pool]]\nname = \"pool-{number}\"\nmembers = [{{ real = \"web-1\" }}]\n"));
    }
    for number in 0..50_000 {
        let (high, low) = (number / 256, number % 256);
        text.push_str(&format!("[[service]]\nname = \"s{number}\"\nvip = \"20.0.{high}.{low}\"\n"));
        text.push_str("protocol = \"tcp\"\nports = 80\npool = \"pole-1\"\n");
    }
    let faults = conf::parse("many.toml", &text).unwrap_err();
    assert_eq!((faults.list.len(), faults.more), (100, 49_900));
    assert!(faults.list.iter().all(|fault| fault.remedy.starts_with("Did you mean \"pool-1\"?")));
}

fn folder_of_samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// The smallest sample with so many configurations of connection ids, of which `change` makes what is wrong.
fn with_quic(count: usize, change: impl Fn(String) -> String) -> String {
    let mut text = std::fs::read_to_string(folder_of_samples().join("smallest.toml")).unwrap();
    for place in 0..count {
        let table = format!(
            "[[quic]]\nname = \"ids-{place}\"\nconfig = 0\nserver_id_bytes = 2\nnonce_bytes = 14\n\
             key = \"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\"\nservers = [{{ real = \"web-1\", id = \"0001\" }}]\n"
        );
        text.push_str(&change(table));
    }
    text
}

#[test]
fn more_connection_ids_than_a_table_has_are_refused() {
    assert!(conf::parse("many.toml", &with_quic(64, |table| table)).is_ok());
    let faults = conf::parse("many.toml", &with_quic(65, |table| table)).unwrap_err();
    let told = faults.to_string();
    assert!(told.contains("there are 65 configurations of connection ids. Leave at most 64."), "{told}");
    assert_eq!(faults.list.len(), 1);
}

#[test]
fn a_key_is_printed_nowhere() {
    let config = conf::parse("quic.toml", &with_quic(1, |table| table)).unwrap();
    assert!(config.quic[0].key.is_some());
    let mut told = vec![format!("{config:?}")];
    // Too short, too long, no hex, of another kind, in another key's place.
    for (from, to) in [
        ("5a5a\"", "5a\""),
        ("5a5a\"", "5a5a5a\""),
        ("5a5a\"", "5a5x\""),
        ("\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\"", "[\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\"]"),
        ("5a5a\"", "5a5a"),
        ("key", "kee"),
        ("nonce_bytes = 14", "nonce_bytes = 3"),
    ] {
        let text = with_quic(1, |table| {
            assert!(table.contains(from), "{from}");
            table.replacen(from, to, 1)
        });
        let faults = conf::parse("quic.toml", &text).unwrap_err();
        told.extend([format!("{faults:?}"), faults.to_string()]);
    }
    for told in told {
        assert!(!told.contains("5a5a") && !told.contains("90, 90"), "{told}");
    }
}
