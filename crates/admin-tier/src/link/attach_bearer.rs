//! Attaches `GRPC_TOKEN` to calls to pods.

use http::header::AUTHORIZATION;
use http_support::Token;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// An interceptor that adds the token as a bearer token.
#[derive(Clone, Debug)]
pub(crate) struct AttachBearer {
    token: Option<Token>,
}

impl AttachBearer {
    /// Creates the interceptor; without a token it adds nothing.
    pub(crate) const fn new(token: Option<Token>) -> Self {
        Self { token }
    }
}

impl Interceptor for AttachBearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.token {
            request.metadata_mut().as_mut().insert(AUTHORIZATION, token.authorization().clone());
        }
        Ok(request)
    }
}
