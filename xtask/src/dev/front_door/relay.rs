//! One connection: one request, forwarded to its pod, and the answer.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::head::Head;
use super::pods::{Backend, Pods};
use super::{sticky, waiting_page};

/// How long a client may continue to send after its answer. Closing earlier would keep it from reading the answer.
const LINGER: Duration = Duration::from_secs(1);

/// An answer that has begun.
struct Answer<'a> {
    pod: &'a Backend,
    head: Head,
    rest: BufReader<TcpStream>,
    /// The rest of the request, on its way to the pod.
    upload: Option<Upload>,
}

/// Disconnected when the client has sent everything, or has disconnected.
type Upload = Receiver<()>;

/// Serves the request of a connection, and closes it.
///
/// # Errors
/// The client or the pod breaks the connection.
pub(super) fn serve(mut client: &TcpStream, peer: SocketAddr, pods: &Pods) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut from_client = BufReader::new(client.try_clone()?);
    let Some(request) = Head::read(&mut from_client)? else { return Ok(()) };
    let is_repeatable = is_repeatable(&request);
    let mut from_client = Some(from_client);
    let asked = ask_in_turn(pods, &request, |pod| {
        // A part of a body that a previous pod has received cannot be sent again.
        let body = if is_repeatable { None } else { Some(from_client.take()?) };
        let stream = match send(pod, &request, peer) {
            Some(stream) => stream,
            None => {
                from_client = from_client.take().or(body);
                return None;
            }
        };
        let upload = body.map(|body| upload(body, &stream)).transpose().ok()?;
        let (head, rest) = receive(stream, client)?;
        Some(Answer { pod, head, rest, upload })
    });
    let Some(mut answer) = asked else {
        client.write_all(waiting_page::answer(&request).as_bytes())?;
        return client.shutdown(Shutdown::Write);
    };
    if let Some(from_client) = from_client {
        answer.upload = Some(upload(from_client, answer.rest.get_ref())?);
    }
    let keep = if pods.by_browser { sticky::keep_browser } else { sticky::keep };
    if keep(&request, &mut answer.head, &answer.pod.name) {
        pods.note_given(answer.pod);
    }
    answer.pass_on(client)
}

/// Whether a request without an answer, or with a refusal, can be sent to another pod.
fn is_repeatable(request: &Head) -> bool {
    matches!(request.method(), "GET" | "HEAD")
        && !["content-length", "transfer-encoding", "upgrade"].into_iter().any(|name| request.has(name))
}

/// Tries the pod of the tab, then the others, until one answers. A refusal by an unready pod counts only if no other pod accepts
/// the request.
fn ask_in_turn<'a>(
    pods: &'a Pods,
    request: &Head,
    mut ask: impl FnMut(&'a Backend) -> Option<Answer<'a>>,
) -> Option<Answer<'a>> {
    let sticky = pods.sticky(sticky::named(request));
    let mut refusal = None;
    let mut turn = |pod: &'a Backend| {
        let answer = ask(pod)?;
        let is_refusal = answer.head.status() == 503 && is_repeatable(request) && !pod.is_ready();
        if !is_refusal {
            return Some(answer);
        }
        refusal.get_or_insert(answer);
        None
    };
    let answer = sticky.and_then(&mut turn).or_else(|| pods.others(sticky).into_iter().find_map(turn));
    answer.or(refusal)
}

/// Connects, and sends the head of the request, with the peer's address and `Connection: close`.
fn send(pod: &Backend, request: &Head, peer: SocketAddr) -> Option<TcpStream> {
    let mut stream = pod.connect()?;
    let mut head = request.clone();
    let connection = if head.has("upgrade") { "close, Upgrade" } else { "close" };
    for name in ["connection", "keep-alive", "proxy-connection"] {
        head.remove(name);
    }
    head.add("Connection", connection);
    head.add("X-Forwarded-For", &peer.ip().to_string());
    if !head.has("x-forwarded-proto") {
        head.add("X-Forwarded-Proto", "http");
    }
    head.write(&mut stream).ok()?;
    Some(stream)
}

/// Reads the head of the answer. What comes before it, such as `100 Continue`, is passed on.
fn receive(stream: TcpStream, mut client: &TcpStream) -> Option<(Head, BufReader<TcpStream>)> {
    let mut rest = BufReader::new(stream);
    loop {
        let head = Head::read(&mut rest).ok()??;
        match head.status() {
            0 => return None,
            101 | 200.. => return Some((head, rest)),
            _ => head.write(&mut client).ok()?,
        }
    }
}

/// Forwards what the client still sends until it disconnects, and then disconnects from the pod.
fn upload(mut from_client: BufReader<TcpStream>, pod: &TcpStream) -> io::Result<Upload> {
    let mut pod = pod.try_clone()?;
    let (running, upload) = channel();
    thread::Builder::new().spawn(move || {
        let mut bytes = [0; 16 * 1024];
        let mut is_wanted = true;
        while let Ok(read @ 1..) = from_client.read(&mut bytes) {
            // Bytes that the pod does not read any more are read here, so that the client reads its answer.
            is_wanted = is_wanted && pod.write_all(&bytes[..read]).is_ok();
        }
        // It may be closed already.
        let _ = pod.shutdown(Shutdown::Both);
        drop(running);
    })?;
    Ok(upload)
}

impl Answer<'_> {
    /// Passes the answer on as it comes, and closes both connections.
    fn pass_on(mut self, mut client: &TcpStream) -> io::Result<()> {
        let passed = self.head.write(&mut client).and_then(|()| io::copy(&mut self.rest, &mut client));
        if passed.is_ok()
            && client.shutdown(Shutdown::Write).is_ok()
            && let Some(upload) = &self.upload
        {
            // The end of the upload, or of the time for it.
            let _ = upload.recv_timeout(LINGER);
        }
        for stream in [client, self.rest.get_ref()] {
            // The other side may have closed it.
            let _ = stream.shutdown(Shutdown::Both);
        }
        passed.map(drop)
    }
}
