import type { GraphQLError } from 'graphql'
import { makeBuckets } from '../../lib/domain/buckets.ts'
import type { Identity } from '../../lib/process/identity.ts'
import { codedError, tooOften } from '../errors.ts'
import type { ExecutionRequest, Executor } from '../executor.ts'
import { type Limits, limitError, type Refused } from '../limits.ts'
import { findOperation, type Operation } from '../operation.ts'
import { makeCostOf } from './cost.ts'
import { makeTally, placeOf } from './tally.ts'
import { isDeeper } from './variables.ts'

/** How much anybody may ask for, whichever door they come through. Rates and counts are those of this process. */
export interface Admission {
  /**
   * To be called for each request before it is read. Throws LIMIT_EXCEEDED with `retryAfter` when the token, or for a
   * stranger the address, has asked too often.
   */
  arrive(identity: Identity): void
  /** The executor, within limits. */
  executor: Executor
}

/** Who a limit for each token is for: the token, and where it is not one of ours, its owner. */
export const holderOf = ({ token, sub }: Identity): string => token ?? sub

export const makeAdmission = (options: { executor: Executor; limits: Limits; refused: Refused }): Admission => {
  const { executor, limits, refused } = options
  const tokens = makeBuckets({ perSecond: limits.ratePerToken, burst: limits.burstPerToken })
  const strangers = makeBuckets({ perSecond: limits.rateOfStrangers, burst: limits.burstOfStrangers })
  const byToken = makeTally(limits.maxSubscriptionsPerToken)
  const byAddress = makeTally(limits.maxSubscriptionsPerAddress)
  const costOf = makeCostOf(executor.schema)

  /** Takes so many units; answers why not, otherwise. */
  const take = (identity: Identity, units: number): GraphQLError | undefined => {
    const isStranger = identity.kind === 'anonymous'
    const seconds = isStranger
      ? strangers.take(placeOf(identity.from?.address ?? ''), units, performance.now())
      : tokens.take(holderOf(identity), units, performance.now())
    if (seconds === 0) return undefined
    const limit = isStranger ? 'stranger_rate' : 'rate'
    refused(limit)
    return tooOften(limit, isStranger ? 'Too many requests from this address' : 'Too many requests with this token', seconds)
  }

  /** Why an operation does not run; undefined for one that does. */
  const refusal = (operation: Operation, { variables, identity }: ExecutionRequest): GraphQLError | undefined => {
    const { objects, units } = costOf(operation, variables)
    if (objects > limits.maxCost) {
      refused('cost')
      return tooDear(objects, limits.maxCost)
    }
    // One was taken when it arrived.
    return units > 1 ? take(identity, units - 1) : undefined
  }
  const refusalOf = (request: ExecutionRequest): GraphQLError | undefined => {
    if (isDeeper(request.variables, limits.maxVariableDepth)) {
      refused('variable_depth')
      return codedError('LIMIT_EXCEEDED', `Variables may be ${limits.maxVariableDepth} levels deep at most.`, 400, {
        limit: 'variable_depth',
      })
    }
    const operation = operationOf(request)
    return operation && refusal(operation, request)
  }

  /** Room for one more subscription: what gives it back, or why there is none. */
  const enter = (identity: Identity): (() => void) | GraphQLError => {
    const leaveToken = byToken.enter(holderOf(identity))
    if (!leaveToken) {
      refused('subscriptions_per_token')
      return limitError(
        'subscriptions_per_token',
        `At most ${limits.maxSubscriptionsPerToken} subscriptions may be open with one token.`,
      )
    }
    const leaveAddress = byAddress.enter(placeOf(identity.from?.address ?? ''))
    if (leaveAddress) {
      return () => {
        leaveToken()
        leaveAddress()
      }
    }
    leaveToken()
    refused('subscriptions_per_address')
    return limitError(
      'subscriptions_per_address',
      `At most ${limits.maxSubscriptionsPerAddress} subscriptions may be open from one address.`,
    )
  }

  return {
    arrive: (identity) => {
      const error = take(identity, 1)
      if (error) throw error
    },
    executor: {
      schema: executor.schema,
      execute: async (request) => {
        const error = refusalOf(request)
        return error ? { data: null, errors: [error] } : executor.execute(request)
      },
      subscribe: async (request) => {
        const error = refusalOf(request)
        if (error) return { data: null, errors: [error] }
        const leave = enter(request.identity)
        if (typeof leave !== 'function') return { data: null, errors: [leave] }
        const result = await executor.subscribe({ ...request, onEnd: leave })
        if (!(Symbol.asyncIterator in result)) leave()
        return result
      },
    },
  }
}

/** Undefined where the request names none that is there, which the executor tells. */
const operationOf = ({ document, operationName }: ExecutionRequest): Operation | undefined => {
  try {
    return findOperation(document, operationName)
  } catch {
    return undefined
  }
}

const tooDear = (objects: number, max: number): GraphQLError => {
  const shown = objects > Number.MAX_SAFE_INTEGER ? 'far too many' : String(Math.ceil(objects))
  const message = `The operation costs ${shown}, the objects it may answer; at most ${max} are allowed. Ask for smaller pages (first, last).`
  return codedError('LIMIT_EXCEEDED', message, 400, { limit: 'cost' })
}
