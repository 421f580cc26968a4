import { makeAgent } from '../../host/agent.ts'
import { openSessionStore } from '../../host/session-store.ts'
import { makeLogger } from '../../lib/process/logger.ts'

/** An agent in a process of its own, for tests that kill it: the options of `agentOptions`, but for its store, in AGENT_OPTIONS. */
const options = JSON.parse(process.env.AGENT_OPTIONS ?? '')
const logger = makeLogger({ name: 'agent-process', level: process.env.LOG_LEVEL ?? 'fatal' })
const store = await openSessionStore({ dataDir: options.config.dataDir, serverId: options.serverId, logger })
await makeAgent({ ...options, store, logger })
process.stdout.write('up\n')
