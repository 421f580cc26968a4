import { makeSharedLookup } from '../../lib/db/broker-users.ts'
import { makeShelf } from '../../lib/presets/shelf.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeRequester } from '../../lib/rabbit/requester.ts'
import { makeBelieve } from '../../lib/rabbit/speaker.ts'
import { makeConfigsSchema } from '../configs/schema.ts'
import { makeConfigsService } from '../configs/service.ts'
import { makeHostRequests } from '../requests.ts'
import type { Part, PartOptions } from './part.ts'

export const makeConfigsPart = ({
  db,
  rabbit,
  logger,
  secrets,
}: Pick<PartOptions, 'db' | 'rabbit' | 'logger' | 'secrets'>): Part => {
  const believe = makeBelieve(makeSharedLookup(db))
  const requester = makeRequester({ rabbit, logger, believe })
  const { previewFiles } = makeHostRequests({ requester })
  const service = makeConfigsService({ db, newId, secrets, shelf: makeShelf(), previewFiles })
  return { schema: makeConfigsSchema({ service }), close: () => requester.close() }
}
