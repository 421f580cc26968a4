const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a UUID in its canonical lower-case form, the only form ids have here. */
export const isUuid = (text: string): boolean => uuidPattern.test(text)
