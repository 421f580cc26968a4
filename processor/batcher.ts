export interface Batcher<Item> {
  /** Settles as the batch that the item went into does. */
  add(item: Item): Promise<void>
  /** Waits for what has been added. */
  close(): Promise<void>
}

/**
 * Gathers items and hands them on together: when there are `maxItems`, or `lingerMs` after the first. Batches go one after
 * the other. Whoever adds bounds how many wait, by waiting for what it has added.
 */
export const makeBatcher = <Item>(options: {
  maxItems: number
  lingerMs: number
  flush: (items: Item[]) => Promise<void>
}): Batcher<Item> => {
  let gathering: { items: Item[]; done: Promise<void>; go: () => void } | undefined
  let last: Promise<void> = Promise.resolve()

  const begin = () => {
    const items: Item[] = []
    let go = (): void => undefined
    const full = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, options.lingerMs)
      go = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    const done = Promise.all([full, last.catch(() => undefined)]).then(() => {
      if (gathering === batch) gathering = undefined
      return options.flush(items)
    })
    const batch = { items, done, go }
    last = done
    return batch
  }

  return {
    add: (item) => {
      gathering ??= begin()
      const batch = gathering
      batch.items.push(item)
      if (batch.items.length >= options.maxItems) {
        gathering = undefined
        batch.go()
      }
      return batch.done
    },
    close: async () => {
      gathering?.go()
      await last.catch(() => undefined) // whoever added has been told
    },
  }
}
