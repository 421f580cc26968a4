import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { connectDatabase } from '../../lib/db/connect.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { filesWith, formsOf } from '../support/files-with.ts'
import { makeGraphqlClient } from '../support/graphql-client.ts'
import { run } from '../support/images/docker-cli.ts'
import { addConfig, deployConfig } from '../support/play.ts'
import { tablesWith } from '../support/rows-with.ts'
import type { Stack } from '../support/stack.ts'
import { useStack } from '../support/use-stack.ts'

/** Found by nobody who does not look for it; with what JSON and addresses write in another way. */
const random = (): string => `${randomBytes(12).toString('base64url')}"&é`

// biome-ignore lint/suspicious/noExplicitAny: of any operation
type Answer = Record<string, any>

/** Where any form of a text stands, of everything that a run has written. */
const placesOf = async (stack: Stack, answers: readonly string[], text: string): Promise<string[]> => {
  const forms = formsOf(text)
  const has = (where: string, content: string): string[] => (forms.some((form) => content.includes(form)) ? [where] : [])
  const { db, close } = connectDatabase({
    url: stack.databaseUrl,
    name: 'secrets-test',
    logger: makeLogger({ name: 'test', level: 'silent' }),
  })
  const vhost = '{vhost}'
  try {
    const tables = await tablesWith(db, forms)
    const files = await filesWith(stack.dir, forms)
    const definitions = JSON.stringify(await stack.broker.api('GET', `/api/definitions/${vhost}`))
    const queues = (await stack.broker.api('GET', `/api/queues/${vhost}`)) as { name: string; exclusive: boolean }[]
    const contents = await Promise.all(
      // One connection's own queues are empty while it is there, and gone with it.
      queues
        .filter(({ exclusive }) => !exclusive)
        .map(async ({ name }) => {
          const how = { count: 1_000, ackmode: 'ack_requeue_true', encoding: 'auto' }
          const held = await stack.broker.api('POST', `/api/queues/${vhost}/${encodeURIComponent(name)}/get`, how)
          return has(`queue ${name}`, JSON.stringify(held))
        }),
    )
    const metrics = await (await fetch(`${stack.address}/metrics`)).text()
    return [
      ...tables.map((name) => `table ${name}`),
      ...files.map((path) => `file ${path.slice(stack.dir.length + 1)}`),
      ...has('definitions', definitions),
      ...contents.flat(),
      ...has('metrics', metrics),
      ...has('answers', answers.join('\n')),
    ].sort()
  } finally {
    await close()
  }
}

describe('secrets', () => {
  const { stack, play } = useStack({ topology: 'one' })
  const { fakeGame } = inject('images')
  /** What the graph has answered, but for what it gives once, to who asked for it. */
  const answers: string[] = []
  const ask = async (token: string | null, query: string, variables: object = {}, given: string[] = []): Promise<Answer> => {
    const client = makeGraphqlClient({ url: `${stack().address}/graphql`, token })
    try {
      const result = await client.request(query, variables)
      const text = JSON.stringify(result)
      answers.push(given.reduce((rest, field) => rest.replace(new RegExp(`"${field}":"[^"]*"`), ''), text))
      return { ...(result.data as object), errors: result.errors }
    } finally {
      await client.close()
    }
  }

  it('are found wherever one is put', async () => {
    const planted = random()
    await writeFile(join(stack().dir, 'planted.log'), `{"msg":${JSON.stringify(planted)}}`)
    await writeFile(join(stack().dataDir, 'planted'), Buffer.from(planted).toString('hex'))
    await ask(stack().adminToken, 'mutation ($name: String!) { createGame(input: { name: $name }) { __typename } }', {
      name: planted,
    })
    await stack().broker.api('PUT', '/api/queues/{vhost}/planted', {
      durable: true,
      arguments: { 'x-planted': encodeURIComponent(planted) },
    })
    const payload = Buffer.from(`xy${planted}`).toString('base64')
    const message = { properties: {}, routing_key: 'planted', payload, payload_encoding: 'string' }
    await stack().broker.api('POST', '/api/exchanges/{vhost}/amq.default/publish', message)
    const places = await placesOf(stack(), [planted], planted)
    await stack().broker.api('DELETE', '/api/queues/{vhost}/planted')
    const expected = ['answers', 'definitions', 'file data/planted', 'file planted.log', 'queue planted', 'table configs.games']
    expect(places).toEqual(expect.arrayContaining(expected))
  })

  it('are in nothing that a run writes, whatever goes wrong in it', async () => {
    answers.length = 0
    const admin = stack().adminToken
    const [rcon, registry, password, wrong] = [random(), random(), random(), random()]
    const email = 'ada@example.org'
    const error = '... on Error { code message }'
    await ask(
      admin,
      `mutation ($p: String!) { setRegistryCredential(input: { host: "localhost:9", username: "ci", password: $p }) { ${error} } }`,
      { p: registry },
    )
    await ask(
      admin,
      `mutation ($p: String!) { createUser(input: { email: "${email}", name: "Ada", role: OPERATOR, password: $p }) { ${error} } }`,
      { p: password },
    )
    const login = `mutation ($p: String!) { login(input: { email: "${email}", password: $p }) { ... on LoginPayload { token } ${error} } }`
    await ask(null, login, { p: wrong })
    const { token: session } = (await ask(null, login, { p: password }, ['token'])).login
    const { secret: api } = (
      await ask(
        session,
        `mutation { createToken(input: { name: "t", role: VIEWER }) { ... on CreateTokenPayload { secret } ${error} } }`,
        {},
        ['secret'],
      )
    ).createToken
    const { secret: totp } = (
      await ask(
        session,
        `mutation ($p: String!) { enableTotp(password: $p) { ... on EnableTotpPayload { secret } ${error} } }`,
        { p: password },
        ['secret'],
      )
    ).enableTotp
    const { enrollmentToken: enrollment } = (
      await ask(
        admin,
        `mutation { registerServer(input: { name: "other" }) { ... on RegisterServerPayload { enrollmentToken } ${error} } }`,
        {},
        ['enrollmentToken'],
      )
    ).registerServer
    await ask(null, 'mutation ($t: String!) { enrollServer(input: { token: $t }) { __typename } }', { t: wrong })

    const config = {
      parameters: [
        { name: 'RCON', type: 'SECRET' as const },
        { name: 'SLOTS', type: 'INT' as const },
      ],
    }
    const file = { path: 'server.properties', strategy: 'PROPERTIES' as const, content: 'rcon={{RCON}}' }
    const { gameConfigId } = await addConfig(stack(), {
      image: fakeGame,
      ...config,
      envTemplate: { RCON: '{{RCON}}' },
      files: [file],
    })
    const deployment = await deployConfig(stack(), gameConfigId, { parameters: { RCON: rcon } })
    const unpullable = await addConfig(stack(), { image: 'localhost:9/private:1', ...config, envTemplate: { RCON: '{{RCON}}' } })
    const failing = await deployConfig(stack(), unpullable.gameConfigId, { parameters: { RCON: rcon } })
    const change = `mutation ($id: ID!, $input: UpdateServerGameConfigInput!) { updateServerGameConfig(id: $id, input: $input) { ${error} } }`
    await ask(admin, change, { id: deployment.id, input: { parameters: { SLOTS: rcon } } })
    await ask(session, change, { id: deployment.id, input: { parameters: { RCON: `${rcon}\n` } } })

    const game = await play(deployment)
    await game.logs.line('ready')
    await game.until('RUNNING')
    await game.type('sh echo "<$RCON>"; cat /data/server.properties')
    const container = await run('docker', ['ps', '--quiet', '--filter', `label=manman.session_id=${game.id}`])
    const [inspected] = JSON.parse(await run('docker', ['inspect', container])) as { Config: { Env: string[] } }[]
    const broken = await play(failing)
    await broken.ended(60_000)
    const signed = await ask(admin, 'query ($id: ID!) { session(id: $id) { spec logDownloadUrl } }', { id: game.id }, [
      'logDownloadUrl',
    ])
    const address = new URL(signed.session.logDownloadUrl, stack().address)
    await (await fetch(address)).text()
    await game.stop()
    await game.ended()
    await ask(
      admin,
      'query { auditEvents(last: 50) { nodes { mutation input outcome code } } registryCredentials { nodes { host } } }',
    )
    await ask(session, 'mutation { logout { __typename } }')

    const secrets = {
      rcon,
      registry,
      password,
      wrong,
      session,
      api,
      totp,
      enrollment,
      admin,
      signature: address.searchParams.get('signature')!,
    }
    const urls = { database: new URL(stack().databaseUrl).password, broker: new URL(stack().broker.url).password }
    const found: Record<string, string[]> = {}
    for (const [name, secret] of Object.entries({ ...secrets, ...urls })) {
      expect(secret, name).toMatch(/^.{16,}$/)
      const places = await placesOf(stack(), answers, secret)
      if (places.length > 0) found[name] = places
    }
    // The game's own file has its secret.
    const volume = `gsc-${stack().environment}-${deployment.id}`
    expect(found).toEqual({ rcon: [`file data/${volume}/server.properties`] })
    // Docker itself shows what a container was given: who may ask Docker is root.
    expect(inspected?.Config.Env).toContain(`RCON=${rcon}`)
  })
})
