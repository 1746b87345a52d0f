//! Clients that ask for anything, at any time, and take their messages whenever they like.

use super::*;
use crate::texture::syphon::mailbox::Mailbox;
use proptest::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A way to a client that keeps messages until the script takes them.
struct Scripted {
    mailbox: Mutex<Mailbox>,
    alive: AtomicBool,
}

impl Scripted {
    fn new() -> Arc<Self> {
        Arc::new(Scripted { mailbox: Mutex::default(), alive: AtomicBool::new(true) })
    }
}

impl Connection for Scripted {
    fn send(&self, message: ToClient) {
        if self.alive.load(Ordering::Relaxed) {
            self.mailbox.lock().unwrap().put(message);
        }
    }

    fn withdraw(&self, kind: Kind) {
        self.mailbox.lock().unwrap().withdraw(kind);
    }

    fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }
}

/// One thing that happens. Clients have numbers.
#[derive(Clone, Copy, Debug)]
enum Step {
    AskInfo(usize),
    AskFrames(usize),
    LeaveInfo(usize),
    LeaveFrames(usize),
    /// A frame in the surface that was shown before, if there was one.
    SameSurface,
    NewSurface,
    Rename,
    /// The client takes its next message.
    Take(usize),
    /// The client's port takes no message in time.
    TimeOut(usize),
    /// The client's program ends, and nobody notices.
    Die(usize),
    /// Who is dead is found out.
    Notice,
}

/// What one client wants and has got, as the protocol's text says it.
#[derive(Default)]
struct Client {
    wants_info: bool,
    wants_frames: bool,
    dead: bool,
    connections: Vec<Arc<Scripted>>,
    /// How often it came anew: it asked for something when it wanted nothing.
    came: usize,
    got: Vec<ToClient>,
    /// What it had got when the last frame was published, if it wanted both then.
    at_last_frame: Option<usize>,
}

struct World {
    server: Clients<Scripted>,
    clients: Vec<Client>,
    surface: u32,
}

impl Client {
    fn come(&mut self) {
        self.came += usize::from(!self.dead && !self.wants_info && !self.wants_frames);
    }
}

fn id(client: usize) -> String {
    format!("client {client}")
}

impl World {
    fn new(clients: usize) -> Self {
        let clients = std::iter::repeat_with(Client::default).take(clients).collect();
        World { server: Clients::default(), clients, surface: 0 }
    }

    fn ask(&mut self, client: usize, message: ToServer) {
        let Client { dead, connections, .. } = &mut self.clients[client];
        if *dead {
            return;
        }
        let open = |asked: &str| {
            assert_eq!(asked, id(client));
            let new = Scripted::new();
            connections.push(new.clone());
            Some(new)
        };
        self.server.obey(message, open).expect("few clients");
    }

    fn publish(&mut self) {
        self.server.publish(self.surface);
        for client in &mut self.clients {
            client.at_last_frame = (client.wants_info && client.wants_frames).then_some(client.got.len());
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::AskInfo(c) => {
                self.clients[c].come();
                self.clients[c].wants_info |= !self.clients[c].dead;
                self.ask(c, ToServer::AddForInfo(id(c)));
            }
            Step::AskFrames(c) => {
                self.clients[c].come();
                self.clients[c].wants_frames |= !self.clients[c].dead;
                self.ask(c, ToServer::AddForFrames(id(c)));
            }
            Step::LeaveInfo(c) => {
                (self.clients[c].wants_info, self.clients[c].at_last_frame) = (false, None);
                self.ask(c, ToServer::RemoveForInfo(id(c)));
            }
            Step::LeaveFrames(c) => {
                (self.clients[c].wants_frames, self.clients[c].at_last_frame) = (false, None);
                self.ask(c, ToServer::RemoveForFrames(id(c)));
            }
            Step::SameSurface if self.surface == 0 => {}
            Step::SameSurface => self.publish(),
            Step::NewSurface => {
                self.surface += 1;
                self.publish();
            }
            Step::Rename => self.server.rename("other"),
            Step::Take(c) => {
                self.take(c);
            }
            Step::TimeOut(c) => {
                for connection in &self.clients[c].connections {
                    let mut mailbox = connection.mailbox.lock().unwrap();
                    if let Some(message) = mailbox.take() {
                        mailbox.put_back(message);
                    }
                }
            }
            Step::Die(c) => {
                let dying = &mut self.clients[c];
                (dying.dead, dying.wants_info, dying.wants_frames) = (true, false, false);
            }
            Step::Notice => {
                let dead = self.clients.iter().filter(|c| c.dead);
                dead.flat_map(|c| &c.connections)
                    .for_each(|connection| connection.alive.store(false, Ordering::Relaxed));
                self.server.forget_the_dead();
            }
        }
    }

    /// The client takes one message, if there is one; what it must never get fails the test here.
    fn take(&mut self, number: usize) -> bool {
        let client = &mut self.clients[number];
        let Some(message) = client.connections.iter().find_map(|c| c.mailbox.lock().unwrap().take()) else {
            return false;
        };
        if client.dead {
            return true;
        }
        match &message {
            ToClient::NewFrame => assert!(client.wants_frames, "client {number} did not ask for frames"),
            ToClient::SurfaceChanged(_) | ToClient::NameChanged(_) => {
                assert!(client.wants_info, "client {number} did not ask for info: {message:?}");
            }
            ToClient::Retired => panic!("the server has not ended"),
        }
        client.got.push(message);
        true
    }

    /// Lets everybody take everything, and checks that each knows what it wants to know.
    fn settle(mut self) {
        for number in 0..self.clients.len() {
            while self.take(number) {}
            let client = &self.clients[number];
            assert_eq!(client.connections.len(), client.came, "one connection at a time");
            let is_surface = |m: &&ToClient| matches!(m, ToClient::SurfaceChanged(_));
            if client.wants_info && self.surface != 0 {
                let last = client.got.iter().rfind(is_surface);
                assert_eq!(last, Some(&ToClient::SurfaceChanged(self.surface)), "client {number}");
            }
            if client.wants_frames && self.surface != 0 {
                assert!(client.got.contains(&ToClient::NewFrame), "client {number} knows of no frame");
            }
            if client.wants_info && client.wants_frames && self.surface != 0 {
                let frame = client.got.iter().rposition(|m| *m == ToClient::NewFrame);
                let surface = client.got.iter().rposition(|m| is_surface(&m));
                assert!(surface < frame, "client {number} heard of a frame before its surface: {:?}", client.got);
                assert!(frame >= client.at_last_frame, "client {number} was not told of the last frame");
            }
        }
        self.step(Step::Notice);
        assert_eq!(self.server.count(), self.clients.iter().filter(|c| c.wants_info).count());
    }
}

fn play(clients: usize, steps: impl IntoIterator<Item = Step>) {
    let mut world = World::new(clients);
    steps.into_iter().for_each(|step| world.step(step));
    world.settle();
}

/// Every order of what one client may do while frames come: 8 things, 6 at a time.
#[test]
fn every_order_of_messages_leaves_a_client_informed_and_never_misinformed() {
    use Step::*;
    let steps = [AskInfo(0), AskFrames(0), LeaveInfo(0), LeaveFrames(0), NewSurface, SameSurface, Take(0), TimeOut(0)];
    let length = 6;
    for number in 0..steps.len().pow(length) {
        let digit = |place| steps[number / steps.len().pow(place) % steps.len()];
        play(1, (0..length).map(digit));
    }
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let of_one: [fn(usize) -> Step; 7] = [AskInfo, AskFrames, LeaveInfo, LeaveFrames, Take, Take, TimeOut];
    prop_oneof![
        8 => (prop::sample::select(of_one.to_vec()), 0..3usize).prop_map(|(make, client)| make(client)),
        1 => (0..3usize).prop_map(Die),
        4 => prop::sample::select(vec![SameSurface, NewSurface, Rename, Notice]),
    ]
}

proptest! {
    #[test]
    fn clients_do_not_disturb_each_other(steps in prop::collection::vec(step(), 0..80)) {
        play(3, steps);
    }
}

#[test]
fn a_message_on_its_way_when_a_client_leaves_is_not_sent_again() {
    use Step::*;
    let mut world = World::new(1);
    [NewSurface, AskInfo(0), AskFrames(0), Take(0)].into_iter().for_each(|step| world.step(step));
    let connection = world.clients[0].connections[0].clone();
    let on_its_way = connection.mailbox.lock().unwrap().take();
    assert_eq!(on_its_way, Some(ToClient::NewFrame));
    world.step(LeaveFrames(0));
    connection.mailbox.lock().unwrap().put_back(ToClient::NewFrame);
    assert!(!world.take(0), "a client for info only");
}

#[test]
fn the_end_is_told_to_those_who_asked_for_info() {
    use Step::*;
    let mut world = World::new(3);
    [NewSurface, AskInfo(0), AskFrames(0), AskInfo(1), AskFrames(2)].into_iter().for_each(|step| world.step(step));
    let told = world.server.retire();
    assert_eq!((told.len(), world.server.count()), (2, 0));
    let waiting = |client: usize| {
        let mut mailbox = world.clients[client].connections[0].mailbox.lock().unwrap();
        std::iter::from_fn(|| mailbox.take()).collect::<Vec<_>>()
    };
    let end = [ToClient::SurfaceChanged(1), ToClient::Retired];
    assert_eq!([waiting(0), waiting(1)], [end.clone(), end]);
    assert_eq!(waiting(2), []);
}

#[test]
fn a_client_that_is_not_there_is_not_added() {
    let mut clients = Clients::<Scripted>::default();
    clients.obey(ToServer::AddForInfo("gone".into()), |_| None).unwrap();
    clients.obey(ToServer::AddForFrames("gone".into()), |_| None).unwrap();
    clients.publish(1);
    assert_eq!(clients.count(), 0);
}

#[test]
fn there_is_a_limit_to_clients() {
    let mut clients = Clients::default();
    let open = |_: &str| Some(Scripted::new());
    for n in 0..MOST_CLIENTS {
        assert_eq!(clients.obey(ToServer::AddForInfo(id(n)), open), Ok(()));
    }
    assert_eq!(clients.obey(ToServer::AddForInfo(id(MOST_CLIENTS)), open), Err(TooManyClients));
    assert_eq!(clients.obey(ToServer::AddForFrames(id(3)), open), Ok(()), "those who are known may ask for more");
    clients.obey(ToServer::RemoveForInfo(id(3)), open).unwrap();
    assert_eq!(clients.obey(ToServer::AddForInfo(id(MOST_CLIENTS)), open), Ok(()));
}
