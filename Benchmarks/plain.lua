-- The usual design of a limiter with one limit, to compare with: GCRA in one call, with TIME, GET and SET PX.
-- KEYS[1] the count; ARGV[1] microseconds a unit takes to come back; ARGV[2] microseconds of the whole burst; ARGV[3] units.
-- Reply: 1 or 0, units left, microseconds to wait.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1])) or now
if full < now then full = now end
local taken = full + interval * tonumber(ARGV[3])
local backlog = taken - now
if backlog > burst then
  return { 0, math.floor((burst - full + now) / interval), backlog - burst }
end
redis.call('SET', KEYS[1], string.format('%.0f', taken), 'PX', math.ceil(backlog / 1000))
return { 1, math.floor((burst - backlog) / interval), 0 }
