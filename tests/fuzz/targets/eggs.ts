import fc from 'fast-check'
import { stringify } from 'yaml'
import { checkConfig } from '../../../bench/eggs/read.ts'
import { Invalid } from '../../../lib/domain/errors.ts'
import { readEgg } from '../../../lib/eggs/read-egg.ts'
import { readGameConfigYaml } from '../../../lib/presets/format.ts'
import { plcnV1, plcnV3, ptdlV1, ptdlV2 } from '../../unit/lib/eggs/samples.ts'
import { anyText, nearly, nearlyValue } from '../mutate.ts'
import { presetTexts } from '../presets.ts'
import { holds, makeTarget, orRefused } from '../target.ts'

const objects = fc.constantFrom<unknown>(ptdlV1, ptdlV2, plcnV1)
const asJson = (value: unknown): string => JSON.stringify(value, null, 2) ?? ''
const texts = fc.oneof(objects.map(asJson), fc.constantFrom(plcnV3, stringify(plcnV1), stringify(ptdlV2)))

const source = fc.oneof(
  { weight: 5, arbitrary: nearlyValue(objects, 4).map(asJson) },
  { weight: 1, arbitrary: nearlyValue(objects, 2).map((value) => stringify(value)) },
  { weight: 4, arbitrary: nearly(texts) },
  { weight: 1, arbitrary: fc.oneof(anyText, fc.json()) },
)

/** An egg is refused with its faults, or becomes a config that passes our own checks. */
export const eggs = makeTarget('eggs', source, (text) => {
  const read = orRefused(() => readEgg(text), [Invalid])
  if (read === 'refused') return read
  checkConfig(read.result)
  holds(
    // The path of a field whose name is the empty string is empty too.
    read.result.unmapped.every(({ reason }) => reason !== ''),
    'each report has its reason',
  )
  return 'accepted'
})

/** Our own YAML of a game config is read, or refused with its faults. */
export const presets = makeTarget('presets', fc.oneof(nearly(fc.constantFrom(...presetTexts)), anyText), (text) => {
  const read = orRefused(() => readGameConfigYaml(text), [Invalid])
  return read === 'refused' ? read : 'accepted'
})
