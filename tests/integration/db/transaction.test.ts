import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isDatabaseAway } from '../../../lib/db/away.ts'
import { connectDatabase } from '../../../lib/db/connect.ts'
import { inTransaction, isViolationOf, tryLock } from '../../../lib/db/transaction.ts'
import { Invalid, Outage, OutcomeUnknown, Unavailable } from '../../../lib/domain/errors.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer } from '../../support/rows.ts'
import { openTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

const logger = makeLogger({ name: 'test', level: 'fatal' })
let database: TestDatabase
let proxy: TcpProxy
let pool: ReturnType<typeof connectDatabase>
/** Not through the proxy. */
let direct: ReturnType<typeof connectDatabase>
beforeAll(async () => {
  database = await createTestDatabase()
  proxy = await openTcpProxy(database.url)
  pool = connectDatabase({ url: proxy.url, name: 'test', logger, statementTimeoutMs: 3_000 })
  direct = connectDatabase({ url: database.url, name: 'test-direct', logger })
})
afterEach(async () => {
  proxy.restore()
  await eventually(async () => (await pool.ready()) === true, { what: 'the pool works again' })
})
afterAll(async () => {
  await pool.close()
  await direct.close()
  await proxy.close()
  await database.drop()
})

const outcomeOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error) => error)
const serverNames = async (): Promise<string[]> =>
  (await direct.db.selectFrom('servers.servers').select('name').execute()).map(({ name }) => name)

describe('a transaction', () => {
  it('is rolled back by what its work throws, and throws that', async () => {
    const refused = Invalid.at('name', 'is empty')
    const outcome = await outcomeOf(
      inTransaction(pool.db, async (tx) => {
        await insertServer(tx)
        throw refused
      }),
    )
    expect(outcome).toBe(refused)
    expect(await serverNames()).toEqual([])
  })

  it('runs again after a deadlock', async () => {
    const [a, b] = [await insertServer(direct.db), await insertServer(direct.db)]
    let runs = 0
    let locks = 0
    let bothHold = (): void => undefined
    const held = new Promise<void>((resolve) => {
      bothHold = resolve
    })
    const swap = (first: string, second: string) =>
      inTransaction(pool.db, async (tx) => {
        runs++
        for (const id of [first, second]) {
          await tx.updateTable('servers.servers').set({ labels: '{}' }).where('id', '=', id).execute()
          if (++locks === 2) bothHold()
          await held
        }
      })
    await Promise.all([swap(a, b), swap(b, a)])
    expect(runs).toBe(3)
  })

  it('is unavailable when the database can not be reached', async () => {
    proxy.cut()
    expect(await outcomeOf(inTransaction(pool.db, insertServer))).toBeInstanceOf(Unavailable)
  })

  it('is unavailable, and has changed nothing, when the database is lost while it runs', async () => {
    const before = await serverNames()
    const outcome = await outcomeOf(
      inTransaction(pool.db, async (tx) => {
        await insertServer(tx)
        proxy.cut()
        await insertServer(tx)
      }),
    )
    expect(outcome).toBeInstanceOf(Unavailable)
    expect(await serverNames()).toEqual(before)
  })

  it('has an unknown outcome when the database is lost while it commits', async () => {
    const outcome = await outcomeOf(
      inTransaction(pool.db, async (tx) => {
        await insertServer(tx)
        proxy.stall()
        setTimeout(proxy.cut, 50)
      }),
    )
    expect(outcome).toBeInstanceOf(OutcomeUnknown)
  })

  it('is unavailable when a statement takes too long', async () => {
    const outcome = await outcomeOf(inTransaction(pool.db, (tx) => sql`SELECT pg_sleep(10)`.execute(tx)))
    expect(outcome).toBeInstanceOf(Unavailable)
  })

  it('does not take a fault of its own for one of the database', async () => {
    const outcome = await outcomeOf(inTransaction(pool.db, (tx) => sql`SELECT no_such_column`.execute(tx)))
    expect(isDatabaseAway(outcome)).toBe(false)
    expect(outcome).toMatchObject({ code: '42703' })
  })

  it('names the constraint that refused', async () => {
    const id = await insertServer(direct.db)
    const outcome = await outcomeOf(
      inTransaction(pool.db, (tx) =>
        tx
          .insertInto('servers.servers')
          .values({ id, name: 'twice', environment: 'test', created_by: 'test', updated_by: 'test' })
          .execute(),
      ),
    )
    expect(isViolationOf(outcome, 'servers_pkey')).toBe(true)
    expect(isViolationOf(outcome, 'servers_name')).toBe(false)
  })
})

describe('a query outside a transaction', () => {
  const count = () => pool.db.selectFrom('servers.servers').select('id').execute()

  it('says so when the database can not be reached', async () => {
    proxy.cut()
    expect(await outcomeOf(count())).toBeInstanceOf(Outage)
  })

  it('says so when the database is lost while it runs', async () => {
    const slow = sql`SELECT pg_sleep(2)`.execute(pool.db)
    setTimeout(proxy.cut, 200)
    expect(await outcomeOf(slow)).toBeInstanceOf(Outage)
  })
})

describe('a lock', () => {
  it('is held by one transaction, to its end', async () => {
    await inTransaction(pool.db, async (tx) => {
      expect(await tryLock(tx, 'a')).toBe(true)
      expect(await inTransaction(pool.db, (other) => tryLock(other, 'a'))).toBe(false)
      expect(await inTransaction(pool.db, (other) => tryLock(other, 'b'))).toBe(true)
    })
    expect(await inTransaction(pool.db, (tx) => tryLock(tx, 'a'))).toBe(true)
  })
})

describe('a pool', () => {
  it('says whether the database answers, and works again when it is back', async () => {
    expect(await pool.ready()).toBe(true)
    proxy.cut()
    expect(await pool.ready()).toMatch(/PostgreSQL does not answer/)
    proxy.restore()
    await eventually(async () => (await pool.ready()) === true, { what: 'it answers again' })
  })
})
