//! What has to happen at once, each on one session's one key. Every script answers 1 where it did what it should, 0 where
//! the session is another pod's, and -1 where there is none.

use redis::Script;

/// The scripts, loaded into the server when they are first used.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) put: Script,
    pub(super) delete: Script,
    pub(super) take_out: Script,
    pub(super) release: Script,
    pub(super) touch: Script,
    pub(super) wish: Script,
    pub(super) adopt: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            put: Script::new(&[SEEN, PUT].concat()),
            delete: Script::new(DELETE),
            take_out: Script::new(TAKE_OUT),
            release: Script::new(RELEASE),
            touch: Script::new(&[SEEN, TOUCH].concat()),
            wish: Script::new(WISH),
            adopt: Script::new(ADOPT),
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

/// pod, user, login time, last activity, streaming, told, milliseconds to live, whether it is new, milliseconds idle.
const PUT: &str = "
local owner = redis.call('HGET', KEYS[1], 'pod')
if owner and owner ~= ARGV[1] then return 0 end
if ARGV[8] == '0' and redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
seen(ARGV[4], ARGV[9])
redis.call('HSET', KEYS[1], 'pod', ARGV[1], 'user', ARGV[2], 'login_time', ARGV[3], 'streaming', ARGV[5], 'told', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1";

/// pod.
const DELETE: &str = "
local owner = redis.call('HGET', KEYS[1], 'pod')
if owner and owner ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1]) == 1 and 1 or -1";

/// pod. What a guest has given another id to goes on under that one.
const TAKE_OUT: &str = "
local owner, wish = unpack(redis.call('HMGET', KEYS[1], 'pod', 'wish'))
if owner and owner ~= ARGV[1] or wish and string.match(wish, '^rename:%x+%-') then return 0 end
return redis.call('DEL', KEYS[1]) == 1 and 1 or -1";

/// pod.
const RELEASE: &str = "
if redis.call('HGET', KEYS[1], 'pod') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'streaming', '0')
return 1";

/// last activity, milliseconds to live, milliseconds idle.
const TOUCH: &str = "
if redis.call('HLEN', KEYS[1]) == 0 then return -1 end
seen(ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1";

/// wish.
const WISH: &str = "
if redis.call('HLEN', KEYS[1]) == 0 then return -1 end
redis.call('HSET', KEYS[1], 'wish', ARGV[1])
return 1";

/// old owner, new owner, unless streaming, streaming, milliseconds to live. Answers with the session, or nothing. Only a
/// wish that makes sense is one. From whom it was taken stands there for a new owner that did not get the answer.
const ADOPT: &str = "
local owner, streaming, wish = unpack(redis.call('HMGET', KEYS[1], 'pod', 'streaming', 'wish'))
if redis.call('HLEN', KEYS[1]) == 0 then return false end
if wish and (wish == 'end' or wish == 'end-automatic' or string.match(wish, '^rename:%x+%-')) then return false end
if owner and owner ~= ARGV[1] then return false end
if ARGV[3] == '1' and streaming == '1' then return false end
if ARGV[1] ~= ARGV[2] then redis.call('HSET', KEYS[1], 'from', ARGV[1]) end
redis.call('HSET', KEYS[1], 'pod', ARGV[2], 'streaming', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return redis.call('HGETALL', KEYS[1])";
