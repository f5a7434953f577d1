// The Redis clients of npm, in their default configuration. They are found in $NPM (default: build/npm).
import { createRequire } from 'node:module'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { check, report, startLeatd } from './leatd.mjs'

const require = createRequire(resolve(process.env.NPM ?? 'build/npm', 'package.json'))
const { createClient, RESP_TYPES } = require('redis')
const IoRedis = require('ioredis')

const payload = Buffer.concat([Buffer.from([0, 1, 13, 10, 255, 0]), randomBytes(300000)])
const folder = mkdtempSync(join(tmpdir(), 'leat-npm-'))
const token = 'npm-token-0123456789'
const tokens = join(folder, 'tokens')
writeFileSync(tokens, `app ${createHash('sha256').update(token).digest('hex')} run:upper ops\n`, { mode: 0o600 })

const message = promise => promise.then(value => `no error but ${value}`, error => error.message)

async function withNodeRedis(name, options) {
	const leatd = await startLeatd()
	const client = createClient({ url: `redis://127.0.0.1:${leatd.port}`, ...options })
	const errors = []

	client.on('error', error => errors.push(error.message))
	await client.connect()
	check(await client.sendCommand(['RUN', 'upper', 'hello']) === 'HELLO', `${name} runs a job`)
	check(payload.equals(await client.sendCommand(['RUN', 'echo', payload], { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } })), `${name} gets any bytes back`)
	const many = await Promise.all(Array.from({ length: 500 }, (_, i) => client.sendCommand(['RUN', 'echo', `n${i}`])))
	check(many.every((value, i) => value === `n${i}`), `${name} pipelines what is asked for at the same time`)
	const mixed = await Promise.all([client.sendCommand(['RUN', 'sleep', '100']), client.sendCommand(['RUN', 'echo', 'x']), client.ping()])
	check(mixed.join() === ',x,PONG', `${name} gets the answers in order`, mixed)
	const refused = await message(client.sendCommand(['RUN', 'nope', 'x']))
	check(refused.startsWith('NOJOB '), `${name} throws errors, with the code first`, refused)
	const late = await message(client.sendCommand(['RUN', 'sleep', '60000', 'DEADLINE', '50']))
	check(late.startsWith('TIMEOUT '), `${name} throws what became of a job`, late)
	const jobs = await client.sendCommand(['JOBS'])
	check(options.RESP === 3 ? jobs[0].job === 'echo' && jobs[0].kind === 'builtin' : jobs[0].slice(0, 2).join() === 'job,echo', `${name} reads records`, jobs[0])
	const [info] = await client.commandInfo(['run'])
	check(info.name === 'run' && info.arity === -2 && info.flags.has('blocking'), `${name} knows what a command takes`, info)
	check(await client.commandCount() === (await client.command()).length, `${name} counts the commands`)
	check((await client.commandList()).includes('cancel'), `${name} lists them`)
	check((await client.configGet('save')).save === '', `${name} reads a setting`)
	check(/leat_version:/.test(await client.info('server')), `${name} reads INFO`)
	check(await client.echo('x') === 'x', `${name} has its echo`)
	check(errors.length === 0, `${name} complains of nothing`, errors)

	// Stopped and started again, it is found again.
	const back = new Promise(resolve => client.once('ready', resolve))
	await leatd.stop()
	const again = await startLeatd({ port: leatd.port })
	await back
	check(await client.sendCommand(['RUN', 'upper', 'again']) === 'AGAIN', `${name} connects again`)
	await client.close()
	await again.stop()
}

async function withTokens() {
	const leatd = await startLeatd({ options: ['-o', `server.tokens=${tokens}`] })
	const at = `127.0.0.1:${leatd.port}`

	for (const RESP of [2, 3]) {
		const client = await createClient({ url: `redis://anybody:${token}@${at}`, RESP }).on('error', () => {}).connect()
		check(await client.sendCommand(['RUN', 'upper', 'x']) === 'X', `node-redis with a token runs a job (RESP ${RESP})`)
		const denied = await message(client.sendCommand(['RUN', 'echo', 'x']))
		check(denied.startsWith('NOAUTH '), `node-redis is told what its token may not (RESP ${RESP})`, denied)
		await client.close()
	}
	const wrong = createClient({ url: `redis://anybody:wrong@${at}`, socket: { reconnectStrategy: false } })
	const told = await message(wrong.on('error', () => {}).connect())
	check(told.startsWith('NOAUTH '), 'node-redis with a wrong token is told so', told)
	const client = new IoRedis(leatd.port, '127.0.0.1', { username: 'anybody', password: token })
	check(await client.call('RUN', 'upper', 'x') === 'X', 'ioredis with a token runs a job')
	await client.quit()
	await leatd.stop()
}

async function withIoRedis() {
	const leatd = await startLeatd()
	const client = new IoRedis(leatd.port, '127.0.0.1')
	const errors = []

	client.on('error', error => errors.push(error.message))
	check(await client.call('RUN', 'upper', 'hello') === 'HELLO', 'ioredis runs a job')
	check(payload.equals(await client.callBuffer('RUN', 'echo', payload)), 'ioredis gets any bytes back')
	const line = client.pipeline()
	for (let i = 0; i < 100; i++)
		line.call('RUN', i === 50 ? 'nope' : 'echo', `n${i}`)
	const results = await line.exec()
	check(results.every(([error, value], i) => i === 50 ? error.message.startsWith('NOJOB ') : value === `n${i}`), 'ioredis pipelines, errors among the rest')
	check(errors.length === 0, 'ioredis complains of nothing', errors)
	const back = new Promise(resolve => client.once('ready', resolve))
	await leatd.stop()
	const again = await startLeatd({ port: leatd.port })
	await back
	check(await client.call('RUN', 'upper', 'again') === 'AGAIN', 'ioredis connects again')
	await client.quit()
	await again.stop()
}

await withNodeRedis('node-redis', {})
await withNodeRedis('node-redis with RESP 3', { RESP: 3 })
await withIoRedis()
await withTokens()
rmSync(folder, { recursive: true })
report('npm')
