//! Why a page that a user opened does not get the script.

/// The reason, for a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WithoutNotice {
    /// A content coding other than `gzip`, `br`, `zstd` and `deflate`, or a body that is not in the coding that the answer names.
    Coding,
    /// A charset that is not ASCII-compatible, such as UTF-16.
    Charset,
    /// A part of a page (206).
    Partial,
    /// A page that the browser saves instead of showing it (`Content-Disposition: attachment`).
    Download,
    /// A content security policy that forbids the script or its connection.
    Policy,
    /// A body without a doctype, `<html>` and `<head>`.
    Fragment,
    /// XHTML, which is not `text/html`.
    Xhtml,
}

impl WithoutNotice {
    /// Every reason.
    pub const ALL: [Self; 7] =
        [Self::Coding, Self::Charset, Self::Partial, Self::Download, Self::Policy, Self::Fragment, Self::Xhtml];

    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coding => "coding",
            Self::Charset => "charset",
            Self::Partial => "partial",
            Self::Download => "download",
            Self::Policy => "policy",
            Self::Fragment => "fragment",
            Self::Xhtml => "xhtml",
        }
    }
}
