import { runProcess } from '../lib/process/run.ts'
import { startGateway } from './app.ts'

await runProcess((env) => startGateway({ env }))
