use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::{Body as _, Frame};
use proptest::prelude::*;

use super::coding::Coding::{self, Brotli, Deflate, Gzip, Zstd};
use super::coding::decode::Decoding;
use super::coding::encode::Encoding;
use super::*;

const TAG: &str = "<script src=\"/_lastcall/assets/lastcall.js\" defer></script>";
const PAGE: &str = "<!doctype html><html><head><title>a</title></head><body>b</body></html>";

/// What the app sends, or that it pauses.
enum Step {
    Data(Bytes),
    Pause,
    Trailers(HeaderMap),
    Break,
}

#[derive(Clone)]
struct AppBody(Arc<Mutex<VecDeque<Step>>>);

impl AppBody {
    fn steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self(Arc::new(Mutex::new(steps.into_iter().collect())))
    }

    /// Ends a pause.
    fn resume(&self) {
        self.0.lock().unwrap().pop_front();
    }

    fn of<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::steps(chunks.into_iter().map(|chunk| Step::Data(Bytes::copy_from_slice(chunk))))
    }
}

impl http_body::Body for AppBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut steps = self.0.lock().unwrap();
        if let Some(Step::Pause) = steps.front() {
            return Poll::Pending;
        }
        match steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Some(Step::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(Step::Pause) => unreachable!(),
            Some(Step::Break) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
        }
    }
}

#[derive(Clone, Default)]
struct Reasons(Arc<Mutex<Vec<WithoutNotice>>>);

impl Reasons {
    fn script(&self) -> PageScript {
        let reasons = self.clone();
        PageScript::new("/_lastcall/assets/lastcall.js", move |reason| reasons.0.lock().unwrap().push(reason))
    }

    fn take(&self) -> Vec<WithoutNotice> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn request(method: &str, lines: &[(&str, &str)]) -> http::request::Parts {
    let builder =
        Request::builder().method(method).uri("/").header("host", "app.example").header("accept", "text/html");
    lines.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap().into_parts().0
}

/// The answer to a `GET` of a page.
fn answer<B>(script: &PageScript, status: u16, lines: &[(&str, &str)], body: B) -> Response<Body<B>> {
    answer_to(script, &mut request("GET", &[]), status, lines, body)
}

fn answer_to<B>(
    script: &PageScript,
    request: &mut http::request::Parts,
    status: u16,
    lines: &[(&str, &str)],
    body: B,
) -> Response<Body<B>> {
    let expected = script.on_request(request);
    let builder = Response::builder().status(status);
    let response =
        lines.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(body).unwrap();
    script.on_response(&expected, response)
}

/// What a body gives until it ends or the app pauses, the trailers, and how it ended.
#[derive(Debug, Default)]
struct Read {
    bytes: Vec<u8>,
    trailers: Option<HeaderMap>,
    error: Option<BodyError>,
    largest: usize,
}

fn read<B>(body: &mut Body<B>) -> Read
where
    B: http_body::Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    struct Woken(std::sync::atomic::AtomicBool);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let woken = Arc::new(Woken(false.into()));
    let waker = Waker::from(Arc::clone(&woken));
    let mut read = Read::default();
    loop {
        match Pin::new(&mut *body).poll_frame(&mut Context::from_waker(&waker)) {
            Poll::Pending if woken.0.swap(false, std::sync::atomic::Ordering::Relaxed) => {}
            Poll::Pending | Poll::Ready(None) => return read,
            Poll::Ready(Some(Err(error))) => {
                read.error = Some(error);
                return read;
            }
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(bytes) => {
                    read.largest = read.largest.max(bytes.len());
                    read.bytes.extend_from_slice(&bytes);
                }
                Err(frame) => read.trailers = frame.into_trailers().ok(),
            },
        }
    }
}

fn encoded(codings: &[Coding], bytes: &[u8]) -> Vec<u8> {
    let mut encoding = Encoding::new(codings);
    [encoding.write(bytes).unwrap(), encoding.finish().unwrap()].concat()
}

/// What is decoded until more bytes are needed.
fn decoded(decoding: &mut Decoding, bytes: &[u8]) -> Vec<u8> {
    decoding.push(Bytes::copy_from_slice(bytes));
    std::iter::from_fn(|| Some(decoding.read().unwrap()).filter(|piece| !piece.is_empty())).flatten().collect()
}

fn field(codings: &[Coding]) -> String {
    let name = |coding: &Coding| match coding {
        Gzip => "gzip",
        Brotli => "br",
        Zstd => "zstd",
        Deflate => "deflate",
    };
    codings.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn with_tag(page: &str) -> String {
    page.replacen("<head>", &format!("<head>{TAG}"), 1)
}

#[test]
fn the_head_of_a_page_loses_what_is_no_longer_true() {
    let (reasons, fields) = (
        Reasons::default(),
        [
            ("content-type", "text/html"),
            ("content-length", "71"),
            ("accept-ranges", "bytes"),
            ("content-md5", "x"),
            ("digest", "x"),
            ("content-digest", "x"),
            ("repr-digest", "x"),
            ("etag", "\"a\""),
            ("last-modified", "x"),
        ],
    );
    let expected = [("content-type", "text/html"), ("etag", "W/\"a\""), ("last-modified", "x")];
    let lines = |headers: &HeaderMap| -> Vec<_> {
        let lines = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        std::collections::BTreeMap::from_iter(lines).into_iter().collect()
    };
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut page = answer(&reasons.script(), 200, &fields, AppBody::of([PAGE.as_bytes()]));
    assert_eq!(lines(page.headers()), expected);
    assert_eq!(page.body().size_hint().exact(), None);
    assert_eq!(read(page.body_mut()).bytes, with_tag(PAGE).as_bytes());
    let mut head = answer_to(&reasons.script(), &mut request("HEAD", &[]), 200, &fields, AppBody::of([]));
    assert_eq!((lines(head.headers()), read(head.body_mut()).bytes), (expected.to_vec(), vec![]));
    let mut fetched = request("GET", &[("sec-fetch-mode", "cors")]);
    let mut fetched = answer_to(&reasons.script(), &mut fetched, 200, &fields, AppBody::of([PAGE.as_bytes()]));
    assert_eq!((fetched.headers().len(), read(fetched.body_mut()).bytes), (fields.len(), PAGE.as_bytes().to_vec()));
    assert_eq!(reasons.take(), []);
}

#[test]
fn a_confirmed_copy_keeps_the_tag_that_the_browser_has() {
    let script = Reasons::default().script();
    for (asked, kept) in [("W/\"a\"", "W/\"a\""), ("\"a\"", "\"a\""), ("W/\"b\", \"a\"", "\"a\"")] {
        let mut request = request("GET", &[("if-none-match", asked)]);
        let answer = answer_to(&script, &mut request, 304, &[("etag", "\"a\"")], AppBody::of([]));
        assert_eq!(answer.headers()["etag"], kept, "{asked}");
    }
    // The app's own tag may be a weak one.
    let mut request = request("GET", &[("if-none-match", "W/\"a\"")]);
    let fields = [("etag", "W/\"a\""), ("content-length", "71")];
    let answer = answer_to(&script, &mut request, 304, &fields, AppBody::of([]));
    assert_eq!((answer.headers().len(), &answer.headers()["etag"]), (1, &http::HeaderValue::from_static("W/\"a\"")));
}

#[test]
fn what_is_no_page_is_left_alone_and_counted_where_a_user_sees_it() {
    use WithoutNotice::{Charset, Coding, Download, Fragment, Partial, Policy, Xhtml};
    const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
    for (status, lines, reason) in [
        (200, &[HTML][..], None),
        (404, &[HTML], None),
        (422, &[HTML], None),
        (500, &[HTML, ("content-disposition", "inline; filename=a")], None),
        (206, &[HTML], Some(Partial)),
        (200, &[HTML, ("content-disposition", "Attachment; filename=a.html")], Some(Download)),
        (200, &[HTML, ("content-encoding", "compress")], Some(Coding)),
        (200, &[("content-type", "text/html; charset=utf-16le")], Some(Charset)),
        (200, &[("content-type", "application/xhtml+xml")], Some(Xhtml)),
        (200, &[HTML, ("content-security-policy", "script-src 'none'")], Some(Policy)),
        (200, &[HTML, ("content-security-policy-report-only", "script-src 'none'")], None),
    ] {
        let reasons = Reasons::default();
        let mut page = answer(&reasons.script(), status, lines, AppBody::of([PAGE.as_bytes()]));
        let expected = if reason.is_none() { with_tag(PAGE) } else { PAGE.to_owned() };
        assert_eq!(String::from_utf8(read(page.body_mut()).bytes).unwrap(), expected, "{status} {lines:?}");
        assert_eq!(reasons.take(), reason.into_iter().collect::<Vec<_>>(), "{status} {lines:?}");
        if reason.is_some() {
            assert_eq!(page.headers().len(), lines.len(), "{lines:?}");
        }
    }
    for (status, lines) in
        [(200, &[("content-type", "application/json")][..]), (200, &[]), (302, &[HTML, ("location", "/")])]
    {
        let reasons = Reasons::default();
        let mut other = answer(&reasons.script(), status, lines, AppBody::of([PAGE.as_bytes()]));
        assert_eq!((read(other.body_mut()).bytes, reasons.take()), (PAGE.as_bytes().to_vec(), vec![]));
    }
    let reasons = Reasons::default();
    let mut fragment = answer(&reasons.script(), 200, &[HTML], AppBody::of([&b"<p>a</p>"[..]]));
    assert_eq!((read(fragment.body_mut()).bytes, reasons.take()), (b"<p>a</p>".to_vec(), vec![Fragment]));
}

#[test]
fn the_tag_takes_the_nonce_of_the_policy() {
    let policy = ("content-security-policy", "script-src 'nonce-AbC=' 'strict-dynamic'");
    let mut page = answer(
        &Reasons::default().script(),
        200,
        &[("content-type", "text/html"), policy],
        AppBody::of([PAGE.as_bytes()]),
    );
    let text = String::from_utf8(read(page.body_mut()).bytes).unwrap();
    assert!(
        text.contains("<head><script src=\"/_lastcall/assets/lastcall.js\" defer nonce=\"AbC=\"></script><title>"),
        "{text}"
    );
}

#[test]
fn what_the_app_has_sent_reaches_the_browser_while_the_app_pauses() {
    for codings in [&[][..], &[Gzip], &[Brotli], &[Zstd], &[Deflate], &[Gzip, Zstd]] {
        let mut encoding = Encoding::new(codings);
        let mut part = |text: &str| {
            Step::Data([encoding.write(text.as_bytes()).unwrap(), encoding.flush().unwrap()].concat().into())
        };
        let steps = [part("<html><head><title>a"), Step::Pause, part("</title><p>b"), Step::Pause, Step::Break];
        let lines = [("content-type", "text/html"), ("content-encoding", &field(codings))];
        let app = AppBody::steps(steps);
        let mut page = answer(&Reasons::default().script(), 200, &lines, app.clone());
        let mut decoding = Decoding::new(codings);
        let mut decoded =
            |bytes: &[u8]| if codings.is_empty() { bytes.to_vec() } else { decoded(&mut decoding, bytes) };
        let first = read(page.body_mut()).bytes;
        assert_eq!(decoded(&first), format!("<html><head>{TAG}<title>a").as_bytes(), "{codings:?}");
        app.resume();
        let second = read(page.body_mut()).bytes;
        assert_eq!(decoded(&second), b"</title><p>b", "{codings:?}");
        app.resume();
        assert!(matches!(read(page.body_mut()).error, Some(BodyError::App(_))), "{codings:?}");
    }
}

#[test]
fn trailers_pass_but_for_digests() {
    let trailers: HeaderMap = [("digest", "x"), ("server-timing", "a")]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
    let steps = [Step::Data(PAGE.into()), Step::Trailers(trailers)];
    let mut page = answer(&Reasons::default().script(), 200, &[("content-type", "text/html")], AppBody::steps(steps));
    let read = read(page.body_mut());
    assert_eq!(read.bytes, with_tag(PAGE).as_bytes());
    assert_eq!(read.trailers.unwrap().keys().collect::<Vec<_>>(), ["server-timing"]);
}

#[test]
fn a_body_that_is_not_in_its_coding_passes_or_breaks_off_where_it_is_wrong() {
    let long = (0..200_000u32)
        .fold(PAGE.to_owned(), |page, number| page + &(number.wrapping_mul(2_654_435_761)).to_string())
        .into_bytes();
    for coding in [Gzip, Brotli, Zstd, Deflate] {
        let lines = [("content-type", "text/html"), ("content-encoding", &field(&[coding]))];
        let reasons = Reasons::default();
        let garbage = [b"\xff\xfe\xff".repeat(40), PAGE.as_bytes().to_vec()].concat();
        let mut wrong = answer(&reasons.script(), 200, &lines, AppBody::of(garbage.chunks(50)));
        let passed = read(wrong.body_mut());
        assert_eq!((passed.bytes, reasons.take()), (garbage, vec![WithoutNotice::Coding]), "{coding:?}");
        assert!(passed.error.is_none(), "{coding:?}");

        let mut body = encoded(&[coding], &long);
        body.truncate(body.len() - 9);
        let mut short = answer(&reasons.script(), 200, &lines, AppBody::of(body.chunks(2000)));
        let passed = read(short.body_mut());
        assert!(matches!(passed.error, Some(BodyError::Coding(_))), "{coding:?}");
        let text = decoded(&mut Decoding::new(&[coding]), &passed.bytes);
        assert!(text.starts_with(with_tag(PAGE).as_bytes()), "{coding:?}");

        let mut empty = answer(&reasons.script(), 200, &lines, AppBody::of([]));
        let passed = read(empty.body_mut());
        assert!(passed.bytes.is_empty() && passed.error.is_none() && reasons.take().is_empty(), "{coding:?}");
    }
}

#[test]
fn members_that_follow_each_other_and_deflate_without_a_header_are_read() {
    let halves = [&PAGE[..30], &PAGE[30..]];
    let members = |coding| halves.map(|half| encoded(&[coding], half.as_bytes())).concat();
    // Zlib's header has two bytes, its checksum four.
    let zlib = encoded(&[Deflate], PAGE.as_bytes());
    let bodies = [
        (Gzip, [members(Gzip), b"garbage".to_vec()].concat()),
        (Zstd, members(Zstd)),
        (Deflate, zlib[2..zlib.len() - 4].to_vec()),
    ];
    for (coding, body) in bodies {
        let lines = [("content-type", "text/html"), ("content-encoding", &field(&[coding]))];
        for chunk in [1, 5, 1000] {
            let mut page = answer(&Reasons::default().script(), 200, &lines, AppBody::of(body.chunks(chunk)));
            let passed = read(page.body_mut());
            assert!(passed.error.is_none(), "{coding:?} {:?}", passed.error);
            assert_eq!(decoded(&mut Decoding::new(&[coding]), &passed.bytes), with_tag(PAGE).as_bytes(), "{coding:?}");
        }
    }
}

/// A body of a few kilobytes that decodes to many megabytes is worked on piece by piece.
#[test]
fn a_page_that_decodes_to_much_is_never_held() {
    let page = [PAGE.as_bytes(), &vec![b' '; 16 << 20]].concat();
    for coding in [Gzip, Brotli, Zstd] {
        let body = encoded(&[coding], &page);
        assert!(body.len() < page.len() / 500);
        let lines = [("content-type", "text/html"), ("content-encoding", &field(&[coding]))];
        let mut bomb = answer(&Reasons::default().script(), 200, &lines, AppBody::of([&body[..]]));
        let polls = std::iter::from_fn(|| {
            let poll = Pin::new(bomb.body_mut()).poll_frame(&mut Context::from_waker(Waker::noop()));
            (!matches!(poll, Poll::Ready(None))).then_some(())
        });
        let polls = polls.count();
        assert!(polls > page.len() / (1 << 20), "{polls} polls for {coding:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_page_in_any_coding_and_any_chunks_is_the_page_with_the_tag(
        codings in prop::collection::vec(prop::sample::select(vec![Gzip, Brotli, Zstd, Deflate]), 1..3),
        text in prop::collection::vec(any::<u8>(), 0..3000),
        repeated in 0usize..60,
        chunk in 1usize..2000,
    ) {
        let page = [PAGE.as_bytes(), &text.repeat(repeated)].concat();
        let body = encoded(&codings, &page);
        let lines = [("content-type", "text/html"), ("content-encoding", &field(&codings))];
        let mut response = answer(&Reasons::default().script(), 200, &lines, AppBody::of(body.chunks(chunk)));
        let passed = read(response.body_mut());
        prop_assert!(passed.error.is_none());
        let mut decoding = Decoding::new(&codings);
        let expected = [with_tag(PAGE).into_bytes(), page[PAGE.len()..].to_vec()].concat();
        prop_assert!(decoded(&mut decoding, &passed.bytes) == expected);
        prop_assert!(decoding.finish().is_ok());
    }
}
