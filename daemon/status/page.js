"use strict";

// Asks /v1/events for a snapshot a second, and draws it. Rates and percentiles are of what happened between two snapshots.

const MINUTE = 60;              // snapshots that are kept
const RATE_SECONDS = 5;         // over which a rate is taken
const SILENCE_MS = 10000;       // after which a stream is given up
const STORAGE = "leat-token";

const $ = id => document.getElementById(id);

let token = sessionStorage.getItem(STORAGE) || "";
let history = [];               // snapshots, the newest last
let stream = null;              // AbortController of the one that is open
let timer = 0;                  // of the next attempt
const rows = new Map();         // of job types, by name
const jobRows = new Map();      // of jobs in flight, by id

// --- Numbers as people read them ---

const grouped = new Intl.NumberFormat("en-GB");

function rate(n) {
	return n >= 100 ? grouped.format(Math.round(n)) : n >= 10 ? n.toFixed(1) : n > 0 ? n.toFixed(2) : "0";
}

function duration(us) {
	if (us === null)
		return "–";
	const ms = us / 1000;

	if (ms < 1)
		return ms.toFixed(2) + " ms";
	if (ms < 10)
		return ms.toFixed(1) + " ms";
	if (ms < 1000)
		return Math.round(ms) + " ms";
	return seconds(ms / 1000);
}

function seconds(s) {
	if (s < 60)
		return s.toFixed(s < 10 ? 1 : 0) + " s";
	if (s < 3600)
		return Math.floor(s / 60) + " min " + Math.floor(s % 60) + " s";
	if (s < 86400)
		return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
	return Math.floor(s / 86400) + " d " + Math.floor(s % 86400 / 3600) + " h";
}

function size(bytes) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let unit = 0;

	for (; bytes >= 1024 && unit < units.length - 1; unit++)
		bytes /= 1024;
	return (unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)) + " " + units[unit];
}

function percent(part, whole) {
	return whole > 0 ? Math.round(100 * part / whole) + " %" : "0 %";
}

// --- What happened between snapshots ---

const OUTCOMES = ["done", "failed", "timeout", "killed", "canceled"];

function ended(stats) {
	return OUTCOMES.reduce((sum, name) => sum + stats[name], 0);
}

// The snapshot about so many seconds before the newest one; the newest itself when there is no other.
function before(age) {
	const newest = history[history.length - 1].server.now_ms;

	return history.find(s => s.server.now_ms >= newest - age * 1000 - 500) || history[history.length - 1];
}

function elapsed(from, to) {
	return Math.max((to.server.now_ms - from.server.now_ms) / 1000, 0.001);
}

function perSecond(count, from, to) {
	return from === to ? 0 : Math.max(count(to) - count(from), 0) / elapsed(from, to);
}

// The time that so many percent did not exceed, read off between the bounds of the buckets; null: nothing happened.
function percentile(bounds, buckets, part) {
	const total = buckets.reduce((sum, n) => sum + n, 0);
	let seen = 0;

	for (let i = 0; i < buckets.length; i++) {
		const inside = buckets[i], from = i > 0 ? bounds[i - 1] : 0;

		if (inside > 0 && seen + inside >= total * part)
			return i < bounds.length ? from + (bounds[i] - from) * (total * part - seen) / inside : from;
		seen += inside;
	}
	return null;
}

function difference(now, then) {
	return now.map((n, i) => n - (then === now ? 0 : then[i]));
}

// --- Drawing ---

function text(element, value) {
	if (element.textContent !== String(value))
		element.textContent = value;
}

function bar(element, part, whole) {
	element.firstElementChild.style.transform = "scaleX(" + (whole > 0 ? Math.min(part / whole, 1) : 0) + ")";
}

function spark(svg, values, name) {
	const most = Math.max(...values, 1e-9), step = 120 / (MINUTE - 1), first = MINUTE - values.length;
	const points = values.map((v, i) => ((first + i) * step).toFixed(1) + "," + (27 - 25 * v / most).toFixed(1));
	const line = values.length > 1 ? "M" + points.join("L") : "";

	svg.querySelector(".stroke").setAttribute("d", line);
	svg.querySelector(".area").setAttribute("d", line && line + "L120,28L" + (first * step).toFixed(1) + ",28Z");
	svg.setAttribute("aria-label", "jobs of " + name + " that ended a second, over the last minute: now " +
		rate(values[values.length - 1] || 0) + ", most " + rate(Math.max(...values, 0)));
}

// What was refused, by reason, the most frequent first.
function reasons(stats) {
	return Object.keys(stats).filter(key => key.startsWith("refused_") && stats[key] > 0).sort((a, b) => stats[b] - stats[a])
		.map(key => key.slice(8).replaceAll("_", " ") + " " + grouped.format(stats[key]));
}

function outcomes(stats) {
	return OUTCOMES.filter(name => stats[name] > 0).map(name => grouped.format(stats[name]) + " " + name);
}

function list(element, words) {
	text(element, words.join(", ") || " ");
	element.title = words.join(", ");
}

function typeRow(name) {
	let row = rows.get(name);

	if (!row) {
		row = $("type-row").content.firstElementChild.cloneNode(true);
		row.querySelector(".name").textContent = name;
		row.querySelector("button").addEventListener("click", event => steer(event.currentTarget, name));
		$("type-rows").append(row);
		rows.set(name, row);
	}
	return row;
}

// Its throughput from each snapshot to the next.
function throughput(index) {
	return history.slice(1).map((s, i) => perSecond(t => ended(t.stats[index]), history[i], s));
}

function drawLatency(row, now, then, index) {
	for (const what of ["queued", "ran"]) {
		const buckets = difference(now.latency[index][what], then.latency[index][what]);

		text(row.querySelector("." + what + "50"), duration(percentile(now.bounds_us, buckets, 0.5)));
		text(row.querySelector("." + what + "99"), duration(percentile(now.bounds_us, buckets, 0.99)));
	}
}

function drawSteering(button, job, may) {
	button.hidden = !may;
	button.dataset.verb = job.paused ? "resume" : "pause";
	button.className = button.dataset.verb;
	text(button, job.paused ? "Resume" : "Pause");
	button.setAttribute("aria-label", (job.paused ? "Resume " : "Pause ") + job.job);
}

function drawType(now, index) {
	const job = now.jobs[index], stats = now.stats[index], row = typeRow(job.job), recent = before(RATE_SECONDS);
	const refused = perSecond(s => s.stats[index].refused, recent, now);

	row.querySelector(".badge").hidden = !job.paused;
	text(row.querySelector(".kind"), job.kind + (stats.abandoned ? ", " + stats.abandoned + " abandoned" : ""));
	spark(row.querySelector(".spark"), throughput(index), job.job);
	text(row.querySelector(".rate"), rate(perSecond(s => ended(s.stats[index]), recent, now)));
	list(row.querySelector(".ended"), outcomes(stats));
	text(row.querySelector(".running"), stats.running + " of " + job.concurrency);
	bar(row.querySelector(".bar"), stats.running, job.concurrency);
	text(row.querySelector(".waiting"), grouped.format(stats.waiting) + " of " + grouped.format(job.queue));
	bar(row.querySelector(".bar.wait"), stats.waiting, job.queue);
	drawLatency(row, now, before(MINUTE), index);
	text(row.querySelector(".refused"), rate(refused));
	row.querySelector(".refused").classList.toggle("hot", refused > 0);
	list(row.querySelector(".why"), reasons(stats));
	drawSteering(row.querySelector("button"), job, Boolean(now.ps));
}

function sum(snapshot, of) {
	return snapshot.stats.reduce((total, stats) => total + of(stats), 0);
}

function drawTiles(now) {
	const recent = before(RATE_SECONDS), server = now.server;
	const running = sum(now, s => s.running), places = now.jobs.reduce((n, job) => n + job.concurrency, 0);
	const refused = perSecond(s => sum(s, t => t.refused), recent, now);

	text($("t-rate"), rate(perSecond(s => sum(s, ended), recent, now)));
	text($("t-done"), grouped.format(sum(now, ended)) + " in all");
	text($("t-running"), grouped.format(running));
	text($("t-places"), "of " + grouped.format(places));
	text($("t-waiting"), grouped.format(sum(now, s => s.waiting)));
	text($("t-queue"), "of " + grouped.format(now.jobs.reduce((n, job) => n + job.queue, 0)));
	text($("t-refused"), rate(refused));
	$("t-refused").classList.toggle("hot", refused > 0);
	text($("t-why"), grouped.format(sum(now, s => s.refused)) + " in all");
	text($("t-memory"), size(server.memory));
	text($("t-max-memory"), percent(server.memory, server.max_memory) + " of " + size(server.max_memory));
	text($("t-connections"), grouped.format(server.connections));
	text($("t-max-connections"), "of " + grouped.format(server.max_connections));
}

function jobRow(job) {
	let row = jobRows.get(job.id);

	if (!row) {
		row = $("job-row").content.firstElementChild.cloneNode(true);
		row.querySelector(".id").textContent = job.id;
		row.querySelector(".id").title = job.id;
		row.querySelector(".name").textContent = job.job;
		row.querySelector(".peer").textContent = job.peer;
		row.querySelector("button").setAttribute("aria-label", "Cancel " + job.id);
		row.querySelector("button").addEventListener("click", event => cancel(event.currentTarget, job.id));
		jobRows.set(job.id, row);
	}
	return row;
}

function drawJobs(now) {
	const seen = new Set();

	$("job-note").hidden = Boolean(now.ps);
	text($("job-note"), "Who wants to see and steer the jobs needs a token with the right ops.");
	$("job-scroll").hidden = !now.ps;
	text($("job-count"), now.ps ? (now.in_flight > now.ps.length ? now.ps.length + " of " : "") + grouped.format(now.in_flight) : "");
	for (const [place, job] of (now.ps || []).entries()) {
		const row = jobRow(job), there = $("job-rows").children[place];

		seen.add(job.id);
		text(row.querySelector(".state"), job.state);
		row.querySelector(".dot").classList.toggle("running", job.state === "running");
		text(row.querySelector(".age"), seconds(job.age_ms / 1000));
		text(row.querySelector(".left"), seconds(job.left_ms / 1000));
		// Only what has moved: a row that is put anew loses the focus.
		if (there !== row)
			$("job-rows").insertBefore(row, there || null);
	}
	for (const [id, row] of jobRows) {
		if (!seen.has(id)) {
			row.remove();
			jobRows.delete(id);
		}
	}
}

function drawSemaphores(now) {
	$("semaphore-section").hidden = now.semaphores.length === 0;
	$("semaphore-rows").replaceChildren(...now.semaphores.map(s => {
		const item = document.createElement("li");

		item.textContent = s.semaphore + " " + s.in_use + " of " + s.permits;
		return item;
	}));
}

function draw() {
	const now = history[history.length - 1], server = now.server;

	$("content").hidden = false;
	$("login").hidden = true;
	text($("about"), "leatd " + server.version + ", up " + seconds(server.uptime_s) + ", proof of death: " + server.proof_of_death);
	drawTiles(now);
	now.jobs.forEach((job, index) => drawType(now, index));
	drawSemaphores(now);
	drawJobs(now);
}

function state(words, look) {
	text($("state"), words);
	$("state").className = "pill " + look;
	document.body.classList.toggle("stale", look === "bad");
}

function toast(words) {
	text($("toast"), words);
	$("toast").classList.add("shown");
	clearTimeout(toast.timer);
	toast.timer = setTimeout(() => $("toast").classList.remove("shown"), 5000);
}

// --- Steering ---

function headers() {
	return token ? { Authorization: "Bearer " + token } : {};
}

// An error says of itself what it is (RFC 9457).
async function words(response) {
	try {
		return (await response.json()).detail;
	} catch {
		return "status " + response.status;
	}
}

async function ask(button, method, path, done) {
	button.disabled = true;
	try {
		const response = await fetch(path, { method, headers: headers() });

		toast(response.ok ? done : "Refused: " + await words(response));
	} catch {
		toast("No answer from leatd.");
	}
	button.disabled = false;
}

function steer(button, job) {
	const verb = button.dataset.verb;

	ask(button, "POST", "/v1/jobs/" + encodeURIComponent(job) + "/" + verb, job + (verb === "pause" ? " is paused." : " goes on."));
}

// There is no way back from it, so it takes two.
function cancel(button, id) {
	if (!button.classList.contains("sure")) {
		button.classList.add("sure");
		button.textContent = "Sure?";
		setTimeout(() => {
			button.classList.remove("sure");
			button.textContent = "Cancel";
		}, 4000);
		return;
	}
	ask(button, "DELETE", "/v1/ps/" + encodeURIComponent(id), id + " is cancelled.");
}

// --- The stream ---

function take(snapshot) {
	const last = history[history.length - 1];

	// Another leatd, other types, or too long ago to be compared.
	if (last && (last.server.process_id !== snapshot.server.process_id || snapshot.server.now_ms - last.server.now_ms > 5000 ||
		     last.jobs.map(job => job.job).join() !== snapshot.jobs.map(job => job.job).join())) {
		history = [];
		rows.forEach(row => row.remove());
		rows.clear();
	}
	history.push(snapshot);
	if (history.length > MINUTE + 1)
		history.shift();
	draw();
	state(snapshot.server.draining ? "draining" : "live", snapshot.server.draining ? "warn" : "live");
}

// One event: lines `name: value`.
function takeEvent(lines) {
	const fields = Object.fromEntries(lines.split("\n").map(line => line.split(/: (.*)/s)));

	if (!fields.event)
		take(JSON.parse(fields.data));
	else if (fields.event === "end" && fields.data === "stopping")
		state("stopping", "warn");
}

async function read(response, alive) {
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let left = "";

	for (;;) {
		const { value, done } = await reader.read();

		if (done)
			return;
		alive();
		const events = (left + value).split("\n\n");

		left = events.pop();
		events.forEach(takeEvent);
	}
}

function askForToken(why) {
	$("content").hidden = true;
	$("login").hidden = false;
	$("forget").hidden = true;
	text($("login-why"), why);
	state("no token", "warn");
	$("token").focus();
}

async function refused(response) {
	const detail = await words(response);

	if (response.status === 401) {
		sessionStorage.removeItem(STORAGE);
		askForToken(token ? "That token is not known here." : "This leatd answers only those who have one.");
		token = "";
		return;
	}
	state(detail, "warn");
	later(2000);
}

async function watch() {
	const controller = new AbortController();
	let silence;
	const alive = () => {
		clearTimeout(silence);
		silence = setTimeout(() => controller.abort(), SILENCE_MS);
	};

	clearTimeout(timer);
	if (stream)
		stream.abort();
	stream = controller;
	alive();
	try {
		const response = await fetch("/v1/events", { headers: headers(), signal: controller.signal, cache: "no-store" });

		$("forget").hidden = !token;
		if (!response.ok) {
			await refused(response);
			return;
		}
		await read(response, alive);
		later(500);
	} catch {
		if (stream === controller && !document.hidden) {
			state("no connection", "bad");
			later(2000);
		}
	} finally {
		clearTimeout(silence);
	}
}

function later(ms) {
	clearTimeout(timer);
	timer = setTimeout(watch, ms);
}

$("host").textContent = location.host;
document.title = "leat " + location.host;
$("login").addEventListener("submit", event => {
	event.preventDefault();
	token = $("token").value.trim();
	$("token").value = "";
	sessionStorage.setItem(STORAGE, token);
	watch();
});
$("forget").addEventListener("click", () => {
	sessionStorage.removeItem(STORAGE);
	token = "";
	history = [];
	watch();
});
// A page that nobody looks at takes no stream.
document.addEventListener("visibilitychange", () => {
	clearTimeout(timer);
	if (document.hidden && stream)
		stream.abort();
	else if (!document.hidden)
		watch();
});
watch();
