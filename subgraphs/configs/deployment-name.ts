import { maxNameLength } from '../../lib/domain/inputs.ts'

/** `base`, or the first of `base 2`, `base 3` … that is not taken, whatever its case. Cut where it would be too long. */
export const freeName = (
  base: string,
  taken: readonly string[],
  suffixOf: (number: number) => string = (number) => ` ${number}`,
): string => {
  const known = new Set(taken.map((name) => name.toLowerCase()))
  let name = base
  for (let number = 2; known.has(name.toLowerCase()); number++) {
    const suffix = suffixOf(number)
    name = [...base].slice(0, maxNameLength - suffix.length).join('') + suffix
  }
  return name
}
