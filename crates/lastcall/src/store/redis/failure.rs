//! What an error of a Redis server is about, by its code.

use redis::{ErrorKind, RedisError};

/// What an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The key holds something else than a session.
    WrongType,
    /// The login, or its permissions.
    Login,
    /// The server cannot be read now.
    NotReadable,
    /// The server takes no writes now.
    NotWritable,
    /// Anything else, an unreachable server included.
    Other,
}

impl Failure {
    pub(super) fn of(error: &RedisError) -> Self {
        if error.kind() == ErrorKind::AuthenticationFailed {
            return Self::Login;
        }
        match code(error) {
            Some("WRONGTYPE") => Self::WrongType,
            Some("WRONGPASS" | "NOAUTH" | "NOPERM") => Self::Login,
            Some("LOADING" | "MASTERDOWN") => Self::NotReadable,
            Some("READONLY" | "OOM" | "MISCONF" | "NOREPLICAS") => Self::NotWritable,
            Some(_) | None => Self::Other,
        }
    }
}

/// The code of a server's error. Before Redis 7 the error of a command in a script stands inside a general one:
/// `ERR Error running script (call to f_…): @user_script:1: -OOM command not allowed…`.
fn code(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    let detail = error.detail().unwrap_or_default();
    if code != "ERR" || !detail.starts_with("Error running script") {
        return Some(code);
    }
    let (_, position) = detail.rsplit_once("@user_script:")?;
    let (_, inner) = position.split_once(": ")?;
    inner.trim_start_matches('-').split(' ').next()
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn server_error(line: &str) -> RedisError {
        let value = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    #[test]
    fn an_error_is_told_by_its_code_also_where_a_script_raised_it() {
        for (line, failure) in [
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Failure::WrongType),
            ("WRONGTYPE Operation against a key script: 1f, on @user_script:2.", Failure::WrongType),
            ("OOM command not allowed when used memory > 'maxmemory'.", Failure::NotWritable),
            ("READONLY You can't write against a read only replica.", Failure::NotWritable),
            ("MISCONF Redis is configured to save RDB snapshots", Failure::NotWritable),
            ("NOREPLICAS Not enough good replicas to write.", Failure::NotWritable),
            ("LOADING Redis is loading the dataset in memory", Failure::NotReadable),
            ("MASTERDOWN Link with MASTER is down", Failure::NotReadable),
            ("NOAUTH Authentication required.", Failure::Login),
            ("NOPERM this user has no permissions to run the 'get' command", Failure::Login),
            (
                "ERR Error running script (call to f_1f): @user_script:3: @user_script: 3: -OOM command not allowed",
                Failure::NotWritable,
            ),
            (
                "ERR Error running script (call to f_1f): @user_script:3: WRONGTYPE Operation against a key",
                Failure::WrongType,
            ),
        ] {
            assert_eq!(Failure::of(&server_error(line)), failure, "{line}");
        }
    }

    #[test]
    fn a_code_that_only_occurs_in_the_text_of_an_error_means_nothing() {
        for line in [
            "ERR unknown command 'WRONGTYPE', with args beginning with: ",
            "ERR value of READONLY is not an integer",
            "TRYAGAIN Multiple keys request during rehashing of slot OOM",
            "CLUSTERDOWN Hash slot not served: NOAUTH LOADING",
        ] {
            assert_eq!(Failure::of(&server_error(line)), Failure::Other, "{line}");
        }
        let unreachable = std::io::Error::other("failed to look up LOADING.OOM.example");
        assert_eq!(Failure::of(&unreachable.into()), Failure::Other);
    }
}
