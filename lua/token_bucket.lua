-- token_bucket: at most burst + rate * t units in any interval t, with continuous refill (GCRA).
-- Value  "<arrival>" or "<arrival> <fraction>": the instant at which the bucket is full, in microseconds and 1/divisor of
--        one, so that nothing drifts. Absent: full.
-- Numbers  capacity the burst; a / b = interval / divisor = microseconds of one unit, in lowest terms.

algorithms[2] = function()
  local bucket = {}

  -- Units missing, rounded up.
  local function used(c)
    local behind = c.arrival - now
    if behind == 0 and c.fraction == 0 then return 0 end
    local quotient, remainder = scale(behind, c.b, c.a)
    return quotient + floor((remainder + c.fraction + c.a - 1) / c.a)
  end

  -- Microseconds until no more than `units` are missing.
  local function time_until(c, units)
    local quotient, remainder = scale(units, c.a, c.b)
    local wait = c.arrival - now - quotient
    if c.fraction > remainder then wait = wait + 1 end
    return max(0, wait)
  end

  -- A bucket that is full is full now, however long it has been.
  local function drop_if_full(c)
    if c.arrival < now then c.arrival, c.fraction = now, 0 end
  end

  function bucket.load(c)
    c.arrival, c.fraction, c.dirty = now, 0, false
    local value = held[c.key]
    if not value then return end
    local arrival, fraction = whole(value), 0
    if not arrival then
      local first, second = match(value, '^(%d+) (%d+)$')
      arrival, fraction = digits_value(first), digits_value(second)
      if not arrival or not fraction then return end
    end
    if arrival < now or (arrival == now and fraction == 0) then return end
    -- A remainder of another rate: the next whole microsecond is on the side of denial.
    if fraction >= c.b then arrival, fraction = arrival + 1, 0 end
    local quotient, remainder = scale(c.capacity, c.a, c.b)
    local latest = now + quotient
    if arrival > latest or (arrival == latest and fraction > remainder) then
      arrival, fraction, c.dirty = latest, remainder, true
    end
    c.arrival, c.fraction = arrival, fraction
  end

  function bucket.fit(c)
    c.used = used(c)
    return floor(max(0, c.capacity - c.reserve - c.used) / c.cost)
  end

  function bucket.charge(c, count)
    local quotient, remainder = scale(c.cost * count, c.a, c.b)
    local fraction = c.fraction + remainder
    if fraction >= c.b then quotient, fraction = quotient + 1, fraction - c.b end
    c.arrival, c.fraction, c.dirty = c.arrival + quotient, fraction, true
    -- The bucket misses what it missed, and what was taken.
    c.used = c.used + c.cost * count
  end

  function bucket.save(c)
    if c.fraction > 0 then
      write_text(c.key, format('%d %d', c.arrival, c.fraction), c.arrival + 1)
    elseif c.arrival > now then
      write_text(c.key, text(c.arrival), c.arrival)
    else
      delete(c.key)
    end
  end

  function bucket.read(c)
    local missing = c.used
    local allowance = c.capacity - c.reserve - c.cost
    local retry = 0
    if allowance < 0 then retry = NEVER elseif missing > allowance then retry = time_until(c, allowance) end
    if missing == 0 then return c.capacity, retry, 0, 0 end
    local full = c.arrival - now
    if c.fraction > 0 then full = full + 1 end
    return c.capacity - missing, retry, time_until(c, missing - 1), full
  end

  -- What has refilled since the charge is not given back again: crediting it would admit more than the rate.
  function bucket.refund(c, units, stamp)
    local before, returned = used(c), 0
    local quotient, remainder = scale(units, c.a, c.b)
    local credit = quotient - max(0, now - stamp)
    if before > 0 and credit >= 0 then
      c.arrival, c.fraction, c.dirty = c.arrival - credit, c.fraction - remainder, true
      if c.fraction < 0 then c.arrival, c.fraction = c.arrival - 1, c.fraction + c.b end
      drop_if_full(c)
      returned = before - used(c)
    end
    if c.dirty then bucket.save(c) end
    return returned
  end

  -- The whole of a decision by this one limit, in as few steps as can be: an ordinary charge to a bucket whose units take whole
  -- microseconds. False, and nothing is done, when it is another.
  function bucket.decide(c, key, count, reply)
    local value, interval, arrival = held[key], c.a, now
    if c.b ~= 1 then return false end
    if value then
      arrival = not find(value, '%D') and tonumber(value)
      if not arrival or arrival > now + c.capacity * interval then return false end
      if arrival < now then arrival = now end
    end
    local used, allowance = ceil((arrival - now) / interval), c.capacity - c.reserve - c.cost
    local granted = min(count, floor((allowance - used) / c.cost) + 1)
    if granted < 1 then return false end
    local taken = granted * c.cost
    used, arrival = used + taken, arrival + taken * interval
    write_text(key, text(arrival), arrival)
    local full, retry = arrival - now, 0
    if used > allowance then retry = full - allowance * interval end
    local size = #reply
    reply[size + 1], reply[size + 2], reply[size + 3], reply[size + 4] = granted, granted, c.capacity - used, retry
    reply[size + 5], reply[size + 6], reply[size + 7] = full - (used - 1) * interval, full, now
    return true
  end

  return bucket
end
