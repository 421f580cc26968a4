import { renderArgs, UnbalancedQuotes } from '../../lib/domain/argv.ts'
import type { GameConfigDraft } from '../../lib/domain/game-config.ts'
import { isImageReference } from '../../lib/domain/images.ts'
import { duplicates, type InputCheck, makeInputCheck } from '../../lib/domain/inputs.ts'
import { followsItself } from '../../lib/domain/port-allocation.ts'
import { maxPort, type PortDefinition } from '../../lib/domain/ports.ts'
import { builtInNames, templateFaults } from '../../lib/domain/template.ts'
import type { StopProcedure, VolumeDefinition } from '../../lib/messages/session-spec.ts'
import { parseActions } from '../../lib/parameters/actions.ts'
import { parseGameConfigBackup } from '../../lib/parameters/backup-input.ts'
import { parseDefinitions } from '../../lib/parameters/definitions.ts'
import { checkCapabilities, checkMount, checkPath, checkUser } from './container-input.ts'
import { parseFiles } from './file-input.ts'
import { parseInstall } from './install-input.ts'
import { parseLife } from './life-input.ts'
import { signals } from './linux.ts'
import { parseResources } from './resources-input.ts'
import type { NewGameConfig } from './store.ts'

type Maybe<T> = T | null | undefined

export interface CreateGameConfigInput extends GameConfigDraft {
  gameId: string | number
}

/** What is left out stays; null takes the default, or for name and image stays too. */
export type UpdateGameConfigInput = { [Key in keyof Omit<CreateGameConfigInput, 'gameId'>]?: CreateGameConfigInput[Key] | null }

const defaultVolumePath = '/data/game'
const defaultGraceSeconds = 30
const defaultStop: StopProcedure = { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: defaultGraceSeconds }
const maxGraceSeconds = 3_600
const maxItems = 64
const maxWords = 256
const maxWordLength = 8_192
const maxTemplateLength = 16_384
const maxEnvBytes = 128 * 1024
const maxStopLength = 4_096

/** Fills in the defaults and checks everything; throws `Invalid` with every fault. */
export const parseGameConfig = (input: CreateGameConfigInput): NewGameConfig => {
  const check = makeInputCheck()
  check.name('name', input.name)
  if (!isImageReference(input.image))
    check.refuse('image', 'is not an image reference like registry.example/games/minecraft:1.20')
  checkWords(check, 'entrypoint', input.entrypoint)
  checkWords(check, 'command', input.command)
  if (input.user != null) checkUser(check, 'user', input.user)
  if (input.workingDir != null) checkPath(check, 'workingDir', input.workingDir)
  const ports = parsePorts(check, input.ports ?? [])
  const resources = parseResources(check, input.resources ?? {})
  const builtIns = builtInNames({ portNames: ports.map(({ name }) => name), memoryMb: resources.memoryMb })
  const parameters = parseDefinitions(check, input.parameters ?? [], builtIns)
  const known = new Set([...builtIns, ...parameters.map(({ name }) => name)])
  checkArgs(check, input, known)
  const config: NewGameConfig = {
    gameId: String(input.gameId),
    name: input.name,
    image: input.image,
    pullPolicy: input.pullPolicy ?? 'IF_MISSING',
    entrypoint: input.entrypoint ? [...input.entrypoint] : null,
    command: input.command ? [...input.command] : null,
    argsTemplate: input.argsTemplate ?? null,
    envTemplate: parseEnv(check, input.envTemplate, known),
    user: input.user ?? null,
    workingDir: input.workingDir ?? null,
    tty: input.tty ?? false,
    capabilities: checkCapabilities(check, 'capabilities', input.capabilities ?? []),
    readOnlyRootfs: input.readOnlyRootfs ?? false,
    ...parseVolumes(check, input),
    ports,
    hostNetwork: parseHostNetwork(check, input.hostNetwork, ports),
    parameters,
    files: parseFiles(check, input.files ?? [], known),
    install: parseInstall(check, input.install),
    actions: parseActions(check, input.actions ?? [], actionNames({ ports, resources, parameters })),
    stop: parseStop(check, input.stop),
    resources,
    ...parseLife(check, input, ports),
    ...parseLogRetention(check, input),
    backup: parseGameConfigBackup(check, 'backup', input.backup),
  }
  check.throwIfAny()
  return config
}

/** Nothing is translated there: a game is reached where it listens. */
const parseHostNetwork = (check: InputCheck, given: Maybe<boolean>, ports: readonly PortDefinition[]): boolean => {
  for (const [index, { sameInside }] of ports.entries())
    if (given && !sameInside)
      check.refuse(`ports.${index}.sameInside`, "must be true with hostNetwork, the machine's own network")
  return given ?? false
}

/** What templates of actions know of a config: not its secrets, as a console is for all to read. */
export const actionNames = ({
  ports,
  resources,
  parameters,
}: Pick<NewGameConfig, 'ports' | 'resources' | 'parameters'>): Set<string> =>
  new Set([
    ...builtInNames({ portNames: ports.map(({ name }) => name), memoryMb: resources.memoryMb }),
    ...parameters.flatMap(({ name, type }) => (type === 'SECRET' ? [] : [name])),
  ])

/** The config `known` with what `input` gives, checked whole as a new one is. */
export const parseGameConfigUpdate = (known: NewGameConfig, input: UpdateGameConfigInput): NewGameConfig => {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
  const { gameId } = known
  return parseGameConfig({ ...known, ...given, gameId, name: input.name ?? known.name, image: input.image ?? known.image })
}

const checkCount = (check: InputCheck, path: string, items: readonly unknown[], max = maxItems): boolean =>
  items.length <= max || check.refuse(path, `must not have more than ${max} entries`) !== undefined

const checkWords = (check: InputCheck, path: string, words: Maybe<readonly string[]>): void => {
  if (!words || !checkCount(check, path, words, maxWords)) return
  for (const [index, word] of words.entries())
    check.text(`${path}.${index}`, word, maxWordLength, { lines: true, empty: index > 0 })
}

const checkArgs = (check: InputCheck, input: CreateGameConfigInput, known: ReadonlySet<string>): void => {
  const { argsTemplate } = input
  if (argsTemplate == null) return
  const path = 'argsTemplate'
  if (input.command != null) check.refuse(path, 'can not be given together with command')
  if (check.text(path, argsTemplate, maxTemplateLength, { lines: true, empty: true }) === undefined) return
  const faults = templateFaults(argsTemplate, known)
  for (const fault of faults) check.refuse(path, fault)
  if (faults.length > 0) return
  try {
    renderArgs(argsTemplate, new Map([...known].map((name) => [name, 'x'])))
  } catch (error) {
    if (!(error instanceof UnbalancedQuotes)) throw error
    check.refuse(path, error.message)
  }
}

/** Values may be written as text, number or boolean; all become text, as that is what a process gets. */
const parseEnv = (check: InputCheck, env: unknown, known: ReadonlySet<string>): Record<string, string> => {
  if (env == null) return {}
  const object = check.object('envTemplate', env, maxEnvBytes)
  const parsed: Record<string, string> = {}
  for (const [key, value] of Object.entries(object ?? {})) {
    const path = `envTemplate.${key.slice(0, 60)}`
    if (!envKeyPattern.test(key)) check.refuse(path, 'must be named with letters, digits, _ . or -, not beginning with a digit')
    if (typeof value === 'string') for (const fault of templateFaults(value, known)) check.refuse(path, fault)
    else if (typeof value !== 'number' && typeof value !== 'boolean') check.refuse(path, 'must be text, a number or a boolean')
    parsed[key] = String(value)
  }
  return parsed
}

const parsePorts = (check: InputCheck, ports: NonNullable<CreateGameConfigInput['ports']>): PortDefinition[] => {
  if (!checkCount(check, 'ports', ports)) return []
  const names = duplicates(ports, ({ name }) => name)
  const sides = duplicates(ports, ({ containerPort, protocol }) => `${containerPort}/${protocol}`)
  const parsed = ports.map((port, index) => {
    const path = `ports.${index}`
    if (!slugPattern.test(port.name)) check.refuse(`${path}.name`, slugRule)
    if (names.has(port.name)) check.refuse(`${path}.name`, 'is the name of more than one port')
    check.integer(`${path}.containerPort`, port.containerPort, 1, maxPort)
    if (sides.has(`${port.containerPort}/${port.protocol}`))
      check.refuse(`${path}.containerPort`, `${port.containerPort}/${port.protocol} is declared more than once`)
    if (port.follows != null && (port.follows === port.name || !ports.some(({ name }) => name === port.follows)))
      check.refuse(`${path}.follows`, 'must be the name of another port')
    return { ...port, sameInside: port.sameInside ?? false, follows: port.follows ?? null }
  })
  for (const [index, port] of parsed.entries())
    if (followsItself(port, parsed)) check.refuse(`ports.${index}.follows`, 'leads back to the port itself')
  return parsed
}

const parseVolumes = (check: InputCheck, input: CreateGameConfigInput): { volumePath: string; volumes: VolumeDefinition[] } => {
  const volumePath = input.volumePath ?? defaultVolumePath
  const given = input.volumes ?? []
  checkMount(check, 'volumePath', volumePath)
  if (!checkCount(check, 'volumes', given)) return { volumePath, volumes: [] }
  const names = duplicates(given, ({ name }) => name)
  const places = duplicates([{ mountPath: volumePath }, ...given], ({ mountPath }) => normalise(mountPath))
  const volumes = given.map((volume, index) => {
    const path = `volumes.${index}`
    if (!slugPattern.test(volume.name)) check.refuse(`${path}.name`, slugRule)
    if (names.has(volume.name)) check.refuse(`${path}.name`, 'is the name of more than one volume')
    checkMount(check, `${path}.mountPath`, volume.mountPath)
    if (places.has(normalise(volume.mountPath))) check.refuse(`${path}.mountPath`, 'is where another volume is mounted')
    return { ...volume, readOnly: volume.readOnly ?? false }
  })
  return { volumePath, volumes }
}

const parseStop = (check: InputCheck, stop: CreateGameConfigInput['stop']): StopProcedure => {
  if (!stop) return defaultStop
  const graceSeconds = stop.graceSeconds ?? defaultGraceSeconds
  check.integer('stop.graceSeconds', graceSeconds, 0, maxGraceSeconds)
  if (stop.kind === 'STDIN') check.text('stop.value', stop.value, maxStopLength)
  else if (!signals.has(stop.value)) check.refuse('stop.value', 'must be the name of a signal like SIGTERM')
  return { kind: stop.kind, value: stop.value, graceSeconds }
}

/** The ceilings, a century and a petabyte, only keep typing errors out. */
const parseLogRetention = (
  check: InputCheck,
  { logRetentionDays = null, logRetentionMb = null }: CreateGameConfigInput,
): Pick<NewGameConfig, 'logRetentionDays' | 'logRetentionMb'> => {
  if (logRetentionDays !== null) check.integer('logRetentionDays', logRetentionDays, 1, 36_500)
  if (logRetentionMb !== null) check.integer('logRetentionMb', logRetentionMb, 1, 1_000_000_000)
  return { logRetentionDays, logRetentionMb }
}

/** The same place is the same text: no empty steps, no `.`. */
const normalise = (path: string): string =>
  path
    .split('/')
    .filter((step) => step !== '' && step !== '.')
    .join('/')

const slugPattern = /^[A-Za-z][A-Za-z0-9_-]{0,49}$/
const slugRule = 'must be 1 to 50 letters, digits, - or _, and begin with a letter'
const envKeyPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,199}$/
