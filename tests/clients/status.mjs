// The status page in headless Chromium: it shows what happens, steers for those who may, and needs nothing from elsewhere. With SHOTS=FOLDER it
// leaves pictures there. playwright-core is found as in browser.mjs.
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { check, report, startLeatd } from './leatd.mjs'

const { chromium } = createRequire(resolve(process.env.NPM ?? 'build/npm', 'package.json'))('playwright-core')

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync']
const patience = { timeout: 60000 }
const config = '[job sleep]\nbuiltin = sleep\nconcurrency = 2\nqueue = 4\ndeadline = 1m\n[job upper]\nexec = tr a-z A-Z\n'
const folder = mkdtempSync(join(tmpdir(), 'leat-status-'))

// A browser that knows nothing yet, and everything it has to complain about.
async function openBrowser(options = {}) {
	const browser = await chromium.launchPersistentContext(mkdtempSync(join(folder, 'profile-')), {
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags, ignoreDefaultArgs: ['--enable-automation'],
		viewport: { width: 1240, height: 900 }, ...options,
	})
	const complaints = [], origins = new Set()

	browser.setDefaultTimeout(patience.timeout)
	browser.on('console', message => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
	browser.on('weberror', error => complaints.push(String(error.error())))
	browser.on('request', request => /^https?:/.test(request.url()) && origins.add(new URL(request.url()).origin))
	await browser.addInitScript(() => document.addEventListener('securitypolicyviolation', e => console.error(`CSP: ${e.violatedDirective}`)))
	return { browser, complaints, origins }
}

// Chromium tells of answers that are errors by itself.
const isOurs = complaint => !/^Failed to load resource/.test(complaint)

async function picture(page, name) {
	if (process.env.SHOTS)
		await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), timeout: 180000 })
}

async function shows(page, text, sentence, selector = 'body') {
	await page.waitForFunction(([where, wanted]) => document.querySelector(where)?.innerText.includes(wanted), [selector, text], patience)
		.then(() => check(true), async () => check(false, sentence, await page.innerText('body')))
}

const row = (page, name) => page.locator('#type-rows tr', { has: page.locator(`.name:text-is("${name}")`) })

async function metric(base, sample) {
	const text = await (await fetch(`${base}/metrics`)).text()
	return Number(text.split('\n').find(line => line.startsWith(`${sample} `))?.split(' ').pop())
}

async function until(condition, sentence) {
	for (const end = Date.now() + patience.timeout; Date.now() < end; await new Promise(go => setTimeout(go, 50)))
		if (await condition())
			return check(true)
	check(false, sentence)
}

const submit = (base, job, body, id) => fetch(`${base}/v1/run/${job}`, { method: 'POST', body, headers: id ? { 'Leat-Id': id } : {} })
	.then(answer => answer.text(), () => undefined)

// --- Without tokens: everybody may do everything ---

{
	const leatd = await startLeatd({ config })
	const base = `http://127.0.0.1:${leatd.port}`
	const { browser, complaints, origins } = await openBrowser({ colorScheme: 'light' })
	const page = await browser.newPage()

	await page.goto(`${base}/`)
	await shows(page, 'live', 'the page comes to live', '#state')
	await page.evaluate(() => {
		globalThis.shift = 0
		new PerformanceObserver(list => list.getEntries().forEach(entry => globalThis.shift += entry.value)).observe({ type: 'layout-shift' })
	})

	await page.keyboard.press('Tab')
	check(await page.evaluate(() => document.activeElement.className) === 'skip', 'the keyboard finds the way past the head')

	let on = true
	const load = (async () => { while (on) await submit(base, 'upper', 'hello') })()
	const runs = ['first', 'second', 'third'].map(id => submit(base, 'sleep', '60000', id))
	await shows(page, '2 of 2', 'running jobs are counted', '#type-rows tr:first-child .running')
	await shows(page, '1 of 4', 'and waiting ones', '#type-rows tr:first-child .waiting')
	for (const id of ['first', 'second', 'third'])
		await shows(page, id, 'jobs in flight are listed', '#job-rows')
	await until(async () => Number(await row(page, 'upper').locator('.rate').innerText()) > 0, 'a rate is shown')
	await until(async () => /^M\d/.test(await row(page, 'upper').locator('.stroke').getAttribute('d') ?? ''), 'and drawn')
	await until(async () => / m?s$/.test(await row(page, 'upper').locator('.ran50').innerText()), 'half of the runs took so long')

	await page.getByRole('button', { name: 'Pause sleep' }).click()
	await until(async () => await metric(base, 'leat_jobs_paused{job="sleep"}') === 1, 'a type is paused')
	await shows(page, 'paused', 'and says so', '#type-rows tr:first-child')
	await submit(base, 'sleep', '1')
	await shows(page, 'paused 1', 'refusals are told with their reason', '#type-rows tr:first-child .why')
	await page.getByRole('button', { name: 'Resume sleep' }).click()
	await until(async () => await metric(base, 'leat_jobs_paused{job="sleep"}') === 0, 'it goes on')

	await page.getByRole('button', { name: 'Cancel third' }).click()
	check(await metric(base, 'leat_jobs_ended_total{job="sleep",outcome="canceled"}') === 0, 'one click cancels nothing')
	await page.getByRole('button', { name: 'Cancel third' }).click()
	await until(async () => await metric(base, 'leat_jobs_ended_total{job="sleep",outcome="canceled"}') === 1, 'a job is cancelled')
	await shows(page, 'third is cancelled', 'and that is said', '#toast')
	await page.waitForFunction(() => !document.querySelector('#job-rows').innerText.includes('third'), null, patience)

	check(await page.evaluate(() => globalThis.shift) < 0.1, 'nothing jumps', await page.evaluate(() => globalThis.shift))
	check(await page.getByRole('rowheader', { name: 'upper' }).count() === 1, 'a row has a head for who cannot see it')
	check(await page.getByRole('img', { name: /jobs of upper that ended a second/ }).count() === 1, 'and the picture has words')
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
	const light = await ground()
	await picture(page, 'light')
	await page.emulateMedia({ colorScheme: 'dark' })
	check(await ground() !== light, 'dark is another ground than light')
	await picture(page, 'dark')
	await page.setViewportSize({ width: 375, height: 812 })
	check(await page.evaluate(() => document.documentElement.scrollWidth) <= 375, 'a phone need not scroll sideways')
	check(await page.getByRole('button', { name: 'Cancel first' }).count() === 1, 'and has all of it')
	await picture(page, 'phone')

	on = false
	await load
	const operator = await fetch(`${base}/v1/drain`, { method: 'POST', headers: { 'Content-Length': '0' } })
	check(operator.status === 204, 'a drain is asked for', operator.status)
	await page.waitForFunction(() => /stopping|draining/.test(document.querySelector('#state').innerText), null, patience)
	for (const id of ['first', 'second'])
		await fetch(`${base}/v1/ps/${id}`, { method: 'DELETE' }).catch(() => undefined)
	await Promise.all(runs)
	await shows(page, 'no connection', 'a leatd that has gone is missed', '#state')
	const next = await startLeatd({ config, port: leatd.port })
	await shows(page, 'live', 'and found again', '#state')
	check(complaints.filter(isOurs).length === 0, 'the browser has nothing to complain about', complaints)
	check([...origins].join() === base, 'nothing is asked of anybody else', [...origins])
	await browser.close()
	await leatd.stop()
	await next.stop()
}

// --- With tokens ---

{
	const line = (name, right) => `${name} ${createHash('sha256').update(`${name}-token-0123456789`).digest('hex')} ${right}\n`
	const tokens = join(folder, 'tokens')
	writeFileSync(tokens, line('operator', 'ops') + line('looker', 'look') + line('runner', 'run:*'), { mode: 0o600 })
	const leatd = await startLeatd({ config, options: ['-o', `server.tokens=${tokens}`] })
	const base = `http://127.0.0.1:${leatd.port}`
	const { browser, complaints } = await openBrowser()
	const page = await browser.newPage()
	const give = async token => {
		await page.getByLabel('Token').fill(token)
		await page.getByRole('button', { name: 'Look' }).click()
	}

	await page.goto(`${base}/`)
	await shows(page, 'answers only those who have one', 'a stranger is asked for a token', '#login')
	check(!(await page.content()).includes('upper'), 'and is told nothing')
	await give('wrong-token-0123456789')
	await shows(page, 'not known here', 'a wrong token is said to be wrong', '#login-why')
	await give('looker-token-0123456789')
	await shows(page, 'live', 'who may look sees the books', '#state')
	await shows(page, 'token with the right ops', 'and is told what it takes to steer', '#job-note')
	check(await page.locator('#type-rows button:visible').count() === 0, 'there is nothing to press')
	const refused = await page.evaluate(token => Promise.all([
		fetch('/v1/jobs/sleep/pause', { method: 'POST', headers: { Authorization: `Bearer ${token}` } }),
		fetch('/v1/ps/x', { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } }),
		fetch('/v1/jobs/sleep/pause', { method: 'POST' }),
	]).then(answers => answers.map(answer => answer.status).join()), 'looker-token-0123456789')
	check(refused === '403,403,401', 'who asks all the same is refused', refused)
	check(await page.evaluate(() => localStorage.length + document.cookie.length) === 0, 'the token is kept in the tab only')
	await page.reload()
	await shows(page, 'live', 'where a reload finds it', '#state')
	await page.getByRole('button', { name: 'Forget token' }).click()
	await shows(page, 'answers only those who have one', 'until it is forgotten', '#login')
	await give('operator-token-0123456789')
	await page.getByRole('button', { name: 'Pause sleep' }).click()
	await shows(page, 'sleep is paused', 'an operator may steer', '#toast')
	check(complaints.filter(isOurs).length === 0, 'the browser has nothing to complain about', complaints)
	await browser.close()
	await leatd.stop()
}

// --- Without scripts ---

{
	const leatd = await startLeatd({ config })
	const { browser } = await openBrowser({ javaScriptEnabled: false })
	const page = await browser.newPage()

	await page.goto(`http://127.0.0.1:${leatd.port}/`)
	check((await page.innerText('body')).includes('scripts are turned off'), 'the page says what it lacks')
	await browser.close()
	await leatd.stop()
}

rmSync(folder, { recursive: true, force: true })
report('status')
