-- token_bucket: at most burst + rate * t units in any interval t, with continuous refill (GCRA).
-- Value  "<arrival>" or "<arrival> <fraction>": the instant at which the bucket is full, in microseconds and 1/divisor of
--        one, so that nothing drifts. Absent: full.
-- Numbers  capacity the burst; a / b = interval / divisor = microseconds of one unit, in lowest terms.

algorithms[2] = function()
  local bucket = {}

  -- Units missing, rounded up.
  local function used(c)
    if not c.arrival then return 0 end
    local quotient, remainder = scale(c.arrival - now, c.b, c.a)
    return quotient + floor((remainder + c.fraction + c.a - 1) / c.a)
  end

  -- Microseconds until no more than `units` are missing.
  local function time_until(c, units)
    local quotient, remainder = scale(units, c.a, c.b)
    local wait = c.arrival - now - quotient
    if c.fraction > remainder then wait = wait + 1 end
    return max(0, wait)
  end

  local function drop_if_full(c)
    if c.arrival < now or (c.arrival == now and c.fraction == 0) then c.arrival = nil end
  end

  function bucket.load(c)
    local value = load_text(c)
    if not value then return end
    local arrival, fraction = whole(value), 0
    if not arrival then
      local first, second = match(value, '^(%d+) (%d+)$')
      arrival, fraction = whole(first), whole(second)
      if not arrival or not fraction then return end
    end
    c.arrival, c.fraction = arrival, fraction
    drop_if_full(c)
    if not c.arrival then return end
    -- A remainder of another rate: the next whole microsecond is on the side of denial.
    if fraction >= c.b then c.arrival, c.fraction = arrival + 1, 0 end
    local quotient, remainder = scale(c.capacity, c.a, c.b)
    local latest = now + quotient
    if c.arrival > latest or (c.arrival == latest and c.fraction > remainder) then
      c.arrival, c.fraction, c.dirty = latest, remainder, true
      drop_if_full(c)
    end
  end

  function bucket.fit(c)
    c.used = used(c)
    return floor(max(0, c.capacity - c.reserve - c.used) / c.cost)
  end

  function bucket.charge(c, count)
    if not c.arrival then c.arrival, c.fraction = now, 0 end
    local quotient, remainder = scale(c.cost * count, c.a, c.b)
    c.arrival, c.fraction = c.arrival + quotient, c.fraction + remainder
    if c.fraction >= c.b then c.arrival, c.fraction = c.arrival + 1, c.fraction - c.b end
    c.used, c.dirty = nil, true
  end

  function bucket.save(c)
    if not c.arrival then
      redis.call('DEL', c.key)
    elseif c.fraction > 0 then
      save_text(c, text(c.arrival) .. ' ' .. text(c.fraction), c.arrival + 1)
    else
      save_text(c, text(c.arrival), c.arrival)
    end
  end

  function bucket.read(c)
    local missing = c.used or used(c)
    local remaining, allowance = c.capacity - missing, c.capacity - c.reserve - c.cost
    local retry = 0
    if allowance < 0 then retry = NEVER elseif missing > allowance then retry = time_until(c, allowance) end
    if missing == 0 then return remaining, retry, 0, 0 end
    local full = c.arrival - now
    if c.fraction > 0 then full = full + 1 end
    return remaining, retry, time_until(c, missing - 1), full
  end

  -- What has refilled since the charge is not given back again: crediting it would admit more than the rate.
  function bucket.refund(c, units, stamp)
    local before, returned = used(c), 0
    local quotient, remainder = scale(units, c.a, c.b)
    local credit = quotient - max(0, now - stamp)
    if c.arrival and credit >= 0 then
      c.arrival, c.fraction, c.dirty = c.arrival - credit, c.fraction - remainder, true
      if c.fraction < 0 then c.arrival, c.fraction = c.arrival - 1, c.fraction + c.b end
      drop_if_full(c)
      returned = before - used(c)
    end
    if c.dirty then bucket.save(c) end
    return returned
  end

  return bucket
end
