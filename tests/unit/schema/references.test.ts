import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'
import { findUnsafeReferences } from '../../../schema/references.ts'

test('finds the fields that would fall with another subgraph', () => {
  const servers = buildSchema('type Query { server: Server! } type Server { id: ID! name: String! }')
  const sessions = buildSchema(`
    type Query { session: Session }
    type Session { id: ID! server: Server! machine: Server same: Session! }
    type Server { id: ID! sessions: [Session!]! live: Session }
  `)
  expect(findUnsafeReferences({ servers, sessions })).toEqual(['Session.server (sessions)', 'Server.sessions (sessions)'])
})
