//! The writer: what it writes, and what it leaves behind when it cannot.

use capture::{Capture, Format, Resolution, WriteProblem, Writer};
use std::fs;
use std::path::Path;

/// The names in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().display().to_string()).collect();
    names.sort();
    names
}

#[test]
fn the_bytes_are_those_of_the_format() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.pcap");
    let mut writer = Writer::create(&path, Resolution::Nano).unwrap();
    writer.write(1_000_000_002, &[0xaa, 0xbb]).unwrap();
    assert_eq!(writer.packets(), 1);
    writer.finish().unwrap();
    assert_eq!(
        fs::read(&path).unwrap(),
        [
            0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0, //
            1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb,
        ]
    );
}

#[test]
fn a_file_without_packets_is_still_a_capture() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none.pcap");
    Writer::create(&path, Resolution::Micro).unwrap().finish().unwrap();
    let capture = Capture::open(&path).unwrap();
    assert_eq!((capture.len(), capture.format(), capture.file_len()), (0, Format::Pcap, 24));
}

#[test]
fn nothing_stands_under_the_name_until_it_is_finished_and_the_old_file_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.pcap");
    fs::write(&path, b"what was here before").unwrap();
    let mut writer = Writer::create(&path, Resolution::Micro).unwrap();
    writer.write(0, &[1; 60]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"what was here before");
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), b"what was here before");
    assert_eq!(names(directory.path()), ["out.pcap"]);

    let mut writer = Writer::create(&path, Resolution::Micro).unwrap();
    writer.write(0, &[1; 60]).unwrap();
    writer.finish().unwrap();
    assert_eq!(Capture::open(&path).unwrap().len(), 1);
    assert_eq!(names(directory.path()), ["out.pcap"]);
}

#[test]
fn two_writers_of_one_name_do_not_share_their_unfinished_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.pcap");
    let mut one = Writer::create(&path, Resolution::Micro).unwrap();
    let mut two = Writer::create(&path, Resolution::Micro).unwrap();
    one.write(0, &[1; 60]).unwrap();
    two.write(0, &[2; 60]).unwrap();
    two.finish().unwrap();
    one.finish().unwrap();
    assert_eq!(Capture::open(&path).unwrap().packet(0).unwrap().data, [1; 60]);
    assert_eq!(names(directory.path()), ["out.pcap"]);
}

#[test]
fn an_existing_file_keeps_its_permissions_and_a_symbolic_link_its_place() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    fs::write(&file, b"").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    Writer::create(&link, Resolution::Micro).unwrap().finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(Capture::open(&file).unwrap().len(), 0);
}

#[test]
fn a_full_disk_is_one_sentence_that_names_the_file() {
    let mut writer = Writer::create("/dev/full", Resolution::Micro).unwrap();
    writer.write(0, &[0; 60]).unwrap();
    let error = writer.finish().unwrap_err();
    assert!(matches!(error.problem, WriteProblem::Write(_)));
    let text = error.to_string();
    assert!(text.starts_with("/dev/full: the output cannot be written: No space left"), "{text}");
    assert!(Path::new("/dev/full").exists());
}

#[test]
fn a_full_disk_is_also_met_while_writing_more_than_the_buffer() {
    let mut writer = Writer::create("/dev/full", Resolution::Micro).unwrap();
    let error = (0..10_000).find_map(|_| writer.write(0, &[0; 1_500]).err()).unwrap();
    assert!(matches!(error.problem, WriteProblem::Write(_)), "{error}");
}

#[test]
fn an_output_that_cannot_be_made_is_one_sentence_that_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().join("missing/out.pcap"), directory.path().to_path_buf()] {
        let error = Writer::create(&path, Resolution::Micro).unwrap_err();
        assert!(matches!(error.problem, WriteProblem::Create(_)), "{error}");
        assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
    }
    assert!(Writer::create("", Resolution::Micro).is_err());
}

#[test]
fn what_pcap_cannot_hold_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(directory.path().join("out.pcap"), Resolution::Micro).unwrap();
    writer.write(u64::from(u32::MAX) * 1_000_000_000, &[0; 262_144]).unwrap();
    let error = writer.write(0, &[0; 262_145]).unwrap_err();
    assert_eq!(error.problem, WriteProblem::PacketTooLarge { bytes: 262_145 });
    let error = writer.write((u64::from(u32::MAX) + 1) * 1_000_000_000, &[0; 60]).unwrap_err();
    assert!(error.to_string().contains("32-bit seconds"), "{error}");
}

#[test]
fn a_pipe_is_written_in_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let reader = std::thread::spawn({
        let path = path.clone();
        move || Capture::open(path).unwrap().len()
    });
    let mut writer = Writer::create(&path, Resolution::Micro).unwrap();
    writer.write(0, &[0; 60]).unwrap();
    writer.finish().unwrap();
    assert_eq!(reader.join().unwrap(), 1);
    assert_eq!(names(directory.path()), ["pipe"]);
}
