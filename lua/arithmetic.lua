-- Exact arithmetic within 53 bits, and numbers as text.
-- tostring and '..' write 1.7637825691235e+15: every number that is stored is written by format with %d, and so is every one of
-- such a size that a command is given, which Redis itself would write more slowly.

local EXACT = 9007199254740992
local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min
local find, match, format, sub = string.find, string.match, string.format, string.sub

local function text(number)
  return format('%d', number)
end

-- The number that 1 to 16 digits mean, below 2^53; nil for more digits, and for nil.
local function digits_value(digits)
  if not digits or #digits > 16 then return nil end
  local number = tonumber(digits)
  if number >= EXACT then return nil end
  return number
end

-- The number of a text of 1 to 16 digits below 2^53; nil for anything else, nil included.
local function whole(digits)
  if not digits or find(digits, '%D') or digits == '' then return nil end
  return digits_value(digits)
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
