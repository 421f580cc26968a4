/** In which order a list is read. Names in the order of their lower case, and what has the same by age. */
export const listOrders = ['OLDEST_FIRST', 'NEWEST_FIRST', 'NAME'] as const
export type ListOrder = (typeof listOrders)[number]
