import type { FastifyInstance } from 'fastify'

/** For what is no page: nothing in it is ever run or shown in a frame. */
const noPage = "default-src 'none'; frame-ancestors 'none'"

const always = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** What tells browsers to be careful, in every answer. A page brings a policy of its own. */
export const addSecurityHeaders = (app: FastifyInstance): void => {
  app.addHook('onSend', async (request, reply) => {
    reply.headers(always)
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', noPage)
    // Only where TLS ends here: a proxy that has it says so itself.
    if (request.protocol === 'https') reply.header('strict-transport-security', 'max-age=31536000')
  })
}
