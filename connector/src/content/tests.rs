use std::io::{Read as _, Write as _};

use parquet::file::reader::ChunkReader as _;

use super::{Content, Room};

fn written(room: &Room, expected: u64, parts: &[&[u8]]) -> Content {
    let mut sink = room.sink(expected).unwrap();
    for part in parts {
        sink.write_all(part).unwrap();
    }
    sink.finish().unwrap()
}

#[test]
fn content_is_the_same_in_memory_and_in_a_file_which_goes_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let room = Room::new(8, directory.path().join("room"));
    let parts: [&[u8]; 3] = [b"hello, ", b"wide", b" world"];
    let memory = written(&Room::unbounded(), 0, &parts);
    // Known to be large beforehand, and found to be.
    for expected in [100, 0] {
        let file = written(&room, expected, &parts);
        assert!(memory.path().is_none() && file.path().is_some());
        assert_eq!((file.len(), file.to_bytes().unwrap()), (memory.len(), memory.to_bytes().unwrap()));
        assert_eq!(file.digest().unwrap(), memory.digest().unwrap());
        for content in [&memory, &file.clone()] {
            assert_eq!(content.get_bytes(7, 4).unwrap().as_ref(), b"wide");
            assert!(content.get_bytes(12, 6).is_err());
            assert!(content.get_bytes(u64::MAX, 1).is_err());
            let mut rest = String::new();
            content.get_read(11).unwrap().read_to_string(&mut rest).unwrap();
            assert_eq!(rest, " world");
        }
        drop(file);
        assert_eq!(std::fs::read_dir(directory.path().join("room")).unwrap().count(), 0);
    }
    assert!(written(&room, 0, &[b"12345678"]).path().is_none());
}

#[test]
fn a_file_of_somebody_else_is_content_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("given");
    std::fs::write(&path, "hello, world").unwrap();
    let content = Content::of_file(path.clone()).unwrap();
    assert_eq!((content.len(), content.path()), (12, Some(path.as_path())));
    assert_eq!(content.get_bytes(7, 5).unwrap().as_ref(), b"world");
    assert_eq!(
        content.digest().unwrap(),
        Content::within(&Room::unbounded(), b"hello, world").unwrap().digest().unwrap()
    );
    drop(content);
    assert_eq!(std::fs::read(&path).unwrap(), b"hello, world");
    assert!(Content::of_file(directory.path().join("none")).is_err());
}
