import { Invalid } from '../domain/errors.ts'
import type { GameConfigDraft, ParameterDraft } from '../domain/game-config.ts'
import { isImageReference } from '../domain/images.ts'
import { maxNameLength } from '../domain/inputs.ts'
import { readFiles } from './files.ts'
import { readInstall } from './install.ts'
import { readReadyPattern, readStop, reportLogs, reportOthers } from './life.ts'
import { readParameter } from './parameter.ts'
import { platformEnv, startupTemplate } from './placeholders.ts'
import { isPortVariable, literalPort, makePorts, portNumber } from './ports.ts'
import type { Report, Unmapped } from './report.ts'
import { rulesOf } from './rules.ts'
import { type Egg, imagesOf, parseEgg, startupsOf } from './source.ts'

export interface EggImport {
  gameName: string
  config: GameConfigDraft
  /** What has no equivalent here. Empty when the game runs as the egg says. */
  unmapped: Unmapped[]
}

/**
 * Reads an egg of Pterodactyl (PTDL_v1, PTDL_v2) or Pelican (PLCN_v1 to PLCN_v3), JSON or YAML, as a game config. Throws
 * `Invalid` with every fault when it is none. What each field becomes stands in docs/eggs.md.
 */
export const readEgg = (source: string): EggImport => {
  const egg = parseEgg(source)
  const unmapped: Unmapped[] = []
  const report: Report = (path, reason) => {
    unmapped.push({ path, reason })
  }
  const name = readName(egg.name, report)
  const image = readImage(egg, report)
  const main = mainOf(egg)
  const variables = readVariables(egg, makePorts(main), report)
  const config: GameConfigDraft = {
    name,
    image,
    envTemplate: { ...variables.env, ...readStartup(egg, variables.names, report) },
    parameters: variables.parameters,
    files: readFiles(egg.config?.files, variables.names, report),
    ports: variables.ports,
    volumePath: volume,
    workingDir: volume,
    user: null,
    tty: true,
    // As Wings has it, so eggs get by with their volume and /tmp.
    readOnlyRootfs: true,
    stop: readStop(egg.config?.stop, report),
    resources: { memoryMb: main.memoryMb },
    readyPattern: readReadyPattern(egg.config?.startup, report),
    install: readInstall(egg.scripts, report),
  }
  reportLogs(egg.config?.logs, report)
  reportOthers(egg, report)
  return { gameName: name, config, unmapped }
}

const volume = '/home/container'
const defaultMemoryMb = 1_024

const readName = (given: string, report: Report): string => {
  const name = given.replace(/[\p{Cc}\p{Cs}\u2028\u2029\s]+/gu, ' ').trim()
  const cut = [...name].slice(0, maxNameLength).join('').trim()
  if (cut !== name) report('name', `it is longer than ${maxNameLength} characters, and was cut`)
  return cut || 'egg'
}

const readImage = (egg: Egg, report: Report): string => {
  const images = imagesOf(egg)
  const image = images.find(({ value }) => isImageReference(value))
  if (!image) throw Invalid.at('docker_images', images.length === 0 ? 'names no image' : 'holds no image reference')
  const others = images.some(({ value }) => value !== image.value)
  if (others) report('docker_images', `a config has one image: ${firstTaken}`)
  return image.value
}

const firstTaken = 'the first is taken'

const readStartup = (egg: Egg, names: ReadonlyMap<string, string>, report: Report): Record<string, string> => {
  const [command, ...others] = startupsOf(egg)
  if (!command) return {}
  if (others.length > 0) report('startup_commands', `a config has one command line: ${firstTaken}`)
  const { template, unknown } = startupTemplate(command.value, names)
  if (unknown.length > 0) report(command.path, 'it names a variable that the egg does not have, and that is empty there too')
  return { STARTUP: template }
}

/** What an egg says of its default allocation and its memory. */
const mainOf = (egg: Egg) => {
  const variable = (name: string): string | null | undefined =>
    egg.variables?.find((one) => one.env_variable.toUpperCase() === name)?.default_value
  const startup = startupsOf(egg)[0]?.value ?? ''
  const asks = /SERVER_PORT|default\.port/.test(JSON.stringify([startup, egg.config?.files ?? null, egg.scripts ?? null]))
  const literal = asks ? undefined : literalPort(startup)
  const memory = Number(variable('SERVER_MEMORY'))
  return {
    containerPort: portNumber(variable('SERVER_PORT')) ?? literal,
    // A game that is never told its port listens on its own.
    sameInside: literal === undefined,
    memoryMb: Number.isSafeInteger(memory) && memory >= 6 && memory <= 16 * 1024 * 1024 ? memory : defaultMemoryMb,
  }
}

const readVariables = (egg: Egg, ports: ReturnType<typeof makePorts>, report: Report) => {
  const names = new Map<string, string>(Object.entries(platformEnv))
  const env: Record<string, string> = { ...platformEnv }
  const parameters: ParameterDraft[] = []
  for (const [index, variable] of (egg.variables ?? []).entries()) {
    const path = `variables.${index}`
    const name = variable.env_variable.trim()
    const fault = nameFault(name, parameters)
    if (fault) {
      if (fault !== known) report(path, fault)
      continue
    }
    const rules = rulesOf(variable.rules, path)
    const wanted = isPortVariable(name, rules, variable.default_value) ? portNumber(variable.default_value) : undefined
    const port = wanted === undefined ? undefined : ports.add(name, wanted)
    const template = port === undefined ? `{{${name}}}` : `{{port.${port}}}`
    if (port === undefined) parameters.push(readParameter({ ...variable, env_variable: name }, rules, path, report))
    if (variable.user_viewable === false)
      report(`${path}.user_viewable`, 'whoever may see a deployment sees all that is set there')
    names.set(name, template)
    // Wings tells games the name in capitals; the command line asks for it as it is written.
    env[name.toUpperCase()] ??= template
    env[name] = template
  }
  return { names, env, parameters, ports: ports.ports }
}

const known = 'the platform sets it'
/** Of the others an egg may have its own; TZ is set by the machine there, and can be chosen here. */
const reserved = new Set(Object.keys(platformEnv).filter((name) => name.includes('SERVER_')))

const nameFault = (name: string, parameters: readonly ParameterDraft[]): string | undefined => {
  if (reserved.has(name.toUpperCase())) return known
  if (name.toUpperCase() === 'STARTUP' || name === 'memoryMb') return 'the platform uses its name'
  if (!/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name)) return 'its name is not made of letters, digits and _, beginning with a letter'
  if (parameters.some((other) => other.name === name)) return 'another variable has its name'
  return undefined
}
