//! Puts the script into pages of the app.
