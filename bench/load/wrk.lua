-- Builds what wrk sends from the environment, and reports on one line of JSON, in microseconds.

wrk.method = os.getenv("METHOD")
wrk.body = os.getenv("BODY")

-- Each request has its own line of a file: in the header LINES_IN, or as its body without that name.
if os.getenv("LINES") then
  local next_line, header = io.lines(os.getenv("LINES")), os.getenv("LINES_IN")
  function request()
    local line = next_line and next_line()
    if not line then next_line, line = nil, "spent" end
    if not header then return wrk.format(nil, nil, nil, line) end
    wrk.headers[header] = line
    return wrk.format()
  end
end

-- A refused client waits for the seconds of Retry-After. Only on demand: a delay costs each request.
if os.getenv("REFUSALS") == "wait" then
  local wait = 0
  function response(status, headers)
    wait = status == 503 and 1000 * (tonumber(headers["Retry-After"]) or 0) or 0
  end
  function delay()
    return wait
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "duration": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
