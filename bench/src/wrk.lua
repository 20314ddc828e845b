-- Every request is by another of the people above. The last line of the output is for the benchmark.
local next = 0
function init(args)
    next = (tonumber(args[1]) or 0) % #requests
end
function request()
    next = next % #requests + 1
    return requests[next]
end
function done(summary, latency)
    local failed = summary.errors.connect + summary.errors.read + summary.errors.write
        + summary.errors.status + summary.errors.timeout
    io.write(string.format("%d %d %.1f %.1f %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), failed))
end
