-- http-request lua.headgate URL: asks Headgate whether a request may go on, with Traefik's forwarding fields.
-- A refusal goes to the client as Headgate words it; the fields of an allowed request are kept in variables for the response.

local SHOWN = { "limit", "remaining", "reset", "window" }

local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0]
end

core.register_action("headgate", { "http-req" }, function(txn, url)
  local fields = { ["x-forwarded-method"] = { txn.sf:method() }, ["x-forwarded-uri"] = { txn.sf:path() } }
  local query = txn.sf:query()
  if query and query ~= "" then fields["x-forwarded-uri"] = { txn.sf:path() .. "?" .. query } end
  local request = txn.http:req_get_headers()
  for _, name in ipairs({ "authorization", "x-api-key", "x-priority", "x-forwarded-for" }) do
    local value = first(request, name)
    if value then fields[name] = { value } end
  end

  local answer = core.httpclient():get({ url = url .. "/v1/authorize", headers = fields, timeout = 2000 })
  local status = answer and answer.status or 0
  if status == 200 then
    for _, name in ipairs(SHOWN) do
      local value = first(answer.headers, "x-ratelimit-" .. name)
      if value then txn:set_var("txn.headgate_" .. name, value) end
    end
    return
  end

  local reply = txn:reply()
  if status == 0 then
    -- Headgate itself is away: no request passes uncounted.
    reply:set_status(503)
    reply:add_header("retry-after", "1")
  else
    reply:set_status(status)
    for name, values in pairs(answer.headers) do
      if name ~= "content-length" and name ~= "transfer-encoding" and name ~= "connection" and name ~= "date" then
        for _, value in pairs(values) do reply:add_header(name, value) end
      end
    end
    reply:set_body(answer.body or "")
  end
  txn:done(reply)
end, 1)
