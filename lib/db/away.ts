import { ManManError, Outage } from '../domain/errors.ts'

/** Classes of SQLSTATE that speak of the server and not of the statement: connection, resources, shutdown or time limit, disk. */
const serverClasses = new Set(['08', '53', '57', '58'])
const driverSentences =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/** True when `error` says that the database could not be reached or could not work, whatever the statement was. */
export const isDatabaseAway = (error: unknown): boolean => {
  if (error instanceof Outage) return true
  if (!(error instanceof Error) || error instanceof ManManError) return false
  if ('syscall' in error || error instanceof AggregateError || driverSentences.test(error.message)) return true
  return serverClasses.has(sqlStateOf(error).slice(0, 2))
}

/** PostgreSQL's own code of an error, also of one that is told in our words; '' where there is none. */
export const sqlStateOf = (error: unknown): string => {
  const cause = error instanceof Outage ? error.cause : error
  return (cause as { code?: string } | undefined)?.code ?? ''
}
