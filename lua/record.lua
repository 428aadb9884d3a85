-- record: changes a record, a hash, if it still is at the revision that its reader saw, and notes the change in two streams.
-- A script of its own: nothing of it counts.
--
-- KEYS   1 the record   2 the stream of what was done to it; both of one hash tag   3 the stream of which records were changed,
--        left out in a cluster, where it lies in another slot and is written by the caller
-- ARGV   1 the revision that was read, '' when there must be no record yet
--        2 the record's name in the stream of changes
--        3 how many fields to set, then each field's name and value; how many to remove, then their names;
--        the rest are the names and values of the note
-- Reply  the new revision, or -1 when the record is at another one and nothing was changed
-- Records are no counts: they have no time to live. The streams keep about their last 1,000 and 10,000 notes.
--
-- Invariant: all arguments are read before the first write, and no write can fail after another: a record is never changed
-- without its note, or else instances would not hear of it.

local seen = redis.call('HGET', KEYS[1], 'revision') or ''
if seen ~= ARGV[1] then return -1 end

local at = 3
local function take(width)
  local count, fields = tonumber(ARGV[at]), {}
  for index = at + 1, at + count * width do fields[#fields + 1] = ARGV[index] end
  at = at + count * width + 1
  return fields
end

local set, removed, note = take(2), take(1), {}
for index = at, #ARGV do note[#note + 1] = ARGV[index] end

-- What is no stream counts as absent.
for index = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= 'stream' and kind ~= 'none' then redis.call('DEL', KEYS[index]) end
end

local revision = (tonumber(seen) or 0) + 1
redis.call('HSET', KEYS[1], 'revision', string.format('%.0f', revision), unpack(set))
if #removed > 0 then redis.call('HDEL', KEYS[1], unpack(removed)) end
if #note > 0 then redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', unpack(note)) end
if KEYS[3] then redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'record', ARGV[2]) end
return revision
