-- concurrency: at most capacity unexpired leases at once.
-- Value  a sorted set: lease id -> the microsecond at which it ends unless it is renewed.
-- Only a lease's own id renews or releases it. Acquiring is idempotent by id: who holds a slot needs no second one.
-- Numbers  a the time to live of a lease.

-- The id of the n-th of several equal requests of one call, counted from 0.
local function lease_id(lease, index)
  if index == 0 then return lease end
  return lease .. '+' .. index
end

-- When a lease ends, or nil when it is not held.
local function lease_end(key, lease)
  local score = read('ZSCORE', key, lease)
  local ends = type(score) == 'string' and tonumber(score)
  if ends and ends > now then return ends end
  return nil
end

algorithms[5] = function()
  local concurrency = { slots = true }  -- a request takes one, whatever its cost

  -- The end of the lease at an index of the order of ends, which exists.
  local function end_at(c, index)
    return min(tonumber(call('ZRANGE', c.key, index, index, 'WITHSCORES')[2]), now + c.a)
  end

  function concurrency.load(c)
    c.ended, c.held = 0, 0
    c.count, c.late, c.replace, c.dirty = 0, false, false, false
    local total = read('ZCARD', c.key)
    if type(total) ~= 'number' then
      c.replace = true
      return
    end
    if total == 0 then return end
    c.ended = call('ZCOUNT', c.key, '-inf', text(now))
    c.held = total - c.ended
    -- A lease cannot end later than one time to live from now: the rest is a clock that went back.
    c.late = call('ZCOUNT', c.key, '(' .. text(now + c.a), '+inf') > 0
    c.dirty = c.ended > 0 or c.late
  end

  function concurrency.fit(c, lease)
    local free = max(0, c.capacity - c.reserve - c.held)
    if free == 0 and not c.replace and lease_end(c.key, lease) then return 1 end
    return free
  end

  function concurrency.charge(c, count, lease)
    c.count, c.lease, c.dirty = count, lease, true
  end

  function concurrency.save(c)
    if c.replace then call('DEL', c.key) end
    c.replace = false
    -- Ended leases go last when they are all: while a cluster moves its slot, a key that is gone can be written to no more.
    local all_ended = c.held == 0
    if c.ended > 0 and not all_ended then call('ZREMRANGEBYSCORE', c.key, '-inf', text(now)) end
    local latest = now + c.a
    if c.late then
      for _, lease in ipairs(call('ZRANGEBYSCORE', c.key, '(' .. text(latest), '+inf')) do
        call('ZADD', c.key, text(latest), lease)
      end
    end
    for index = 0, c.count - 1 do
      local added = call('ZADD', c.key, text(latest), lease_id(c.lease, index))
      if all_ended then added = 1 end
      c.held = c.held + added
    end
    if c.ended > 0 and all_ended then call('ZREMRANGEBYSCORE', c.key, '-inf', text(now)) end
    c.ended, c.late = 0, false
    if c.held > 0 then call('PEXPIRE', c.key, time_to_live(end_at(c, -1))) end
  end

  function concurrency.read(c)
    local available = c.capacity - c.reserve
    local retry = 0
    if available < 1 then
      retry = NEVER
    elseif c.held >= available then
      retry = end_at(c, c.ended + c.held - available) - now
    end
    if c.held == 0 then return c.capacity, retry, 0, 0 end
    return max(0, c.capacity - c.held), retry, end_at(c, c.ended) - now, end_at(c, -1) - now
  end

  -- A held slot is given back by its release.
  function concurrency.refund(c)
    if c.dirty then concurrency.save(c) end
    return 0
  end

  return concurrency
end
