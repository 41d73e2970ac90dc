//! A file that is written while it is read.

use std::sync::Arc;
use std::vec::IntoIter;

use fleet::{FleetView, Query, Row};
use serde::Serialize;
use session_domain::Timestamp;

use super::csv;
use crate::api::{self, Session};

/// Rows that are written at a time.
const PIECE: usize = 500;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// RFC 4180, in UTF-8.
    Csv,
    /// One object, a row a line.
    Json,
}

impl Format {
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }
}

/// The rows of an export, and what is written of them so far. Yields pieces of text.
pub(super) struct File {
    view: Arc<FleetView>,
    rows: IntoIter<Row>,
    total: usize,
    present: usize,
    format: Format,
    now: Timestamp,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    Over,
}

/// What stands before the rows.
#[derive(Serialize)]
struct Head<'a> {
    exported_at: Timestamp,
    total: usize,
    /// How many of them are present.
    present: usize,
    complete: bool,
    unreachable_pods: Vec<&'a str>,
}

/// A row: what the API tells of a session, and how it stands.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    session: Session<'a>,
    told: bool,
    last_known: bool,
    doubtful: bool,
}

/// The columns, in order.
const COLUMNS: [&str; 10] = [
    "session_id",
    "user",
    "pod",
    "login_time",
    "last_activity",
    "duration_seconds",
    "connected",
    "told",
    "last_known",
    "doubtful",
];

impl File {
    pub(super) fn new(view: Arc<FleetView>, query: &Query, format: Format, now: Timestamp) -> Self {
        let rows = view.all_sessions(query);
        let present = rows.iter().filter(|row| row.session.is_present()).count();
        Self { total: rows.len(), present, rows: rows.into_iter(), view, format, now, stage: Stage::Head }
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.total
    }

    /// What it is called: names sort by when they were made.
    pub(super) fn name(&self) -> String {
        let time = self.now.to_string();
        let seconds = time.split('.').next().unwrap_or(&time);
        let stamp: String = seconds.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        format!("lastcall-sessions-{stamp}Z.{}", self.format.ending())
    }

    fn head(&self) -> String {
        match self.format {
            Format::Csv => csv::record(&COLUMNS),
            Format::Json => {
                let head = Head {
                    exported_at: self.now,
                    total: self.total,
                    present: self.present,
                    complete: self.view.is_complete(),
                    unreachable_pods: api::unreachable(&self.view),
                };
                let mut text = serde_json::to_string(&head).unwrap_or_default();
                text.pop();
                text.push_str(",\"sessions\":[\n");
                text
            }
        }
    }

    fn row(&self, row: &Row, is_last: bool, text: &mut String) {
        let is_stale = self.view.is_stale(row);
        let line = Line {
            session: api::session(row, &self.view, self.now),
            told: row.session.notified,
            last_known: is_stale,
            doubtful: row.is_doubtful(),
        };
        match self.format {
            Format::Csv => text.push_str(&line.record()),
            Format::Json => {
                text.push_str(&serde_json::to_string(&line).unwrap_or_default());
                text.push_str(if is_last { "\n" } else { ",\n" });
            }
        }
    }
}

impl Line<'_> {
    fn record(&self) -> String {
        let Session { session_id, user, pod, login_time, last_activity, duration_seconds, connected } = &self.session;
        csv::record(&[
            &session_id.to_string(),
            user,
            pod,
            &login_time.to_string(),
            &last_activity.to_string(),
            &duration_seconds.to_string(),
            connected.map_or("", |is| if is { "true" } else { "false" }),
            &self.told.to_string(),
            &self.last_known.to_string(),
            &self.doubtful.to_string(),
        ])
    }
}

impl Iterator for File {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        match self.stage {
            Stage::Head => {
                self.stage = Stage::Rows;
                Some(self.head())
            }
            Stage::Rows => {
                let mut text = String::new();
                for _ in 0..PIECE {
                    let Some(row) = self.rows.next() else { break };
                    self.row(&row, self.rows.len() == 0, &mut text);
                }
                if self.rows.len() == 0 {
                    self.stage = Stage::Over;
                    if self.format == Format::Json {
                        text.push_str("]}\n");
                    }
                }
                Some(text)
            }
            Stage::Over => None,
        }
    }
}
