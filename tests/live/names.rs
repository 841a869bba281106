//! Host names of addresses, asked of a name server of the test's own: through the system's resolver, over the network.

use crate::watched::{Home, PATIENCE, Watched, mark_of};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Where the name server listens: resolvers know no other port than 53, and nobody else uses this address.
const SERVER: &str = "127.83.71.53";
/// The name that the rule asks for.
const NAME: &str = "vault.peregrine.test";
/// The two addresses that it has, one after the other.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 83, 71, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 83, 71, 2);

/// A name server that knows one name, and can be made to think before it answers.
struct NameServer {
    address: Arc<Mutex<Ipv4Addr>>,
    /// A question for an address came.
    asked: Receiver<()>,
    /// Lets one such question be answered.
    answer: Sender<()>,
}

impl NameServer {
    fn start() -> Self {
        let socket = UdpSocket::bind((SERVER, 53)).expect("the port is free");
        let address = Arc::new(Mutex::new(FIRST));
        let (tell, asked) = channel();
        let (answer, answers) = channel::<()>();
        let known = Arc::clone(&address);
        std::thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((len, from)) = socket.recv_from(&mut packet) {
                let Some(question) = Question::read(&packet[..len]) else { continue };
                let mut found = None;
                if question.address {
                    if tell.send(()).is_err() || answers.recv().is_err() {
                        return;
                    }
                    found = (question.name == NAME).then(|| *known.lock().unwrap());
                }
                let _ = socket.send_to(&question.reply(&packet[..len], found), from);
            }
        });
        Self { address, asked, answer }
    }
}

/// One question of RFC 1035: its name, whether it asks for an IPv4 address, and where it ends.
struct Question {
    name: String,
    address: bool,
    end: usize,
}

impl Question {
    fn read(packet: &[u8]) -> Option<Self> {
        let (mut at, mut labels) = (12, Vec::new());
        loop {
            let len = usize::from(*packet.get(at)?);
            at += 1;
            if len == 0 {
                break;
            }
            labels.push(String::from_utf8(packet.get(at..at + len)?.to_vec()).ok()?);
            at += len;
        }
        Some(Self { name: labels.join("."), address: packet.get(at..at + 2)? == [0, 1], end: at + 4 })
    }

    /// An answer without or with an address, or that there is no such name.
    fn reply(&self, packet: &[u8], found: Option<Ipv4Addr>) -> Vec<u8> {
        let unknown = u8::from(self.name != NAME) * 3;
        let mut reply = packet[..2].to_vec();
        reply.extend([0x85, 0x80 | unknown, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
        reply.extend(&packet[12..self.end]);
        if let Some(address) = found {
            // The question's name, an address of the Internet, for no time at all.
            reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
            reply.extend(address.octets());
        }
        reply
    }
}

/// A run whose resolver asks the test's name server, in a mount namespace of its own.
fn start(home: &Home) -> Watched {
    let resolv = format!("nameserver {SERVER}\noptions timeout:30 attempts:1\n");
    std::fs::write(home.path("resolv.conf"), resolv).unwrap();
    std::fs::write(home.path("nsswitch.conf"), "hosts: dns\n").unwrap();
    let script = format!(
        "mount --bind {} /etc/resolv.conf && {{ [ ! -e /etc/nsswitch.conf ] || mount --bind {} /etc/nsswitch.conf; }} && exec \"$@\"",
        home.text("resolv.conf"),
        home.text("nsswitch.conf")
    );
    Watched::run_within(&["unshare", "--mount", "sh", "-c", &script, "sh"], &["-r", &home.text("rules.yaml")])
}

/// Connects to an address and gives what the rules told of it, up to the next mark.
fn connected(home: &mut Home, watched: &Watched, listener: &TcpListener) -> usize {
    drop(TcpStream::connect(listener.local_addr().unwrap()).expect("it listens"));
    let mark = home.mark();
    let mut named = 0;
    loop {
        let alert = watched.alert();
        if alert["rule"] == "Mark" {
            assert_eq!(mark_of(&alert), mark);
            return named;
        }
        assert_eq!(alert["output_fields"]["fd.sip.name"], NAME, "{alert}");
        named += 1;
    }
}

#[test]
fn names_of_addresses_are_asked_of_the_name_server() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let rule = format!(
        "- rule: Named\n  desc: d\n  condition: evt.type = connect and fd.sip.name = {NAME}\n  \
         output: to %fd.sip.name\n  priority: NOTICE\n"
    );
    let mut home = Home::new(&rule);
    let server = NameServer::start();
    let [first, second] = [FIRST, SECOND].map(|address| TcpListener::bind((address, 0)).unwrap());
    server.answer.send(()).unwrap();
    let watched = start(&home);
    server.asked.recv_timeout(PATIENCE).expect("it asks as it starts");
    assert_eq!(connected(&mut home, &watched, &first), 1);
    assert_eq!(connected(&mut home, &watched, &second), 0);

    // It asks again, and gets no answer for a while: nothing waits for it, and what was known holds.
    *server.address.lock().unwrap() = SECOND;
    server.asked.recv_timeout(PATIENCE).expect("it asks again");
    let begun = Instant::now();
    let mut lags = Vec::new();
    while begun.elapsed() < Duration::from_secs(3) {
        let done = Instant::now();
        let mark = home.mark();
        let line = watched.line();
        assert_eq!(mark_of(&line.alert()), mark);
        lags.push(line.at.duration_since(done));
    }
    assert_eq!(connected(&mut home, &watched, &first), 1);
    lags.sort_unstable();
    let (median, longest) = (lags[lags.len() / 2], lags[lags.len() - 1]);
    println!("the name server is silent: {} alerts, median {median:?}, longest {longest:?}", lags.len());
    assert!(median < Duration::from_millis(100) && longest < Duration::from_secs(2), "{median:?} {longest:?}");

    // The answer comes: another address has the name now.
    server.answer.send(()).unwrap();
    let begun = Instant::now();
    while connected(&mut home, &watched, &second) == 0 {
        assert!(begun.elapsed() < PATIENCE, "the new address never got its name");
    }
    assert_eq!(connected(&mut home, &watched, &first), 0, "the old one has lost it");
    let (status, _, said) = watched.stop();
    assert!(status.success(), "{said:#?}");
}
