/** `{{name}}` in arguments and environment values. Spaces inside the braces don't count; nothing escapes the braces. */

/** A template cut at its placeholders. */
export type TemplatePart = { text: string } | { name: string }

/** Why a text is not a template, or can't be rendered. */
export interface TemplateFault {
  message: string
}

/** Cuts a template into text and names; answers a fault for braces that open and don't close, or hold no name. */
export const parseTemplate = (template: string): TemplatePart[] | TemplateFault => {
  const parts: TemplatePart[] = []
  let at = 0
  for (;;) {
    const open = template.indexOf('{{', at)
    if (open === -1) break
    const close = template.indexOf('}}', open + 2)
    if (close === -1) return { message: 'has {{ without its }}' }
    const name = template.slice(open + 2, close).trim()
    if (!namePattern.test(name)) return { message: `has {{${shorten(name)}}}, which is not a name` }
    if (open > at) parts.push({ text: template.slice(at, open) })
    parts.push({ name })
    at = close + 2
  }
  if (at < template.length) parts.push({ text: template.slice(at) })
  return parts
}

export const isTemplateFault = (parsed: TemplatePart[] | TemplateFault): parsed is TemplateFault => !Array.isArray(parsed)

/** The names that a template holds; none when it is no template. */
export const templateNames = (template: string): string[] => {
  const parsed = parseTemplate(template)
  return isTemplateFault(parsed) ? [] : parsed.flatMap((part) => ('name' in part ? [part.name] : []))
}

/** Everything that is wrong with a template where only `known` names have values. Empty when it is good. */
export const templateFaults = (template: string, known: ReadonlySet<string>): string[] => {
  const parsed = parseTemplate(template)
  if (isTemplateFault(parsed)) return [parsed.message]
  const unknown = new Set(parsed.flatMap((part) => ('name' in part && !known.has(part.name) ? [part.name] : [])))
  return [...unknown].map((name) => `has {{${shorten(name)}}}, which is not known here (known: ${[...known].sort().join(', ')})`)
}

/** Fills a template that was checked when it was saved; throws when a name has no value all the same. */
export const renderTemplate = (template: string, values: ReadonlyMap<string, string>): string => {
  const parsed = parseTemplate(template)
  if (isTemplateFault(parsed)) throw new Error(`the template ${parsed.message}`)
  return parsed.map((part) => ('text' in part ? part.text : valueFor(part.name, values))).join('')
}

/** The value of `name`; a checked template has no other names, so a missing one is a defect. */
export const valueFor = (name: string, values: ReadonlyMap<string, string>): string => {
  const value = values.get(name)
  if (value === undefined) throw new Error(`the template's {{${name}}} has no value`)
  return value
}

/** What the platform itself knows at a session's start. */
export interface BuiltIns {
  serverName: string
  deploymentId: string
  deploymentName: string
  /** Null when the config sets no limit; `{{memoryMb}}` is then not known. */
  memoryMb: number | null
  ports: readonly { name: string; hostPort: number }[]
}

export const builtInValues = (builtIns: BuiltIns): Map<string, string> => {
  const values = new Map([
    ['server.name', builtIns.serverName],
    ['deployment.id', builtIns.deploymentId],
    ['deployment.name', builtIns.deploymentName],
  ])
  if (builtIns.memoryMb !== null) values.set('memoryMb', String(builtIns.memoryMb))
  for (const port of builtIns.ports) values.set(`port.${port.name}`, String(port.hostPort))
  return values
}

/** What templates know wherever something runs. */
export const commonNames: ReadonlySet<string> = new Set(['server.name', 'deployment.id', 'deployment.name'])

/** The names `builtInValues` will have for a config that declares these ports and this limit. */
export const builtInNames = (config: { portNames: readonly string[]; memoryMb: number | null }): Set<string> =>
  new Set(
    builtInValues({
      serverName: '',
      deploymentId: '',
      deploymentName: '',
      memoryMb: config.memoryMb,
      ports: config.portNames.map((name) => ({ name, hostPort: 0 })),
    }).keys(),
  )

const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]*$/
const shorten = (name: string): string => (name.length > 60 ? `${name.slice(0, 60)}…` : name)
