import { describe, expect, it } from 'vitest'
import css from './theme.css?raw'

/** Custom properties of the rule with this selector. */
function variablesOf(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`)
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start))
  return new Map([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value]))
}

/** Relative luminance of `#rrggbb` (WCAG 2.2). */
function luminance(colour: string): number {
  const linear = [1, 3, 5].map((at) => {
    const level = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4
  })
  const [red = 0, green = 0, blue = 0] = linear
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

const light = variablesOf(':root')
const themes = { light, dark: new Map([...light, ...variablesOf(":root[data-theme='dark']")]) }
const surfaces = ['--surface-0', '--surface-1', '--surface-2', '--surface-hover', '--surface-chosen']
const texts = ['--text', '--text-quiet', '--accent']
const pairs: [text: string, surface: string][] = [
  ...texts.flatMap((text) => surfaces.map((surface): [string, string] => [text, surface])),
  ...['--good', '--warning', '--bad'].flatMap((text) =>
    ['--surface-1', '--surface-2'].map((surface): [string, string] => [text, surface]),
  ),
  ...['--good', '--bad'].map((text): [string, string] => [text, '--surface-chosen']),
  ['--text', '--bad-surface'],
  ['--bad', '--bad-surface'],
  ['--on-accent', '--accent'],
  ['--on-accent', '--accent-strong'],
  // The words of tooltips.
  ['--surface-2', '--text'],
]

describe.each(Object.entries(themes))('%s theme', (_, variables) => {
  const colour = (name: string): string => variables.get(name) ?? ''

  it.each(pairs)('%s on %s can be read (contrast 4.5)', (text, surface) => {
    expect(colour(text)).toMatch(/^#[\da-f]{6}$/)
    expect(contrast(colour(text), colour(surface))).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['--surface-1', '--surface-2'])('a focus ring is seen on %s (contrast 3)', (surface) => {
    expect(contrast(colour('--accent'), colour(surface))).toBeGreaterThanOrEqual(3)
  })
})
