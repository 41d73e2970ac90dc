//! Requires the bearer token of callers. Health does not: a kubelet's probe cannot present a token, and learns no more there than
//! from `/ready`.

use http_support::Token;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Stands before a service and refuses callers without the token.
#[derive(Clone, Debug)]
pub(super) struct RequireBearer {
    token: Option<Token>,
}

impl RequireBearer {
    /// Requires this token; without one, admits every caller.
    pub(super) const fn new(token: Option<Token>) -> Self {
        Self { token }
    }
}

impl Interceptor for RequireBearer {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(token) = &self.token else { return Ok(request) };
        match http_support::bearer_token(request.metadata().as_ref()) {
            Some(presented) if token.matches(presented) => Ok(request),
            Some(_) => Err(Status::unauthenticated("this is not the token")),
            None => Err(Status::unauthenticated("present the token as `authorization: Bearer …`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn answer(token: Option<&str>, presented: Option<&'static str>) -> Code {
        let mut request = Request::new(());
        if let Some(presented) = presented {
            request.metadata_mut().insert("authorization", presented.parse().unwrap());
        }
        let mut admission = RequireBearer::new(token.map(|token| Token::new(token).unwrap()));
        admission.call(request).map_or_else(|status| status.code(), |_| Code::Ok)
    }

    #[test]
    fn only_callers_with_the_token_are_admitted_and_every_caller_where_there_is_none() {
        for (token, presented, code) in [
            (None, None, Code::Ok),
            (None, Some("Bearer anything"), Code::Ok),
            (Some("t"), Some("Bearer t"), Code::Ok),
            (Some("t"), Some("bearer t"), Code::Ok),
            (Some("t"), None, Code::Unauthenticated),
            (Some("t"), Some("Bearer T"), Code::Unauthenticated),
            (Some("t"), Some("Bearer "), Code::Unauthenticated),
            (Some("t"), Some("t"), Code::Unauthenticated),
        ] {
            assert_eq!(answer(token, presented), code, "{token:?} {presented:?}");
        }
    }
}
