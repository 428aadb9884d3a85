internal import Headgate

extension UsageBatch {
    /// The command that adds the batch to its three hashes.
    func command(prefix: String) -> [String] {
        let hashes = UsageResolution.allCases
        var command = ["EVAL", UsageBatch.script, String(hashes.count)]
        command += hashes.map { $0.key(of: identity, at: minute, prefix: prefix) }
        command += hashes.map { String($0.timeToLive.wholeMicroseconds / 1_000) }
        for (field, count) in counts { command += [field.text, String(count)] }
        return command
    }

    /// Adds counts to an account's usage hashes.
    ///
    /// What is no hash or no number counts as absent and is overwritten. An error before the first write, such as OOM, is
    /// Redis' own answer, so that the caller knows that nothing was counted.
    private static let script = """
        -- KEYS   usage hashes of one account: minute, hour, day
        -- ARGV   each hash's time to live in milliseconds; then by turns a field and what to add to it
        -- reply  1
        -- keeps  each hash has a time to live, which counts from its first field
        local function add(key, field, count)
          local reply = redis.pcall('HINCRBY', key, field, count)
          if type(reply) ~= 'table' then return end
          if string.find(reply.err, '^WRONGTYPE') then
            redis.call('DEL', key)
          elseif not string.find(reply.err, '^ERR') then
            error(reply)
          end
          redis.call('HSET', key, field, count)
        end
        for k = 1, #KEYS do
          for i = #KEYS + 1, #ARGV, 2 do add(KEYS[k], ARGV[i], ARGV[i + 1]) end
          redis.call('PEXPIRE', KEYS[k], ARGV[k], 'NX')
        end
        return 1
        """
}
