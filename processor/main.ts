import { runProcess } from '../lib/process/run.ts'
import { startProcessor } from './app.ts'

await runProcess((env) => startProcessor({ env }))
