/** Stands for what is not told. */
export const hidden = '•••'

/** Inputs whose value is nobody's business, whatever they belong to; a login's name is half of it. */
const secretNames = /password|passphrase|secret|token|totp|^code$|^username$/i
/** Values by the name of a parameter or of an action's blank, any of which may be a secret. */
const valueMaps = new Set(['parameters', 'values'])
/** Texts with whole documents in them, which may declare secrets. */
const documents = new Set(['source'])
/** What a console takes in one line fits. */
const maxText = 4_200
const maxBytes = 32 * 1024
const maxDepth = 16

/**
 * The arguments of a mutation as the audit keeps them: names of everything, values of what is no secret, texts cut at 4,200
 * characters. Fit for a jsonb column, and at most 32 KiB.
 */
export const auditInput = (args: Readonly<Record<string, unknown>>): unknown => {
  const input = mask(args, 0)
  const bytes = Buffer.byteLength(JSON.stringify(input))
  return bytes <= maxBytes ? input : { tooLong: bytes }
}

const mask = (value: unknown, depth: number): unknown => {
  if (depth > maxDepth) return '…'
  if (typeof value === 'string') return toText(value)
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => mask(item, depth + 1))
  const isSecret = (value as { type?: unknown }).type === 'SECRET'
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [toText(name), maskField(name, inner, isSecret, depth + 1)]),
  )
}

const maskField = (name: string, value: unknown, isOfSecret: boolean, depth: number): unknown => {
  if (value === null || value === undefined) return value ?? null
  if (secretNames.test(name) || (isOfSecret && name === 'default')) return hidden
  if (documents.has(name) && typeof value === 'string') return `${hidden} (${value.length} characters)`
  if (valueMaps.has(name) && typeof value === 'object' && !Array.isArray(value))
    return Object.fromEntries(Object.keys(value).map((key) => [toText(key), hidden]))
  return mask(value, depth)
}

/** What PostgreSQL's jsonb takes. */
const toText = (text: string): string => {
  const cut = text.length > maxText ? `${text.slice(0, maxText)}…` : text
  return cut.replaceAll('\0', '�').replace(/\p{Cs}/gu, '�')
}
