import { Document, isMap, isNode, Lexer, LineCounter, parseDocument, Scalar, visit } from 'yaml'
import { type InputIssue, Invalid } from '../domain/errors.ts'
import type { GameConfigDraft } from '../domain/game-config.ts'
import { faultOf } from './faults.ts'
import { type GameConfigFile, gameConfigFile } from './schema.ts'

const maxLength = 256 * 1024
const maxDepth = 64
/** More of them help nobody. */
const maxFaults = 100

/**
 * Reads a game and its config from our YAML; JSON is YAML too. Throws `Invalid` with every fault: its dotted path and its
 * line. Ranges and templates are not looked at here: that is done where a config is saved.
 */
export const readGameConfigYaml = (yaml: string): GameConfigFile => {
  if (yaml.length > maxLength) throw Invalid.at('yaml', `must not be longer than ${maxLength} characters`)
  if (isTooDeep(yaml)) throw Invalid.at('yaml', `must not be nested deeper than ${maxDepth} levels`)
  const lines = new LineCounter()
  const { document, value } = parse(yaml, lines)
  const result = gameConfigFile.safeParse(value, { error: faultOf })
  if (result.success) return result.data
  const faults = result.error.issues.flatMap((issue) => pathsOf(issue).map((path) => ({ path, message: issue.message })))
  throw new Invalid(
    faults.slice(0, maxFaults).map(({ path, message }) => ({
      path: path.join('.') || 'yaml',
      message: message + lineOf(document, path, lines),
    })),
  )
}

/**
 * Whether brackets, or marks of lists, stand in each other too deep. The parser recurses, and at the end of the stack node
 * may die of it. What is nested by indentation alone can't be deep within `maxLength`.
 */
const isTooDeep = (yaml: string): boolean => {
  let brackets = 0
  let marks = 0
  for (const token of new Lexer().lex(yaml)) {
    if (token === '[' || token === '{') brackets++
    else if (token === ']' || token === '}') brackets--
    else if (token === '-' || token === '?' || token === ':') marks++
    else if (token.trim() !== '') marks = 0
    if (brackets > maxDepth || marks > maxDepth) return true
  }
  return false
}

const parse = (yaml: string, lines: LineCounter): { document: Document; value: unknown } => {
  try {
    const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
    // What is only a warning, such as a tag nobody knows, would make another value than the one that was written.
    const faults = [...document.errors, ...document.warnings].map(({ message, pos }) => syntaxFault(message, pos[0], lines))
    faults.push(...doubleKeys(document).map(({ key, offset }) => syntaxFault(`${key} is there twice`, offset, lines)))
    if (faults.length > 0) throw new Invalid(faults.slice(0, maxFaults))
    return { document, value: document.toJS() }
  } catch (error) {
    // Aliases of nothing, or of too much.
    if (error instanceof ReferenceError) throw Invalid.at('yaml', error.message)
    throw error
  }
}

/** The parser can look for these too, but compares each key with each. */
const doubleKeys = (document: Document): { key: string; offset: number }[] => {
  const found: { key: string; offset: number }[] = []
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = String(key)
        if (seen.has(name)) found.push({ key: name, offset: isNode(key) ? (key.range?.[0] ?? 0) : 0 })
        seen.add(name)
      }
    },
  })
  return found
}

const syntaxFault = (message: string, offset: number, lines: LineCounter): InputIssue => ({
  path: 'yaml',
  message: `${message} (line ${lines.linePos(offset).line})`,
})

type Path = readonly PropertyKey[]

/** Keys that are not known are one issue of the object that has them: each is a fault of its own. */
const pathsOf = (issue: { code: string; path: Path; keys?: readonly string[] }): Path[] =>
  issue.code === 'unrecognized_keys' ? (issue.keys ?? []).map((key) => [...issue.path, key]) : [issue.path]

/** The line of what stands at `path`, or of the nearest around it that is there. */
const lineOf = (document: Document, path: Path, lines: LineCounter): string => {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const key = path[length - 1]
    const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === key) : undefined
    const node = pair?.key ?? document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return ` (line ${lines.linePos(node.range[0]).line})`
  }
  return ''
}

/**
 * Writes what `readGameConfigYaml` reads again as the same: what is null or the default is left out, and keys have one order.
 * `comment` is the first line; the editor's hint for a schema may stand there.
 */
export const writeGameConfigYaml = (
  file: Omit<GameConfigFile, 'config'> & { config: GameConfigDraft },
  comment = defaultComment,
): string => {
  const { config, ...rest } = gameConfigFile.parse(file)
  const value = withoutNulls({ ...rest, config: withoutDefaults(config) })
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, { Scalar: (_, node) => setStyle(node) })
  return `# ${comment}\n${document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER })}`
}

/** Lines of text as a block, where a block keeps them as they are; other lines, and what can't be seen, with escapes. */
const setStyle = (node: Scalar): void => {
  const { value } = node
  if (typeof value !== 'string' || !/[\p{C}\u2028\u2029]/u.test(value)) return
  node.type = keptByBlock.test(value) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE
}

/** Visible characters in every line, none of which ends with a blank; the first one does not begin with one. */
const keptByBlock = /^(?![ \t])([\t\P{C}]*[^\p{C}\p{Z}]\n|\n(?=[^\n]))*([\t\P{C}]*[^\p{C}\p{Z}])?$/u

const defaultComment = 'A game config of ManMan; docs/presets.md says what the fields mean.'

/** Values that mean the same as nothing; objects are compared whole, before their own defaults go. */
const defaults: Record<string, unknown> = {
  pullPolicy: 'IF_MISSING',
  tty: false,
  readOnlyRootfs: false,
  hostNetwork: false,
  volumePath: '/data/game',
  stop: { kind: 'SIGNAL', value: 'SIGTERM' },
}

const withoutDefaults = (config: GameConfigFile['config']): Record<string, unknown> => {
  const small = {
    ...config,
    ports: config.ports?.map((port) => ({ ...port, sameInside: port.sameInside || null })),
    volumes: config.volumes?.map((volume) => ({ ...volume, readOnly: volume.readOnly || null })),
    stop: config.stop && { ...config.stop, graceSeconds: config.stop.graceSeconds === 30 ? null : config.stop.graceSeconds },
    install: config.install && withoutInstallDefaults(config.install),
    backup: config.backup && withoutBackupDefaults(config.backup),
    actions: config.actions?.map((action) => ({ ...action, inputs: action.inputs?.length ? action.inputs : null })),
  }
  return Object.fromEntries(
    Object.entries(withoutNulls(small)).filter(
      ([key, value]) => !isSame(value, defaults[key]) && !(emptyIsNothing.has(key) && isEmpty(value)),
    ),
  )
}

const withoutInstallDefaults = (install: NonNullable<GameConfigFile['config']['install']>) => ({
  ...install,
  entrypoint: isSame(install.entrypoint, ['/bin/sh', '-ec']) ? null : install.entrypoint,
  volumePath: install.volumePath === '/mnt/server' ? null : install.volumePath,
  capabilities: install.capabilities?.length ? install.capabilities : null,
  timeoutSeconds: install.timeoutSeconds === 3_600 ? null : install.timeoutSeconds,
})

const withoutBackupDefaults = ({ saveHooks, include, exclude }: NonNullable<GameConfigFile['config']['backup']>) => ({
  saveHooks: saveHooks && {
    before: saveHooks.before?.length ? saveHooks.before : null,
    waitFor: saveHooks.waitFor,
    timeoutSeconds: saveHooks.timeoutSeconds === 60 ? null : saveHooks.timeoutSeconds,
    after: saveHooks.after?.length ? saveHooks.after : null,
  },
  include: include?.length ? include : null,
  exclude: exclude?.length ? exclude : null,
})

/** An empty entrypoint or command is not the same as none: it takes away the image's. */
const emptyIsNothing = new Set([
  'envTemplate',
  'parameters',
  'ports',
  'volumes',
  'files',
  'capabilities',
  'resources',
  'actions',
  'backup',
])

const isEmpty = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0
const isSame = (a: unknown, b: unknown): boolean => b !== undefined && JSON.stringify(a) === JSON.stringify(b)

const withoutNulls = <Value>(value: Value): Value => {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item)) as Value
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)])) as Value
}
