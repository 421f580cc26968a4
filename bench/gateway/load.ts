import { Pool } from 'undici'

/** One query over four subgraphs' types and three of their services: sessions with what they run, and where. */
const query = `{ sessions(first: 50) { nodes { id status createdAt startedAt endReason
  deployment { id name status gameConfig { id name image } server { id name status } } } } }`

export interface Asked {
  /** Milliseconds of each request. */
  times: number[]
}

/** Asks it `count` times from `clients` at once; fails when any answer is not whole. */
export const ask = async (
  address: string,
  token: string,
  { clients, count, sessions }: { clients: number; count: number; sessions: number },
): Promise<Asked> => {
  const pool = new Pool(address, { connections: clients })
  const body = JSON.stringify({ query })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const times: number[] = []
  let left = count
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const beganAt = performance.now()
      const answer = await pool.request({ path: '/graphql', method: 'POST', headers, body })
      const text = await answer.body.text()
      times.push(performance.now() - beganAt)
      check(text, sessions)
    }
  }
  try {
    await Promise.all(Array.from({ length: clients }, client))
  } finally {
    await pool.close()
  }
  return { times }
}

const check = (text: string, sessions: number): void => {
  const { data, errors } = JSON.parse(text)
  const nodes = data?.sessions?.nodes ?? []
  const isWhole = nodes.length === sessions && nodes.every(isJoined)
  if (!isWhole || errors) throw new Error(`not the whole answer: ${text.slice(0, 500)}`)
}

interface Node {
  deployment: { name: string; gameConfig: { name: string } | null; server: { name: string } | null } | null
}
const isJoined = ({ deployment }: Node): boolean =>
  Boolean(deployment?.name && deployment.gameConfig?.name && deployment.server?.name)

/** The value that `share` of the sorted ones are not above. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
