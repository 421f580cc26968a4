export interface Rate {
  perSecond: number
  /** What may be taken at once after a time of rest. */
  burst: number
}

/** Buckets that fill by `rate`, one for each key; the least used are forgotten past `max`, which fills them. */
export const makeBuckets = ({ perSecond, burst }: Rate, max = 50_000) => {
  const buckets = new Map<string, { level: number; atMs: number }>()

  return {
    /**
     * Takes so many, and answers 0; or takes nothing, and answers in how many whole seconds it could. More than the bucket
     * holds is given when it is full, and is paid back by the time it takes to fill.
     */
    take: (key: string, count: number, nowMs: number): number => {
      const known = buckets.get(key)
      const level = known ? Math.min(burst, known.level + ((nowMs - known.atMs) / 1_000) * perSecond) : burst
      const missing = Math.min(count, burst) - level
      buckets.delete(key)
      buckets.set(key, { level: missing > 0 ? level : level - count, atMs: nowMs })
      if (buckets.size > max) buckets.delete(buckets.keys().next().value!)
      return missing > 0 ? Math.ceil(missing / perSecond) : 0
    },
    size: (): number => buckets.size,
  }
}
