-- sliding_window_log: at most capacity units in every window (now - window, now], always.
-- Value  "<sum> <stamp> <units>", then " <stamp> <units>" of each older entry, oldest first, stamps strictly rising: the running
--        sum, the newest entry, the others. A text while it is short, then a list of the same: the first three numbers as its
--        first element, each further number as one of its own, which Redis packs into few bytes.
-- Stamps are the END of the slot of their charge, so a unit comes back up to one slot late and never early.
-- Numbers  a the window, b the slot.

algorithms[1] = function()
  local log = {}
  local LONGEST_TEXT = 2048  -- bytes; a longer one becomes a list
  local CHUNK = 128  -- elements of a list read or written at once; even

  -- Walks the older entries of a text from a byte on, or those of a list from an index on, until visit(stamp, units) says false.
  -- Returns the place of the entry at which it stopped, the end when it did not, or nil when an entry has a wrong form.
  local function walk_text(c, place, visit)
    local previous, length = -1, #c.value
    while place <= length do
      local first, second, behind = match(c.value, '^ (%d+) (%d+)()', place)
      local stamp, units = digits_value(first), digits_value(second)
      if not stamp or not units or units == 0 or stamp <= previous then return nil end
      if not visit(stamp, units) then return place end
      previous, place = stamp, behind
    end
    return place
  end

  local function walk_list(c, place, visit)
    local previous = -1
    while true do
      local list = call('LRANGE', c.key, text(place), text(place + CHUNK - 1))
      for at = 1, #list, 2 do
        local stamp, units = whole(list[at]), whole(list[at + 1])
        if not stamp or not units or units == 0 or stamp <= previous then return nil end
        if not visit(stamp, units) then return place + at - 1 end
        previous = stamp
      end
      place = place + #list
      if #list < CHUNK then return place end
    end
  end

  local function walk(c, place, visit)
    if c.is_list then return walk_list(c, place, visit) end
    return walk_text(c, place, visit)
  end

  -- The state of a key that holds nothing that counts; a text will take its place.
  local function empty(c)
    c.sum, c.newest, c.units, c.oldest, c.stamp, c.push = 0, 0, 0, nil, nil, nil
    -- The older entries: those of a text or of a list, from the place of the first to the one behind the last, nil for the end.
    c.is_list, c.value, c.first, c.stop = false, '', 1, nil
  end

  local function foreign(c)
    empty(c)
    c.exists = true
  end

  -- Forgets the entries that have left the window, of which the oldest is one. Returns false when the value is not ours.
  local function trim(c, horizon)
    local live
    local place = walk(c, c.first, function(stamp, units)
      live, c.oldest_units = stamp, units
      if stamp > horizon then return false end
      c.sum = c.sum - units
      live = nil
      return true
    end)
    if not place or (live and live >= c.newest) then return false end
    c.oldest, c.first, c.dirty = live, place, true
    if live then return c.sum > c.units end
    return c.sum == c.units
  end

  -- Draws stamps of the future (the clock went back) to the latest legal one.
  local function clamp(c)
    local place = walk(c, c.first, function(stamp) return stamp < c.legal end)
    local behind = place and walk(c, place, function(_, units)
      c.units = c.units + units
      return true
    end)
    if not behind then return false end
    c.stop, c.newest, c.dirty = place, c.legal, true
    if c.oldest and c.oldest >= c.legal then c.oldest = nil end
    return c.sum >= c.units
  end

  -- What stands before the older entries, and the first of those; nothing when the value has a wrong form.
  local function head_of_text(value)
    local sum, newest, units, first = match(value, '^(%d+) (%d+) (%d+)()')
    if not sum then return nil end
    if first > #value then return sum, newest, units, first end
    return sum, newest, units, first, match(value, '^ (%d+) (%d+)', first)
  end

  local function head_of_list(head)
    local sum, newest, units = match(head[1], '^(%d+) (%d+) (%d+)$')
    return sum, newest, units, 1, head[2], head[3]
  end

  -- Reads the value: see head_of_text for what it returns; false when there is none.
  local function read_head(c)
    local value = held[c.key]
    if value then
      c.value = value
      return head_of_text(value)
    end
    local head = read('LRANGE', c.key, '0', '2')
    if head.err then return nil end
    if #head == 0 then return false end
    c.is_list = true
    return head_of_list(head)
  end

  -- What a text says whose entries are all in the window and none in the future, as nearly all are: sum, newest, units, the place of
  -- the older entries, and the oldest of those, if there is one, with its units. Nothing when it is another.
  local function settled(value, horizon, legal)
    local sum, newest, units, first = match(value, '^(%d+) (%d+) (%d+)()')
    if not sum then return nil end
    sum, newest, units = tonumber(sum), tonumber(newest), tonumber(units)
    if newest > legal or newest <= horizon or units == 0 or sum < units or sum >= EXACT then return nil end
    if first > #value then
      if sum == units then return sum, newest, units, first end
      return nil
    end
    local oldest, oldest_units = match(value, '^ (%d+) (%d+)', first)
    if not oldest then return nil end
    oldest, oldest_units = tonumber(oldest), tonumber(oldest_units)
    if oldest >= newest or oldest <= horizon or oldest_units == 0 or oldest_units >= EXACT then return nil end
    return sum, newest, units, first, oldest, oldest_units
  end

  local function slot_end(c)
    return now + (c.b - now % c.b) % c.b
  end

  -- Reads a text that is settled; false when it is not.
  local function load_settled(c, value)
    local sum, newest, units, first, oldest, oldest_units = settled(value, now - c.a, c.legal)
    if not sum then return false end
    c.sum, c.newest, c.units, c.oldest, c.oldest_units, c.stamp, c.push = sum, newest, units, oldest, oldest_units, nil, nil
    c.is_list, c.value, c.first, c.stop, c.exists = false, value, first, nil, true
    return true
  end

  function log.load(c)
    c.dirty, c.legal = false, slot_end(c)
    local value = held[c.key]
    if value and load_settled(c, value) then return end
    empty(c)
    c.exists = false
    local sum, newest, units, first, stamp, amount = read_head(c)
    if sum == false then return end
    c.exists = true
    sum, newest, units = digits_value(sum), digits_value(newest), digits_value(units)
    if not sum or not newest or not units or units == 0 or sum < units then return foreign(c) end
    local horizon = now - c.a
    if newest <= horizon then
      foreign(c)
      c.dirty = true
      return
    end
    c.sum, c.newest, c.units, c.first = sum, newest, units, first
    local is_alone = not stamp and (c.is_list or first > #c.value)
    if is_alone then
      if sum ~= units then return foreign(c) end
    else
      c.oldest, c.oldest_units = whole(stamp), whole(amount)
      if not c.oldest or not c.oldest_units or c.oldest_units == 0 then return foreign(c) end
      if c.oldest <= horizon then
        if not trim(c, horizon) then return foreign(c) end
      elseif c.oldest >= newest then
        return foreign(c)
      end
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
        c.push = format(' %d %d', c.newest, c.units)
        if not c.oldest then c.oldest, c.oldest_units = c.newest, c.units end
      end
      c.newest, c.units = c.legal, charged
    end
    c.sum, c.stamp, c.dirty = c.sum + charged, c.legal, true
  end

  -- Makes a list of a text. Not while a cluster moves the key's slot: a key that is gone cannot be written to then, and the script
  -- would end in the middle; of that tells an error for a key beside it that does not exist.
  local function lengthen(c, head, entries)
    local beside = pcall('EXISTS', c.key .. ':')
    if type(beside) == 'table' then return false end
    local elements = { head }
    for number in string.gmatch(entries, '%d+') do elements[#elements + 1] = number end
    delete(c.key)
    for at = 1, #elements, CHUNK do call('RPUSH', c.key, unpack(elements, at, min(at + CHUNK - 1, #elements))) end
    c.is_list, c.first = true, 1
    return true
  end

  local function save_list(c, head)
    if c.stop then call('LTRIM', c.key, '0', text(c.stop - 1)) end
    -- The last of what is dropped makes room for the head: the list is never empty in between.
    if c.first > 1 then call('LPOP', c.key, text(c.first - 1)) end
    if c.push then
      local stamp, units = match(c.push, '(%d+) (%d+)')
      call('RPUSH', c.key, stamp, units)
    end
    call('LSET', c.key, '0', head)
    c.first = 1
  end

  function log.save(c)
    if c.units == 0 then
      if c.exists then delete(c.key) end
      c.exists = false
      return
    end
    local head = format('%d %d %d', c.sum, c.newest, c.units)
    local ends = c.newest + c.a
    if c.is_list then
      save_list(c, head)
    else
      local entries = sub(c.value, c.first, (c.stop or 0) - 1)
      if c.push then entries = entries .. c.push end
      if #entries < LONGEST_TEXT or not lengthen(c, head, entries) then
        c.value, c.first = head .. entries, #head + 1
        write_text(c.key, c.value, ends)
      end
    end
    if c.is_list then call('PEXPIRE', c.key, time_to_live(ends)) end
    c.exists, c.stop, c.push = true, nil, nil
  end

  -- Microseconds until `needed` units have left the window.
  local function time_until_freed(c, needed)
    if not c.oldest then return c.newest + c.a - now end
    if c.oldest_units >= needed then return c.oldest + c.a - now end
    local freed, free_at = 0, c.newest
    walk(c, c.first, function(stamp, units)
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

  -- Takes units from the older entry of that stamp; the value is as save() leaves it.
  local function refund_older(c, units, stamp)
    local amount
    local place = walk(c, c.first, function(entry_stamp, entry_units)
      if entry_stamp < stamp then return true end
      if entry_stamp == stamp then amount = entry_units end
      return false
    end)
    if not amount then return 0 end
    local returned = min(units, amount)
    local left = amount - returned
    if c.is_list then
      if left > 0 then
        call('LSET', c.key, text(place + 1), text(left))
      else
        call('LSET', c.key, text(place), '')
        call('LSET', c.key, text(place + 1), '')
        call('LREM', c.key, '2', '')
      end
    else
      local behind = match(c.value, '^ %d+ %d+()', place)
      local entry = ''
      if left > 0 then entry = format(' %d %d', stamp, left) end
      c.value = sub(c.value, 1, place - 1) .. entry .. sub(c.value, behind)
    end
    return returned
  end

  -- The last of the older entries becomes the newest, when there is one.
  local function take_last(c)
    local place, stamp, units
    local index = 0
    walk(c, c.first, function(entry_stamp, entry_units)
      stamp, units, index = entry_stamp, entry_units, index + 1
      return true
    end)
    if not stamp then return end
    if c.is_list then place = c.first + 2 * (index - 1) else place = find(c.value, ' %d+ %d+$') end
    c.newest, c.units, c.stop = stamp, units, place
  end

  -- The units leave the entry of their own stamp: from a newer one they would admit too much.
  function log.refund(c, units, stamp)
    if c.dirty then log.save(c) end
    if c.units == 0 then return 0 end
    local returned
    if c.newest == stamp then
      returned = min(units, c.units)
      c.units = c.units - returned
      if c.units == 0 then take_last(c) end
    else
      returned = refund_older(c, units, stamp)
    end
    if returned > 0 then
      c.sum = c.sum - returned
      log.save(c)
    end
    return returned
  end

  -- See token_bucket: an ordinary charge to a text that is settled, and stays a text, and has room for one more.
  function log.decide(c, key, count, reply)
    local value, legal = held[key], slot_end(c)
    if not value or #value >= LONGEST_TEXT then return false end
    local sum, newest, units, first, oldest = settled(value, now - c.a, legal)
    if not sum then return false end
    local available = c.capacity - c.reserve
    local granted = min(count, floor((available - sum) / c.cost))
    local charged = granted * c.cost
    sum = sum + charged
    if granted < 1 or sum + c.cost > available then return false end
    local ends = legal + c.a
    if newest == legal then
      write_text(key, format('%d %d %d', sum, legal, units + charged) .. sub(value, first), ends)
    else
      write_text(key, format('%d %d %d%s %d %d', sum, legal, charged, sub(value, first), newest, units), ends)
    end
    local size = #reply
    reply[size + 1], reply[size + 2], reply[size + 3], reply[size + 4] = granted, granted, c.capacity - sum, 0
    reply[size + 5], reply[size + 6], reply[size + 7] = (oldest or newest) + c.a - now, ends - now, legal
    return true
  end

  return log
end
