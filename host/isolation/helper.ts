// What the short-lived container runs that an agent in a container starts for the machine's firewall: the task is its argument,
// the outcome one line of JSON.
import { firewallTaskSchema, setFirewall } from './firewall.ts'

const outcome = await setFirewall(firewallTaskSchema.parse(JSON.parse(process.argv[2] ?? ''))).catch((error: Error) => ({
  fault: error.message,
}))
process.stdout.write(`${JSON.stringify(outcome)}\n`)
