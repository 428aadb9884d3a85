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

-- Reads a shape, what decisions have in common: everything but their keys. Returns where the next one begins.
local function read_shape(at, shapes)
  local charges = {}
  for index = 1, integer(at + 2) do
    local field = at + 3 + (index - 1) * CHARGE_FIELDS
    local flags = integer(field + 1)
    local c = {
      by = algorithm(integer(field)), shadow = flags % 2 >= SHADOW, observe = flags >= OBSERVE,
      cost = integer(field + 2), reserve = integer(field + 3), capacity = integer(field + 4), a = integer(field + 5), b = integer(field + 6),
    }
    -- What no count would ever allow says nothing of the count, so it settles nothing: its limit may be another's zero.
    local least = c.cost
    if c.by.slots then least = 1 end
    c.settles = least <= c.capacity - c.reserve
    charges[index] = c
  end
  local first = charges[1]
  local alone = #charges == 1 and not first.shadow and not first.observe and first.by.decide
  shapes[#shapes + 1] = { count = integer(at), lease = ARGV[at + 1], charges = charges, alone = alone }
  return at + 3 + #charges * CHARGE_FIELDS
end

-- Charges what was granted, as far as a limit has room, and writes what has changed.
local function settle(c, granted, lease)
  local take = granted
  if c.room < take then take = c.room end
  if take > 0 then
    c.by.charge(c, take, lease)
    c.by.save(c)
  elseif c.settles and (c.dirty or call('PTTL', c.key) == IMMORTAL) then
    -- Somebody took the key's time to live away: what is written gets a new one.
    c.by.save(c)
  end
end

-- Judges one decision, whose keys follow a key: all of its limits are charged, or none.
local function judge(shape, key, reply)
  local granted, lease, charges = shape.count, shape.lease, shape.charges
  for index = 1, #charges do
    local c = charges[index]
    c.key = KEYS[key + index]
    c.by.load(c)
    local room = c.by.fit(c, lease)
    if room > shape.count then room = shape.count end
    c.room = room
    if room < granted and not c.shadow then granted = room end
  end
  for index = 1, #charges do
    local c = charges[index]
    if not c.observe then settle(c, granted, lease) end
  end
  local size = #reply + 1
  reply[size] = granted
  for index = 1, #charges do
    local c = charges[index]
    local remaining, retry, next_unit, full = c.by.read(c)
    reply[size + 1], reply[size + 2], reply[size + 3] = c.room, remaining, retry
    reply[size + 4], reply[size + 5], reply[size + 6] = next_unit, full, c.stamp or now
    size = size + 6
  end
end

function operations.decide(number, reply)
  local shapes, at = {}, 4
  for _ = 1, number do at = read_shape(at, shapes) end
  local runs, keys = {}, 0
  for index = 1, integer(at) do
    local shape, times = shapes[integer(at + 2 * index - 1)], integer(at + 2 * index)
    if not shape then error('headgate: run ' .. index .. ' has no shape') end
    runs[index] = { shape, times }
    keys = keys + times * #shape.charges
  end
  if keys ~= #KEYS then error('headgate: ' .. #KEYS .. ' keys for ' .. keys .. ' charges') end
  read_texts()
  local key = 0
  for index = 1, #runs do
    local shape, times = runs[index][1], runs[index][2]
    local alone, first = shape.alone, shape.charges[1]
    for _ = 1, times do
      if not alone or not alone(first, KEYS[key + 1], shape.count, reply) then judge(shape, key, reply) end
      key = key + #shape.charges
    end
  end
end

function operations.refund(number, reply)
  read_texts()
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
    call('ZADD', KEYS[index], text(now + integer(4 + index)), lease)
    -- The set lives as long as its longest lease; a lease lives at most a day.
    local latest = tonumber(call('ZRANGE', KEYS[index], -1, -1, 'WITHSCORES')[2])
    call('PEXPIRE', KEYS[index], time_to_live(min(latest, now + LONGEST_LEASE)))
  end
  reply[#reply + 1] = 1
end

function operations.release(number, reply)
  local lease, freed = ARGV[4], 0
  for index = 1, number do
    if lease_end(KEYS[index], lease) then freed = freed + call('ZREM', KEYS[index], lease) end
  end
  reply[#reply + 1] = freed
end

function operations.reset(number, reply)
  local gone = 0
  for index = 1, number do gone = gone + call('DEL', KEYS[index]) end
  reply[#reply + 1] = gone
end

local operation = operations[ARGV[2]]
if not operation then error('headgate: no operation ' .. tostring(ARGV[2])) end
local reply = { integer(1), now }
operation(integer(3), reply)
return reply
