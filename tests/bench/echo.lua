-- wrk: POST `hello` to the echo job, or to WRK_PATH. Prints one line for the benchmark to read:
--   requests  microseconds  median latency in microseconds  answers over 399  socket errors  answers that were not 200 hello
-- The last is counted only with CHECK set, since looking at each answer slows wrk down.
wrk.method = "POST"
wrk.path = os.getenv("WRK_PATH") or "/v1/run/echo"
wrk.body = "hello"

local threads = {}
wrong = 0

function setup(thread)
	table.insert(threads, thread)
end

if os.getenv("CHECK") then
	function response(status, headers, body)
		if status ~= 200 or body ~= "hello" then
			wrong = wrong + 1
		end
	end
end

function done(summary, latency, requests)
	local e = summary.errors
	local all_wrong = 0

	for _, thread in ipairs(threads) do
		all_wrong = all_wrong + thread:get("wrong")
	end
	io.write(string.format("result %d %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
		e.status, e.connect + e.read + e.write + e.timeout, all_wrong))
end
