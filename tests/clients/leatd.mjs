// A real leatd for the tests of this folder, and what they say to it by themselves. LEATD names the program (default: build/leatd).
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Starts one on `port` (0: a free one) and waits until it is ready.
export async function startLeatd({ port = 0, config = '', options = [] } = {}) {
	const folder = mkdtempSync(join(tmpdir(), 'leatd-'))
	const file = join(folder, 'leatd.ini')
	writeFileSync(file, config || '[job echo]\nbuiltin = echo\nqueue = 10000\n[job upper]\nexec = tr a-z A-Z\n[job sleep]\nbuiltin = sleep\n')
	const listen = ['-o', `server.listen=127.0.0.1:${port}`]
	const process_ = spawn(process.env.LEATD ?? 'build/leatd', ['-c', file, ...listen, ...options], { stdio: ['ignore', 'ignore', 'pipe'] })
	const ended = new Promise(resolve => process_.on('exit', (status, signal) => resolve(status ?? signal)))
	let log = ''
	const ready = new Promise((resolve, reject) => {
		process_.stderr.on('data', chunk => {
			log += chunk
			const match = /ready.*listen=127\.0\.0\.1:(\d+)/.exec(log)
			if (match)
				resolve(Number(match[1]))
		})
		ended.then(status => reject(new Error(`leatd ended with ${status}:\n${log}`)))
	})
	return {
		port: await ready,
		async stop() {
			process_.kill('SIGTERM')
			const status = await ended
			rmSync(folder, { recursive: true })
			check(status === 0, `leatd ends 0, not ${status}`)
		},
	}
}

let checks = 0
let failures = 0

// One expectation, in the words of what it proves.
export function check(holds, sentence, seen) {
	checks++
	if (holds)
		return
	failures++
	console.log(`FAILED: ${sentence}${seen === undefined ? '' : `\n  seen: ${typeof seen === 'string' ? seen : JSON.stringify(seen)}`}`)
}

export function report(name) {
	console.log(`${name}: ${checks} checks, ${failures} failed`)
	process.exitCode = failures ? 1 : 0
}
