//! Relays connections that the app has upgraded.
