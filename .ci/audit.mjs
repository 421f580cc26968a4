// `npm run audit`: known holes in the packages we use. Ends with 0 when there are none but those that audit-exceptions.json
// explains, with 1 when there are, and when an explanation is over. Where no registry tells, it says NOT CHECKED, which is not
// the same as clean, and ends with 0, so that CI without a network goes on; with `--strict` it ends with 2.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const exceptions = JSON.parse(
  readFileSync(process.env.AUDIT_EXCEPTIONS ?? join(import.meta.dirname, 'audit-exceptions.json'), 'utf8'),
)
const today = new Date().toISOString().slice(0, 10)
const problems = []
const say = (text) => console.log(`npm audit: ${text}`)

for (const { advisory, package: name, reason, until } of exceptions) {
  if (!advisory || !name || !reason || !/^\d{4}-\d\d-\d\d$/.test(until ?? ''))
    problems.push(`the exception for ${advisory ?? name ?? 'nothing'} lacks advisory, package, reason or until`)
  else if (until < today) problems.push(`the exception for ${advisory} in ${name} was good until ${until}: ${reason}`)
}

/** The report of npm, or why there is none. Registries name themselves in what they say, so of that only the number is told. */
const ask = (words) => {
  const { stdout, error } = spawnSync('npm', ['audit', '--json', ...words], {
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 64 << 20,
  })
  if (error) return { why: error.code ?? 'npm could not be run' }
  try {
    const report = JSON.parse(stdout)
    if (report.vulnerabilities && report.metadata) return { report }
    return {
      why: report.statusCode ? `the registry answers ${report.statusCode}` : (report.error?.code ?? 'npm gives no report'),
    }
  } catch {
    return { why: 'npm gives no report' }
  }
}

/** One entry for each hole, whatever depends on it. */
const holesIn = ({ vulnerabilities }) => {
  const holes = new Map()
  for (const { via } of Object.values(vulnerabilities))
    for (const hole of via)
      if (typeof hole === 'object')
        holes.set(`${hole.name} ${hole.url ?? hole.source}`, {
          id: String(hole.url ?? hole.source)
            .split('/')
            .at(-1),
          ...hole,
        })
  return [...holes.values()]
}

const used = new Set()
let unchecked = 0
for (const [what, words] of Object.entries({ 'what runs': ['--omit=dev'], 'with what builds and tests it': [] })) {
  const { report, why } = ask(words)
  if (!report) {
    unchecked++
    say(`NOT CHECKED (${what}): ${why}`)
    continue
  }
  const holes = holesIn(report)
  const explained = holes.filter(({ id, name }) => exceptions.some((one) => one.advisory === id && one.package === name))
  for (const { id } of explained) used.add(id)
  for (const hole of holes)
    if (!explained.includes(hole)) problems.push(`${hole.name}: ${hole.severity}, ${hole.id}: ${hole.title} (${what})`)
  say(`${holes.length} known holes, ${explained.length} of them explained (${what})`)
}
if (unchecked === 0)
  for (const { advisory, package: name } of exceptions)
    if (!used.has(advisory)) problems.push(`the exception for ${advisory} in ${name} is needed no more`)

for (const problem of new Set(problems)) say(problem)
if (problems.length > 0) process.exitCode = 1
else if (unchecked > 0 && process.argv.includes('--strict')) process.exitCode = 2
