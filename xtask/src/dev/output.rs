//! Output of all children and of xtask itself, one whole line at a time.
//!
//! Never fails: a closed pipe must not prevent the drain of pods.

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read, Write as _};
use std::thread::{self, JoinHandle};

/// Colours of names, by their ANSI numbers: none that means an error.
const COLOURS: [u8; 5] = [36, 35, 33, 32, 34];

/// Prints a message of xtask.
pub(super) fn say(text: &str) {
    print(&if coloured() { format!("\x1b[1m==> {text}\x1b[0m") } else { format!("==> {text}") });
}

/// Prints text as it is.
pub(super) fn print(text: &str) {
    let mut screen = io::stdout().lock();
    // The output is closed: there is nowhere to report this.
    let _ = writeln!(screen, "{text}").and_then(|()| screen.flush());
}

/// The prefix of each line of a process. The same number has the same colour.
pub(super) fn prefix(name: &str, number: usize) -> String {
    if coloured() {
        format!("\x1b[{}m{name:<7}|\x1b[0m ", COLOURS[number % COLOURS.len()])
    } else {
        format!("{name:<7}| ")
    }
}

/// Prints a process's output line by line until it ends; `seen` gets each line.
pub(super) fn forward(
    stream: impl Read + Send + 'static,
    prefix: String,
    seen: impl Fn(&str) + Send + 'static,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut bytes = Vec::new();
        while stream.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches(['\n', '\r']);
            seen(line);
            print(&format!("{prefix}{line}"));
            bytes.clear();
        }
    })
}

fn coloured() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
