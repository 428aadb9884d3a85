-- Exact arithmetic within 53 bits, and numbers as text.
-- tostring and '..' write 1.7637825691235e+15: every number that is stored goes through text().

local EXACT = 9007199254740992
local floor, max, min = math.floor, math.max, math.min
local find, match, format = string.find, string.match, string.format

local function text(number)
  return format('%.0f', number)
end

-- The number of a text of 1 to 16 digits below 2^53; nil for anything else, nil included.
local function whole(digits)
  if not digits or not match(digits, '^%d+$') or #digits > 16 then return nil end
  local number = tonumber(digits)
  if number >= EXACT then return nil end
  return number
end

-- floor(x * y / divisor) and the remainder, exact whatever the product; the quotient must stay below 2^53,
-- the divisor below 2^51.
local function scale(x, y, divisor)
  local product = x * y
  if product < EXACT then
    local remainder = product % divisor
    return (product - remainder) / divisor, remainder
  end
  local step = y % divisor
  local quotient, remainder, rest = 0, 0, x
  local bit = 1
  while bit * 2 <= x do bit = bit * 2 end
  while bit >= 1 do
    quotient, remainder = quotient * 2, remainder * 2
    if rest >= bit then
      rest = rest - bit
      remainder = remainder + step
    end
    while remainder >= divisor do
      quotient, remainder = quotient + 1, remainder - divisor
    end
    bit = bit / 2
  end
  return x * ((y - step) / divisor) + quotient, remainder
end

-- ceil(x * y / divisor)
local function scale_up(x, y, divisor)
  local quotient, remainder = scale(x, y, divisor)
  if remainder > 0 then return quotient + 1 end
  return quotient
end

-- Milliseconds after which a key that says nothing from `instant` on may go: rounded up, and one more, since an early
-- expiry would forget a charge.
local function time_to_live(instant)
  return max(1, floor((instant - now + 999) / 1000) + 1)
end

-- algorithms[number]() makes an algorithm's functions over a charge c, which holds its key, numbers and state:
--   load(c)                   reads and settles the state; c.dirty when the difference must be written even on a denial
--   fit(c, lease)             how many such requests have room
--   charge(c, count, lease)   charges them, in c alone
--   save(c)                   writes the state and its time to live
--   read(c)                   remaining, retry after, next unit, full; after save
--   refund(c, units, stamp)   takes units back and writes; returns how many came back
-- They are made when first needed: a call seldom needs more than one or two.
local algorithms = {}

-- Makes the three functions' common part of an algorithm kept as one string.
local function save_text(c, value, instant)
  redis.call('SET', c.key, value, 'PX', time_to_live(instant))
end

-- What a command reads, or an error's table when the key holds another type. Any other error ends the call: a user who may not
-- read counts must not seem to find none.
local function read(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err and not find(reply.err, '^WRONGTYPE') then return redis.call(command, ...) end
  return reply
end

-- The string at a key, or nil; a value of another type counts as absent, and SET replaces it.
local function load_text(c)
  local value = read('GET', c.key)
  if type(value) == 'string' then return value end
  return nil
end
