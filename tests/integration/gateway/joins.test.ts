import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stack, type StackMode, startStack } from '../../support/subgraphs/stack.ts'

describe.each<StackMode>(['in process', 'remote'])('joins across subgraphs, %s', (mode) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ mode })
  })
  afterAll(() => stack.close())

  test('one query walks from a server to its deployments and back', async () => {
    const query = `{ server(id: "server-1") { name deployments(first: 5) { nodes { name server { id name } } pageInfo { hasNextPage } } } }`
    for (const _ of ['interpreted', 'compiled', 'again']) {
      const { data, errors } = await stack.client.request(query)
      expect(errors).toEqual([])
      expect(data).toEqual({
        server: {
          name: 'alpha',
          deployments: {
            nodes: [{ name: 'lobby', server: { id: 'server-1', name: 'alpha' } }],
            pageInfo: { hasNextPage: false },
          },
        },
      })
    }
  })
})
