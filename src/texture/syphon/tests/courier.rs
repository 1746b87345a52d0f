use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Longer than any of this takes on the slowest machine; nothing waits for it unless it fails.
const DEADLINE: Duration = Duration::from_secs(60);

/// A port whose program takes a message when the test says how that ends.
struct SlowPort {
    offered: Mutex<Sender<(i32, Vec<u8>)>>,
    endings: Mutex<Receiver<Result<(), SendError>>>,
}

impl RemotePort for SlowPort {
    fn send(&self, number: i32, body: &[u8], patience: Duration) -> Result<(), SendError> {
        assert_eq!(patience, Duration::from_secs(60));
        self.offered.lock().unwrap().send((number, body.to_vec())).unwrap();
        self.endings.lock().unwrap().recv_timeout(DEADLINE).unwrap()
    }

    fn is_valid(&self) -> bool {
        true
    }
}

struct Test {
    courier: Courier,
    offered: Receiver<(i32, Vec<u8>)>,
    endings: Sender<Result<(), SendError>>,
    deaths: Receiver<()>,
}

impl Test {
    fn new() -> Self {
        let ((offer, offered), (endings, ending), (death, deaths)) = (channel(), channel(), channel());
        let port = SlowPort { offered: Mutex::new(offer), endings: Mutex::new(ending) };
        let courier = Courier::start(Arc::new(port), move || death.send(()).unwrap()).unwrap();
        Test { courier, offered, endings, deaths }
    }

    /// The message that the port is offered next; the courier waits for how that ends.
    fn next(&self) -> ToClient {
        let (number, body) = self.offered.recv_timeout(DEADLINE).expect("a message");
        ToClient::read(number, &body).expect("one that makes sense")
    }

    fn end(&self, ending: Result<(), SendError>) {
        self.endings.send(ending).unwrap();
    }
}

#[test]
fn a_slow_client_gets_the_newest_of_each_kind_when_it_is_ready() {
    let test = Test::new();
    test.courier.send(ToClient::SurfaceChanged(1));
    assert_eq!(test.next(), ToClient::SurfaceChanged(1));
    for surface in 2..100 {
        test.courier.send(ToClient::SurfaceChanged(surface));
        test.courier.send(ToClient::NewFrame);
    }
    test.end(Ok(()));
    assert_eq!(test.next(), ToClient::SurfaceChanged(99));
    test.end(Ok(()));
    assert_eq!(test.next(), ToClient::NewFrame);
    test.end(Ok(()));
    test.courier.finish(DEADLINE);
    assert!(test.offered.try_recv().is_err(), "that was all");
    assert!(test.courier.is_alive());
}

#[test]
fn a_message_that_was_not_taken_in_time_is_sent_again_in_its_place() {
    let test = Test::new();
    test.courier.send(ToClient::SurfaceChanged(1));
    test.courier.send(ToClient::NewFrame);
    assert_eq!(test.next(), ToClient::SurfaceChanged(1));
    test.end(Err(SendError::TimedOut));
    assert_eq!(test.next(), ToClient::SurfaceChanged(1));
    test.end(Ok(()));
    assert_eq!(test.next(), ToClient::NewFrame);
    test.end(Ok(()));
}

#[test]
fn another_error_loses_one_message_only() {
    let test = Test::new();
    test.courier.send(ToClient::SurfaceChanged(1));
    test.courier.send(ToClient::NewFrame);
    assert_eq!(test.next(), ToClient::SurfaceChanged(1));
    test.end(Err(SendError::Failed(-4)));
    assert_eq!(test.next(), ToClient::NewFrame);
    test.end(Ok(()));
    assert!(test.courier.is_alive());
}

#[test]
fn a_client_that_is_gone_is_reported_and_gets_no_more() {
    let test = Test::new();
    test.courier.send(ToClient::NewFrame);
    test.courier.send(ToClient::SurfaceChanged(1));
    test.next();
    test.end(Err(SendError::Gone));
    test.deaths.recv_timeout(DEADLINE).expect("it is reported");
    assert!(!test.courier.is_alive());
    test.courier.send(ToClient::NewFrame);
    test.courier.finish(DEADLINE);
    assert!(test.offered.try_recv().is_err(), "nothing is sent to a dead client");
}

#[test]
fn what_is_sent_before_the_end_is_delivered() {
    let test = Test::new();
    test.courier.send(ToClient::NewFrame);
    test.courier.send(ToClient::Retired);
    let Test { courier, offered, endings, deaths } = test;
    drop(courier);
    for wanted in [ToClient::NewFrame, ToClient::Retired] {
        assert_eq!(offered.recv_timeout(DEADLINE).unwrap().0, wanted.number());
        endings.send(Ok(())).unwrap();
    }
    assert!(deaths.recv_timeout(DEADLINE).is_err(), "its thread has ended, and reports no death");
}

#[test]
fn the_end_does_not_wait_for_a_client_that_takes_nothing() {
    let test = Test::new();
    test.courier.send(ToClient::Retired);
    test.next();
    // Returns though the port has not answered.
    test.courier.finish(Duration::ZERO);
    test.end(Err(SendError::TimedOut));
    test.courier.finish(DEADLINE);
    assert!(test.offered.try_recv().is_err(), "nobody is asked twice once it is over");
}

/// Many streams end one after the other: a client that hangs must not cost each of them the whole wait.
#[test]
fn a_client_that_has_hung_for_long_is_not_waited_for_again() {
    let test = Test::new();
    test.courier.send(ToClient::NewFrame);
    test.next();
    let begun = Instant::now();
    test.courier.shared.lock().lying = Some(begun.checked_sub(DEADLINE).expect("the clock began earlier"));
    test.courier.send(ToClient::Retired);
    test.courier.finish(DEADLINE);
    assert!(begun.elapsed() < DEADLINE, "its time was over");
    test.end(Ok(()));
    assert_eq!(test.next(), ToClient::Retired);
    test.end(Ok(()));
    test.courier.finish(DEADLINE);
    assert!(test.offered.try_recv().is_err());
}
