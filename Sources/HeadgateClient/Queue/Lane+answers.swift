extension Lane {
    /// Learns from the answer to a request that is under way.
    mutating func learn(_ reading: Reading, to number: UInt64, at now: Duration) {
        guard let flight = flights[number] else { return }
        routes[flight.route]?.isKnown = true
        // It is in the figures from here on, however long its body takes.
        routes[flight.route]?.underway.remove(flight.sequence)
        switch reading.outcome {
        case .served:
            bound.succeed(underway: flight.underway, at: now)
            for quota in reading.quotas { update(quota, flight, at: now) }
            forgetStale(on: flight.route, naming: reading.quotas, at: now)
        case .limited:
            denied(reading, flight, at: now)
        case .unavailable:
            if let time = reading.retryAfter, time > .zero { hold(for: time, at: now) } else { bound.yield() }
        }
    }

    private mutating func update(_ reading: QuotaReading, _ flight: Flight, at now: Duration) {
        if reading.unit == .concurrency {
            if let limit = reading.limit { bound.name(limit, at: now) }
            return
        }
        routes[flight.route]?.quotas.insert(reading.name)
        let underway = underway(counting: reading.name)
        guard quotas[reading.name] == nil else {
            quotas[reading.name]?.update(reading, request: flight.sequence, sent: flight.sent, at: now, underway: underway)
            return
        }
        makeRoom(at: now)
        quotas[reading.name] = Quota(reading, request: flight.sequence, sent: flight.sent, at: now, others: underway, reserve: reserve)
    }

    /// The requests that a limit may count and no answer has told of, whichever of its routes they take.
    private func underway(counting quota: String) -> Set<UInt64> {
        routes.values.reduce(into: []) { if $1.quotas.contains(quota) { $0.formUnion($1.underway) } }
    }

    /// Decides which limit denied a request, and who has to wait for it.
    private mutating func denied(_ reading: Reading, _ flight: Flight, at now: Duration) {
        let spent = reading.quotas.filter { $0.remaining == 0 }
        let slots = spent.filter { isConcurrency($0, flight) }
        if let slot = slots.first {
            // Only this request waits for the server's time: the others' slots are theirs.
            return bound.object(underway: flight.underway, named: slot.limit, at: now)
        }
        if let first = spent.first {
            for quota in spent {
                if quotas[quota.name] == nil { update(quota, flight, at: now) }
                routes[flight.route]?.quotas.insert(quota.name)
                let underway = underway(counting: quota.name)
                quotas[quota.name]?.deny(
                    quota,
                    request: flight.sequence,
                    retryAfter: quota == first ? reading.retryAfter : nil,
                    at: now,
                    underway: underway
                )
            }
        } else if let time = reading.retryAfter, time > .zero {
            hold(for: time, at: now)
        } else if flight.underway > 1, routes[flight.route]?.quotas.allSatisfy({ (quotas[$0]?.left ?? 1) > 0 }) == true {
            bound.object(underway: flight.underway, named: nil, at: now)
        } else {
            bound.yield()
        }
    }

    /// Whether what denied is a bound on requests under way: it says so, or it is no more than were under way and no answer that was
    /// served has shown it.
    private func isConcurrency(_ reading: QuotaReading, _ flight: Flight) -> Bool {
        if reading.unit == .concurrency { return true }
        guard reading.unit == .requests, let limit = reading.limit, quotas[reading.name] == nil else { return false }
        return flight.underway >= 2 && limit <= Int64(flight.underway)
    }

    /// A limit that answers no longer name, and whose time is over, holds nobody back.
    private mutating func forgetStale(on route: String, naming named: [QuotaReading], at now: Duration) {
        for name in routes[route]?.quotas ?? [] where !named.contains(where: { $0.name == name }) {
            guard quotas[name]?.isStale(at: now) ?? true else { continue }
            routes[route]?.quotas.remove(name)
            if !routes.values.contains(where: { $0.quotas.contains(name) }) { quotas[name] = nil }
        }
    }

    /// Makes room for one more limit: what is overtaken by time goes first.
    private mutating func makeRoom(at now: Duration) {
        guard quotas.count >= Lane.mostQuotas else { return }
        guard let victim = quotas.first(where: { $0.value.isStale(at: now) }) ?? quotas.first else { return }
        quotas[victim.key] = nil
        for route in routes.keys { routes[route]?.quotas.remove(victim.key) }
    }
}
