import { describe, expect, it } from 'vitest'
import { action, ACTIONS, spoken, type ActionName } from './actions.ts'

describe('what to do', () => {
  it('is said as the door does it', () => {
    const remedy = `Weights may be damaged. ${action('examine-network')}`
    expect(spoken(remedy, 'command')).toBe('Weights may be damaged. Let "convscope model doctor NAME" look at it.')
    expect(spoken(remedy, 'window')).toMatch(/on the page of the network/)
  })

  it('leaves text alone that names no action', () => {
    expect(spoken('{{node MatMul_12}} and {{to-string}} and {{constructor}}', 'window')).toBe(
      '{{node MatMul_12}} and {{to-string}} and {{constructor}}',
    )
  })

  it('tells users of the window of no commands, and users of commands of no pages', () => {
    for (const name of Object.keys(ACTIONS) as ActionName[]) {
      expect(ACTIONS[name].window).not.toMatch(/convscope|--/)
      expect(ACTIONS[name].command).not.toMatch(/page|tab|button|settings/)
    }
  })
})
