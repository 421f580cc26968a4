/** True for JSON that is nested deeper than `max` levels. Does not recurse, as JSON may be as deep as it is long. */
export const isDeeper = (value: unknown, max: number): boolean => {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    const objects = level.filter((one): one is object => typeof one === 'object' && one !== null)
    if (objects.length > 0 && depth >= max) return true
    level = objects.flatMap((one) => Object.values(one) as unknown[])
  }
  return false
}
