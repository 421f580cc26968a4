/** The member of a mutation's union that was expected; fails with what the answer says instead. */
export const ok = <Result extends { __typename: string }, Name extends Result['__typename']>(
  result: Result,
  name: Name,
): Extract<Result, { __typename: Name }> => {
  if (result.__typename === name) return result as Extract<Result, { __typename: Name }>
  throw new Error(`expected ${name}, got ${JSON.stringify(result)}`)
}
