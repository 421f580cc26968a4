import { runProcess } from '../lib/process/run.ts'
import { startSubgraph } from './app.ts'

await runProcess((env) => startSubgraph({ env }))
