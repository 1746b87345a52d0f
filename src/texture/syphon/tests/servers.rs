//! What other Syphon programs see.

use super::fake_mac::{FakeMac, FakeProgram};
use super::foreign_client::{DEADLINE, ForeignClient, image};
use crate::texture::syphon::archive::Archived;
use crate::texture::syphon::description::Description;
use crate::texture::syphon::message::{ToClient, ToServer};
use crate::texture::syphon::names;
use crate::texture::syphon::seam::{Held, NotificationHandler, System};
use crate::texture::syphon::server::Server;
use crate::texture::syphon::surfaces::Surfaces;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// A server that paints its whole surface in one value.
struct Painter {
    program: FakeProgram,
    surfaces: Surfaces,
    server: Option<Server>,
}

impl Painter {
    fn new(program: &FakeProgram) -> Self {
        Painter { program: program.clone(), surfaces: Surfaces::default(), server: None }
    }

    /// Shows a frame of this size; returns its surface's number.
    fn paint(&mut self, size: (usize, usize), value: u8) -> u32 {
        let surface = self.surfaces.write(&self.program, size, &mut |bytes, _| bytes.fill(value)).unwrap();
        match &self.server {
            Some(server) => server.publish(surface),
            None => self.server = Some(Server::start(Arc::new(self.program.clone()), "paint", surface).unwrap()),
        }
        surface
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("it has painted")
    }
}

/// Every notification of this name from now on.
fn notifications(program: &FakeProgram, name: &'static str) -> (Held, Receiver<Vec<u8>>) {
    let (heard, all) = channel();
    let heard = Mutex::new(heard);
    let handler: NotificationHandler = Arc::new(move |description| {
        let _ = heard.lock().unwrap().send(description.to_vec());
    });
    (program.observe(name, handler).unwrap(), all)
}

/// A painter that has shown one frame, its server's identity, and the frame's surface.
fn painting(mac: &FakeMac) -> (Painter, String, u32) {
    let program = mac.program("painter");
    let (_observer, announced) = notifications(&program, names::ANNOUNCE);
    let mut painter = Painter::new(&program);
    let surface = painter.paint((4, 2), 1);
    let description = Description::read(&announced.recv_timeout(DEADLINE).unwrap()).unwrap();
    assert_eq!((&*description.name, &*description.application), ("paint", "painter"));
    (painter, description.id, surface)
}

#[test]
fn a_server_announces_itself_at_its_start_and_whenever_it_is_asked() {
    let mac = FakeMac::new();
    let (painter, id, _) = painting(&mac);
    let late = mac.program("late");
    let (_observer, announced) = notifications(&late, names::ANNOUNCE);
    for _ in 0..2 {
        late.post(names::ANNOUNCE_REQUEST, None, None).unwrap();
        let description = announced.recv_timeout(DEADLINE).unwrap();
        assert_eq!(Description::read(&description).unwrap().id, id);
    }
    let about: Vec<_> = mac.posted().into_iter().filter(|p| p.0 == names::ANNOUNCE).map(|p| p.1).collect();
    assert_eq!(about, [Some(id.clone()), Some(id.clone()), Some(id)]);
    drop(painter);
}

#[test]
fn the_port_is_open_before_anybody_hears_of_the_server() {
    let mac = FakeMac::new();
    let program = mac.program("eager");
    let (tried, results) = channel();
    let (tried, connects) = (Mutex::new(tried), program.clone());
    let eager: NotificationHandler = Arc::new(move |description| {
        let id = Description::read(description).unwrap().id;
        tried.lock().unwrap().send(connects.connect(&id).is_some()).unwrap();
    });
    let _observer = program.observe(names::ANNOUNCE, eager).unwrap();
    let (_painter, ..) = painting(&mac);
    assert_eq!(results.recv_timeout(DEADLINE), Ok(true));
}

#[test]
fn a_client_hears_of_the_surface_then_of_the_frame_whose_bytes_are_there() {
    let mac = FakeMac::new();
    let (mut painter, id, first) = painting(&mac);
    let client = ForeignClient::new(&mac.program("client"), &id);
    client.ask_for_info();
    client.ask_for_frames();
    let mut wanted = vec![ToClient::SurfaceChanged(first), ToClient::NewFrame];
    assert_eq!(client.messages(2), wanted);
    for (value, size) in [(2, (4, 2)), (3, (4, 2)), (4, (4, 2)), (5, (8, 1)), (6, (4, 2))] {
        let surface = painter.paint(size, value);
        wanted.extend([ToClient::SurfaceChanged(surface), ToClient::NewFrame]);
        let heard = client.wait_for(wanted.len());
        let frame = heard.last().unwrap();
        assert_eq!(frame.image, Some((size, vec![value; size.0 * size.1 * 4])), "contents before the announcement");
    }
    assert_eq!(client.messages(wanted.len()), wanted);
}

#[test]
fn a_surface_that_clients_may_be_drawing_from_is_not_written() {
    let mac = FakeMac::new();
    let (mut painter, _, first) = painting(&mac);
    let looker = mac.program("client");
    let mut shown = vec![first];
    for value in 2..20 {
        shown.push(painter.paint((4, 2), value));
        // The one before is as it was.
        let [.., before, _] = shown[..] else { panic!("two were shown") };
        assert_eq!(image(&looker, before), Some(((4, 2), vec![value - 1; 32])));
    }
    shown.sort_unstable();
    shown.dedup();
    assert_eq!((shown.len(), mac.surfaces()), (3, 3), "three are used in turn, and no more");
    // After another size, the last one of the former size stays for those who have not heard of it yet.
    let last = painter.paint((4, 2), 99);
    painter.paint((8, 1), 100);
    assert_eq!(image(&looker, last), Some(((4, 2), vec![99; 32])));
}

#[test]
fn a_client_for_info_only_is_never_told_of_a_frame() {
    let mac = FakeMac::new();
    let (mut painter, id, first) = painting(&mac);
    let client = ForeignClient::new(&mac.program("client"), &id);
    client.ask_for_info();
    assert_eq!(client.messages(1), [ToClient::SurfaceChanged(first)]);
    let last = (2..10).map(|value| painter.paint((4, 2), value)).last().unwrap();
    drop(painter);
    let messages = client.messages(3);
    assert!(!messages.contains(&ToClient::NewFrame), "{messages:?}");
    assert_eq!(messages[messages.len() - 2..], [ToClient::SurfaceChanged(last), ToClient::Retired]);
}

#[test]
fn those_who_have_left_hear_nothing_more() {
    let mac = FakeMac::new();
    let (mut painter, id, _) = painting(&mac);
    let client = ForeignClient::new(&mac.program("client"), &id);
    client.ask_for_info();
    client.ask_for_frames();
    client.wait_for(2);
    assert_eq!(painter.server().clients(), 1);
    client.tell(&ToServer::RemoveForFrames(client.id.clone()));
    client.tell(&ToServer::RemoveForInfo(client.id.clone()));
    assert_eq!(painter.server().clients(), 0);
    painter.paint((8, 8), 2);
    drop(painter);
    assert_eq!(client.wait_for(2).len(), 2);
}

#[test]
fn a_rename_reaches_directories_and_clients() {
    let mac = FakeMac::new();
    let (painter, id, first) = painting(&mac);
    let program = mac.program("client");
    let (_observer, updates) = notifications(&program, names::UPDATE);
    let client = ForeignClient::new(&program, &id);
    client.ask_for_info();
    painter.server().rename("other").unwrap();
    assert_eq!(client.messages(2), [ToClient::SurfaceChanged(first), ToClient::NameChanged("other".into())]);
    let update = Description::read(&updates.recv_timeout(DEADLINE).unwrap()).unwrap();
    assert_eq!((update.id, update.name), (id, "other".into()));
    assert_eq!(painter.server().name(), "other");
}

#[test]
fn the_last_word_of_a_server_is_that_it_is_no_more() {
    let mac = FakeMac::new();
    let (painter, id, _) = painting(&mac);
    let program = mac.program("client");
    let (_observer, retired) = notifications(&program, names::RETIRE);
    drop(painter);
    assert_eq!(Description::id_of(&retired.recv_timeout(DEADLINE).unwrap()), Some(id.clone()));
    let (_observer, requests) = notifications(&program, names::ANNOUNCE_REQUEST);
    program.post(names::ANNOUNCE_REQUEST, None, None).unwrap();
    requests.recv_timeout(DEADLINE).unwrap();
    assert_eq!(mac.posted().iter().rfind(|p| p.1.as_ref() == Some(&id)).map(|p| p.0), Some(names::RETIRE));
    assert!(program.connect(&id).is_none(), "its port is closed");
}

#[test]
fn a_client_that_takes_no_messages_delays_nobody() {
    let mac = FakeMac::new();
    let (mut painter, id, _) = painting(&mac);
    let stuck_program = mac.program("stuck");
    let stuck = ForeignClient::new(&stuck_program, &id);
    stuck_program.stick(&stuck.id, true);
    stuck.ask_for_info();
    stuck.ask_for_frames();
    let client = ForeignClient::new(&mac.program("client"), &id);
    client.ask_for_info();
    client.ask_for_frames();
    client.wait_for(2);
    let mut last = 0;
    for (value, heard) in (2..10).zip((4..).step_by(2)) {
        last = painter.paint((4, 2), value);
        client.wait_for(heard);
    }
    stuck_program.stick(&stuck.id, false);
    // The first may have been on its way all the time; of the rest it gets the newest.
    let messages = stuck.wait_for_last(&[ToClient::SurfaceChanged(last), ToClient::NewFrame]);
    assert!(messages.len() <= 3, "{messages:?}");
}

#[test]
fn nonsense_is_passed_over() {
    let mac = FakeMac::new();
    let (painter, id, first) = painting(&mac);
    let client = ForeignClient::new(&mac.program("client"), &id);
    for (number, body) in [(0, vec![]), (0, b"bplist00".to_vec()), (1, Archived::Number(3).write()), (99, vec![1])] {
        client.tell_raw(number, &body);
    }
    client.tell(&ToServer::AddForInfo("nobody has this port".into()));
    client.ask_for_info();
    assert_eq!(client.messages(1), [ToClient::SurfaceChanged(first)]);
    assert_eq!(painter.server().clients(), 1);
}
