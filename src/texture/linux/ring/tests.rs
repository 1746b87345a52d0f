use super::write::memory_file;
use super::*;
use crate::hald::Layout;
use crate::lut::GridSize;
use crate::memory_limit::MemoryLimit;
use crate::texture::linux::message::Stamp;
use rustix::fs::FallocateFlags;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn shape(n: u64) -> TextureShape {
    TextureShape::new(GridSize::new(n).unwrap(), Layout::Vglb).unwrap()
}

fn stamp(revision: u64) -> Stamp {
    Stamp { revision, monotonic_ns: revision + 1, realtime_ns: revision + 2 }
}

fn write(ring: &Arc<WriteRing>, slot: usize, revision: u64) {
    let mut lease = ring.lease(slot).unwrap();
    lease.open().unwrap();
    lease.texels().fill(u128::from(revision).to_le_bytes());
    let slot = lease.finish(stamp(revision));
    ring.publish(slot, revision);
}

fn receiver(ring: &WriteRing, surface: u64) -> Result<ReadRing, TextureError> {
    let memory = ring.memory().try_clone_to_owned().unwrap();
    ReadRing::open(memory, ring.place(), ring.shape(), surface)
}

fn protocol_error(result: Result<ReadRing, TextureError>) -> String {
    match result {
        Err(TextureError::Protocol(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[test]
fn a_receiver_sees_what_was_published_and_nothing_before() {
    let ring = WriteRing::create(shape(4), 7, &MemoryLimit::default()).unwrap();
    let seen = receiver(&ring, 7).unwrap();
    let mut texels = Vec::new();
    assert_eq!(seen.newest(), 0);
    assert_eq!(seen.copy_newest(&mut texels, PATIENCE).unwrap(), None);
    let mut lease = ring.lease(3).unwrap();
    lease.open().unwrap();
    lease.texels().fill([9; 16]);
    assert_eq!(seen.newest(), 0, "a texture that is being written is nobody's");
    drop(lease);
    write(&ring, 15, 1);
    write(&ring, 0, 2);
    assert_eq!(seen.newest(), 2);
    assert_eq!(seen.copy_newest(&mut texels, PATIENCE).unwrap(), Some(stamp(2)));
    assert_eq!(texels, vec![2u128.to_le_bytes(); 64]);
}

#[test]
fn a_copy_of_a_slot_that_is_being_written_is_thrown_away() {
    let ring = WriteRing::create(shape(2), 1, &MemoryLimit::default()).unwrap();
    let seen = receiver(&ring, 1).unwrap();
    write(&ring, 5, 1);
    let mut texels = Vec::new();
    assert_eq!(seen.copy_slot(5, &mut texels).unwrap(), Some(stamp(1)));
    let mut lease = ring.lease(5).unwrap();
    lease.open().unwrap();
    assert_eq!(seen.copy_slot(5, &mut texels).unwrap(), None, "being written");
    drop(lease);
    assert_eq!(seen.copy_slot(5, &mut texels).unwrap(), None, "given up half-way");
    let mut lease = ring.lease(5).unwrap();
    lease.open().unwrap();
    assert_eq!(seen.copy_slot(5, &mut texels).unwrap(), None, "being written again");
    lease.finish(stamp(2));
    assert_eq!(seen.copy_slot(5, &mut texels).unwrap(), Some(stamp(2)));
}

#[test]
fn a_texture_is_nobodys_before_it_is_published() {
    let ring = WriteRing::create(shape(2), 1, &MemoryLimit::default()).unwrap();
    let seen = receiver(&ring, 1).unwrap();
    write(&ring, 0, 1);
    let mut lease = ring.lease(0).unwrap();
    lease.open().unwrap();
    let slot = lease.finish(stamp(2));
    // Whole, but `published` still speaks of what was there before.
    assert!(seen.copy_newest(&mut Vec::new(), Duration::ZERO).is_err());
    ring.publish(slot, 2);
    assert_eq!(seen.copy_newest(&mut Vec::new(), PATIENCE).unwrap(), Some(stamp(2)));
}

#[test]
fn a_sender_that_never_leaves_a_whole_texture_is_told_of() {
    let ring = WriteRing::create(shape(2), 1, &MemoryLimit::default()).unwrap();
    let seen = receiver(&ring, 1).unwrap();
    write(&ring, 0, 1);
    let mut lease = ring.lease(0).unwrap();
    lease.open().unwrap();
    let e = seen.copy_newest(&mut Vec::new(), Duration::ZERO).unwrap_err().to_string();
    assert!(e.contains("overwrites them faster than this program copies"), "{e}");
    drop(lease);
    ring.control().published.store(1 << 8 | 16, Relaxed);
    let e = seen.copy_newest(&mut Vec::new(), PATIENCE).unwrap_err().to_string();
    assert!(e.contains("slot 16 of 16"), "{e}");
}

#[test]
fn no_copy_is_torn_while_the_ring_is_written_as_fast_as_possible() {
    let ring = WriteRing::create(shape(8), 1, &MemoryLimit::default()).unwrap();
    write(&ring, 0, 1);
    let seen = receiver(&ring, 1).unwrap();
    let writer = std::thread::spawn({
        let ring = ring.clone();
        move || {
            for revision in 2..20_000 {
                // Two slots, so that the newest is overwritten as soon as it is not the newest.
                write(&ring, revision as usize % 2, revision);
            }
        }
    });
    let (mut texels, mut last) = (Vec::new(), 0);
    while last < 19_999 {
        let stamp = seen.copy_newest(&mut texels, PATIENCE).unwrap().unwrap();
        assert!(stamp.revision >= last);
        last = stamp.revision;
        let whole = u128::from(last).to_le_bytes();
        assert!(texels.iter().all(|t| *t == whole), "torn at revision {last}");
    }
    writer.join().unwrap();
}

#[test]
fn a_slot_has_one_writer() {
    let ring = WriteRing::create(shape(2), 1, &MemoryLimit::default()).unwrap();
    let first = ring.lease(2).unwrap();
    assert!(ring.lease(2).is_none());
    assert_eq!(ring.leased(), 1 << 2);
    drop(first);
    assert_eq!(ring.leased(), 0);
    assert!(ring.lease(2).is_some());
}

#[test]
fn slots_take_memory_when_they_are_opened_and_not_before() {
    let ring = WriteRing::create(shape(33), 1, &MemoryLimit::default()).unwrap();
    let blocks = || rustix::fs::fstat(ring.memory()).unwrap().st_blocks as u64 * 512;
    let page = ring.place().control_bytes;
    assert_eq!(blocks(), page);
    for slot in [0, 1, 0, 2] {
        ring.lease(slot).unwrap().open().unwrap();
    }
    assert_eq!(blocks(), page + 3 * ring.place().slot_bytes);
    assert_eq!(ring.committed(), 0b111);
}

#[test]
fn nobody_can_write_to_the_memory_or_change_its_size() {
    let ring = WriteRing::create(shape(16), 1, &MemoryLimit::default()).unwrap();
    write(&ring, 0, 1);
    let memory = ring.memory();
    let bytes = ring.place().bytes;
    assert!(rustix::fs::fcntl_get_seals(memory).unwrap().contains(SEALS));
    for size in [0, bytes - 1, bytes + 1] {
        assert_eq!(rustix::fs::ftruncate(memory, size), Err(Errno::PERM));
    }
    assert_eq!(rustix::io::pwrite(memory, b"x", ring.place().slots_at[0]), Err(Errno::PERM));
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    assert_eq!(rustix::fs::fallocate(memory, hole, 0, bytes), Err(Errno::PERM));
    assert_eq!(rustix::fs::fcntl_add_seals(memory, SealFlags::WRITE), Err(Errno::PERM));
    let writable = Mapping::new(memory, bytes as usize, ProtFlags::READ | ProtFlags::WRITE);
    assert_eq!(writable.err(), Some(Errno::PERM));
    let again = Mapping::new(memory, bytes as usize, ProtFlags::READ).unwrap();
    // SAFETY: the range is `again`'s own; asking for more rights changes nothing that is read or written.
    let raised = unsafe { rustix::mm::mprotect(again.base.as_ptr().cast(), 4096, rustix::mm::MprotectFlags::WRITE) };
    assert_eq!(raised, Err(Errno::ACCESS));
}

#[test]
fn memory_that_could_shrink_change_or_is_not_as_told_is_not_mapped() {
    let place = Place::new(shape(2), rustix::param::page_size());
    let sealed_with = |seals| {
        let memory = memory_file().unwrap();
        rustix::fs::ftruncate(&memory, place.bytes).unwrap();
        rustix::fs::fcntl_add_seals(&memory, seals).unwrap();
        memory
    };
    for missing in [SealFlags::SHRINK, SealFlags::GROW, SealFlags::FUTURE_WRITE, SealFlags::SEAL] {
        let e = protocol_error(ReadRing::open(sealed_with(SEALS.difference(missing)), place, shape(2), 1));
        assert!(e.contains("it must have at least"), "{missing:?}: {e}");
    }
    let e = protocol_error(ReadRing::open(sealed_with(SEALS), place, shape(2), 1));
    assert!(e.contains("does not begin as version 1 of surface 1 does"), "{e}");
    let larger = Place { bytes: place.bytes + 4096, ..place };
    let e = protocol_error(ReadRing::open(sealed_with(SEALS), larger, shape(2), 1));
    assert!(e.contains(&format!("has {} bytes, and it said {}", place.bytes, larger.bytes)), "{e}");
    let file = rustix::fs::open("/proc/self/exe", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
    let e = protocol_error(ReadRing::open(file, place, shape(2), 1));
    assert!(e.contains("no sealed memory"), "{e}");
}

#[test]
fn a_surface_says_when_the_stream_has_left_it_and_when_it_is_back() {
    let ring = WriteRing::create(shape(2), 4, &MemoryLimit::default()).unwrap();
    let seen = receiver(&ring, 4).unwrap();
    assert!(!seen.superseded());
    ring.supersede(5);
    assert!(seen.superseded());
    ring.supersede(0);
    assert!(!seen.superseded());
    assert!(protocol_error(receiver(&ring, 5)).contains("surface 5"));
}

#[test]
fn a_texture_in_place_is_intact_until_its_slot_is_written_again() {
    let ring = WriteRing::create(shape(2), 1, &MemoryLimit::default()).unwrap();
    let seen = receiver(&ring, 1).unwrap();
    assert!(seen.find_newest(PATIENCE).unwrap().is_none());
    write(&ring, 4, 1);
    let (first, found) = seen.find_newest(PATIENCE).unwrap().unwrap();
    assert_eq!((first, seen.is_intact(found)), (stamp(1), true));
    write(&ring, 5, 2);
    assert!(seen.is_intact(found), "another slot was written");
    let (second, _) = seen.find_newest(PATIENCE).unwrap().unwrap();
    assert_eq!(second, stamp(2));
    let mut lease = ring.lease(4).unwrap();
    lease.open().unwrap();
    assert!(!seen.is_intact(found), "it is being written over");
    lease.finish(stamp(3));
    assert!(!seen.is_intact(found), "another texture is there");
}

#[test]
fn a_texture_in_place_is_read_through_a_mapping_or_a_file() {
    use std::os::unix::fs::FileExt;
    let ring = WriteRing::create(shape(3), 1, &MemoryLimit::default()).unwrap();
    let seen = receiver(&ring, 1).unwrap();
    write(&ring, 15, 7);
    let (_, found) = seen.find_newest(PATIENCE).unwrap().unwrap();
    let file = std::fs::File::open(seen.path()).unwrap();
    let mut bytes = vec![0; seen.shape().bytes()];
    file.read_exact_at(&mut bytes, seen.offset(found)).unwrap();
    assert!(seen.is_intact(found));
    assert_eq!(bytes.as_chunks().0, vec![7u128.to_le_bytes(); 27]);
}
