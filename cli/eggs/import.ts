import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { printable } from '../../lib/domain/printable.ts'
import { homeDir } from '../home.ts'

interface Options {
  url: string
  tokenFile?: string
  game?: string
  env: NodeJS.ProcessEnv
}

interface Answer {
  __typename: string
  message?: string
  gameConfig?: { id: string; name: string; game: { name: string } }
  unmapped?: { path: string; reason: string }[]
}

const limitMs = 30_000
const text = `mutation ($input: ImportEggInput!) { importEgg(input: $input) {
  __typename
  ... on ImportEggPayload { gameConfig { id name game { name } } unmapped { path reason } }
  ... on Error { message } } }`

/** Imports every egg under `paths`, and says what became of each; resolves with how many could not be imported. */
export const importEggs = async (paths: readonly string[], options: Options): Promise<number> => {
  const files = paths.flatMap(filesUnder)
  if (files.length === 0) throw new Error('There is no .json, .yaml or .yml file to import.')
  const token = readToken(options)
  let failed = 0
  for (const file of files) {
    const answer = await ask({ source: readFileSync(file, 'utf8'), gameId: options.game }, token, options.url)
    if (answer.gameConfig) {
      const { id, name, game } = answer.gameConfig
      console.log(printable(`${file}: ${game.name} / ${name} (${id})`))
      for (const { path, reason } of answer.unmapped ?? []) console.log(printable(`  not taken over: ${path}: ${reason}`))
    } else {
      failed++
      console.error(printable(`${file}: ${answer.message}`))
    }
  }
  return failed
}

const filesUnder = (path: string): string[] => {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(json|ya?ml)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

const readToken = ({ tokenFile, env }: Options): string => {
  if (!tokenFile && env.MANMAN_TOKEN) return env.MANMAN_TOKEN
  const file = tokenFile ?? join(homeDir(env), 'admin-token')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(`There is no token to be read from ${file}: give --token-file or MANMAN_TOKEN.`, { cause: error })
  }
}

const ask = async (input: object, token: string, url: string): Promise<Answer> => {
  const reply = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: text, variables: { input } }),
    signal: AbortSignal.timeout(limitMs),
  }).catch((error: Error) => {
    throw new Error(`The door at ${url} does not answer: ${error.message}`, { cause: error })
  })
  const { data, errors } = (await reply.json()) as { data?: { importEgg: Answer }; errors?: { message: string }[] }
  if (!data) throw new Error(`The door at ${url} refuses: ${errors?.[0]?.message ?? reply.statusText}`)
  return data.importEgg
}
