-- Headgate's script: judges, refunds, renews, releases and resets limits, each call atomically.
-- The files of this folder are joined in the order of Scripts.swift into one script.
--
-- KEYS   one key for each charge, receipt or slot, in the order of ARGV; all of one hash tag in a cluster
-- ARGV   1 nonce, which the reply repeats   2 operation   3 how many   then by operation:
--   decide    so many shapes, each: count, lease id, number of charges, and for each charge CHARGE_FIELDS:
--             algorithm, flags (1 shadow + 2 observe), cost, reserve, capacity, a, b
--             then how many runs, each: the number of a shape, from 1 on, and how many decisions of that shape follow each other
--   refund    for each receipt RECEIPT_FIELDS: algorithm, units, capacity, a, b, stamp
--   renew     lease id, then each slot's time to live
--   release   lease id
--   reset     nothing more
-- a, b   sliding_window_log: window, slot      token_bucket: interval and divisor of one unit's microseconds
--        fixed_window, sliding_window_counter: window, 0      concurrency: time to live, 0
-- Reply  integers alone: nonce, now, then by operation:
--   decide    for each decision: granted, and for each charge: fit, remaining, retry after, next unit, full, stamp
--   refund    units returned, one for each receipt
--   renew     1 when every slot was held and is renewed, else 0 and nothing changed
--   release   how many slots were held and are free now
--   reset     how many keys are gone
-- Times are whole microseconds. A key's value of a wrong type or form counts as absent and is overwritten.
--
-- Invariant: everything is read and checked before the first write of a decision, and no write can fail after another,
-- since Redis does not roll scripts back. Every key that is written gets its time to live in the same call.

local CHARGE_FIELDS = 7
local RECEIPT_FIELDS = 6
local SHADOW, OBSERVE = 1, 2
local NEVER = -1
local IMMORTAL = -1

-- The field of ARGV at an index, which must be a whole number that Lua holds exactly.
local function integer(index)
  local value = tonumber(ARGV[index])
  if not value or value < 0 or value >= 9007199254740992 or value % 1 ~= 0 then
    error('headgate: argument ' .. index .. ' is not a whole number')
  end
  return value
end
