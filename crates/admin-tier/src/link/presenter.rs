//! What the tier presents to pods with every call: `GRPC_TOKEN`, where there is one.

use http::header::AUTHORIZATION;
use http_support::Token;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Adds the token to calls.
#[derive(Clone, Debug)]
pub(crate) struct Presenter {
    token: Option<Token>,
}

impl Presenter {
    /// Presents this; none: nothing.
    pub(crate) const fn new(token: Option<Token>) -> Self {
        Self { token }
    }
}

impl Interceptor for Presenter {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.token {
            request.metadata_mut().as_mut().insert(AUTHORIZATION, token.authorization().clone());
        }
        Ok(request)
    }
}
