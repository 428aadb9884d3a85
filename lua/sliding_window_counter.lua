-- sliding_window_counter: the two-counter estimate current + ceil(previous * rest / window), which never passes capacity.
-- Value  "<current> <previous> <start>": units charged in the window that begins at start, and in the one before.
-- Numbers  a the window.

algorithms[4] = function()
  local counter = {}

  local function estimate(c)
    return c.current + scale_up(c.previous, c.start + c.a - now, c.a)
  end

  -- Microseconds until the estimate is at most `target`, which it is not now.
  local function time_until(c, target)
    local rest = c.start + c.a - now
    if c.current <= target then return rest - (scale(target - c.current, c.a, c.previous)) end
    return rest + c.a - (scale(target, c.a, c.current))
  end

  function counter.load(c)
    c.start, c.current, c.previous, c.dirty = now - now % c.a, 0, 0, false
    local first, second, third = match(held[c.key] or '', '^(%d+) (%d+) (%d+)$')
    local current, previous, start = digits_value(first), digits_value(second), digits_value(third)
    if not current or not previous or not start or start < c.start - c.a then return end
    if start < c.start then
      c.previous = current
    else
      -- A window of the future (the clock went back): its counts stand in the window of now.
      c.current, c.previous, c.dirty = current, previous, start > c.start
    end
  end

  function counter.fit(c)
    return floor(max(0, c.capacity - c.reserve - estimate(c)) / c.cost)
  end

  function counter.charge(c, count)
    c.current, c.dirty = c.current + c.cost * count, true
  end

  function counter.save(c)
    if c.current == 0 and c.previous == 0 then
      delete(c.key)
    else
      local ends = c.start + c.a
      if c.current > 0 then ends = ends + c.a end
      write_text(c.key, format('%d %d %d', c.current, c.previous, c.start), ends)
    end
  end

  function counter.read(c)
    local estimated, allowance = estimate(c), c.capacity - c.reserve - c.cost
    local retry, next_unit, full = 0, 0, 0
    if allowance < 0 then retry = NEVER elseif estimated > allowance then retry = time_until(c, allowance) end
    if estimated > 0 then
      next_unit = time_until(c, estimated - 1)
      full = c.start + c.a - now
      if c.current > 0 then full = full + c.a end
    end
    return max(0, c.capacity - estimated), retry, next_unit, full
  end

  function counter.refund(c, units, stamp)
    local returned = 0
    if stamp >= c.start and stamp < c.start + c.a then
      returned = min(units, c.current)
      c.current = c.current - returned
    elseif stamp >= c.start - c.a and stamp < c.start then
      returned = min(units, c.previous)
      c.previous = c.previous - returned
    end
    if returned > 0 or c.dirty then counter.save(c) end
    return returned
  end

  return counter
end
