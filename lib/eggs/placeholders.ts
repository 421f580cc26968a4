import { mainPort } from './ports.ts'

/** What takes the place of an egg's variable or of a name of the panel: a template of ours. */
export type Names = ReadonlyMap<string, string>

/** What Wings or its panel sets, as our templates know it; variables of these names in an egg count for nothing there. */
export const platformEnv: Readonly<Record<string, string>> = {
  SERVER_MEMORY: '{{memoryMb}}',
  SERVER_IP: '0.0.0.0',
  SERVER_PORT: `{{port.${mainPort}}}`,
  P_SERVER_UUID: '{{deployment.id}}',
  P_SERVER_LOCATION: '{{server.name}}',
  P_SERVER_ALLOCATION_LIMIT: '0',
  TZ: 'UTC',
  USER: 'container',
  HOME: '/home/container',
}

const panelNames: Names = new Map([
  ['server.build.default.port', `{{port.${mainPort}}}`],
  ['server.build.default.ip', '0.0.0.0'],
  ['server.allocations.default.port', `{{port.${mainPort}}}`],
  ['server.allocations.default.ip', '0.0.0.0'],
  ['server.build.memory', '{{memoryMb}}'],
  ['server.build.memory_limit', '{{memoryMb}}'],
  ['server.uuid', '{{deployment.id}}'],
  ['server.name', '{{deployment.name}}'],
  ['server.meta.name', '{{deployment.name}}'],
])
const variablePrefix = /^(?:server\.build\.env|server\.environment|env)\./

/** The variable that a placeholder names: `X` of `server.build.env.X`, `env.X` or plain `X`. */
const variableOf = (placeholder: string): string => placeholder.replace(variablePrefix, '')

/** The template for what an egg writes as `{{name}}`; undefined when nothing here is like it. */
export const templateOf = (name: string, variables: Names): string | undefined => {
  const variable = variableOf(name)
  return panelNames.get(name) ?? variables.get(variable) ?? variables.get(variable.toUpperCase())
}

/** Fills an egg's text with our templates. `unknown` are the names without any, and braces that hold no name. */
export const fill = (text: string, variables: Names): { template: string; unknown: string[] } => {
  const unknown: string[] = []
  const template = text.replace(/\{\{\s*([\w.-]*)\s*\}\}/g, (whole, name: string) => {
    const known = templateOf(name, variables)
    if (known === undefined) unknown.push(whole)
    return known ?? ''
  })
  const known = template.replace(/\{\{[\w.-]+\}\}/g, '')
  if (known.includes('{{')) unknown.push('{{')
  return { template, unknown }
}

/**
 * A command line for the environment of these images, whose entrypoints let a shell fill it: `{{X}}` becomes `${X}`, as
 * they would make it themselves, and names of the panel become our templates. `unknown` are variables nobody sets.
 */
export const startupTemplate = (startup: string, variables: Names): { template: string; unknown: string[] } => {
  const unknown: string[] = []
  const kept: string[] = []
  const keep = (template: string): string => `\u0000${kept.push(template) - 1}\u0000`
  let text = startup.replace(/\0|\p{Cs}/gu, '').replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (whole, name: string) => {
    const panel = panelNames.get(name)
    if (panel !== undefined) return keep(panel)
    const variable = variableOf(name)
    if (!variables.has(variable) || /[.-]/.test(variable)) unknown.push(whole)
    return `\${${variable}}`
  })
  while (text.includes('{{')) text = text.replace('{{', '${')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the mark put there above, which no command line can hold.
  return { template: text.replace(/\u0000(\d+)\u0000/g, (_, index) => kept[Number(index)]!), unknown }
}
