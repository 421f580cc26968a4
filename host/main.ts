import { runProcess } from '../lib/process/run.ts'
import { startHost } from './app.ts'

await runProcess((env) => startHost({ env }))
