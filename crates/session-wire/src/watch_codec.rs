//! The client side of a watch, with a codec that bounds the memory of a message before it decodes it.
//!
//! An empty session or task takes 2 bytes on the wire and more than 100 when decoded: a message of the allowed size could take a
//! hundred times its size in memory. So the codec counts the sessions and tasks in the encoded bytes first.

use prost::Message as _;
use prost::bytes::{Buf as _, Bytes};
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::{Request, Status, Streaming};
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::v1::{WatchSessionsRequest, WatchSessionsResponse};

/// The greatest number of sessions and removed ids in one message of a watch.
pub const MAX_SESSIONS_PER_MESSAGE: usize = 1_000;

/// The greatest number of tasks in one message of a watch, of all its sessions together.
pub const MAX_TASKS_PER_MESSAGE: usize = 10_000;

/// The greatest size of a message of a watch, in bytes. A thousand sessions with the longest names take less, and so does one
/// session with all the tasks that it may have. Sessions with many tasks need more messages.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Calls `WatchSessions` on a pod. A message beyond [`MAX_SESSIONS_PER_MESSAGE`], [`MAX_TASKS_PER_MESSAGE`] or
/// [`MAX_MESSAGE_BYTES`] ends the stream with `OUT_OF_RANGE`.
///
/// # Errors
/// If the pod cannot be reached or refuses the call.
pub async fn watch_sessions<S>(service: S) -> Result<Streaming<WatchSessionsResponse>, Status>
where
    S: tonic::client::GrpcService<tonic::body::Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResponseBody: tonic::transport::Body<Data = Bytes> + Send + 'static,
    <S::ResponseBody as tonic::transport::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let mut client = tonic::client::Grpc::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES);
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path = tonic::codegen::http::uri::PathAndQuery::from_static("/lastcall.v1.Introspection/WatchSessions");
    let answer = client.server_streaming(Request::new(WatchSessionsRequest {}), path, WatchCodec).await?;
    Ok(answer.into_inner())
}

#[derive(Clone, Copy, Debug)]
struct WatchCodec;

impl Codec for WatchCodec {
    type Encode = WatchSessionsRequest;
    type Decode = WatchSessionsResponse;
    type Encoder = ProstEncoder<WatchSessionsRequest>;
    type Decoder = WatchDecoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<WatchSessionsRequest, WatchSessionsResponse>::default().encoder()
    }

    fn decoder(&mut self) -> WatchDecoder {
        WatchDecoder
    }
}

#[derive(Clone, Copy, Debug)]
struct WatchDecoder;

impl Decoder for WatchDecoder {
    type Item = WatchSessionsResponse;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<WatchSessionsResponse>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        match count(&bytes) {
            Some(Count { sessions: ..=MAX_SESSIONS_PER_MESSAGE, tasks: ..=MAX_TASKS_PER_MESSAGE }) => {}
            Some(Count { sessions: ..=MAX_SESSIONS_PER_MESSAGE, tasks: _ }) => {
                let reason = format!("it sends a message with more than {MAX_TASKS_PER_MESSAGE} tasks");
                return Err(Status::out_of_range(reason));
            }
            Some(_) => {
                let reason = format!("it sends a message with more than {MAX_SESSIONS_PER_MESSAGE} sessions");
                return Err(Status::out_of_range(reason));
            }
            None => return Err(Status::internal("it sends what is no message")),
        }
        let message = WatchSessionsResponse::decode(bytes);
        message.map(Some).map_err(|error| Status::internal(format!("it sends what is no message: {error}")))
    }
}

/// How much an encoded message contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    /// Sessions and removed ids.
    sessions: usize,
    /// Tasks of all sessions.
    tasks: usize,
}

/// Counts what is in an encoded message; `None` if the bytes are not a message.
fn count(message: &[u8]) -> Option<Count> {
    const TASKS: u64 = 12; // the field `tasks` of a session
    let mut count = Count::default();
    for_each_field(message, |number, part| {
        // A snapshot or changes: sessions are field 1 of both, removed ids field 2 of the changes.
        if number == 1 || number == 2 {
            for_each_field(part, |number, session| {
                count.sessions += usize::from(number == 1 || number == 2);
                if number == 1 {
                    for_each_field(session, |number, _| {
                        count.tasks += usize::from(number == TASKS);
                        Some(())
                    })?;
                }
                Some(())
            })?;
        }
        Some(())
    })?;
    Some(count)
}

/// Visits the length-delimited fields of a protobuf message: each has a key (number and type), a length and a value.
fn for_each_field(mut bytes: &[u8], mut visit: impl FnMut(u64, &[u8]) -> Option<()>) -> Option<()> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let skipped = match key & 7 {
            0 => {
                varint(&mut bytes)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let value = bytes.split_off(..skipped)?;
        if key & 7 == 2 {
            visit(key >> 3, value)?;
        }
    }
    Some(())
}

/// Reads a varint of up to ten bytes.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..70).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::v1::watch_sessions_response::{Changes, Event, Snapshot};
    use crate::v1::{Pod, Session, Task};

    fn bytes(event: Event) -> Vec<u8> {
        WatchSessionsResponse { event: Some(event) }.encode_to_vec()
    }

    fn counted(sessions: usize, tasks: usize) -> Option<Count> {
        Some(Count { sessions, tasks })
    }

    #[test]
    fn the_sessions_and_tasks_of_a_message_are_counted_in_its_bytes() {
        let task = || Task { task_id: "t".into(), ..Task::default() };
        let session = || Session { user: "ada".into(), event_streams: 7, tasks: vec![task(); 2], ..Session::default() };
        let snapshot = bytes(Event::Snapshot(Snapshot { sessions: vec![session(); 3], end: true }));
        assert_eq!(count(&snapshot), counted(3, 6));
        let changes = Changes { upserts: vec![session(); 2], removals: vec!["x".into(); 4], outcomes: vec![1; 4] };
        assert_eq!(count(&bytes(Event::Changes(changes))), counted(6, 4));
        assert_eq!(count(&bytes(Event::Pod(Pod { pod: "user-1".into(), ..Pod::default() }))), counted(0, 0));
        assert_eq!(count(&[snapshot.clone(), snapshot].concat()), counted(6, 12), "a field may occur twice");
        let empty = bytes(Event::Snapshot(Snapshot { sessions: vec![Session::default(); 100_000], end: false }));
        assert_eq!((count(&empty), empty.len() < 201_000), (counted(100_000, 0), true));
        let idle = Session { tasks: vec![Task::default(); 100_000], ..Session::default() };
        let empty = bytes(Event::Snapshot(Snapshot { sessions: vec![idle], end: false }));
        assert_eq!((count(&empty), empty.len() < 201_000), (counted(1, 100_000), true));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_every_decodable_session_is_counted(message: Vec<u8>) {
            let counted = count(&message);
            let decoded = match WatchSessionsResponse::decode(message.as_slice()).ok().and_then(|message| message.event) {
                Some(Event::Snapshot(part)) => (part.sessions.len(), tasks(&part.sessions)),
                Some(Event::Changes(changes)) => {
                    (changes.upserts.len() + changes.removals.len(), tasks(&changes.upserts))
                }
                Some(Event::Pod(_)) | None => (0, 0),
            };
            prop_assert!(counted.is_none_or(|counted| counted.sessions >= decoded.0 && counted.tasks >= decoded.1));
        }
    }

    fn tasks(sessions: &[Session]) -> usize {
        sessions.iter().map(|session| session.tasks.len()).sum()
    }
}
