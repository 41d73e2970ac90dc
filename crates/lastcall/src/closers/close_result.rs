//! What a closer may return.

use std::error::Error;

/// What the future of [`Builder::on_close`](crate::Builder::on_close) may return: nothing, or a [`Result`] whose error is logged.
pub trait CloseResult: Send + 'static {
    /// Gives the error, if there is one.
    ///
    /// # Errors
    /// The resource could not be closed properly.
    fn into_result(self) -> Result<(), Box<dyn Error + Send + Sync>>;
}

impl CloseResult for () {
    fn into_result(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

impl<T, E> CloseResult for Result<T, E>
where
    T: Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
{
    fn into_result(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.map(drop).map_err(Into::into)
    }
}
