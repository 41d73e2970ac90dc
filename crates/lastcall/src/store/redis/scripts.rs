//! What must be atomic: Lua scripts on a session's key, and on the key that marks its id as replaced, which lies in the same slot
//! of a cluster.
//!
//! Every script that writes answers 1 where it is done, 0 where another pod owns the session, -1 where there is no entry, and 2 or 3
//! where its user has logged out on another pod: by hand, or automatically at the end of a countdown.

use redis::Script;

/// The scripts. Each is loaded into a server when that does not know it.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) put: Script,
    pub(super) release: Script,
    pub(super) delete: Script,
    pub(super) claim_end: Script,
    pub(super) touch: Script,
    pub(super) request: Script,
    pub(super) adopt: Script,
    pub(super) put_task: Script,
    pub(super) end_task: Script,
    pub(super) agree: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            put: Script::new(&[RECORD_ACTIVITY, PUT].concat()),
            release: Script::new(&[RECORD_ACTIVITY, RETURN_IF_LOGGED_OUT, PUT].concat()),
            delete: Script::new(&[MARK_REPLACED, DELETE].concat()),
            claim_end: Script::new(&[MARK_REPLACED, CLAIM_END].concat()),
            touch: Script::new(&[RECORD_ACTIVITY, TOUCH].concat()),
            request: Script::new(&[MARK_REPLACED, REQUEST].concat()),
            adopt: Script::new(ADOPT),
            put_task: Script::new(PUT_TASK),
            end_task: Script::new(END_TASK),
            agree: Script::new(AGREE),
        }
    }
}

/// Records when a session was last active, and for how many milliseconds it has been idle since. A guest may have been active later
/// than its owner knows: the field `active`, by Redis' own clock, says which is later.
const RECORD_ACTIVITY: &str = "
local function record_activity(last_activity, idle)
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local active = now - idle
    local known = tonumber(redis.call('HGET', KEYS[1], 'active') or '')
    if not known or known < active or known > now then
        redis.call('HSET', KEYS[1], 'last_activity', last_activity, 'active', string.format('%d', active))
    end
end";

/// Arguments: pod, user, login time, last activity, pinned (in the field `streaming`), notified, milliseconds to live, whether to create
/// the entry, milliseconds idle, protected.
const PUT: &str = "
local owner = redis.call('HGET', KEYS[1], 'pod')
if owner and owner ~= ARGV[1] then return 0 end
if ARGV[8] == '0' and redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
record_activity(ARGV[4], ARGV[9])
redis.call('HSET', KEYS[1], 'pod', ARGV[1], 'user', ARGV[2], 'login_time', ARGV[3], 'streaming', ARGV[5], 'notified', ARGV[6], 'protected', ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1";

/// Precedes [`PUT`], with its arguments.
const RETURN_IF_LOGGED_OUT: &str = "
local pod, request = unpack(redis.call('HMGET', KEYS[1], 'pod', 'request'))
if pod == ARGV[1] and request == 'end' then return 2 end
if pod == ARGV[1] and request == 'end-automatic' then return 3 end";

/// Precedes scripts that may replace an id: marks it as replaced for ARGV[2] milliseconds, unless those are 0.
const MARK_REPLACED: &str = "
local function mark_replaced()
    if ARGV[2] ~= '0' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[2]) end
end";

/// Arguments: pod, milliseconds for which the id counts as replaced.
const DELETE: &str = "
local owner = redis.call('HGET', KEYS[1], 'pod')
if owner and owner ~= ARGV[1] then return 0 end
mark_replaced()
return redis.call('DEL', KEYS[1]) == 1 and 1 or -1";

/// Arguments: pod, milliseconds for which the id counts as replaced. A session whose guest's user has signed in goes on under
/// another id.
const CLAIM_END: &str = "
local owner, request = unpack(redis.call('HMGET', KEYS[1], 'pod', 'request'))
if owner and owner ~= ARGV[1] or request and string.match(request, '^rename:%x+%-') then return 0 end
if request ~= 'end' and request ~= 'end-automatic' then mark_replaced() end
if redis.call('DEL', KEYS[1]) == 0 then return -1 end
return request == 'end' and 2 or request == 'end-automatic' and 3 or 1";

/// Arguments: last activity, milliseconds to live, milliseconds idle.
const TOUCH: &str = "
if redis.call('HLEN', KEYS[1]) == 0 then return -1 end
record_activity(ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1";

/// Arguments: request, milliseconds for which the id counts as replaced.
const REQUEST: &str = "
if redis.call('HLEN', KEYS[1]) == 0 then return -1 end
mark_replaced()
redis.call('HSET', KEYS[1], 'request', ARGV[1])
return 1";

/// Arguments: old owner, new owner, unless pinned, pinned, milliseconds to live. Answers with the session, or nothing. An
/// invalid request is ignored. The previous owner is kept for a new owner that did not get the answer.
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

/// Arguments: field, remaining milliseconds, the task as JSON, whether to add the field.
const PUT_TASK: &str = "
if redis.call('HLEN', KEYS[1]) == 0 then return -1 end
if ARGV[4] == '0' and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
local time = redis.call('TIME')
local lease_until = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', lease_until) .. ' ' .. ARGV[3])
return 1";

/// Argument: field.
const END_TASK: &str = "return redis.call('HDEL', KEYS[1], ARGV[1]) == 1 and 1 or -1";

/// Arguments: pairs of a secret and its time of creation, in milliseconds since 1970. Of two ages of one secret the greater counts.
/// Answers with all secrets.
const AGREE: &str = "
for i = 1, #ARGV, 2 do
    local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '')
    if not known or tonumber(ARGV[i + 1]) < known then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return redis.call('HGETALL', KEYS[1])";
