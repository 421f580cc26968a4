import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { connectDatabase } from '../../lib/db/connect.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { eventually } from '../support/eventually.ts'
import { followLogs } from '../support/log-follower.ts'
import { sessionLogPage } from '../support/operations.ts'
import { deploy } from '../support/play.ts'
import { useStack } from '../support/use-stack.ts'

describe('the log of a session', () => {
  const { stack, play } = useStack({ topology: 'one' })
  const { fakeGame } = inject('images')

  const read = async (id: string, args: object = {}) => (await stack().client.run(sessionLogPage, { id, ...args })).session!
  const page = async (id: string, args: object) => (await read(id, args)).logs

  const isArchivedUpTo = async (sessionId: string, seq: number): Promise<void> => {
    const { db, close } = connectDatabase({
      url: stack().databaseUrl,
      name: 'test',
      logger: makeLogger({ name: 'test', level: 'fatal' }),
    })
    const archived = () =>
      db.selectFrom('sessions.logs').select('last_seq').where('session_id', '=', sessionId).executeTakeFirst()
    await eventually(async () => (await archived())?.last_seq === seq, { what: `the log is archived up to line ${seq}` })
    await close()
  }

  it('is read by pages while it is written, and whole when its host is gone with its files', async () => {
    const session = await play(await deploy(stack(), { image: fakeGame, envTemplate: { TOTAL: '3000', RATE: '1500' } }))
    await session.logs.count(300)
    const newest = await page(session.id, { last: 50 })
    expect(newest.lines).toHaveLength(50)
    await session.logs.line('counted')
    expect(newest.lines).toEqual(session.logs.lines.filter(({ seq }) => newest.lines.some((line) => line.seq === seq)))

    await session.type('say that is all')
    await session.logs.line('[chat] that is all')
    await session.kill()
    await session.ended()
    const live = session.logs.lines
    await isArchivedUpTo(session.id, live.at(-1)!.seq)
    await stack().killHost()
    await rm(join(stack().dataDir, 'logs', session.id), { recursive: true })

    expect((await page(session.id, { first: 10_000 })).lines).toEqual(live)
    const backward = await page(session.id, { last: 7, before: '2000' })
    expect(backward.lines).toEqual(live.slice(1992, 1999))
    expect(backward).toMatchObject({ hasPreviousPage: true, hasNextPage: true })
    const found = await page(session.id, { search: 'THAT IS ALL' })
    expect(found.lines).toEqual(live.filter(({ text }) => text.includes('that is all')))
    expect(found.lines.length).toBeGreaterThan(0)

    const { logDownloadUrl } = await read(session.id)
    const download = await fetch(`${stack().address}${logDownloadUrl}`)
    expect(download.headers.get('content-disposition')).toContain(`session-${session.id}.log`)
    expect(await download.text()).toBe(live.map(({ at, stream, text }) => `${at} ${stream} ${text}\n`).join(''))
    const forged = `${stack().address}${logDownloadUrl?.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))}`
    expect((await fetch(forged)).status).toBe(404)

    const again = followLogs(stack().client, session.id)
    await again.end()
    expect(again.lines).toEqual(live)
    expect(again.gaps).toEqual([])
    await again.close()
    const tail = followLogs(stack().client, session.id, { tail: 3 })
    await tail.end()
    expect(tail.lines).toEqual(live.slice(-3))
    await tail.close()
  })
})
