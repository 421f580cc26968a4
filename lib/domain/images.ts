const separator = '(?:[._]|__|-+)'
const component = `[a-z0-9]+(?:${separator}[a-z0-9]+)*`
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
// Only a dot, a port or the name localhost makes a registry of the first step; else it is part of the path.
const registry = `(?:localhost|${label}(?:\\.${label})+|${label}(?=:))(?::[0-9]{1,5})?`
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}'
const digest = '[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const reference = new RegExp(`^(?:${registry}/)?${component}(?:/${component})*(?::${tag})?(?:@${digest})?$`)

export const maxImageLength = 500
export const maxRegistryLength = 260

/** True for an image reference as Docker reads it: [registry/]path[:tag][@digest], the path in lower case. */
export const isImageReference = (text: string): boolean => text.length <= maxImageLength && reference.test(text)

const dockerHub = 'docker.io'
/** Other names of the same registry, in images and in logins. */
const hubNames = new Set([dockerHub, 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])
const registryAddress = new RegExp(`^${registry}$`)

const canonical = (address: string): string => {
  const lower = address.toLowerCase()
  return hubNames.has(lower) ? dockerHub : lower
}

/**
 * The registry an image comes from, by the name that its credentials are kept under: lower case, with the port where the
 * image names one; `docker.io` for an image that names no registry.
 */
export const registryOf = (image: string): string => {
  const [first = '', ...rest] = image.split('/')
  return rest.length > 0 && /[.:]|^localhost$/i.test(first) ? canonical(first) : dockerHub
}

/** A registry as people and `docker login` write it (`ghcr.io`, `https://index.docker.io/v1/`), by that name; undefined for none. */
export const parseRegistry = (text: string): string | undefined => {
  const address = text.replace(/^https?:\/\//i, '').replace(/\/(v[12]\/?)?$/, '')
  return address.length <= maxRegistryLength && registryAddress.test(address) ? canonical(address) : undefined
}

/** What the password of a registry is encrypted and sealed for: it can be opened for no other one. */
export const registryContext = (name: string): string => `registry ${name}`
