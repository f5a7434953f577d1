// A browser cannot submit: a page from elsewhere, in headless Chromium, tries every way there is, and no job comes of it; a page of an
// origin that is configured may ask, and read the answers. playwright-core is found through NODE_PATH or beside this file.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { check, report, startLeatd } from './leatd.mjs'

const { chromium } = createRequire(resolve(process.env.NPM ?? 'build/npm', 'package.json'))('playwright-core')

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync',
	// Names that a page has point to this machine.
	'--host-resolver-rules=MAP *.example 127.0.0.1']

// Serves an empty page at every address of a port of its own.
function servePage() {
	return new Promise(resolve => {
		const server = createServer((request, answer) => {
			answer.setHeader('Content-Type', 'text/html')
			answer.end('<!doctype html><title>a page</title><body></body>')
		})
		server.listen(0, '127.0.0.1', () => resolve(server))
	})
}

const evil = await servePage()
const good = await servePage()
const evilOrigin = `http://evil.example:${evil.address().port}`
const goodOrigin = `http://good.example:${good.address().port}`
const leatd = await startLeatd({ options: ['-o', `server.allow_origins=${goodOrigin}`] })
const base = `http://127.0.0.1:${leatd.port}`
const profile = mkdtempSync(join(tmpdir(), 'leat-browser-'))
const browser = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags,
	ignoreDefaultArgs: ['--enable-automation'] })

// What the browser asked leatd for, and those answers that it did not throw away unread.
const requests = []
const answers = []
browser.on('request', request => new URL(request.url()).port === String(leatd.port) && requests.push(request.url()))
browser.on('response', response => {
	const address = new URL(response.url())
	if (Number(address.port) === leatd.port)
		answers.push({ method: response.request().method(), path: address.pathname, status: response.status() })
})

async function submitted() {
	const metrics = await (await fetch(`${base}/metrics`)).text()
	return [...metrics.matchAll(/^leat_jobs_submitted_total\{.*\} (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0)
}

async function pageOf(address) {
	const page = await browser.newPage()
	await page.goto(address)
	return page
}

// --- A page from elsewhere ---

const tries = {
	'fetch': ({ run }) => fetch(run, { method: 'POST', body: 'x' }).then(r => r.text()),
	'fetch without CORS': ({ run }) => fetch(run, { method: 'POST', body: 'x', mode: 'no-cors' }).then(r => r.type === 'opaque' ? Promise.reject('opaque') : r.text()),
	'fetch as text/plain': ({ run }) =>
		fetch(run, { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' } }).then(r => r.text()),
	'fetch with a preflight': ({ run }) =>
		fetch(run, { method: 'POST', body: 'x', headers: { 'Leat-Id': 'a', 'Content-Type': 'application/json' } }).then(r => r.text()),
	'fetch with credentials': ({ run }) => fetch(run, { method: 'POST', body: 'x', credentials: 'include' }).then(r => r.text()),
	'fetch of the line protocol': ({ base }) =>
		fetch(base, { method: 'POST', body: '\r\nRUN upper x\r\nRUN echo x\r\n', mode: 'no-cors', keepalive: true }).then(() => Promise.reject('opaque')),
	'PUT': ({ run }) => fetch(run, { method: 'PUT', body: 'x' }).then(r => r.text()),
	'DELETE': ({ base }) => fetch(`${base}/v1/ps/x`, { method: 'DELETE' }).then(r => r.text()),
	'reading the books': ({ base }) => fetch(`${base}/metrics`).then(r => r.text()),
	'a pause': ({ base }) => fetch(`${base}/v1/jobs/echo/pause`, { method: 'POST', body: '', mode: 'no-cors' }).then(() => Promise.reject('opaque')),
	'XMLHttpRequest': ({ run }) => new Promise((resolve, reject) => {
		const request = new XMLHttpRequest()
		request.open('POST', run)
		request.onload = () => resolve(request.responseText)
		request.onerror = () => reject('error')
		request.send('x')
	}),
	'an image': ({ run }) => new Promise((resolve, reject) => {
		const image = new Image()
		image.onload = resolve
		image.onerror = () => reject('error')
		image.src = `${run}?x`
	}),
	'a script': ({ run }) => new Promise((resolve, reject) => {
		const script = document.createElement('script')
		script.onload = resolve
		script.onerror = () => reject('error')
		script.src = run
		document.body.append(script)
	}),
	'WebSocket': ({ run }) => new Promise((resolve, reject) => {
		const socket = new WebSocket(run.replace('http:', 'ws:'))
		socket.onopen = () => socket.send('RUN upper x\r\n')
		socket.onmessage = resolve
		socket.onerror = () => reject('error')
	}),
	'EventSource': ({ run }) => new Promise((resolve, reject) => {
		const source = new EventSource(run)
		source.onmessage = resolve
		source.onerror = () => { source.close(); reject('error') }
	}),
}

const from = await pageOf(evilOrigin)
for (const [name, attempt] of Object.entries(tries)) {
	const outcome = await from.evaluate(`(${attempt})(${JSON.stringify({ base, run: `${base}/v1/run/echo` })}).then(() => 'read', () => 'kept away')`)
	check(outcome === 'kept away', `${name}: the page gets nothing`, outcome)
}

// sendBeacon() tells nobody how it went, but the answer comes by.
await Promise.all([
	browser.waitForEvent('response', { predicate: response => response.url().endsWith('/v1/run/upper?beacon'), timeout: 30000 }),
	from.evaluate(address => navigator.sendBeacon(address, 'x'), `${base}/v1/run/upper?beacon`),
])

// A form takes the browser to the answer: every encoding, and bodies and addresses that would be commands of the line protocol.
const forms = [
	['application/x-www-form-urlencoded', 'x', 'y'],
	['multipart/form-data', 'x', 'y'],
	['text/plain', 'x', 'y'],
	['text/plain', '\r\nRUN upper x\r\nRUN echo ', 'x\r\n'],
	['text/plain', '*3\r\n$3\r\nRUN\r\n$5\r\nupper\r\n$1\r\nx\r\n', ''],
]
for (const [enctype, name, value] of forms) {
	for (const path of ['/v1/run/upper', '/']) {
		const page = await pageOf(evilOrigin)
		const [answer] = await Promise.all([
			page.waitForNavigation({ timeout: 30000 }),
			page.evaluate(([action, type, field, text]) => {
				const form = document.createElement('form')
				Object.assign(form, { action, method: 'post', enctype: type })
				const area = document.createElement('textarea')
				Object.assign(area, { name: field, value: text })
				form.append(area)
				document.body.append(form)
				form.submit()
			}, [base + path, enctype, name, value]),
		])
		check(answer.status() === 403, `a form as ${enctype} is answered 403`, answer.status())
		await page.close()
	}
}

// A frame that is nobody's, and a page that has made its own name point to this machine.
const sandboxed = await pageOf(evilOrigin)
await Promise.all([
	browser.waitForEvent('response', { predicate: response => response.url().endsWith('/v1/run/upper?sandboxed'), timeout: 30000 }),
	sandboxed.evaluate(address => {
		const frame = document.createElement('iframe')
		frame.sandbox = 'allow-scripts allow-forms'
		frame.srcdoc = `<form method=post action="${address}" enctype=text/plain><input name=a value=b></form><script>document.forms[0].submit()</script>`
		document.body.append(frame)
	}, `${base}/v1/run/upper?sandboxed`),
])
const rebound = await browser.newPage()
const shown = await rebound.goto(`http://rebound.example:${leatd.port}/healthz`)
check(shown.status() === 421, 'a name that points here by itself is answered 421', shown.status())
const asked = await rebound.evaluate(() => fetch('/v1/run/upper', { method: 'POST', body: 'x' }).then(r => r.status))
check(asked === 421, 'its page may not submit, though the origin is its own', asked)

const posts = answers.filter(answer => answer.method !== 'GET')
check(requests.length >= Object.keys(tries).length + 2 * forms.length && posts.length > 2 * forms.length, 'leatd was really asked', requests)
check(posts.every(answer => answer.status === 403 || answer.status === 421), 'all that was not a GET is answered 403 or 421', posts)
check(answers.filter(answer => answer.method === 'GET').every(answer => [403, 405, 421].includes(answer.status)), 'a GET brings nothing', answers)
check(await submitted() === 0, 'no job was submitted', await submitted())

// --- A page of an origin that is configured ---

const friend = await pageOf(goodOrigin)
const outcome = await friend.evaluate(async address => {
	const answer = await fetch(`${address}/v1/run/upper`, { method: 'POST', body: 'hello', headers: { 'Leat-Id': 'from-a-page', 'Leat-Deadline': '5s' } })
	const refused = await fetch(`${address}/v1/run/nope`, { method: 'POST', body: 'hello' })
	return {
		status: answer.status, body: await answer.text(), id: answer.headers.get('Leat-Id'), timing: answer.headers.get('Server-Timing'),
		refused: refused.status, code: (await refused.json()).code,
	}
}, base).catch(error => String(error))
check(outcome.status === 200 && outcome.body === 'HELLO', 'it may submit, and read the answer', outcome)
check(outcome.id === 'from-a-page' && /^queue;dur=/.test(outcome.timing), 'and the headers of the answer', outcome)
check(outcome.refused === 404 && outcome.code === 'NOJOB', 'and why it was refused', outcome)
check(await submitted() === 1, 'one job was submitted', await submitted())

await browser.close()
rmSync(profile, { recursive: true, force: true })
evil.close()
good.close()
await leatd.stop()
report('browser')
