-- What keys hold, read and written with the fewest commands: a call reads all its keys that hold texts at once.

local call, pcall = redis.call, redis.pcall

-- The text that each key was last seen to hold, false for none; nil for a key that was not read yet.
local held = {}

-- Reads the texts of all of the call's keys. A value of another type counts as none.
local function read_texts()
  local keys = KEYS
  if #keys == 0 then return end
  local values = call('MGET', unpack(keys))
  for index = 1, #keys do held[keys[index]] = values[index] end
end

-- What a command reads, or an error's table when the key holds another type. Any other error ends the call: a user who may not
-- read counts must not seem to find none.
local function read(command, ...)
  local reply = pcall(command, ...)
  if type(reply) == 'table' and reply.err and not find(reply.err, '^WRONGTYPE') then return call(command, ...) end
  return reply
end

-- Milliseconds after which a key that says nothing from `instant` on may go: rounded up, and one more, since an early
-- expiry would forget a charge.
local function time_to_live(instant)
  local left = floor((instant - now + 999) / 1000) + 1
  if left < 1 then left = 1 end
  return text(left)
end

-- Puts a text in the place of whatever a key holds.
local function write_text(key, value, instant)
  held[key] = value
  call('SET', key, value, 'PX', time_to_live(instant))
end

local function delete(key)
  held[key] = false
  call('DEL', key)
end

-- algorithms[number]() makes an algorithm's functions over a charge c, which holds its key, numbers and state:
--   load(c)                   reads and settles the state; c.dirty when the difference must be written even on a denial
--   fit(c, lease)             how many such requests have room
--   charge(c, count, lease)   charges them, in c alone
--   save(c)                   writes the state and its time to live
--   read(c)                   remaining, retry after, next unit, full; after save
--   refund(c, units, stamp)   takes units back and writes; returns how many came back
--   decide(c, key, count, reply)   where there is one: load, fit, charge, save and read for a decision by this limit alone, of the
--                             ordinary kind; false when it is of another
-- They are made when first needed: a call seldom needs more than one or two. A charge's table serves many decisions: load leaves
-- nothing of the one before.
local algorithms = {}
