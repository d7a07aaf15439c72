import { describe, expect, it } from 'vitest'
import { browserCommand, hasDisplay } from './open-browser.ts'

const address = 'http://127.0.0.1:7000/?token=a&b=c'

describe('the browser of the user', () => {
  it.each([
    ['darwin', {}, ['open', address]],
    ['win32', {}, ['rundll32', 'url.dll,FileProtocolHandler', address]],
    ['linux', { DISPLAY: ':0' }, ['xdg-open', address]],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, ['xdg-open', address]],
    ['linux', {}, undefined],
    ['linux', { DISPLAY: '' }, undefined],
  ] as const)('on %s with %o: %s', (platform, environment, command) => {
    expect(browserCommand(address, { platform, environment })).toEqual(command)
    expect(hasDisplay({ platform, environment })).toBe(command !== undefined)
  })
})
