//! An app with pages of every kind, which knows nothing of Lastcall.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use test_support::{HTMX, TURBO};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;

/// A page in `gzip`.
const PACKED: &str = include_str!("packed.txt");

/// What every page of the browser tests has: its heading, a link, and a style that resets everything and is dark.
const STYLE: &str = "* { all: unset; z-index: 9999; font-size: 40px !important } head, script, style, title { display: none !important }
    html, body { display: block; background: #111; color: #eee } h1 { display: block; position: fixed; inset: 0 0 auto 0 }";

/// A running app. Gone when dropped.
pub(super) struct App {
    pub(super) url: String,
    /// The fields of the last request, a line each.
    pub(super) last_request: watch::Receiver<String>,
    /// What the page `/slow` sends next.
    pub(super) slow: mpsc::UnboundedSender<&'static str>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    last_request: watch::Sender<String>,
    slow: std::sync::Arc<tokio::sync::Mutex<Option<mpsc::UnboundedReceiver<&'static str>>>>,
}

impl App {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, last_request) = watch::channel(String::new());
        let (slow, parts) = mpsc::unbounded_channel();
        let shared = Shared { last_request: sender, slow: std::sync::Arc::new(Some(parts).into()) };
        let app = Router::new().fallback(answer).with_state(shared);
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, last_request, slow, server }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let fields = request.headers().iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
    shared.last_request.send_replace(fields.collect());
    let page = |title: &str| {
        format!("<!doctype html><html lang=en><head><title>{title}</title></head><body><h1>{title}</h1></body></html>")
    };
    let html = Response::builder().header("content-type", "text/html; charset=utf-8");
    let script = || Response::builder().header("content-type", "text/javascript");
    let path = request.uri().path();
    let answer = match path {
        "/plain" => html.header("etag", "\"v1\"").header("accept-ranges", "bytes").header("digest", "x").body(page("Plain").into()),
        "/plain-again" => Response::builder().status(304).header("etag", "\"v1\"").body(Body::empty()),
        "/packed" => {
            let packed = base64(PACKED.trim());
            html.header("content-encoding", "gzip").body(packed.into())
        }
        "/compressed" => html.header("content-encoding", "compress").body("x".into()),
        "/utf-16" => Response::builder().header("content-type", "text/html; charset=utf-16le").body("<\0h\0".into()),
        "/part" => html.status(206).header("content-range", "bytes 0-5/9").body("<html>".into()),
        "/download" => html.header("content-disposition", "attachment").body(page("Download").into()),
        "/strict" => html.header("content-security-policy", "default-src 'none'").body(page("Strict").into()),
        "/fragment" => html.body("<p>a</p>".into()),
        "/missing" => html.status(404).body(page("Missing").into()),
        "/slow" => {
            let parts = shared.slow.lock().await.take().unwrap();
            html.body(Body::from_stream(UnboundedReceiverStream::new(parts).map(|part| Ok::<_, std::io::Error>(Bytes::from(part)))))
        }
        "/nonce" => html
            .header("content-security-policy", "default-src 'none'; script-src 'nonce-AbC123' 'strict-dynamic'; connect-src 'self'; require-trusted-types-for 'script'")
            .body(page("Nonce").into()),
        "/dark" => html.body(format!("<!doctype html><html><head><title>Dark</title><style>{STYLE}</style><base href=https://elsewhere.example/></head><body><h1>Dark</h1></body></html>").into()),
        "/grid" => html.body("<!doctype html><html><head><title>Grid</title><style>body { display: grid; grid-template-columns: 10rem 1fr; height: 100vh; margin: 0 }</style></head><body><nav>Menu</nav><h1>Grid</h1></body></html>".into()),
        "/frameset" => html.body("<html><title>Frameset</title><frameset cols='*,*'><frame src=/plain></frameset></html>".into()),
        "/frames" => html.body("<!doctype html><html><head><title>Frames</title></head><body><h1>Frames</h1><iframe src=/plain></iframe></body></html>".into()),
        "/meta" => html.body("<!doctype html><html><head><meta http-equiv=content-security-policy content=\"default-src 'none'; frame-src 'self'; form-action 'self'\"><title>Meta</title></head><body><h1>Meta</h1></body></html>".into()),
        "/turbo.js" => script().body(TURBO.into()),
        "/htmx.js" => script().body(HTMX.into()),
        path if path.starts_with("/window/") => html.body(super::windows::page(&path[8..]).into()),
        path => {
            let (kind, title) = path[1..].split_once('/').unwrap_or(("none", "None"));
            let other = if title == "One" { "Two" } else { "One" };
            html.body(format!("<!doctype html><html lang=en><head><title>{title}</title><script src=/{kind}.js defer></script></head>
                <body hx-boost=true><h1>{title}</h1><a id=go href={other}>Go</a></body></html>").into())
        }
    };
    answer.unwrap()
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<_> = text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte)).collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8].into_iter().take(four.len() - 1)
    });
    bytes.collect()
}
