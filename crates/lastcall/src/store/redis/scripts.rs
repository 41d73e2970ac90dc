//! What has to happen at once, each on one session's one key, and the key that says that its id was replaced, which lies in the
//! same slot of a cluster. Every script answers 1 where it did what it should, 0 where
//! the session is another pod's, -1 where there is none, and 2 or 3 where its user has logged out at another pod (by hand,
//! or automatically at the end of a countdown).

use redis::Script;

/// The scripts, loaded into the server when they are first used.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) put: Script,
    pub(super) release: Script,
    pub(super) delete: Script,
    pub(super) claim_end: Script,
    pub(super) touch: Script,
    pub(super) request: Script,
    pub(super) adopt: Script,
    pub(super) agree: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            put: Script::new(&[SEEN, PUT].concat()),
            release: Script::new(&[SEEN, LOGGED_OUT, PUT].concat()),
            delete: Script::new(&[NOTE_REPLACED, DELETE].concat()),
            claim_end: Script::new(&[NOTE_REPLACED, CLAIM_END].concat()),
            touch: Script::new(&[SEEN, TOUCH].concat()),
            request: Script::new(&[NOTE_REPLACED, REQUEST].concat()),
            adopt: Script::new(ADOPT),
            agree: Script::new(AGREE),
        }
    }
}

/// Takes in when a session was last active, and for how many milliseconds it has been idle since. A guest may have been
/// active later than its owner knows. Which is later, `active` says: Redis' own time, whatever the clocks of the pods say.
const SEEN: &str = "
local function seen(last_activity, idle)
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local active = now - idle
    local known = tonumber(redis.call('HGET', KEYS[1], 'active') or '')
    if not known or known < active or known > now then
        redis.call('HSET', KEYS[1], 'last_activity', last_activity, 'active', string.format('%d', active))
    end
end";

/// pod, user, login time, last activity, streaming, notified, milliseconds to live, whether it is new, milliseconds idle.
const PUT: &str = "
local owner = redis.call('HGET', KEYS[1], 'pod')
if owner and owner ~= ARGV[1] then return 0 end
if ARGV[8] == '0' and redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
seen(ARGV[4], ARGV[9])
redis.call('HSET', KEYS[1], 'pod', ARGV[1], 'user', ARGV[2], 'login_time', ARGV[3], 'streaming', ARGV[5], 'notified', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1";

/// In front of [`PUT`], with its arguments.
const LOGGED_OUT: &str = "
local pod, request = unpack(redis.call('HMGET', KEYS[1], 'pod', 'request'))
if pod == ARGV[1] and request == 'end' then return 2 end
if pod == ARGV[1] and request == 'end-automatic' then return 3 end";

/// In front of scripts that may take an id away: all pods know for so many milliseconds that a login has replaced it, unless
/// those are 0.
const NOTE_REPLACED: &str = "
local function note_replaced()
    if ARGV[2] ~= '0' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[2]) end
end";

/// pod, milliseconds for which the id is known as replaced.
const DELETE: &str = "
local owner = redis.call('HGET', KEYS[1], 'pod')
if owner and owner ~= ARGV[1] then return 0 end
note_replaced()
return redis.call('DEL', KEYS[1]) == 1 and 1 or -1";

/// pod, milliseconds for which the id is known as replaced. A session that a guest has given another id goes on under that one.
const CLAIM_END: &str = "
local owner, request = unpack(redis.call('HMGET', KEYS[1], 'pod', 'request'))
if owner and owner ~= ARGV[1] or request and string.match(request, '^rename:%x+%-') then return 0 end
if request ~= 'end' and request ~= 'end-automatic' then note_replaced() end
if redis.call('DEL', KEYS[1]) == 0 then return -1 end
return request == 'end' and 2 or request == 'end-automatic' and 3 or 1";

/// last activity, milliseconds to live, milliseconds idle.
const TOUCH: &str = "
if redis.call('HLEN', KEYS[1]) == 0 then return -1 end
seen(ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1";

/// request, milliseconds for which the id is known as replaced.
const REQUEST: &str = "
if redis.call('HLEN', KEYS[1]) == 0 then return -1 end
note_replaced()
redis.call('HSET', KEYS[1], 'request', ARGV[1])
return 1";

/// old owner, new owner, unless streaming, streaming, milliseconds to live. Answers with the session, or nothing. A request
/// that makes no sense is none. The previous owner is kept for a new owner that did not get the answer.
const ADOPT: &str = "
local owner, streaming, request = unpack(redis.call('HMGET', KEYS[1], 'pod', 'streaming', 'request'))
if redis.call('HLEN', KEYS[1]) == 0 then return false end
if request and (request == 'end' or request == 'end-automatic' or string.match(request, '^rename:%x+%-')) then return false end
if owner and owner ~= ARGV[1] then return false end
if ARGV[3] == '1' and streaming == '1' then return false end
if ARGV[1] ~= ARGV[2] then redis.call('HSET', KEYS[1], 'previous_owner', ARGV[1]) end
redis.call('HSET', KEYS[1], 'pod', ARGV[2], 'streaming', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return redis.call('HGETALL', KEYS[1])";

/// secret, milliseconds since 1970, and so on. Of two ages of one secret the greater counts. Answers with all of them.
const AGREE: &str = "
for i = 1, #ARGV, 2 do
    local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '')
    if not known or tonumber(ARGV[i + 1]) < known then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return redis.call('HGETALL', KEYS[1])";
