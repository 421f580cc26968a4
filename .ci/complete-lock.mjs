// Completes package-lock.json after `npm install` from a registry that mirrors only some platforms: npm leaves out the
// optional packages of the others, and then `npm ci` refuses the lock. Their entries are written as npm would have
// written them, less the hash. Run it by `npm run lock:complete`; it changes nothing in a lock that is whole.
import { readFileSync, writeFileSync } from 'node:fs'

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const { packages } = lock

/** Where Node would find `name` from inside `path`, or undefined: the search goes outwards. */
const find = (path, name) => {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const candidate = `${from ? `${from}/` : ''}node_modules/${name}`
    if (packages[candidate]) return candidate
    if (!from) return undefined
  }
}

const describePlatform = (name) => {
  const os = /android|darwin|win32|freebsd|openharmony|linux/.exec(name)?.[0]
  const cpu = /arm64|x64|ia32|ppc64|riscv64|s390x|arm/.exec(name)?.[0]
  if (!os || !cpu) throw new Error(`can't tell the platform of ${name} from its name: complete its entry by hand`)
  const libc = os === 'linux' && (/musl/.test(name) ? 'musl' : /gnu/.test(name) && 'glibc')
  return { cpu: [cpu], ...(libc && { libc: [libc] }), os: [os] }
}

let added = 0
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (find(path, name)) continue
    packages[`node_modules/${name}`] = { version, ...describePlatform(name), ...(entry.dev && { dev: true }), optional: true }
    added++
  }
}
if (added > 0) {
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
  writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
}
console.log(`${added} entries added`)
