-- sliding_window_log: at most capacity units in every window (now - window, now], always.
-- Value  a list: "<sum> <stamp> <units>", then stamp, units, stamp, units ... oldest first. The first element holds the
--        running sum and the newest entry; the others are the older entries, stamps strictly rising. Plain integers, so
--        that Redis packs an entry into 12 bytes.
-- Stamps are the END of the slot of their charge, so a unit comes back up to one slot late and never early.
-- Numbers  a the window, b the slot.

algorithms[1] = function()
  local log = {}
  local CHUNK = 128  -- elements fetched at once when entries have to be walked; even

  -- The state of a key that holds nothing that counts.
  local function empty(c)
    c.sum, c.newest, c.units, c.oldest, c.dropped, c.popped = 0, 0, 0, nil, 0, 0
  end

  local function foreign(c)
    empty(c)
    c.exists, c.replace = true, true
  end

  -- Walks the older entries from a list index on until visit(stamp, units) says false.
  -- Returns the index of the entry at which it stopped, or nil when an entry has a wrong form.
  local function walk(c, index, visit)
    local previous = -1
    while true do
      local list = redis.call('LRANGE', c.key, index, index + CHUNK - 1)
      for at = 1, #list, 2 do
        local stamp, units = whole(list[at]), whole(list[at + 1])
        if not stamp or not units or units == 0 or stamp <= previous then return nil end
        if not visit(stamp, units) then return index + at - 1 end
        previous = stamp
      end
      index = index + #list
      if #list < CHUNK then return index end
    end
  end

  -- Forgets the entries that have left the window. Returns false when the list is not ours.
  local function trim(c, horizon, first_stamp, first_units)
    c.oldest, c.oldest_units = first_stamp, first_units
    if first_stamp > horizon then return first_stamp < c.newest end
    local live
    local stop = walk(c, 1, function(stamp, units)
      live, c.oldest_units = stamp, units
      if stamp > horizon then return false end
      c.sum = c.sum - units
      live = nil
      return true
    end)
    if not stop or (live and live >= c.newest) then return false end
    c.oldest, c.dropped, c.dirty = live, stop - 1, true
    if live then return c.sum > c.units end
    return c.sum == c.units
  end

  -- Draws stamps of the future (the clock went back) to the latest legal one.
  local function clamp(c)
    local index = redis.call('LLEN', c.key) - 2
    while index > c.dropped do
      local entry = redis.call('LRANGE', c.key, index, index + 1)
      local stamp, units = whole(entry[1]), whole(entry[2])
      if not stamp or not units then return false end
      if stamp < c.legal then break end
      c.units, c.popped = c.units + units, c.popped + 2
      index = index - 2
    end
    c.newest, c.dirty = c.legal, true
    if c.oldest and c.oldest >= c.legal then c.oldest = nil end
    return c.sum >= c.units
  end

  function log.load(c)
    empty(c)
    c.legal = now + (c.b - now % c.b) % c.b
    local head = read('LRANGE', c.key, 0, 2)
    if head.err then return foreign(c) end
    if #head == 0 then return end
    local first, second, third = match(head[1], '^(%d+) (%d+) (%d+)$')
    local sum, newest, units = whole(first), whole(second), whole(third)
    if not sum or not newest or not units or units == 0 or sum < units then return foreign(c) end
    c.exists = true
    local horizon = now - c.a
    if newest <= horizon then
      c.replace, c.dirty = true, true
      return
    end
    c.sum, c.newest, c.units = sum, newest, units
    if #head == 1 then
      if sum ~= units then return foreign(c) end
    else
      local stamp, amount = whole(head[2]), whole(head[3])
      if not stamp or not amount or amount == 0 or not trim(c, horizon, stamp, amount) then return foreign(c) end
    end
    if newest > c.legal and not clamp(c) then return foreign(c) end
  end

  function log.fit(c)
    return floor(max(0, c.capacity - c.reserve - c.sum) / c.cost)
  end

  function log.charge(c, count)
    local charged = c.cost * count
    if c.units > 0 and c.newest == c.legal then
      c.units = c.units + charged
    else
      if c.units > 0 then
        c.push = { c.newest, c.units }
        if not c.oldest then c.oldest, c.oldest_units = c.newest, c.units end
      end
      c.newest, c.units = c.legal, charged
    end
    c.sum, c.stamp, c.dirty = c.sum + charged, c.legal, true
  end

  -- Puts a new list in the place of what the key holds.
  local function replace(c, head)
    local length = read('LLEN', c.key)
    if type(length) ~= 'number' then
      redis.call('DEL', c.key)
      length = 0
    end
    redis.call('LPUSH', c.key, head)
    if length > 0 then redis.call('RPOP', c.key, length) end
  end

  -- The list is never empty in between: while a cluster moves its slot, a key that is gone can be written to no more, and the
  -- script would end in its middle.
  function log.save(c)
    if c.units == 0 then
      if c.exists then redis.call('DEL', c.key) end
      c.exists, c.replace = false, false
      return
    end
    local head = text(c.sum) .. ' ' .. text(c.newest) .. ' ' .. text(c.units)
    if c.replace then
      replace(c, head)
    elseif not c.exists then
      redis.call('LPUSH', c.key, head)
    else
      if c.popped > 0 then redis.call('RPOP', c.key, c.popped) end
      -- The last of what is dropped makes room for the head.
      if c.dropped > 0 then redis.call('LPOP', c.key, c.dropped) end
      if c.push then redis.call('RPUSH', c.key, text(c.push[1]), text(c.push[2])) end
      redis.call('LSET', c.key, 0, head)
    end
    c.replace = false
    redis.call('PEXPIRE', c.key, time_to_live(c.newest + c.a))
    c.exists, c.dropped, c.popped, c.push = true, 0, 0, nil
  end

  -- Microseconds until `needed` units have left the window.
  local function time_until_freed(c, needed)
    if not c.oldest then return c.newest + c.a - now end
    if c.oldest_units >= needed then return c.oldest + c.a - now end
    local freed, free_at = 0, c.newest
    walk(c, c.dropped + 1, function(stamp, units)
      freed = freed + units
      if freed < needed and stamp < c.legal then return true end
      free_at = min(stamp, c.legal)
      return false
    end)
    return free_at + c.a - now
  end

  function log.read(c)
    local available = c.capacity - c.reserve
    local needed = c.sum + c.cost - available
    local retry = 0
    if c.cost > available then retry = NEVER elseif needed > 0 then retry = time_until_freed(c, needed) end
    if c.units == 0 then return c.capacity, retry, 0, 0 end
    return max(0, c.capacity - c.sum), retry, (c.oldest or c.newest) + c.a - now, c.newest + c.a - now
  end

  -- Takes units from the older entry of that stamp; the list is as save() leaves it.
  local function refund_older(c, units, stamp)
    local amount
    local index = walk(c, 1, function(entry_stamp, entry_units)
      if entry_stamp < stamp then return true end
      if entry_stamp == stamp then amount = entry_units end
      return false
    end)
    if not amount then return 0 end
    local returned = min(units, amount)
    if returned < amount then
      redis.call('LSET', c.key, index + 1, text(amount - returned))
    else
      redis.call('LSET', c.key, index, '')
      redis.call('LSET', c.key, index + 1, '')
      redis.call('LREM', c.key, 2, '')
    end
    return returned
  end

  -- The units leave the entry of their own stamp: from a newer one they would admit too much.
  function log.refund(c, units, stamp)
    if c.dirty then log.save(c) end
    if c.units == 0 or c.replace then return 0 end
    local returned
    if c.newest == stamp then
      returned = min(units, c.units)
      c.units = c.units - returned
      if c.units == 0 then
        local last = redis.call('LRANGE', c.key, -2, -1)
        local older_stamp, older_units = whole(last[1]), whole(last[2])
        if older_stamp and older_units then c.newest, c.units, c.popped = older_stamp, older_units, 2 end
      end
    else
      returned = refund_older(c, units, stamp)
    end
    if returned > 0 then
      c.sum = c.sum - returned
      log.save(c)
    end
    return returned
  end

  return log
end
