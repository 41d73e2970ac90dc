//! The head of a message: its first line and its fields, as bytes, so that unknown bytes pass unchanged.

use std::io::{self, BufRead, Read as _, Write};

/// The longest head. A pod accepts less and answers so itself.
const MAX_BYTES: u64 = 256 * 1024;

/// The lines of a head, without their ends.
#[derive(Clone, Debug)]
pub(super) struct Head {
    first: Vec<u8>,
    fields: Vec<Vec<u8>>,
}

impl Head {
    /// Reads a head and nothing beyond it. `None` where the stream ends before its first byte.
    ///
    /// # Errors
    /// The stream breaks or ends in the middle, or the head is too long.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        let mut stream = stream.take(MAX_BYTES);
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line)? == 0 && lines.is_empty() {
                return Ok(None);
            }
            if !line.ends_with(b"\n") {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            line.truncate(line.trim_ascii_end().len());
            match (line.is_empty(), lines.is_empty()) {
                // Some clients end the message before with an empty line too many.
                (true, true) => {}
                (true, false) => break,
                (false, _) => lines.push(line),
            }
        }
        let first = lines.remove(0);
        Ok(Some(Self { first, fields: lines }))
    }

    /// The words of the first line.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.first.split(|byte| *byte == b' ').map(|word| str::from_utf8(word).unwrap_or_default())
    }

    /// The method of a request.
    pub(super) fn method(&self) -> &str {
        self.words().next().unwrap_or_default()
    }

    /// The target of a request, with its query.
    pub(super) fn target(&self) -> &str {
        self.words().nth(1).unwrap_or_default()
    }

    /// The status of an answer; 0 where it has none.
    pub(super) fn status(&self) -> u16 {
        self.words().nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
    }

    /// The values of a field, without the spaces around them.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter_map(move |field| value_of(field, name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.fields.retain(|field| value_of(field, name).is_none());
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.fields.push(format!("{name}: {value}").into_bytes());
    }

    /// Writes it as a whole, with the empty line at its end.
    ///
    /// # Errors
    /// The stream breaks.
    pub(super) fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        for line in [&self.first].into_iter().chain(&self.fields) {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        stream.write_all(&bytes)
    }
}

fn value_of<'a>(field: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    field[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| field[colon + 1..].trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_bytes_pass_unchanged() {
        let bytes = b"GET /t/x HTTP/1.1\r\nHost: a\r\nX-Raw: \xc3\xbc\xff\r\nodd line\r\n\r\nbody";
        let mut stream = &bytes[..];
        let mut head = Head::read(&mut stream).unwrap().unwrap();
        assert_eq!((head.method(), head.target(), stream), ("GET", "/t/x", &b"body"[..]));
        head.remove("HOST");
        head.add("Connection", "close");
        let mut written = Vec::new();
        head.write(&mut written).unwrap();
        assert_eq!(written, b"GET /t/x HTTP/1.1\r\nX-Raw: \xc3\xbc\xff\r\nodd line\r\nConnection: close\r\n\r\n");
    }

    #[test]
    fn a_stream_without_a_head_is_told_from_one_that_breaks_in_it() {
        assert!(Head::read(&mut &b""[..]).unwrap().is_none());
        assert!(Head::read(&mut &b"GET / HTTP/1.1\r\nHost"[..]).is_err());
        assert!(Head::read(&mut io::BufReader::new(io::repeat(b'a'))).is_err(), "it has no end");
        assert_eq!(Head::read(&mut &b"HTTP/1.1 503 Busy\r\n\r\n"[..]).unwrap().unwrap().status(), 503);
        assert_eq!(Head::read(&mut &b"SSH-2.0-other\r\n\r\n"[..]).unwrap().unwrap().status(), 0);
    }
}
