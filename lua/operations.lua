-- The operations: what a call asks for. See protocol.lua for their arguments and replies.

local made = {}

-- An algorithm's functions by its number.
local function algorithm(number)
  local functions = made[number]
  if not functions then
    if not algorithms[number] then error('headgate: no algorithm ' .. number) end
    functions = algorithms[number]()
    made[number] = functions
  end
  return functions
end

local operations = {}

local LONGEST_LEASE = 86400000000

-- Judges one decision: all of its limits are charged, or none.
local function judge(at, key_index, reply)
  local count, lease, charges = integer(at), ARGV[at + 1], integer(at + 2)
  at = at + 3
  local granted, list = count, {}
  for index = 1, charges do
    local flags = integer(at + 1)
    local c = {
      key = KEYS[key_index + index], by = algorithm(integer(at)), shadow = flags % 2 >= SHADOW, observe = flags >= OBSERVE,
      cost = integer(at + 2), reserve = integer(at + 3), capacity = integer(at + 4), a = integer(at + 5), b = integer(at + 6),
    }
    at = at + CHARGE_FIELDS
    c.by.load(c)
    c.room = min(c.by.fit(c, lease), count)
    if not c.shadow and c.room < granted then granted = c.room end
    list[index] = c
  end
  for index = 1, charges do
    local c = list[index]
    if not c.observe then
      local take = granted
      if c.room < take then take = c.room end
      if take > 0 then c.by.charge(c, take, lease) end
      -- What no count would ever allow says nothing of the count, so it settles nothing: its limit may be another's zero.
      local least = c.cost
      if c.slots then least = 1 end
      if take > 0 then
        c.by.save(c)
      elseif least <= c.capacity - c.reserve and (c.dirty or redis.call('PTTL', c.key) == IMMORTAL) then
        -- Somebody took the key's time to live away: what is written gets a new one.
        c.by.save(c)
      end
    end
  end
  reply[#reply + 1] = granted
  for index = 1, charges do
    local c = list[index]
    local remaining, retry, next_unit, full = c.by.read(c)
    local size = #reply
    reply[size + 1], reply[size + 2], reply[size + 3] = c.room, remaining, retry
    reply[size + 4], reply[size + 5], reply[size + 6] = next_unit, full, c.stamp or now
  end
  return at, key_index + charges
end

function operations.decide(number, reply)
  local at, key_index = 4, 0
  for _ = 1, number do at, key_index = judge(at, key_index, reply) end
end

function operations.refund(number, reply)
  for index = 1, number do
    local at = 4 + (index - 1) * RECEIPT_FIELDS
    local c = {
      key = KEYS[index], by = algorithm(integer(at)), capacity = integer(at + 2), a = integer(at + 3), b = integer(at + 4),
    }
    c.by.load(c)
    reply[#reply + 1] = c.by.refund(c, integer(at + 1), integer(at + 5))
  end
end

function operations.renew(number, reply)
  local lease = ARGV[4]
  for index = 1, number do
    if not lease_end(KEYS[index], lease) then
      reply[#reply + 1] = 0
      return
    end
  end
  for index = 1, number do
    redis.call('ZADD', KEYS[index], text(now + integer(4 + index)), lease)
    -- The set lives as long as its longest lease; a lease lives at most a day.
    local latest = tonumber(redis.call('ZRANGE', KEYS[index], -1, -1, 'WITHSCORES')[2])
    redis.call('PEXPIRE', KEYS[index], time_to_live(min(latest, now + LONGEST_LEASE)))
  end
  reply[#reply + 1] = 1
end

function operations.release(number, reply)
  local lease, freed = ARGV[4], 0
  for index = 1, number do
    if lease_end(KEYS[index], lease) then freed = freed + redis.call('ZREM', KEYS[index], lease) end
  end
  reply[#reply + 1] = freed
end

function operations.reset(number, reply)
  local gone = 0
  for index = 1, number do gone = gone + redis.call('DEL', KEYS[index]) end
  reply[#reply + 1] = gone
end

local operation = operations[ARGV[2]]
if not operation then error('headgate: no operation ' .. tostring(ARGV[2])) end
local reply = { integer(1), now }
operation(integer(3), reply)
return reply
