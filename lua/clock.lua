-- The clock: Redis' own, read once, since TIME moves within a script before Redis 7.2.
-- A test build takes its time from the last two arguments; this line is the only one that it replaces.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]  -- microseconds
