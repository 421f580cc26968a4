/** Of CI: each kind of fault once. */
export const shortForm = { seed: 4, lines: 200_000, faults: 5 }
