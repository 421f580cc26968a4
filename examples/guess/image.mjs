// `npm run example`: builds the image `guess` on this machine's own node, so that nothing is downloaded.
import { localBase, run } from '../../deploy/docker.mjs'

const base = await localBase()
await run('docker', ['build', '--tag', 'guess', '--build-arg', `BASE=${base}`, import.meta.dirname])
