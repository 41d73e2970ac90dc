//! An export's file, written chunk by chunk while it is sent.

use std::sync::Arc;
use std::vec::IntoIter;

use fleet::{FleetView, Query, Row};
use serde::Serialize;
use session_domain::Timestamp;

use super::csv;
use crate::api::{self, SessionBody};
use crate::format;

/// How many rows a chunk holds.
const ROWS_PER_CHUNK: usize = 500;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// RFC 4180, in UTF-8.
    Csv,
    /// One object, with each row on a line of its own.
    Json,
}

impl Format {
    pub(super) const fn extension(self) -> &'static str {
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

/// The rows that are still to be written. Iterates over chunks of text.
pub(super) struct ExportFile {
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
    Header,
    Rows,
    Done,
}

/// What precedes the rows.
#[derive(Serialize)]
struct Header<'a> {
    exported_at: Timestamp,
    total: usize,
    /// How many sessions are present.
    present: usize,
    complete: bool,
    unreachable_pods: Vec<&'a str>,
}

/// A row: the session as the API shows it, and marks that the dashboard shows.
#[derive(Serialize)]
struct ExportRow<'a> {
    #[serde(flatten)]
    session: SessionBody<'a>,
    told: bool,
    last_known: bool,
    doubtful: bool,
}

/// The columns of a CSV file, in order. New ones come last, so that scripts which count columns go on working. Of the tasks, their number.
const COLUMNS: [&str; 14] = [
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
    "websockets",
    "protected",
    "tasks",
    "asked_to_move",
];

impl ExportFile {
    pub(super) fn new(view: Arc<FleetView>, query: &Query, format: Format, now: Timestamp) -> Self {
        let rows = view.all_sessions(query);
        let present = rows.iter().filter(|row| row.session.is_present()).count();
        Self { total: rows.len(), present, rows: rows.into_iter(), view, format, now, stage: Stage::Header }
    }

    /// Returns what the audit log says of the file: `3 sessions as csv`.
    pub(super) fn description(&self) -> String {
        format!("{} as {}", format::counted(self.total as u64, "session"), self.format.extension())
    }

    /// Returns the file's name. Names sort by the time of the export.
    pub(super) fn name(&self) -> String {
        let time = self.now.to_string();
        let seconds = time.split('.').next().unwrap_or(&time);
        let stamp: String = seconds.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        format!("lastcall-sessions-{stamp}Z.{}", self.format.extension())
    }

    fn header(&self) -> String {
        match self.format {
            Format::Csv => csv::record(&COLUMNS),
            Format::Json => {
                let header = Header {
                    exported_at: self.now,
                    total: self.total,
                    present: self.present,
                    complete: self.view.is_complete(),
                    unreachable_pods: api::unreachable_pods(&self.view),
                };
                let mut text = serde_json::to_string(&header).unwrap_or_default();
                text.pop();
                text.push_str(",\"sessions\":[\n");
                text
            }
        }
    }

    fn row(&self, row: &Row, is_last: bool, text: &mut String) {
        let is_stale = self.view.is_stale(row);
        let row = ExportRow {
            session: SessionBody::new(row, &self.view, self.now),
            told: row.session.notified,
            last_known: is_stale,
            doubtful: row.is_doubtful(),
        };
        match self.format {
            Format::Csv => text.push_str(&row.record()),
            Format::Json => {
                text.push_str(&serde_json::to_string(&row).unwrap_or_default());
                text.push_str(if is_last { "\n" } else { ",\n" });
            }
        }
    }
}

impl ExportRow<'_> {
    fn record(&self) -> String {
        let SessionBody { session_id, user, pod, login_time, last_activity, duration_seconds, .. } = &self.session;
        let SessionBody { connected, websockets, protected, asked_to_move, tasks, .. } = &self.session;
        let known = |is: &Option<bool>| is.map_or("", |is| if is { "true" } else { "false" });
        csv::record(&[
            &session_id.to_string(),
            user,
            pod,
            &login_time.to_string(),
            &last_activity.to_string(),
            &duration_seconds.to_string(),
            known(connected),
            &self.told.to_string(),
            &self.last_known.to_string(),
            &self.doubtful.to_string(),
            &websockets.to_string(),
            known(protected),
            &tasks.len().to_string(),
            &asked_to_move.to_string(),
        ])
    }
}

impl Iterator for ExportFile {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        match self.stage {
            Stage::Header => {
                self.stage = Stage::Rows;
                Some(self.header())
            }
            Stage::Rows => {
                let mut text = String::new();
                for _ in 0..ROWS_PER_CHUNK {
                    let Some(row) = self.rows.next() else { break };
                    self.row(&row, self.rows.len() == 0, &mut text);
                }
                if self.rows.len() == 0 {
                    self.stage = Stage::Done;
                    if self.format == Format::Json {
                        text.push_str("]}\n");
                    }
                }
                Some(text)
            }
            Stage::Done => None,
        }
    }
}
