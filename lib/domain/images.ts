const separator = '(?:[._]|__|-+)'
const component = `[a-z0-9]+(?:${separator}[a-z0-9]+)*`
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
// Only a dot, a port or the name localhost makes a registry of the first step; else it is part of the path.
const registry = `(?:localhost|${label}(?:\\.${label})+|${label}(?=:))(?::[0-9]{1,5})?`
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}'
const digest = '[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const reference = new RegExp(`^(?:${registry}/)?${component}(?:/${component})*(?::${tag})?(?:@${digest})?$`)

export const maxImageLength = 500

/** True for an image reference as Docker reads it: [registry/]path[:tag][@digest], the path in lower case. */
export const isImageReference = (text: string): boolean => text.length <= maxImageLength && reference.test(text)
