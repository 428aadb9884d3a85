-- fixed_window: at most capacity units in each window aligned to the epoch.
-- Value  "<count> <start>": units charged in the window that begins at start, in microseconds. Absent: none.
-- Numbers  a the window.

algorithms[3] = function()
  local fixed = {}

  function fixed.load(c)
    c.start, c.count, c.dirty = now - now % c.a, 0, false
    local first, second = match(held[c.key] or '', '^(%d+) (%d+)$')
    local count, start = digits_value(first), digits_value(second)
    if not count or not start or start < c.start then return end
    -- A window of the future (the clock went back): its count stands in the window of now.
    c.count, c.dirty = count, start > c.start
  end

  function fixed.fit(c)
    return floor(max(0, c.capacity - c.reserve - c.count) / c.cost)
  end

  function fixed.charge(c, count)
    c.count, c.dirty = c.count + c.cost * count, true
  end

  function fixed.save(c)
    if c.count == 0 then
      delete(c.key)
    else
      write_text(c.key, format('%d %d', c.count, c.start), c.start + c.a)
    end
  end

  function fixed.read(c)
    local rest, allowance = c.start + c.a - now, c.capacity - c.reserve - c.cost
    local retry = 0
    if allowance < 0 then retry = NEVER elseif c.count > allowance then retry = rest end
    if c.count == 0 then rest = 0 end
    return max(0, c.capacity - c.count), retry, rest, rest
  end

  function fixed.refund(c, units, stamp)
    local returned = 0
    if c.count > 0 and stamp >= c.start and stamp < c.start + c.a then
      returned = min(units, c.count)
      c.count, c.dirty = c.count - returned, true
    end
    if c.dirty then fixed.save(c) end
    return returned
  end

  return fixed
end
