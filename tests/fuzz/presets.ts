import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../../presets')

/** The smaller presets that come with ManMan: of long texts only few cases would be run in the same time. */
export const presetTexts = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .filter((text) => text.length < 2_500)
