// What the short-lived container runs that an agent in a container starts for the machine's firewall: the task is its argument,
// the outcome one line (after a word, as Docker's client makes an object of what is JSON alone).
import { firewallTaskSchema, outcomeMark, setFirewall } from './firewall.ts'

const outcome = await setFirewall(firewallTaskSchema.parse(JSON.parse(process.argv[2] ?? ''))).catch((error: Error) => ({
  fault: error.message,
}))
process.stdout.write(`${outcomeMark}${JSON.stringify(outcome)}\n`)
